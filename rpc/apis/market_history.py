"""market_history_api: the order book, trades and candles of the market of STEEM and SBD.

The reference computes ticker and volume from all retained candles of the shortest length, and the latest price from the
oldest of them: its search for the last day is wrong. On the chains that it serves itself the results are the same here;
on all others, and in plaudit_api on every chain, they are right.

Source: libraries/plugins/apis/market_history_api/market_history_api.cpp.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

from index.market_history import BUCKET_SECONDS, Bucket, BucketSide, Trade
from protocol.assets import SBD, STEEM, decimals, nai_string
from protocol.times import time_text
from protocol.units import DAY_SECONDS
from rpc.apis.access import ApiBase, NodeAccess
from rpc.kinds import AtMost, Moment, Unsigned32
from rpc.method import rpc_method
from rpc.objects import Json, big, float_text, real_price
from rpc.slices import Steps, collect

CHAINS_WITH_FAULTS = ("steem", "testnet")
"""Chains on which other nodes give the reference's answers."""

BOOK_MAX = 500
TRADES_MAX = 1000

BookLimit = Annotated[Unsigned32, AtMost(BOOK_MAX, "args.limit <= 500")]
TradesLimit = Annotated[Unsigned32, AtMost(TRADES_MAX, "args.limit <= 1000")]


class MarketHistoryApi(ApiBase):
    """The methods of market_history_api."""

    def __init__(self, node: NodeAccess, legacy: bool = False, exact: bool | None = None) -> None:
        """With `exact`, ticker and volume are right on every chain."""
        super().__init__(node, legacy)
        self.tables = node.chain.ctx.tables
        self._is_exact = node.chain.config.chain.name not in CHAINS_WITH_FAULTS if exact is None else exact

    @rpc_method()
    def get_ticker(self) -> Json:
        """Latest price, best offers, and change and volume of the last 24 hours."""
        latest = percent_change = 0.0
        buckets, day = self.indexes.market.get_shortest_buckets(), self._get_last_day()
        if buckets:
            newest = buckets[-1 if self._is_exact else 0]
            latest = newest.non_steem.close / newest.steem.close
        if day:
            opening = day[0].non_steem.open / day[0].steem.open
            percent_change = ((latest - opening) / opening) * 100
        best = {side: self._best_price(side) for side in (STEEM, SBD)}
        return {
            "latest": float_text(latest),
            "lowest_ask": float_text(best[STEEM]),
            "highest_bid": float_text(best[SBD]),
            "percent_change": float_text(percent_change),
        } | self.get_volume()

    def _get_last_day(self) -> list[Bucket]:
        buckets = self.indexes.market.get_shortest_buckets()
        if not self._is_exact:
            return buckets
        begin = self.chain.ctx.time - DAY_SECONDS
        return [bucket for bucket in buckets if bucket.open + bucket.seconds > begin]

    def _best_price(self, symbol: int) -> float:
        row = self.tables.limit_orders.index("by_price").first((symbol, SBD if symbol == STEEM else STEEM))
        return 0.0 if row is None else real_price(row.sell_price)

    @rpc_method()
    def get_volume(self) -> Json:
        """The traded volume of the last 24 hours, in both tokens."""
        buckets = self._get_last_day()
        return {
            "steem_volume": self.forms.steem(sum(bucket.steem.volume for bucket in buckets)),
            "sbd_volume": self.forms.sbd(sum(bucket.non_steem.volume for bucket in buckets)),
        }

    @rpc_method()
    def get_order_book(self, limit: BookLimit = BOOK_MAX) -> Steps:
        """The best orders of both sides, with prices as numbers."""
        bids = yield from collect(self._side(SBD, STEEM, limit))
        asks = yield from collect(self._side(STEEM, SBD, limit))
        return {"bids": bids, "asks": asks}

    def _side(self, sells: int, receives: int, limit: int) -> Iterator[Json]:
        rows = islice(self.tables.limit_orders.index("by_price").scan((sells, receives)), limit)
        return (self.forms.market_order(row, real_price(row.sell_price)) for row in rows)

    @rpc_method(rows="trades")
    def get_trade_history(self, start: Moment, end: Moment, limit: TradesLimit = TRADES_MAX) -> Steps:
        """The trades between two times, both included, oldest first."""
        yield from map(self._trade, self.indexes.market.get_trades(start, end, limit))

    @rpc_method(rows="trades")
    def get_recent_trades(self, limit: TradesLimit = TRADES_MAX) -> Steps:
        """The latest trades, newest first."""
        yield from map(self._trade, self.indexes.market.get_recent_trades(limit))

    def _trade(self, trade: Trade) -> Json:
        return {
            "date": time_text(trade.time),
            "current_pays": self.forms.asset(trade.current_pays),
            "open_pays": self.forms.asset(trade.open_pays),
        }

    @rpc_method(rows="buckets")
    def get_market_history(self, bucket_seconds: Unsigned32, start: Moment, end: Moment) -> Steps:
        """The candles of one length that begin from `start` up to, not including, `end`."""
        yield from map(_bucket, self.indexes.market.get_buckets(bucket_seconds, start, end))

    @rpc_method()
    def get_market_history_buckets(self) -> Json:
        """The lengths of the candles that are kept, in seconds."""
        return {"bucket_sizes": list(BUCKET_SECONDS)}


def _bucket(row: Bucket) -> Json:
    """A candle; its token is always in the numeric asset identifier form."""
    return {
        "id": row.id,
        "open": time_text(row.open),
        "seconds": row.seconds,
        "steem": _bucket_side(row.steem),
        "symbol": {"nai": nai_string(row.symbol), "decimals": decimals(row.symbol)},
        "non_steem": _bucket_side(row.non_steem),
    }


def _bucket_side(side: BucketSide) -> Json:
    return {name: big(value) for name, value in side._asdict().items()}
