"""The node without I/O: it is told what happens, and acts through a small world.

Every `on_` method runs to completion and never waits. Time comes from the world in milliseconds, so a test can run any
number of nodes under a clock of its own. What applying blocks did goes out through `world.publish`, in order.
"""

from chain.chain import Chain
from chain.effects import PushResult
from chain.finality import Mode
from chain.pool import SLICE_OPERATIONS_MAX, Budget
from consensus.slots import get_slot_at_time
from node.core.clock import MS_PER_SECOND, Clock
from node.core.intake import TooEarly
from node.core.network import Network
from node.core.production import Producer, ProductionOutcome
from node.core.settings import NodeSettings
from node.core.world import Link, World
from protocol.block import Block
from protocol.errors import ProtocolError, Rejected
from protocol.p2p.messages import Endpoint
from protocol.transaction import Transaction
from state.engine.errors import StoreWriteFailed

PRODUCTION_TIMER = "production"
COMMIT_TIMER = "commit"
COMMIT_DELAY_MS = 500
"""How long after blocks became irreversible their state is written: the newest block is on its way to the peers by
then and does not wait for this disk. The blocks themselves are in the block log before they are offered."""

REAPPLY_TIMER = "reapply"
SLICE_MS = 10
"""How long what waits is applied to a new head before other events get their turn."""

REAPPLY_MS_MAX = 200
"""How long it is applied on one head altogether, as the reference does."""

DISK_TIMER = "disk"
DISK_RETRY_MS = 5000
"""How long the node waits before it tries again to write what its disk refused."""

LEAD_MS_MAX = 250
"""How long before its slot a block is begun at most. Others take a block that comes so early; the reference begins at
the slot and is late by what the block takes."""

FUTURE_SECONDS_MAX = 5
"""How far a block's time may be ahead of the clock. Source: chain_plugin.cpp, allow_future_time."""


class Node:
    """One node: a chain, what waits to be included, block production, and peers if its settings name a network."""

    def __init__(self, world: World, chain: Chain, settings: NodeSettings) -> None:
        """Raises ValueError when one of its files is damaged, Rejected when the chain misses the checkpoint."""
        self.world = world
        self.chain = chain
        self.settings = settings
        self.clock = Clock(world)
        self.producer = Producer(world, chain, settings, self.clock)
        self.network = None if settings.network is None else Network(world, chain, settings.network, self)
        self._lead_ms = 0
        """How long before its slot a block is begun, so that it is offered when the slot begins."""
        self._waits_for_disk = False
        self._waits_to_commit = False
        self._reapplied_ms = 0
        chain.enter(Mode.LIVE)

    # Events

    def on_start(self) -> None:
        """Begins to keep time. Raises ProtocolError when it is to mine at the start and cannot."""
        self._look_at_disk()
        for refused in self.chain.refused_at_start:
            self.world.note("reversible_block_refused", number=refused.number, error=refused.error.message)
        if self.network is not None:
            self.network.on_start()
        if not self.settings.witnesses:
            return
        if self.settings.mine_at_start or self.settings.automine:
            self._mine_at_clock()
        if not self.settings.automine:
            self._wait_for_next_slot()

    def on_stop(self) -> None:
        """Says goodbye to the peers and keeps their addresses."""
        if self.network is not None:
            self.network.on_stop()

    def on_timer(self, name: str) -> None:
        """A timer that was asked for has come."""
        if name == DISK_TIMER:
            self._retry_writes()
        elif name == COMMIT_TIMER:
            self._commit()
        elif name == REAPPLY_TIMER:
            self._reapply()
        elif name != PRODUCTION_TIMER:
            self._net.on_timer(name)
        elif self.settings.automine:
            self._mine_now()
        else:
            self.produce()
            self._wait_for_next_slot()

    def on_transaction(self, transaction: Transaction) -> None:
        """A client sent a transaction: it is applied to the pending state and offered to the peers.

        Raises ProtocolError.
        """
        self._refuse_without_disk()
        is_mined = self.settings.automine and bool(self.settings.witnesses)
        if is_mined and transaction.expiration > self._latest_expiration():
            self._mine_at_clock()  # The head is old because nothing happened; clients may count from the clock.
        self._push_transaction(transaction)
        if self.network is not None:
            self.network.offer_transaction(transaction)
        if is_mined:
            self.world.set_timer(PRODUCTION_TIMER, self.world.now_ms())

    def on_block(self, block: Block) -> PushResult:
        """A client sent a block. Raises ProtocolError; what came before the error has been published."""
        result = self.take_block(block)
        if self.network is not None:
            for applied in result.applied:
                self.network.offer_block(applied.block)
        return result

    def on_connect(self, connection: int, link: Link) -> None:
        """A connection to a peer is there, and its keys have been exchanged."""
        self._net.on_connect(connection, link)

    def on_connect_failed(self, endpoint: Endpoint, why: str) -> None:
        """An address that was dialled does not answer, or not as a peer would."""
        self._net.on_connect_failed(endpoint, why)

    def on_message(self, connection: int, number: int, payload: bytes) -> None:
        """A peer sent a message."""
        self._net.on_message(connection, number, payload)

    def on_disconnect(self, connection: int, why: str) -> None:
        """A connection is gone."""
        self._net.on_disconnect(connection, why)

    def on_writable(self, connection: int) -> None:
        """A connection that had no room has room again."""
        self._net.on_writable(connection)

    def on_recovered(self, job: int) -> None:
        """The signers of the blocks of a job have been recovered, where that was possible."""
        self._net.on_recovered(job)

    @property
    def _net(self) -> Network:
        assert self.network is not None, "only nodes with a network have connections"
        return self.network

    # What is taken in

    def take_transaction(self, transaction: Transaction) -> None:
        """Applies a peer's transaction to the pending state. Raises ProtocolError."""
        self._refuse_without_disk()
        self._push_transaction(transaction)

    def _push_transaction(self, transaction: Transaction) -> None:
        self.chain.push_transaction(transaction)
        self._tell_dropped()

    def _reapply(self) -> None:
        """Applies a piece of what waits to the new head; a block that comes meanwhile does not wait for all of it."""
        begun_ms = self.world.monotonic_ms()
        budget = Budget(SLICE_OPERATIONS_MAX, lambda: self.world.monotonic_ms() - begun_ms >= SLICE_MS)
        goes_on = self.chain.pool.reapply(budget)
        self._reapplied_ms += self.world.monotonic_ms() - begun_ms
        self._tell_dropped()
        if goes_on and self._reapplied_ms < REAPPLY_MS_MAX:
            self.world.set_timer(REAPPLY_TIMER, self.world.now_ms())
        elif goes_on:
            self.chain.pool.stop_reapplying()

    def _reapply_later(self) -> None:
        self._reapplied_ms = 0
        if len(self.chain.pending):
            self.world.set_timer(REAPPLY_TIMER, self.world.now_ms())

    def _tell_dropped(self) -> None:
        dropped = self.chain.pool.take_dropped()
        if dropped:
            self.world.tell_dropped(dropped)

    def take_block(self, block: Block, skip_signatures: bool = False) -> PushResult:
        """Adds a block to the chain and publishes what that did. Raises ProtocolError.

        `skip_signatures` leaves out those of its transactions; its witness must have signed it in any case.
        """
        self._refuse_without_disk()
        ahead = block.timestamp - self.clock.now_ms() // MS_PER_SECOND
        if ahead > FUTURE_SECONDS_MAX:
            raise TooEarly(block.number, ahead, FUTURE_SECONDS_MAX)
        self._reuse_checks(block)
        result = self.chain.push_block(block, skip_authorities=skip_signatures)
        self.producer.on_block(block)
        self._publish(result)
        self._look_for_twin(block)
        return result

    def _look_for_twin(self, block: Block) -> None:
        """Two different blocks of one witness for one slot: its key is used in two places, or it cheats."""
        twin = self.chain.reader.find_twin(block)
        if twin is None or self.chain.reader.is_doubtful_block(block.id) or self.chain.reader.is_doubtful_block(twin):
            return
        tell = self.world.note if self.network is None else self.network.tell
        tell("double_signed", witness=block.witness, number=block.number, one=twin.hex(), other=block.id.hex())

    def _reuse_checks(self, block: Block) -> None:
        """What was recovered and proved when a transaction came alone need not be done again in its block."""
        for transaction in block.transactions:
            waiting = self.chain.pending.find(transaction.id)
            if waiting is not None:
                transaction.take_checks(waiting)

    def _publish(self, result: PushResult) -> None:
        self.world.publish(result.feed)
        self._tell_dropped()
        self._reapply_later()
        if self.network is not None and result.undone:
            self.network.offer_pending()
        if result.irreversible is not None:
            self._commit_later()
        self._look_at_disk()

    # The disk

    @property
    def write_problem(self) -> Exception | None:
        """Why the chain's files, or the file of used slots, could not be written last; None when all is well."""
        return self.chain.finality.write_problem or self.producer.guard.write_problem

    def _commit_later(self) -> None:
        if not (self._waits_to_commit or self.chain.mode is Mode.BULK):
            self._waits_to_commit = True
            self.world.set_timer(COMMIT_TIMER, self.world.now_ms() + COMMIT_DELAY_MS)

    def _commit(self) -> None:
        self._waits_to_commit = False
        if self.chain.finality.write_problem is None:
            self.chain.finality.try_commit()
            self._look_at_disk()

    def _look_at_disk(self) -> None:
        problem = self.write_problem
        if problem is not None and not self._waits_for_disk:
            self._waits_for_disk = True
            self.world.note("disk_problem", error=_describe(problem), action="stopped producing, will try again")
            self.world.set_timer(DISK_TIMER, self.world.now_ms() + DISK_RETRY_MS)

    def _refuse_without_disk(self) -> None:
        problem = self.chain.finality.write_problem
        if problem is not None:
            raise _refusal(problem)

    def _retry_writes(self) -> None:
        try:
            self.chain.finality.retry_writes()
            self.producer.guard.retry_write()
        except (StoreWriteFailed, ProtocolError) as error:
            self.world.note("disk_problem", error=_describe(error), action="will try again")
            self.world.set_timer(DISK_TIMER, self.world.now_ms() + DISK_RETRY_MS)
        else:
            self._waits_for_disk = False
            self.world.note("disk_writable", committed=self.chain.finality.committed_number)

    # Production

    def produce(self) -> ProductionOutcome:
        """Makes the block of this moment's slot if it is ours to make, and offers it to the peers."""
        is_syncing = self.network is not None and self.network.is_syncing
        outcome, block = self.producer.attempt(is_syncing)
        if block is not None:
            outcome = self._add_own(block)
        elif outcome is ProductionOutcome.FAILED:
            self._reapply_later()
        self._look_at_disk()
        self.producer.counts[outcome] += 1
        return outcome

    def _add_own(self, block: Block) -> ProductionOutcome:
        """Adds a block that this node made, and offers it to the peers."""
        try:
            self.take_block(block)
        except ProtocolError as error:
            self.world.note("production_failed", witness=block.witness, error=error.message)
            return ProductionOutcome.FAILED
        if self.network is not None:
            self.network.offer_block(block)
        late_ms = self.clock.now_ms() - block.timestamp * MS_PER_SECOND
        self._lead_ms = min(max(0, self._lead_ms + late_ms // 4), LEAD_MS_MAX)
        self.world.note(
            "produced",
            number=block.number,
            witness=block.witness,
            transactions=len(block.transactions),
            late_ms=late_ms,
            id=block.id.hex(),
        )
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
            try:
                block = self.producer.build_next(skip_seconds if index == 0 else 0)
            except StoreWriteFailed as error:
                self._look_at_disk()
                raise _refusal(error) from error
            self.clock.follow(block.timestamp * MS_PER_SECOND)
            self.on_block(block)
            transactions += len(block.transactions)
            numbers.append(block.number)
        self.world.note("mined", number=numbers[-1], blocks=count, transactions=transactions)
        if self.settings.witnesses and not self.settings.automine:
            self._wait_for_next_slot()
        return numbers

    def _mine_now(self) -> None:
        """Automine: one block with what waits, at the clock's slot or, when that is taken, at the next one.

        Clients count a transaction's time from the head block, which may be long past when nothing happened: so the
        block's time is not after any of them expires.
        """
        earliest = self.chain.pending.earliest_expiration
        if earliest is None:
            return
        self._mine_at(min(self.clock.now_ms() // MS_PER_SECOND, earliest))

    def _mine_at_clock(self) -> None:
        if self.chain.finality.write_problem is None:
            self._mine_at(self.clock.now_ms() // MS_PER_SECOND)

    def _mine_at(self, when: int) -> None:
        """Makes a block in the slot of a time, or in the next free one."""
        slot = get_slot_at_time(self.chain.ctx, when)
        self.mine(1, max(0, slot - 1) * self.chain.ctx.rules.block_interval_seconds)

    def _latest_expiration(self) -> int:
        ctx = self.chain.ctx
        return ctx.time + ctx.rules.max_time_until_expiration_seconds

    def _wait_for_next_slot(self) -> None:
        interval_ms = self.producer.interval_ms
        next_slot_ms = ((self.clock.now_ms() + self._lead_ms) // interval_ms + 1) * interval_ms
        self.world.set_timer(PRODUCTION_TIMER, self.clock.to_world(next_slot_ms - self._lead_ms))


def _refusal(problem: Exception) -> Rejected:
    return Rejected(
        "",
        "This node cannot write to its disk and takes nothing in until it can: ${why}",
        why=_describe(problem),
    )


def _describe(problem: Exception) -> str:
    return problem.message.removeprefix(f"{problem.what}:") if isinstance(problem, ProtocolError) else str(problem)
