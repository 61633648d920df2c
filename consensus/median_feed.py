"""The price of STEEM in SBD: the median of the witnesses' feeds, and the median of those medians over some days.

Source: libraries/chain/database.cpp, database::update_median_feed.
"""

from collections.abc import Iterable
from functools import cmp_to_key

from consensus.slots import get_round_witnesses
from protocol.assets import SBD, STEEM, Asset, Price, price_compare, price_less
from protocol.units import BASIS_POINTS
from state.context import SINGLETON, Context


def compute_median_price(prices: Iterable[Price]) -> Price:
    """The median of the prices; the upper of the two middle ones if their number is even."""
    ordered = sorted(prices, key=cmp_to_key(price_compare))
    return ordered[len(ordered) // 2]


def update_median_feed(ctx: Context) -> None:
    """Once every feed interval, appends the median of the round's unexpired feeds to the history."""
    rules = ctx.rules
    gpo = ctx.gpo
    if gpo.head_block_number % rules.feed_interval_blocks != 0:
        return
    feeds = [
        witness.sbd_exchange_rate
        for witness in map(ctx.tables.witnesses.get, get_round_witnesses(ctx))
        if gpo.time < witness.last_sbd_exchange_update + rules.max_feed_age_seconds
        and not witness.sbd_exchange_rate.is_null()
    ]
    if len(feeds) < rules.min_feeds:
        return
    table = ctx.tables.feed_history
    feed_history = table.get(SINGLETON)
    price_history = (*feed_history.price_history, compute_median_price(feeds))
    if len(price_history) > rules.feed_history_window:
        price_history = price_history[1:]
    median = compute_median_price(price_history)
    if not rules.skip_price_feed_limit_check:
        median = limit_price(median, gpo.current_sbd_supply, gpo.current_supply, rules.sbd_stop_bp)
    table.update(feed_history, price_history=price_history, current_median_history=median)


def limit_price(price: Price, sbd_supply: int, steem_supply: int, debt_limit_bp: int) -> Price:
    """The price, raised if it values the SBD above the debt limit to the lowest price that does not.

    Supplies are in the smallest units of SBD and STEEM. The limit is the maximum share of SBD in the value of both
    together, in basis points: at 1,000 (a tenth), all SBD are worth at most a ninth of all STEEM.
    """
    if sbd_supply <= 0 or debt_limit_bp == 0:
        return price
    worth = sbd_supply * (BASIS_POINTS - debt_limit_bp) // debt_limit_bp
    least = Price(Asset(worth, SBD), Asset(steem_supply, STEEM))
    return least if price_less(price, least) else price
