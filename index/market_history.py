"""History of the internal market: every trade, and candles ("buckets") of five lengths made from them.

Both are derived from fill_order events.

Trades of pending transactions are not counted.

Source: libraries/plugins/market_history/market_history_plugin.cpp and market_history_plugin.hpp.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from itertools import islice
from struct import Struct
from typing import NamedTuple

from index.record import Record
from index.state_index import StateIndex, Values
from protocol.assets import SBD, STEEM, Asset
from protocol.units import DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS
from protocol.virtual_operations import FillOrder
from state.engine.rows import pack, unpack

BUCKET_SECONDS = (15, MINUTE_SECONDS, 5 * MINUTE_SECONDS, HOUR_SECONDS, DAY_SECONDS)
"""Lengths of the buckets, in seconds: the default of the reference's market-history-bucket-size."""

BUCKETS_PER_SIZE = 5760
"""Number of buckets kept per length: the default of the reference's market-history-buckets-per-size."""

_SYMBOLS = {STEEM, SBD}
"""What is traded in the market of this index; trades of community tokens have no history yet."""

_PREFIX = b"\x21"
_TRADES = _PREFIX + b"\x01"
_BUCKETS = _PREFIX + b"\x02"
_BUCKETS_RANGE = (_BUCKETS, _BUCKETS + b"\xff")
_TRADE_KEY = Struct(">IQ")
_BUCKET_KEY = Struct(">II")
_TIME = Struct(">I")

BucketKey = tuple[int, int]
"""Length of a bucket and the time when it begins, both in seconds."""


class Trade(NamedTuple):
    """One fill of two orders: the payments of the new and of the older order, in the smallest units."""

    id: int
    time: int
    current_pays: Asset
    open_pays: Asset


class BucketSide(NamedTuple):
    """The amounts of one token in a bucket, in its smallest unit.

    `high`, `low`, `open` and `close` are those of the trade at the highest and lowest price, the first and the last.
    """

    high: int
    low: int
    open: int
    close: int
    volume: int


class Bucket(NamedTuple):
    """The trades of one span of time. The price is that of STEEM in the other token."""

    id: int
    open: int
    seconds: int
    steem: BucketSide
    symbol: int
    non_steem: BucketSide


class MarketHistory(StateIndex):
    """The index of trades and buckets of STEEM and SBD. The buckets of the whole window are in memory as well."""

    name = "market_history"
    prefix = _PREFIX
    layout = 1

    def load(self) -> None:
        """Loads the buckets, and finds the next ids."""
        self._buckets: dict[BucketKey, Bucket] = {}
        self._opens: dict[int, list[int]] = {}
        for key, value in self.scan(*_BUCKETS_RANGE):
            self._set(_read_bucket_key(key), _read_bucket(key, value))
        self._find_next_ids()

    def reload(self, keys: Iterable[bytes]) -> None:
        """Restores the former values of buckets in memory."""
        for key in keys:
            if key.startswith(_BUCKETS):
                value = self.get(key)
                self._set(_read_bucket_key(key), None if value is None else _read_bucket(key, value))
        self._find_next_ids()

    def _find_next_ids(self) -> None:
        """Derives the next ids from the newest trade and bucket, which are never deleted."""
        newest = next(self._scan_back(), None)
        self._next_trade = 0 if newest is None else newest.id + 1
        self._next_bucket = max((bucket.id + 1 for bucket in self._buckets.values()), default=0)

    # Following

    def index(self, record: Record) -> Values:
        """Returns the trades of a block, and the buckets they change."""
        puts: Values = {}
        for applied in record.operations:
            fill = applied.op
            if type(fill) is not FillOrder or not {fill.current_pays.symbol, fill.open_pays.symbol} <= _SYMBOLS:
                continue
            trade = Trade(self._next_trade, applied.timestamp, fill.current_pays, fill.open_pays)
            self._next_trade += 1
            key, value = _trade_pair(trade)
            puts[key] = value
            for seconds in BUCKET_SECONDS:
                for bucket_key, bucket in self._count(trade, seconds):
                    puts[_BUCKETS + _BUCKET_KEY.pack(*bucket_key)] = None if bucket is None else _pack_bucket(bucket)
                    self._set(bucket_key, bucket)
        return puts

    def _count(self, trade: Trade, seconds: int) -> Iterator[tuple[BucketKey, Bucket | None]]:
        """Adds a trade to its bucket of one length; as in the reference, old ones are removed when a bucket grows."""
        key = (seconds, trade.time // seconds * seconds)
        bucket = self._buckets.get(key)
        if bucket is None:
            yield key, _begin(self._next_bucket, key, trade)
            self._next_bucket += 1
            return
        yield key, _extend(bucket, trade)
        cutoff = trade.time - seconds * BUCKETS_PER_SIZE
        opens = self._opens[seconds]
        while opens[0] < cutoff:
            yield (seconds, opens[0]), None

    def _set(self, key: BucketKey, bucket: Bucket | None) -> None:
        seconds, opened = key
        opens = self._opens.setdefault(seconds, [])
        if bucket is None:
            if self._buckets.pop(key, None) is not None:
                del opens[bisect_left(opens, opened)]
            return
        if key not in self._buckets:
            insort(opens, opened)
        self._buckets[key] = bucket

    # Queries

    def get_trades(self, first: int, last: int, count: int) -> list[Trade]:
        """Returns at most `count` trades from time `first` to time `last`, both included, oldest first."""
        if first > last:
            return []
        found = self.scan(_TRADES + _TIME.pack(first), _TRADES + _TIME.pack(last) + b"\xff" * 9)
        return [_read_trade(key, value) for key, value in islice(found, max(count, 0))]

    def get_recent_trades(self, count: int) -> list[Trade]:
        """Returns the last trades, at most `count`, newest first."""
        return list(islice(self._scan_back(), max(count, 0)))

    def _scan_back(self) -> Iterator[Trade]:
        found = self.scan(_TRADES, _TRADES + b"\xff" * 13, reverse=True)
        return (_read_trade(key, value) for key, value in found)

    def get_buckets(self, seconds: int, first: int, end: int) -> list[Bucket]:
        """Returns the buckets of one length that begin from `first` up to, not including, `end`, oldest first."""
        opens = self._opens.get(seconds, [])
        return [self._buckets[seconds, opened] for opened in opens[bisect_left(opens, first) : bisect_left(opens, end)]]

    def get_shortest_buckets(self) -> list[Bucket]:
        """Returns all buckets of the shortest length."""
        for seconds in BUCKET_SECONDS:
            opens = self._opens.get(seconds)
            if opens:
                return [self._buckets[seconds, opened] for opened in opens]
        return []


def _sides(trade: Trade) -> tuple[int, int, int]:
    """The STEEM of a trade, the other token, and its symbol."""
    if trade.open_pays.symbol == STEEM:
        return trade.open_pays.amount, trade.current_pays.amount, trade.current_pays.symbol
    return trade.current_pays.amount, trade.open_pays.amount, trade.open_pays.symbol


def _begin(number: int, key: BucketKey, trade: Trade) -> Bucket:
    steem, other, symbol = _sides(trade)
    return Bucket(number, key[1], key[0], BucketSide(*[steem] * 5), symbol, BucketSide(*[other] * 5))


def _extend(bucket: Bucket, trade: Trade) -> Bucket:
    steem, other, symbol = _sides(trade)
    ours, theirs = bucket.steem, bucket.non_steem
    ours = ours._replace(volume=ours.volume + steem, close=steem)
    theirs = theirs._replace(volume=theirs.volume + other, close=other)
    if theirs.high * steem < other * ours.high:
        ours, theirs = ours._replace(high=steem), theirs._replace(high=other)
    if theirs.low * steem > other * ours.low:
        ours, theirs = ours._replace(low=steem), theirs._replace(low=other)
    return bucket._replace(steem=ours, symbol=symbol, non_steem=theirs)


def _trade_pair(trade: Trade) -> tuple[bytes, bytes]:
    current, opened = trade.current_pays, trade.open_pays
    value = pack((current.amount, current.symbol, opened.amount, opened.symbol))
    return _TRADES + _TRADE_KEY.pack(trade.time, trade.id), value


def _read_trade(key: bytes, value: bytes) -> Trade:
    time, number = _TRADE_KEY.unpack(key[len(_TRADES) :])
    current, current_symbol, opened, open_symbol = unpack(value)
    return Trade(number, time, Asset(current, current_symbol), Asset(opened, open_symbol))


def _pack_bucket(bucket: Bucket) -> bytes:
    return pack((bucket.id, bucket.symbol, tuple(bucket.steem), tuple(bucket.non_steem)))


def _read_bucket_key(key: bytes) -> BucketKey:
    seconds, opened = _BUCKET_KEY.unpack(key[len(_BUCKETS) :])
    return seconds, opened


def _read_bucket(key: bytes, value: bytes) -> Bucket:
    seconds, opened = _read_bucket_key(key)
    number, symbol, steem, non_steem = unpack(value)
    return Bucket(number, opened, seconds, BucketSide(*steem), symbol, BucketSide(*non_steem))
