"""The median price. Counterpart of the reference's feed_publish_mean and sbd_price_feed_limit."""

from __future__ import annotations

import pytest

from consensus.median_feed import compute_median_price, limit_price, update_median_feed
from protocol.assets import SBD, STEEM, Asset, Price, price_compare
from state.context import SINGLETON, Context
from tests.chains import FIRST
from tests.consensus.worlds import change_witness, make_context, make_round

NOW = 1_600_000_000
WEEK = 604_800


def price(sbd: int, steem: int = 1000) -> Price:
    return Price(Asset(sbd, SBD), Asset(steem, STEEM))


def feed(ctx: Context, name: str, rate: Price, age: int = 0) -> None:
    change_witness(ctx, name, sbd_exchange_rate=rate, last_sbd_exchange_update=NOW - age)


def take(ctx: Context, block: int = 1200) -> Price:
    ctx.update_gpo(head_block_number=block, time=NOW)
    update_median_feed(ctx)
    return ctx.tables.feed_history.get(SINGLETON).current_median_history


def history(ctx: Context) -> tuple[Price, ...]:
    return ctx.tables.feed_history.get(SINGLETON).price_history


def test_median_of_seven_feeds() -> None:
    """Counterpart of feed_publish_mean: the middle feed, once an hour, and nothing in between."""
    ctx = make_context()
    names = make_round(ctx, 7)
    for place, name in enumerate(names):
        feed(ctx, name, price(1000 * (place + 1)))
    before = ctx.tables.feed_history.get(SINGLETON).current_median_history
    assert take(ctx, 1199) == before
    assert take(ctx, 1200) == price(4000)
    assert history(ctx) == (price(4000),)
    feed(ctx, "wit00", price(8000))
    assert take(ctx, 2400) == price(5000), "of two entries the higher one"
    assert history(ctx) == (price(4000), price(5000))
    assert take(ctx, 3600) == price(5000)


def test_six_feeds_make_no_price() -> None:
    ctx = make_context()
    names = make_round(ctx, 21)
    before = ctx.tables.feed_history.get(SINGLETON)
    for name in names[:6]:
        feed(ctx, name, price(2000))
    take(ctx)
    assert ctx.tables.feed_history.get(SINGLETON) == before


@pytest.mark.parametrize(("age", "counts"), [(0, True), (WEEK - 1, True), (WEEK, False)])
@pytest.mark.windows
def test_old_feeds_do_not_count(age: int, counts: bool) -> None:
    ctx = make_context()
    names = make_round(ctx, 7)
    for name in names[:6]:
        feed(ctx, name, price(2000))
    feed(ctx, names[6], price(2000), age)
    take(ctx)
    assert bool(history(ctx)) == counts


def test_a_feed_of_nobody_in_the_round_does_not_count() -> None:
    ctx = make_context()
    for name in make_round(ctx, 7)[:6]:
        feed(ctx, name, price(2000))
    feed(ctx, FIRST, price(2000))
    take(ctx)
    assert history(ctx) == ()


def test_the_window_holds_84_prices() -> None:
    ctx = make_context()
    names = make_round(ctx, 7)
    for hour in range(1, 90):
        for name in names:
            feed(ctx, name, price(hour))
        take(ctx, 1200 * hour)
    assert [entry.base.amount for entry in history(ctx)] == list(range(6, 90))
    assert ctx.tables.feed_history.get(SINGLETON).current_median_history == price(6 + 42)


def test_unlike_amounts_are_compared_as_ratios() -> None:
    median = compute_median_price([price(1, 3), price(1, 2), price(50, 49)])
    assert price_compare(median, price(500, 1000)) == 0


def test_the_debt_limit() -> None:
    """With 500 STEEM and 100 SBD the price is at least 900 SBD for 500 STEEM: then the SBD are a tenth of all."""
    assert limit_price(price(100), 100_000, 500_000, 1000) == Price(Asset(900_000, SBD), Asset(500_000, STEEM))
    assert limit_price(price(1800), 100_000, 500_000, 1000) == price(1800)
    assert limit_price(price(100), 0, 500_000, 1000) == price(100)


@pytest.mark.parametrize("is_skipped", [True, False])
def test_a_testnet_skips_the_debt_limit(is_skipped: bool) -> None:
    """Counterpart of sbd_price_feed_limit."""
    ctx = make_context()
    ctx.rules = ctx.rules.replace(skip_price_feed_limit_check=is_skipped)
    ctx.update_gpo(current_sbd_supply=100_000, current_supply=500_000)
    for name in make_round(ctx, 7):
        feed(ctx, name, price(100))
    assert take(ctx) == (price(100) if is_skipped else Price(Asset(900_000, SBD), Asset(500_000, STEEM)))


def test_a_day_of_feeds() -> None:
    """Counterpart of feed_publish_mean with its figures: every hour each feed asks 0.010 STEEM more."""
    ctx = make_context()
    names = make_round(ctx, 7)
    quotes = (100_000, 105_000, 98_000, 97_000, 99_000, 97_500, 102_000)
    for hour in range(24):
        for name, quote in zip(names, quotes, strict=True):
            feed(ctx, name, price(1000, quote + 10 * hour))
        median = take(ctx, 1200 * (hour + 1))
        assert history(ctx)[-1] == price(1000, 99_000 + 10 * hour)
        assert len(history(ctx)) == hour + 1
        assert median == history(ctx)[hour // 2]
