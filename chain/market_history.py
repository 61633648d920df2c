"""History of the internal market: every trade, and candles ("buckets") of five lengths made from them.

Both follow from the fill_order events. What is irreversible lies in the state database under its own prefix, with its
own cursor, written in the same batch as the state; trades of blocks that can still be undone are in memory. The
buckets of the whole window are in memory, and each newest block remembers those that it changed.

Trades of transactions that are in no block yet are not counted.

Source: libraries/plugins/market_history/market_history_plugin.cpp and market_history_plugin.hpp.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

from chain.effects import BlockEffects
from chain.observers import Put
from protocol.assets import STEEM, Asset
from protocol.units import DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS
from protocol.virtual_operations import FillOrder
from state.engine.kv import Backend, Reads
from state.engine.rows import pack, unpack

BUCKET_SECONDS = (15, MINUTE_SECONDS, 5 * MINUTE_SECONDS, HOUR_SECONDS, DAY_SECONDS)
"""Lengths of the buckets, in seconds: the default of the reference's market-history-bucket-size."""

BUCKETS_PER_SIZE = 5760
"""How many lengths back buckets are kept: the default of the reference's market-history-buckets-per-size."""

PREFIX = b"\x21"
"""First byte of every key of the index."""

CURSOR = PREFIX + b"\x00"
"""Key of how far the index is."""

_TRADES = PREFIX + b"\x01"
_BUCKETS = PREFIX + b"\x02"
_END = bytes((PREFIX[0] + 1,))
_FORMAT = 1
_TRADE_KEY = Struct(">IQ")
_BUCKET_KEY = Struct(">II")
_TIME = Struct(">I")
_DROP_BATCH = 10_000

BucketKey = tuple[int, int]
"""Length of a bucket and the time when it begins, both in seconds."""


class Trade(NamedTuple):
    """One fill of two orders: what the new order and the older one paid, in the smallest units."""

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


class _Block:
    """What one block that is not written yet changed, and the state before it."""

    __slots__ = ("before", "next_bucket", "next_trade", "number", "trades")

    def __init__(self, number: int, next_trade: int, next_bucket: int) -> None:
        self.number = number
        self.next_trade = next_trade
        self.next_bucket = next_bucket
        self.trades: list[Trade] = []
        self.before: dict[BucketKey, Bucket | None] = {}


class MarketHistory:
    """The index over a backend that it shares with the state."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._blocks: dict[int, _Block] = {}
        self._buckets: dict[BucketKey, Bucket] = {}
        self._opens: dict[int, list[int]] = {}
        self._next_trade = self._next_bucket = 0
        self._cursor: int | None = None
        self._load()

    @property
    def cursor(self) -> int | None:
        """Number of the last block in the database; None when there is no index yet."""
        return self._cursor

    def _load(self) -> None:
        found = _read_position(self._backend)
        if found is None:
            return
        self._cursor, self._next_trade, self._next_bucket = found
        for key, value in self._backend.scan(_BUCKETS, _BUCKETS + b"\xff"):
            seconds, opened = _BUCKET_KEY.unpack(key[len(_BUCKETS) :])
            number, symbol, steem, non_steem = unpack(value)
            bucket = Bucket(number, opened, seconds, BucketSide(*steem), symbol, BucketSide(*non_steem))
            self._set((seconds, opened), bucket)

    # Following the chain

    def add_block(self, effects: BlockEffects) -> None:
        """Takes in what a new head block did."""
        block = None
        for applied in effects.operations:
            if type(applied.op) is not FillOrder:
                continue
            if block is None:
                block = self._blocks[effects.number] = _Block(effects.number, self._next_trade, self._next_bucket)
            trade = Trade(self._next_trade, applied.timestamp, applied.op.current_pays, applied.op.open_pays)
            self._next_trade += 1
            block.trades.append(trade)
            for seconds in BUCKET_SECONDS:
                self._count(block, trade, seconds)

    def undo_block(self, number: int) -> None:
        """Forgets the newest block."""
        block = self._blocks.pop(number, None)
        if block is None:
            return
        for key, bucket in block.before.items():
            self._set(key, bucket)
        self._next_trade, self._next_bucket = block.next_trade, block.next_bucket

    def _count(self, block: _Block, trade: Trade, seconds: int) -> None:
        """Adds a trade to its bucket of one length; old buckets go when one that exists grows, as in the reference."""
        key = (seconds, trade.time // seconds * seconds)
        bucket = self._buckets.get(key)
        if bucket is None:
            self._change(block, key, _begin(self._next_bucket, key, trade))
            self._next_bucket += 1
            return
        self._change(block, key, _extend(bucket, trade))
        cutoff = trade.time - seconds * BUCKETS_PER_SIZE
        opens = self._opens[seconds]
        while opens[0] < cutoff:
            self._change(block, (seconds, opens[0]), None)

    def _change(self, block: _Block, key: BucketKey, bucket: Bucket | None) -> None:
        block.before.setdefault(key, self._buckets.get(key))
        self._set(key, bucket)

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

    # Writing

    def prepare(self, number: int) -> list[Put]:
        """Returns the puts that make everything up to block `number` part of the index; `finish` follows the write."""
        puts: list[Put] = []
        final: dict[BucketKey, Bucket | None] = {}
        later: dict[BucketKey, Bucket | None] = {}
        next_trade, next_bucket = self._next_trade, self._next_bucket
        for block in reversed(self._blocks.values()):
            if block.number > number:
                later.update(block.before)
                next_trade, next_bucket = block.next_trade, block.next_bucket
                continue
            puts += [_trade_put(trade) for trade in block.trades]
            for key in block.before:
                final[key] = later[key] if key in later else self._buckets.get(key)
        puts += [_bucket_put(key, bucket) for key, bucket in final.items()]
        puts.append((CURSOR, pack((_FORMAT, number, next_trade, next_bucket))))
        return puts

    def finish(self, number: int) -> None:
        """Drops from memory what was written up to block `number`."""
        for old in [block for block in self._blocks if block <= number]:
            del self._blocks[old]
        self._cursor = number

    def drop(self) -> None:
        """Removes the whole index from the database."""
        self._blocks.clear()
        self._buckets.clear()
        self._opens.clear()
        self._next_trade = self._next_bucket = 0
        while True:
            # The cursor is the first key, so an index that is half dropped has none.
            scan = self._backend.scan(PREFIX, _END)
            keys = [key for (key, _value), _ in zip(scan, range(_DROP_BATCH), strict=False)]
            if not keys:
                break
            self._backend.write([(key, None) for key in keys], sync=False)
        self._cursor = None

    # Questions

    def get_trades(self, first: int, last: int, count: int) -> list[Trade]:
        """Returns at most `count` trades from time `first` to time `last`, both included, oldest first."""
        found: list[Trade] = []
        if count > 0 and first <= last:
            end = _TRADES + _TIME.pack(last) + b"\xff" * 9
            for key, value in self._backend.scan(_TRADES + _TIME.pack(first), end):
                found.append(_read_trade(key, value))
                if len(found) == count:
                    return found
            for block in self._blocks.values():
                found += [trade for trade in block.trades if first <= trade.time <= last]
        return found[:count]

    def get_recent_trades(self, count: int) -> list[Trade]:
        """Returns the last trades, at most `count`, newest first."""
        found: list[Trade] = []
        for trade in self._scan_back():
            if len(found) >= count:
                break
            found.append(trade)
        return found

    def _scan_back(self) -> Iterator[Trade]:
        for block in reversed(self._blocks.values()):
            yield from reversed(block.trades)
        for key, value in self._backend.scan(_TRADES, _TRADES + b"\xff" * 13, reverse=True):
            yield _read_trade(key, value)

    def get_buckets(self, seconds: int, first: int, end: int) -> list[Bucket]:
        """Returns the buckets of one length that begin from `first` up to, not including, `end`, oldest first."""
        opens = self._opens.get(seconds, [])
        return [self._buckets[seconds, opened] for opened in opens[bisect_left(opens, first) : bisect_left(opens, end)]]

    def get_shortest_buckets(self) -> list[Bucket]:
        """Returns all buckets of the shortest length that there are."""
        for seconds in BUCKET_SECONDS:
            opens = self._opens.get(seconds)
            if opens:
                return [self._buckets[seconds, opened] for opened in opens]
        return []


def read_cursor(values: Reads) -> int | None:
    """Number of the last block in the index of a database; None when there is no index, or one of another layout."""
    found = _read_position(values)
    return None if found is None else found[0]


def _read_position(values: Reads) -> tuple[int, int, int] | None:
    """The number of the last block in the index, and the ids of the next trade and the next bucket."""
    data = values.get(CURSOR)
    if data is None:
        return None
    layout, *rest = unpack(data)
    if layout != _FORMAT:
        return None
    number, next_trade, next_bucket = rest
    return int(number), int(next_trade), int(next_bucket)


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


def _trade_put(trade: Trade) -> Put:
    current, opened = trade.current_pays, trade.open_pays
    value = pack((current.amount, current.symbol, opened.amount, opened.symbol))
    return _TRADES + _TRADE_KEY.pack(trade.time, trade.id), value


def _read_trade(key: bytes, value: bytes) -> Trade:
    time, number = _TRADE_KEY.unpack(key[len(_TRADES) :])
    current, current_symbol, opened, open_symbol = unpack(value)
    return Trade(number, time, Asset(current, current_symbol), Asset(opened, open_symbol))


def _bucket_put(key: BucketKey, bucket: Bucket | None) -> Put:
    place = _BUCKETS + _BUCKET_KEY.pack(*key)
    if bucket is None:
        return place, None
    return place, pack((bucket.id, bucket.symbol, tuple(bucket.steem), tuple(bucket.non_steem)))
