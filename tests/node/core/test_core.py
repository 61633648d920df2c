"""The node core under a world of its own: production at slots, missing keys, late timers, automine, a full disk."""

from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from chain.chain import Chain
from chain.effects import Applied, Irreversible, PushResult
from chain.pending import Dropped, PendingTransactions
from node.core import Node, NodeSettings, ProductionOutcome
from node.core.clock import JUMP_MS_MAX, SETTLE_MS, ClockWatch
from node.core.mining import LEAD_MS_MAX, PRODUCTION_TIMER
from node.core.production import FILL_MS_MAX
from node.core.reapplying import REAPPLY_MS_MAX, REAPPLY_TIMER, SLICE_MS
from node.core.writes import COMMIT_DELAY_MS, DISK_RETRY_MS, DISK_TIMER
from node.ports.health import find_problem
from node.ports.status import describe_status
from operations.transfer import Transfer
from operations.witness import WitnessUpdate
from protocol.assets import STEEM, Asset
from protocol.block import Block
from protocol.config import ChainConfig
from protocol.errors import ProtocolError, Rejected
from protocol.keys import PrivateKey, sign_digest
from protocol.operation import Operation
from protocol.transaction import Transaction
from protocol.types import LegacyChainProperties
from state.engine.errors import StoreCorrupt, StoreFull
from tests.node.lab import Clock, FakeWorld

START_MS = 1_800_000_000_000
KEY = PrivateKey.from_password("initminer", "active", "plaudit-dev")
KEYS = {KEY.public_key: KEY}


class VirtualWorld(FakeWorld):
    """A clock that moves only when a test says so, and the timers that are set on it."""

    def __init__(self) -> None:
        super().__init__(Clock())
        self.now = START_MS
        self.wall_ahead_ms = 0
        self.dropped: list[Dropped] = []

    def now_ms(self) -> int:
        return self.now + self.wall_ahead_ms

    def monotonic_ms(self) -> int:
        return self.now - START_MS

    def set_timer(self, name: str, at_ms: int) -> None:
        self.timers[name] = at_ms - self.wall_ahead_ms

    def tell_dropped(self, dropped: list[Dropped]) -> None:
        self.dropped += dropped

    def run(self, node: Node, until_ms: int, late_ms: int = 0) -> None:
        """Lets the time pass to a moment; timers go off `late_ms` after they are due."""
        while due := [(at, name) for name, at in self.timers.items() if at <= until_ms]:
            at, name = min(due)
            del self.timers[name]
            self.now = max(self.now, at) + late_ms
            node.on_timer(name)
        self.now = max(self.now, until_ms)

    def applied(self) -> list[int]:
        return [item.block.number for item in self.feed if isinstance(item, Applied)]

    def event_names(self) -> list[str]:
        return [event for event, _ in self.notes]


@pytest.fixture
def world() -> VirtualWorld:
    return VirtualWorld()


@pytest.fixture
def chain() -> Iterator[Chain]:
    opened = Chain.open(ChainConfig.preset("dev"))
    yield opened
    opened.close()


def make_node(world: VirtualWorld, chain: Chain, **changes: Any) -> Node:
    settings = NodeSettings(("initminer",), KEYS)._replace(**changes)
    return Node(world, chain, settings)


def transfer(chain: Chain, amount: int = 1, expiration: int | None = None) -> Transaction:
    return signed(chain, Transfer("alice", "bob", Asset(amount, STEEM), ""), "alice", expiration)


def signed(
    chain: Chain, operation: Operation | list[Operation], signer: str, expiration: int | None = None
) -> Transaction:
    unsigned = Transaction.make(
        chain.codec,
        ref_block_num=chain.head_number & 0xFFFF,
        ref_block_prefix=int.from_bytes(chain.head_id[4:8], "little"),
        expiration=chain.head_time + 60 if expiration is None else expiration,
        operations=tuple(operation) if isinstance(operation, list) else (operation,),
    )
    key = PrivateKey.from_password(signer, "active", "plaudit-dev")
    return unsigned.with_signatures([sign_digest(unsigned.digest(chain.config.chain_id), key)])


# Production at slots


def test_a_block_is_made_in_every_slot(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain)
    node.on_start()
    world.run(node, START_MS + 9_000)
    assert world.applied() == [1, 2, 3]
    assert [item.block.timestamp for item in world.feed if isinstance(item, Applied)] == [
        START_MS // 1000 + 3,
        START_MS // 1000 + 6,
        START_MS // 1000 + 9,
    ]
    assert world.feed[-1] == Irreversible(3)
    assert world.event_names() == ["produced"] * 3


def test_the_first_slot_begins_at_the_next_multiple_of_the_interval(world: VirtualWorld, chain: Chain) -> None:
    world.now += 1234
    node = make_node(world, chain)
    node.on_start()
    assert world.timers == {PRODUCTION_TIMER: START_MS + 3_000}


@pytest.mark.parametrize(("takes_ms", "late_ms"), [(120, 0), (400, 400 - LEAD_MS_MAX)])
def test_a_block_is_begun_as_long_before_its_slot_as_the_last_ones_took(
    world: VirtualWorld, chain: Chain, monkeypatch: pytest.MonkeyPatch, takes_ms: int, late_ms: int
) -> None:
    node = make_node(world, chain)
    push = chain.push_block

    def push_slowly(*arguments: Any, **options: Any) -> PushResult:
        world.now += takes_ms
        return push(*arguments, **options)

    monkeypatch.setattr(chain, "push_block", push_slowly)
    node.on_start()
    world.run(node, START_MS + 60_000)
    late = [figures["late_ms"] for event, figures in world.notes if event == "produced"]
    assert len(late) == 20, "one block in every slot"
    assert late[0] == takes_ms
    assert all(late_ms <= value <= late_ms + 4 for value in late[-3:])
    monkeypatch.undo()
    world.run(node, START_MS + 120_000)
    late = [figures["late_ms"] for event, figures in world.notes if event == "produced"]
    assert len(late) == 40
    assert -4 <= late[-1] <= 0, "it is not early when blocks take no time any more"


def test_a_node_without_a_witness_makes_no_block(world: VirtualWorld, chain: Chain) -> None:
    node = Node(world, chain, NodeSettings())
    node.on_start()
    world.run(node, START_MS + 60_000)
    assert world.timers == {}
    assert world.applied() == []


def test_a_late_timer_makes_no_block_but_the_next_one_does(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain)
    node.on_start()
    world.run(node, START_MS + 3_000, late_ms=501)
    assert world.applied() == []
    assert world.notes == [("missed", {"reason": "lag", "witness": "initminer", "late_ms": 501})]
    world.run(node, START_MS + 6_000, late_ms=500)
    assert world.applied() == [1]
    assert chain.head_time == START_MS // 1000 + 6


def test_a_timer_before_the_slot_makes_its_block(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain)
    node.miner.mine(1, START_MS // 1000 - chain.head_time - 3)
    world.now = chain.head_time * 1000 + 2_400
    assert node.miner.produce() is ProductionOutcome.NOT_TIME_YET
    world.now += 100
    assert node.miner.produce() is ProductionOutcome.PRODUCED


def test_without_the_signing_key_no_block_is_made(world: VirtualWorld, chain: Chain) -> None:
    other = PrivateKey.from_seed("another")
    node = make_node(world, chain, witness_keys={other.public_key: other})
    assert node.miner.produce() is ProductionOutcome.NO_PRIVATE_KEY
    assert world.notes == [("missed", {"reason": "no_private_key", "witness": "initminer"})]
    assert node.producer.counts[ProductionOutcome.NO_PRIVATE_KEY] == 1


def test_a_block_that_is_made_but_not_taken_counts_as_failed(world: VirtualWorld, chain: Chain) -> None:
    class Refusing(Node):
        def take_block(self, block: Block, skip_signatures: bool = False) -> PushResult:
            raise Rejected("", "no")

    node = Refusing(world, chain, NodeSettings(("initminer",), KEYS))
    assert node.miner.produce() is ProductionOutcome.FAILED
    assert node.producer.counts == {ProductionOutcome.FAILED: 1}
    assert world.event_names() == ["production_failed"]


def test_a_key_change_that_waits_for_a_block_does_not_stop_its_producer(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain)
    node.on_start()
    world.run(node, START_MS + 3_000)
    other = PrivateKey.from_seed("another key")
    props = LegacyChainProperties(Asset(3000, STEEM), 131_072, 1000)
    update = WitnessUpdate("initminer", "https://example.com", other.public_key, props, Asset(0, STEEM))
    node.on_transaction(signed(chain, update, "initminer"))
    world.run(node, START_MS + 6_000)
    assert world.applied() == [1, 2]
    assert chain.ctx.tables.witnesses.get("initminer").signing_key == other.public_key
    world.run(node, START_MS + 9_000)
    assert world.notes[-1] == ("missed", {"reason": "no_private_key", "witness": "initminer"})


def test_the_slot_of_another_witness_is_left_alone(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain, witnesses=("alice",))
    assert node.miner.produce() is ProductionOutcome.NOT_MY_TURN


def test_a_head_long_past_stops_a_node_that_may_not_go_on_from_it(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain, stale_production=False)
    assert node.miner.produce() is ProductionOutcome.STALE_CHAIN
    node.miner.mine(1)
    assert node.miner.produce() is not ProductionOutcome.PRODUCED


def test_a_recent_block_from_outside_ends_staleness(world: VirtualWorld, chain: Chain) -> None:
    maker = Chain.open(chain.config)
    block = maker.generate_block("initminer", KEY, START_MS // 1000)
    node = make_node(world, chain, stale_production=False, participation_min_bp=0)
    node.on_block(block)
    world.now += 3_000
    assert node.miner.produce() is ProductionOutcome.PRODUCED


def test_low_participation_stops_production(world: VirtualWorld, chain: Chain) -> None:
    maker = Chain.open(chain.config)
    block = maker.generate_block("initminer", KEY, START_MS // 1000)
    node = make_node(world, chain, stale_production=False, participation_min_bp=9_900)
    node.on_block(block)
    world.now += 3_000
    assert node.miner.produce() is ProductionOutcome.LOW_PARTICIPATION
    assert world.event_names() == ["missed"]


def test_no_key_signs_two_blocks_for_one_slot(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain)
    node.on_start()
    world.run(node, START_MS + 3_000)
    again = make_node(world, Chain.open(chain.config))  # A restart that lost the block.
    assert again.miner.produce() is ProductionOutcome.SLOT_USED
    world.now = START_MS + 6_000
    assert again.miner.produce() is ProductionOutcome.PRODUCED


def test_mining_at_will_leaves_used_slots_alone(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain)
    node.miner.mine(3)
    again = make_node(world, Chain.open(chain.config))
    again.miner.mine(1)
    assert again.chain.head_time == chain.head_time + 3


def test_damaged_guard_file_stops_the_start(world: VirtualWorld, chain: Chain) -> None:
    world.disk.write("production_guard", b"rubbish")
    with pytest.raises(ValueError, match="production_guard is damaged"):
        make_node(world, chain)


def test_a_block_from_the_future_is_refused(world: VirtualWorld, chain: Chain) -> None:
    maker = Chain.open(chain.config)
    node = make_node(world, chain)
    early = maker.generate_block("initminer", KEY, START_MS // 1000 + 6)
    with pytest.raises(Rejected, match="6 s ahead of this node's clock"):
        node.on_block(early)
    world.now += 1_000
    assert node.on_block(early).applied


# Mining at will


def test_mine_makes_blocks_ahead_of_the_clock_and_the_clock_follows(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain, mine_at_start=True)
    node.on_start()
    assert world.applied() == [1]
    assert chain.head_time == START_MS // 1000
    assert node.miner.mine(5, skip_seconds=600) == [2, 3, 4, 5, 6]
    assert chain.head_time == START_MS // 1000 + 600 + 5 * 3
    assert node.clock.now_ms() == chain.head_time * 1000
    world.run(node, START_MS + 3_000)
    assert world.applied() == [1, 2, 3, 4, 5, 6, 7]
    assert chain.head_time == START_MS // 1000 + 600 + 6 * 3


def test_mine_without_a_key_says_so(world: VirtualWorld, chain: Chain) -> None:
    node = Node(world, chain, NodeSettings())
    with pytest.raises(ProtocolError, match="holds the signing key of no scheduled witness"):
        node.miner.mine()


# Automine


def test_automine_makes_a_block_for_a_transaction_and_none_without(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain, automine=True)
    node.on_start()
    world.run(node, START_MS + 30_000)
    assert world.applied() == [1]
    transaction = transfer(chain)
    node.on_transaction(transaction)
    world.run(node, world.now)
    assert world.applied() == [1, 2]
    assert chain.reader.get_block(2).transactions == (transaction,)  # type: ignore[union-attr]
    assert chain.head_time == START_MS // 1000 + 30


def test_automine_includes_what_counts_its_time_from_an_old_head(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain, automine=True)
    node.on_start()
    world.run(node, START_MS + 600_000)
    node.on_transaction(transfer(chain, expiration=chain.head_time + 30))
    world.run(node, world.now)
    assert len(chain.reader.get_block(2).transactions) == 1  # type: ignore[union-attr]
    assert chain.head_time == START_MS // 1000 + 30


def test_automine_catches_up_for_what_counts_its_time_from_the_clock(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain, automine=True)
    node.on_start()
    world.run(node, START_MS + 7_200_000)
    node.on_transaction(transfer(chain, expiration=world.now // 1000 + 60))
    world.run(node, world.now)
    assert world.applied() == [1, 2, 3]
    assert len(chain.reader.get_block(3).transactions) == 1  # type: ignore[union-attr]


def test_automine_takes_the_next_slot_when_the_clock_s_one_is_taken(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain, automine=True)
    node.on_start()
    for amount in (1, 2, 3):
        node.on_transaction(transfer(chain, amount))
        world.run(node, world.now)
    assert world.applied() == [1, 2, 3, 4]
    assert chain.head_time == START_MS // 1000 + 9


# A full disk


class FullDisk:
    """Makes a chain's backend refuse writes until `has_room`."""

    def __init__(self, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
        self.has_room = False
        write = chain.store.backend.write

        def refusing(batch: Any, sync: bool) -> None:
            if not self.has_room:
                raise StoreFull("/data/state: No space left on device")
            write(batch, sync)

        monkeypatch.setattr(chain.store.backend, "write", refusing)


def test_a_full_disk_stops_production_until_there_is_room(
    world: VirtualWorld, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node(world, chain)
    node.on_start()
    world.run(node, START_MS + 3_000 + COMMIT_DELAY_MS)
    disk = FullDisk(chain, monkeypatch)
    world.run(node, START_MS + 12_000)
    assert world.applied() == [1, 2], "the block that was made is not taken back, and no other follows"
    assert chain.finality.committed_number == 1
    assert "No space left" in str(world.notes[-1][1]["error"])
    with pytest.raises(Rejected, match="cannot write to its disk"):
        node.on_transaction(transfer(chain))
    with pytest.raises(Rejected, match="cannot write to its disk"):
        node.miner.mine()
    assert chain.reader.get_block(2) is not None, "reads go on"
    assert DISK_TIMER in world.timers
    disk.has_room = True
    world.run(node, START_MS + 21_000 + COMMIT_DELAY_MS)
    assert chain.finality.committed_number == chain.head_number == 4
    assert "disk_writable" in world.event_names()
    node.on_transaction(transfer(chain))


def test_a_guard_that_cannot_be_written_is_a_disk_problem(
    world: VirtualWorld, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is signed meanwhile, blocks of others are taken, and it is over when the disk takes the file again."""
    node = make_node(world, chain)
    node.on_start()
    world.run(node, START_MS + 3_000)
    assert chain.head_number == 1
    with monkeypatch.context() as patch:
        patch.setattr(world.disk, "write", Mock(side_effect=StoreFull("production_guard: No space left on device")))
        world.run(node, START_MS + 12_000)
        assert chain.head_number == 1
        assert node.producer.counts[ProductionOutcome.DISK_PROBLEM] == 3
        assert node.producer.counts[ProductionOutcome.FAILED] == 0
        assert isinstance(node.writes.problem, StoreFull)
        assert describe_status(node)["can_write"] is False
        assert "disk_problem" in world.event_names()
        with pytest.raises(Rejected, match="cannot write to its disk"):
            node.miner.mine(1)
        other = Chain.open(chain.config)
        first = chain.reader.get_block(1)
        assert first is not None
        other.push_block(first)
        node.on_block(other.generate_block("initminer", KEY, START_MS // 1000 + 6))
    world.run(node, START_MS + 12_000 + DISK_RETRY_MS)
    assert node.writes.problem is None
    assert describe_status(node)["can_write"] is True
    assert chain.head_number > 2
    assert world.event_names().count("disk_writable") == 1


def test_no_block_is_made_of_a_state_that_cannot_be_read(
    world: VirtualWorld, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make_node(world, chain)
    monkeypatch.setattr(chain.store.backend, "read_problem", StoreCorrupt("a file"))
    assert node.miner.produce() is ProductionOutcome.DISK_PROBLEM


# What waits for a block


def pay_often(chain: Chain, count: int, operations: int) -> list[Transaction]:
    return [
        signed(chain, [Transfer("alice", "bob", Asset(1 + number, STEEM), "")] * operations, "alice")
        for number in range(count)
    ]


def test_a_block_is_taken_in_before_what_waits_is_applied_again(world: VirtualWorld, chain: Chain) -> None:
    maker = Chain.open(chain.config)
    node = make_node(world, chain)
    node.on_block(maker.generate_block("initminer", KEY, START_MS // 1000 - 3))
    for transaction in pay_often(chain, 6, 200):
        node.on_transaction(transaction)
    block = maker.generate_block("initminer", KEY, START_MS // 1000)
    before = maker.ctx.tables.accounts.get("bob").balance
    node.on_block(block)
    assert chain.ctx.tables.accounts.get("bob").balance == before, "nothing of it is applied yet"
    steps = []
    while REAPPLY_TIMER in world.timers:
        del world.timers[REAPPLY_TIMER]
        node.on_timer(REAPPLY_TIMER)
        steps.append(chain.ctx.tables.accounts.get("bob").balance - before)
    assert steps == [200 * 3, 200 * 10, 200 * 21], "two in each piece: other events get their turn between"
    assert len(chain.pending) == 6


def test_what_takes_too_long_to_apply_again_just_waits(
    world: VirtualWorld, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = Chain.open(chain.config)
    node = make_node(world, chain)
    node.on_block(maker.generate_block("initminer", KEY, START_MS // 1000 - 3))
    for transaction in pay_often(chain, 60, 1):
        node.on_transaction(transaction)
    apply = chain.ledger.apply_transaction

    def apply_slowly(*arguments: Any, **options: Any) -> None:
        world.now += 7
        apply(*arguments, **options)

    monkeypatch.setattr(chain.ledger, "apply_transaction", apply_slowly)
    node.on_block(maker.generate_block("initminer", KEY, START_MS // 1000))
    begun = world.now
    while world.timers.pop(REAPPLY_TIMER, None):
        node.on_timer(REAPPLY_TIMER)
    spent = world.now - begun
    assert REAPPLY_MS_MAX <= spent <= REAPPLY_MS_MAX + SLICE_MS + 7
    assert len(chain.pending) == 60
    world.now = START_MS + 3_000
    assert node.miner.produce() is ProductionOutcome.PRODUCED
    made = chain.reader.get_block(3)
    assert made is not None and FILL_MS_MAX // 7 <= len(made.transactions) <= FILL_MS_MAX // 7 + 1


def test_the_sender_is_told_when_its_transaction_is_dropped(world: VirtualWorld, chain: Chain) -> None:
    node = make_node(world, chain)
    node.miner.mine()  # Credits are counted from the first block on.
    chain.pool.pending = PendingTransactions(operations_max=10)
    cheap = signed(chain, [Transfer("alice", "bob", Asset(1, STEEM), "x" * 1_000)] * 2, "alice")
    node.on_transaction(cheap)
    for name in ("bob", "carol", "dave", "erin"):
        node.on_transaction(signed(chain, [Transfer(name, "alice", Asset(1, STEEM), "")] * 2, name))
    assert world.dropped == []
    node.on_transaction(signed(chain, Transfer("frank", "alice", Asset(1, STEEM), ""), "frank"))
    assert [dropped.trx_id for dropped in world.dropped] == [cheap.id]


# A clock that jumps

DAY_MS = 86_400_000


def test_a_clock_that_jumps_makes_no_block_and_spoils_no_slot(world: VirtualWorld, chain: Chain) -> None:
    """Found in use: a day ahead and back, and the guard refused every slot of a day, in silence."""
    node = make_node(world, chain)
    node.on_start()
    world.run(node, START_MS + 3_000)
    world.wall_ahead_ms = DAY_MS
    world.run(node, START_MS + 12_000)
    assert world.applied() == [1]
    assert world.event_names()[1:3] == ["clock_jumped", "missed"]
    assert world.notes[2][1] == {"reason": "clock_jumped", "by_ms": DAY_MS}
    assert describe_status(node)["clock"]["jumped_ms"] == DAY_MS
    world.wall_ahead_ms = 0
    world.run(node, START_MS + 21_000)
    assert "clock_trusted" in world.event_names()
    assert len(world.applied()) == 4, "it goes on in the slot after the clock is back"


def test_other_witnesses_blocks_confirm_a_clock_that_was_put_right(world: VirtualWorld) -> None:
    watch = ClockWatch(world, settles=False)
    world.wall_ahead_ms = -40_000
    for witness in ("one", "one", "two"):
        watch.confirm(witness, others=20)
        world.now += 10 * SETTLE_MS
        assert watch.look() == -40_000
    watch.confirm("three", others=20)
    assert watch.look() == 0
    world.wall_ahead_ms -= DAY_MS
    watch.confirm("one", others=4)
    assert watch.look() == -DAY_MS
    watch.confirm("two", others=4)
    assert watch.look() == 0, "of four others two are enough"
    world.wall_ahead_ms += JUMP_MS_MAX
    assert watch.look() == 0, "small corrections are no jumps"


def test_a_node_that_goes_on_alone_trusts_a_clock_that_has_settled(world: VirtualWorld) -> None:
    watch = ClockWatch(world, settles=True)
    world.wall_ahead_ms = DAY_MS
    assert watch.look() == DAY_MS
    world.now += SETTLE_MS - 1
    world.wall_ahead_ms = 2 * DAY_MS
    assert watch.look() == 2 * DAY_MS, "it jumps again and has to settle again"
    world.now += SETTLE_MS - 1
    assert watch.look() == 2 * DAY_MS
    world.now += 1
    assert watch.look() == 0


def test_a_head_in_the_future_is_told_and_no_reason_to_be_quiet(world: VirtualWorld, chain: Chain) -> None:
    maker = Chain.open(chain.config)
    chain.push_block(maker.generate_block("initminer", KEY, START_MS // 1000 + 600))
    node = make_node(world, chain)
    assert node.miner.produce() is ProductionOutcome.HEAD_IN_FUTURE
    assert world.notes == [("missed", {"reason": "head_in_future", "seconds": 600})]
    assert find_problem(describe_status(node), START_MS // 1000) == (
        "its head block is 10 minutes ahead of the time: a clock is or was wrong"
    )
