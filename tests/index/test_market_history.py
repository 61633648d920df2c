"""Market history: trades and candles, what is written and what is in memory, undone blocks, restarts."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from chain.effects import AppliedOperation
from index.base import BEGINNING
from index.indexes import Indexes, open_chain
from index.market_history import BUCKET_SECONDS, BUCKETS_PER_SIZE, Bucket, BucketSide, MarketHistory, Trade
from index.record import Record
from operations.market import LimitOrderCreate
from operations.transfer import Transfer
from protocol.assets import SBD, STEEM, Asset
from protocol.rules import Rules
from protocol.virtual_operations import FillOrder
from state.engine.kv import MemoryBackend
from tests.chains import FIRST
from tests.harness import Harness, sbd, steem

START = 1_600_000_005
DAY = 86_400
FAR = 0xFFFFFFFF


def effects(number: int, *trades: tuple[int, Asset, Asset]) -> Record:
    """A block with fills at the given times, and something else between them."""
    operations = []
    for place, (time, current, opened) in enumerate(trades):
        fill = FillOrder("alice", 1, current, "bob", 2, opened)
        for op in (Transfer("alice", "bob", steem(1), ""), fill):
            operations.append(AppliedOperation(bytes(20), number, place, 0, 0, time, op))
    block_id = number.to_bytes(4, "big") + bytes(16)
    return Record(number, block_id, bytes(20), START, "carol", tuple(operations), (), Rules(), ())


def bucket(history: MarketHistory, seconds: int, opened: int) -> Bucket:
    (found,) = history.get_buckets(seconds, opened, opened + 1)
    return found


def test_a_candle_has_the_amounts_of_its_first_last_best_and_worst_trade() -> None:
    history = MarketHistory(MemoryBackend())
    history.apply(effects(1, (START, sbd(500), steem(1000)), (START + 3, steem(2000), sbd(1200))))
    history.apply(effects(2, (START + 9, steem(1000), sbd(400)), (START + 10, sbd(90), steem(200))))
    opened = START // 15 * 15
    assert bucket(history, 15, opened) == Bucket(
        0, opened, 15, BucketSide(2000, 1000, 1000, 200, 4200), SBD, BucketSide(1200, 400, 500, 90, 2190)
    )
    assert [bucket(history, seconds, START // seconds * seconds).id for seconds in BUCKET_SECONDS] == [0, 1, 2, 3, 4]
    history.apply(effects(3, (START + 15, sbd(1), steem(1))))
    assert bucket(history, 15, opened + 15).id == 5
    assert [found.open for found in history.get_buckets(15, 0, FAR)] == [opened, opened + 15]
    assert history.get_buckets(15, 0, opened) == []
    assert [found.open for found in history.get_buckets(15, opened + 1, opened + 16)] == [opened + 15]
    assert history.get_buckets(16, 0, FAR) == []


def test_equal_prices_keep_the_first_of_the_highest_and_lowest() -> None:
    history = MarketHistory(MemoryBackend())
    history.apply(effects(1, (START, sbd(1), steem(2)), (START, sbd(100), steem(200))))
    found = bucket(history, 15, START // 15 * 15)
    assert (found.steem.high, found.steem.low, found.non_steem.high, found.non_steem.low) == (2, 2, 1, 1)


def test_old_candles_go_when_a_younger_one_grows() -> None:
    """The reference looks for old candles only when a trade falls into a candle that exists."""
    history = MarketHistory(MemoryBackend())
    late = START + BUCKETS_PER_SIZE * 15
    history.apply(effects(1, (START, sbd(1), steem(2))))
    history.apply(effects(2, (late + 15, sbd(1), steem(2))))
    assert len(history.get_buckets(15, 0, FAR)) == 2
    history.apply(effects(3, (late + 18, sbd(1), steem(2))))
    assert [found.open for found in history.get_buckets(15, 0, FAR)] == [(late + 15) // 15 * 15]
    assert len(history.get_buckets(60, 0, FAR)) == 2
    history.undo()
    assert len(history.get_buckets(15, 0, FAR)) == 2


def test_a_candle_that_begins_where_the_window_does_is_kept() -> None:
    history = MarketHistory(MemoryBackend())
    opened = START // 15 * 15
    last = opened + BUCKETS_PER_SIZE * 15
    history.apply(effects(1, (START, sbd(1), steem(2)), (last, sbd(1), steem(2))))
    history.apply(effects(2, (last, sbd(1), steem(2))))
    assert [found.open for found in history.get_buckets(15, 0, FAR)] == [opened, last]
    history.apply(effects(3, (last + 1, sbd(1), steem(2))))
    assert [found.open for found in history.get_buckets(15, 0, FAR)] == [last]


def test_trades_by_time_and_newest_first() -> None:
    history = MarketHistory(MemoryBackend())
    for number in range(1, 11):
        history.apply(effects(number, (START + number, sbd(number), steem(1)), (START + number, sbd(1), steem(2))))
        if number == 5:
            history.write(4)

    def numbers(found: list[Trade]) -> list[int]:
        return [trade.id for trade in found]

    assert numbers(history.get_trades(0, FAR, 1000)) == list(range(20))
    assert numbers(history.get_trades(START + 3, START + 5, 1000)) == [4, 5, 6, 7, 8, 9]
    assert numbers(history.get_trades(START + 3, START + 5, 3)) == [4, 5, 6]
    assert numbers(history.get_trades(START + 3, START + 5, 5)) == [4, 5, 6, 7, 8]
    assert numbers(history.get_trades(START + 5, START + 3, 5)) == numbers(history.get_trades(0, FAR, 0)) == []
    assert numbers(history.get_recent_trades(13)) == list(range(19, 6, -1))
    assert numbers(history.get_recent_trades(1000)) == list(range(19, -1, -1))
    assert history.get_recent_trades(0) == []
    assert history.get_trades(START + 2, START + 2, 1) == [Trade(2, START + 2, sbd(2), steem(1))]


def recompute(blocks: list[Record]) -> tuple[list[Trade], dict[tuple[int, int], Bucket]]:
    """Trades and candles from the beginning, in the plainest way."""
    trades: list[Trade] = []
    buckets: dict[tuple[int, int], Bucket] = {}
    members: dict[tuple[int, int], list[tuple[int, int]]] = {}
    next_id = 0
    for applied in (applied for block in blocks for applied in block.operations):
        if not isinstance(applied.op, FillOrder):
            continue
        current, opened = applied.op.current_pays, applied.op.open_pays
        trades.append(Trade(len(trades), applied.timestamp, current, opened))
        pair = (opened.amount, current.amount) if opened.symbol == STEEM else (current.amount, opened.amount)
        for seconds in BUCKET_SECONDS:
            key = (seconds, applied.timestamp - applied.timestamp % seconds)
            is_new = key not in members
            members.setdefault(key, []).append(pair)
            number = next_id if is_new else buckets[key].id
            next_id += is_new
            high = max(members[key], key=lambda trade: Ratio(trade[1], trade[0]))
            low = min(members[key], key=lambda trade: Ratio(trade[1], trade[0]))
            sides = [
                BucketSide(high[i], low[i], members[key][0][i], pair[i], sum(trade[i] for trade in members[key]))
                for i in (0, 1)
            ]
            buckets[key] = Bucket(number, key[1], seconds, sides[0], SBD, sides[1])
            if not is_new:
                for old in [old for old in buckets if old[0] == seconds]:
                    if old[1] < applied.timestamp - seconds * BUCKETS_PER_SIZE:
                        del buckets[old], members[old]
    return trades, buckets


class Ratio:
    """A price that compares exactly."""

    def __init__(self, top: int, bottom: int) -> None:
        self.top, self.bottom = top, bottom

    def __lt__(self, other: Ratio) -> bool:
        return self.top * other.bottom < other.top * self.bottom

    def __gt__(self, other: Ratio) -> bool:
        return other < self


AMOUNT = st.integers(1, 9)
TRADE = st.tuples(st.booleans(), AMOUNT, AMOUNT)
STEP = st.one_of(
    st.tuples(st.just("add"), st.sampled_from([3, 6, 12, 60, 3600, DAY, DAY + 15, 40 * DAY]), st.lists(TRADE)),
    st.tuples(st.just("undo"), st.integers(1, 3), st.none()),
    st.tuples(st.just("commit"), st.integers(0, 4), st.none()),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEP, max_size=25))
def test_undoing_and_writing_at_any_point_changes_no_answer(
    steps: list[tuple[str, int, list[tuple[bool, int, int]]]],
) -> None:
    backend = MemoryBackend()
    history = MarketHistory(backend)
    blocks: list[Record] = []
    written = 0
    now = START
    for kind, value, trades in steps:
        if kind == "add":
            now += value
            fills = [
                (now, sbd(left), steem(right)) if is_buyer else (now, steem(left), sbd(right))
                for is_buyer, left, right in trades
            ]
            blocks.append(effects(len(blocks) + 1, *fills))
            history.apply(blocks[-1])
        elif kind == "undo":
            for _ in range(min(value, len(blocks) - written)):
                history.undo()
                blocks.pop()
        else:
            written = max(written, len(blocks) - value)
            history.write(written)
        expected, buckets = recompute(blocks)
        assert history.get_trades(0, FAR, 10**6) == expected
        assert history.get_recent_trades(10**6) == expected[::-1]
        found = [row for seconds in BUCKET_SECONDS for row in history.get_buckets(seconds, 0, FAR)]
        assert found == [buckets[key] for key in sorted(buckets)]
        reopened = MarketHistory(backend)
        assert reopened.written == history.written
        expected, buckets = recompute(blocks[:written])
        assert reopened.get_trades(0, FAR, 10**6) == expected
        found = [row for seconds in BUCKET_SECONDS for row in reopened.get_buckets(seconds, 0, FAR)]
        assert found == [buckets[key] for key in sorted(buckets)]


def trade(world: Harness, number: int, price: int) -> None:
    """Initminer sells 1 STEEM to itself."""
    for sells, asks, place in ((steem(1000), sbd(price), 0), (sbd(price), steem(1000), 1)):
        order = LimitOrderCreate(FIRST, 2 * number + place, sells, asks, False, world.now + 3600)
        world.push(order)
    world.generate_block()


def prices(indexes: Indexes) -> list[int]:
    found = indexes.market.get_trades(0, FAR, 1000)
    return [trade.current_pays.amount for trade in found]


def test_a_fork_switch_takes_trades_along() -> None:
    world, other = Harness(), Harness()
    trade(world, 1, 100)
    block = world.chain.reader.get_block(2)
    assert block is not None
    other.chain.push_block(block)
    trade(world, 2, 200)
    assert prices(world.indexes) == [100, 200]
    for number in (3, 4):
        trade(other, number, number * 100)
        new = other.chain.reader.get_block(other.chain.head_number)
        assert new is not None
        world.chain.push_block(new)
    assert prices(world.indexes) == prices(other.indexes) == [100, 300, 400]
    ours, theirs = world.market, other.market
    for seconds in BUCKET_SECONDS:
        assert ours.get_buckets(seconds, 0, FAR) == theirs.get_buckets(seconds, 0, FAR) != []


def test_a_pending_trade_does_not_count() -> None:
    world = Harness()
    for sells, asks, number in ((steem(1000), sbd(100), 1), (sbd(100), steem(1000), 2)):
        world.push(LimitOrderCreate(FIRST, number, sells, asks, False, world.now + 3600))
    assert prices(world.indexes) == []
    world.generate_block()
    assert prices(world.indexes) == [100]
    world.chain.undo_head()
    assert prices(world.indexes) == []


def test_a_restart_goes_on_and_a_missing_index_is_made_anew(tmp_path: Path) -> None:
    config = Harness().config
    world = Harness(config, path=tmp_path)
    for number in range(30):
        trade(world, number, 100 + number)
    assert world.chain.finality.committed_number > 0
    expected = prices(world.indexes)
    buckets = world.market.get_buckets(15, 0, FAR)
    assert len(expected) == 30
    world.indexes.rebuild()
    assert prices(world.indexes) == expected
    world.chain.close()
    chain, indexes = open_chain(config, tmp_path)
    assert prices(indexes) == expected
    assert indexes.market.get_buckets(15, 0, FAR) == buckets
    indexes.market.drop()
    assert indexes.market.written == BEGINNING
    chain.finality.followers = ()
    chain.close()
    chain, indexes = open_chain(config, tmp_path)
    assert prices(indexes) == expected
    assert indexes.market.get_buckets(15, 0, FAR) == buckets
    chain.close()
