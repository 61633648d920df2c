"""The node without I/O: it is told what happens, and acts through a small world.

Every `on_` method runs to completion and never waits. Time comes from the world in milliseconds, so a test can run any
number of nodes under a clock of its own. What applying blocks did goes out through `world.publish`, in order.
"""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple, Protocol

from chain.chain import Chain
from chain.effects import FeedItem, PushResult
from consensus.slots import get_participation_rate, get_scheduled_witness, get_slot_at_time, get_slot_time
from protocol.block import Block
from protocol.errors import ProtocolError, Rejected
from protocol.keys import PrivateKey
from protocol.transaction import Transaction
from state.errors import StoreWriteFailed

MS_PER_SECOND = 1000
PRODUCTION_LAG_MAX_MS = 500
"""A block made later than this after its slot began would come too late at the others. Source: witness_plugin.cpp."""

PRODUCTION_TIMER = "production"
DISK_TIMER = "disk"
DISK_RETRY_MS = 5000
"""How long the node waits before it tries again to write what its disk refused."""


class World(Protocol):
    """What surrounds a node: the clock, timers, and those who listen."""

    def now_ms(self) -> int:
        """The wall clock in milliseconds since the epoch."""

    def set_timer(self, name: str, at_ms: int) -> None:
        """Asks for `on_timer(name)` at that moment, in place of an earlier request of the same name."""

    def publish(self, items: tuple[FeedItem, ...]) -> None:
        """Hands on what happened to the chain."""

    def note(self, event: str, **figures: object) -> None:
        """Hands on what the operator should see: an event's name and its figures."""


class ProductionOutcome(Enum):
    """Why a block was made or not. Source: witness_plugin.hpp, block_production_condition."""

    PRODUCED = "produced"
    NOT_TIME_YET = "not_time_yet"
    NOT_MY_TURN = "not_my_turn"
    NO_PRIVATE_KEY = "no_private_key"
    STALE_CHAIN = "not_synced"
    LOW_PARTICIPATION = "low_participation"
    LAG = "lag"
    DISK_PROBLEM = "disk_problem"
    FAILED = "exception_producing_block"


class NodeSettings(NamedTuple):
    """How this node takes part.

    `witness_keys` maps the public signing key (33 bytes) to the private key; `witnesses` are the names it produces
    for. Without them it makes no block. `stale_production` allows to go on from a head that is long past (a chain
    that starts, or that everybody left); `participation_min_bp` is the part of the last 128 slots that must be
    filled; `automine` makes a block as soon as a transaction waits, and none without one. With `mine_at_start`
    (and always with `automine`) a block is made at once at the start, so that the chain's time is the clock's.
    """

    witnesses: tuple[str, ...] = ()
    witness_keys: Mapping[bytes, PrivateKey] = {}
    stale_production: bool = True
    participation_min_bp: int = 3300
    automine: bool = False
    mine_at_start: bool = False


class Node:
    """One node: a chain, what waits to be included, and block production."""

    def __init__(self, world: World, chain: Chain, settings: NodeSettings) -> None:
        self.world = world
        self.chain = chain
        self.settings = settings
        self._may_produce_stale = settings.stale_production
        self._warp_ms = 0
        self._waits_for_disk = False

    # Events

    def on_start(self) -> None:
        """Begins to keep time. Raises ProtocolError when it is to mine at the start and cannot."""
        if not self.settings.witnesses:
            return
        if self.settings.mine_at_start or self.settings.automine:
            self._mine_at_clock()
        if not self.settings.automine:
            self._wait_for_next_slot()

    def on_timer(self, name: str) -> None:
        """A timer that was asked for has come."""
        if name == DISK_TIMER:
            self._retry_writes()
        elif name != PRODUCTION_TIMER:
            raise ValueError(f"no such timer: {name}")
        elif self.settings.automine:
            self._mine_now()
        else:
            self.produce()
            self._wait_for_next_slot()

    def on_transaction(self, transaction: Transaction) -> None:
        """A client or a peer sent a transaction: it is applied to the pending state. Raises ProtocolError."""
        self._refuse_without_disk()
        is_mined = self.settings.automine and bool(self.settings.witnesses)
        if is_mined and transaction.expiration > self._latest_expiration():
            self._mine_at_clock()  # The head is old because nothing happened; clients may count from the clock.
        self.chain.push_transaction(transaction)
        if is_mined:
            self.world.set_timer(PRODUCTION_TIMER, self.world.now_ms())

    def on_block(self, block: Block) -> PushResult:
        """A client or a peer sent a block. Raises ProtocolError; what came before the error has been published."""
        self._refuse_without_disk()
        result = self.chain.push_block(block)
        if block.timestamp * MS_PER_SECOND + self._interval_ms >= self.world.now_ms():
            self._may_produce_stale = True
        self._publish(result)
        return result

    def _publish(self, result: PushResult) -> None:
        self.world.publish(result.feed)
        problem = self.chain.write_problem
        if problem is not None and not self._waits_for_disk:
            self._waits_for_disk = True
            self.world.note("disk_problem", error=_describe(problem), action="stopped producing, will try again")
            self.world.set_timer(DISK_TIMER, self.world.now_ms() + DISK_RETRY_MS)

    # A disk that refuses writes

    def _refuse_without_disk(self) -> None:
        problem = self.chain.write_problem
        if problem is not None:
            raise Rejected(
                "",
                "This node cannot write to its disk and takes nothing in until it can: ${why}",
                why=_describe(problem),
            )

    def _retry_writes(self) -> None:
        try:
            self.chain.retry_writes()
        except (StoreWriteFailed, ProtocolError) as error:
            self.world.note("disk_problem", error=_describe(error), action="will try again")
            self.world.set_timer(DISK_TIMER, self.world.now_ms() + DISK_RETRY_MS)
        else:
            self._waits_for_disk = False
            self.world.note("disk_writable", committed=self.chain.committed_number)

    # Production

    def produce(self) -> ProductionOutcome:
        """Makes the block of this moment's slot if it is ours to make. Source: witness_plugin.cpp."""
        if self.chain.write_problem is not None:
            return ProductionOutcome.DISK_PROBLEM
        now_ms = self.now_ms()
        ctx = self.chain.ctx
        slot = get_slot_at_time(ctx, (now_ms + PRODUCTION_LAG_MAX_MS) // MS_PER_SECOND)
        if slot == 0:
            return ProductionOutcome.NOT_TIME_YET
        if not self._may_produce_stale and get_slot_time(ctx, 1) * MS_PER_SECOND + self._interval_ms < now_ms:
            return ProductionOutcome.STALE_CHAIN
        return self._produce_slot(slot, now_ms)

    def _produce_slot(self, slot: int, now_ms: int) -> ProductionOutcome:
        ctx = self.chain.ctx
        witness = get_scheduled_witness(ctx, slot)
        if witness not in self.settings.witnesses:
            return ProductionOutcome.NOT_MY_TURN
        key = self._find_key(witness)
        if key is None:
            self.world.note("no_private_key", witness=witness)
            return ProductionOutcome.NO_PRIVATE_KEY
        participation = get_participation_rate(ctx)
        if participation < self.settings.participation_min_bp and not self.settings.stale_production:
            self.world.note("low_participation", witness=witness, participation_bp=participation)
            return ProductionOutcome.LOW_PARTICIPATION
        slot_time = get_slot_time(ctx, slot)
        late_ms = now_ms - slot_time * MS_PER_SECOND
        if abs(late_ms) > PRODUCTION_LAG_MAX_MS:
            self.world.note("lag", witness=witness, late_ms=late_ms)
            return ProductionOutcome.LAG
        return self._generate(witness, key, slot_time)

    def _generate(self, witness: str, key: PrivateKey, slot_time: int) -> ProductionOutcome:
        try:
            block = self.chain.build_block(witness, key, slot_time)
            result = self.chain.push_block(block)
        except ProtocolError as error:
            self.world.note("production_failed", witness=witness, error=error.message)
            return ProductionOutcome.FAILED
        self.world.note("produced", number=block.number, witness=witness, transactions=len(block.transactions))
        self._publish(result)
        return ProductionOutcome.PRODUCED

    def mine(self, count: int = 1, skip_seconds: int = 0) -> list[int]:
        """Makes `count` blocks at once, the first one `skip_seconds` later than the next slot; returns their numbers.

        For development chains: needs the keys of the scheduled witnesses and lets the chain's time run ahead of the
        clock, so that afterwards the node keeps the distance. Raises ProtocolError where a key is missing.
        """
        numbers = []
        transactions = 0
        for index in range(count):
            self._refuse_without_disk()
            ctx = self.chain.ctx
            wanted = get_slot_time(ctx, 1) + (skip_seconds if index == 0 else 0)
            slot = self._next_own_slot(get_slot_at_time(ctx, wanted))
            witness = get_scheduled_witness(ctx, slot)
            key = self._find_key(witness)
            assert key is not None, "the slot was chosen for its key"
            block = self.chain.build_block(witness, key, get_slot_time(ctx, slot))
            self._publish(self.chain.push_block(block))
            transactions += len(block.transactions)
            numbers.append(block.number)
        self.world.note("mined", number=numbers[-1], blocks=count, transactions=transactions)
        self._keep_distance()
        return numbers

    def _find_key(self, witness: str) -> PrivateKey | None:
        """The private key for the next block of a witness, if it is at hand.

        The state shows what pending transactions change, so a key that seems to be another is looked up at the head.
        """
        keys = self.settings.witness_keys
        key = keys.get(self.chain.ctx.tables.witnesses.get(witness).signing_key)
        if key is None and len(self.chain.pending):
            key = keys.get(self.chain.read_head_signing_key(witness))
        return key

    def _next_own_slot(self, slot: int) -> int:
        """The first slot from `slot` on whose witness's key is at hand."""
        ctx = self.chain.ctx
        places = ctx.tables.witness_schedule.get(0).num_scheduled_witnesses
        for candidate in range(slot, slot + places):
            witness = get_scheduled_witness(ctx, candidate)
            if self._find_key(witness) is not None:
                return candidate
        raise ProtocolError("witness_key", "this node holds the signing key of no scheduled witness")

    def _mine_now(self) -> None:
        """Automine: one block with what waits, at the clock's slot or, when that is taken, at the next one.

        Clients count a transaction's time from the head block, which may be long past when nothing happened: so the
        block's time is not after any of them expires.
        """
        if not len(self.chain.pending):
            return
        earliest = min(transaction.expiration for transaction in self.chain.pending)
        self._mine_at(min(self.now_ms() // MS_PER_SECOND, earliest))

    def _mine_at_clock(self) -> None:
        if self.chain.write_problem is None:
            self._mine_at(self.now_ms() // MS_PER_SECOND)

    def _mine_at(self, when: int) -> None:
        """Makes a block in the slot of a time, or in the next free one."""
        slot = get_slot_at_time(self.chain.ctx, when)
        self.mine(1, max(0, slot - 1) * self.chain.ctx.rules.block_interval_seconds)

    def _latest_expiration(self) -> int:
        ctx = self.chain.ctx
        return ctx.time + ctx.rules.max_time_until_expiration_seconds

    # Time

    def now_ms(self) -> int:
        """The node's clock: the world's, moved on by what development commands skipped."""
        return self.world.now_ms() + self._warp_ms

    @property
    def _interval_ms(self) -> int:
        return self.chain.ctx.rules.block_interval_seconds * MS_PER_SECOND

    def _keep_distance(self) -> None:
        """After mining ahead of the clock: the clock follows the head."""
        ahead = self.chain.ctx.time * MS_PER_SECOND - self.now_ms()
        self._warp_ms += max(0, ahead)
        if self.settings.witnesses and not self.settings.automine:
            self._wait_for_next_slot()

    def _wait_for_next_slot(self) -> None:
        next_slot_ms = (self.now_ms() // self._interval_ms + 1) * self._interval_ms
        self.world.set_timer(PRODUCTION_TIMER, next_slot_ms - self._warp_ms)


def _describe(problem: Exception) -> str:
    return problem.message.removeprefix(f"{problem.what}:") if isinstance(problem, ProtocolError) else str(problem)
