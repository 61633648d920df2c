"""When this node produces blocks: in its witnesses' slots, on pending transactions (automine), or on command."""

from chain.chain import Chain
from consensus.slots import get_slot_at_time
from node.core.clock import MS_PER_SECOND, Clock
from node.core.intake import Intake
from node.core.network import Network
from node.core.production import Producer, ProductionOutcome
from node.core.reapplying import Reapplier
from node.core.settings import NodeSettings
from node.core.world import World
from node.core.writes import Writes, refusal
from protocol.block import Block
from protocol.errors import ProtocolError
from protocol.transaction import Transaction
from state.engine.errors import StoreWriteFailed

PRODUCTION_TIMER = "production"

LEAD_MS_MAX = 250
"""Maximum time before its slot at which production of a block starts. Peers accept a block this early; the reference
starts at the slot and so is late by the time it takes to build the block."""


class Miner:
    """Schedules block production and pushes the produced blocks to the node."""

    def __init__(
        self,
        world: World,
        chain: Chain,
        settings: NodeSettings,
        clock: Clock,
        producer: Producer,
        writes: Writes,
        reapplier: Reapplier,
        network: Network | None,
        intake: Intake,
    ) -> None:
        self._world = world
        self._chain = chain
        self._settings = settings
        self._clock = clock
        self._producer = producer
        self._writes = writes
        self._reapplier = reapplier
        self._network = network
        self._intake = intake
        self._is_automatic = settings.automine and bool(settings.witnesses)
        self._lead_ms = 0
        """How long before its slot production starts, so that the block is announced when the slot begins."""

    def on_start(self) -> None:
        """Starts production. Raises ProtocolError when a block is to be mined at the start and cannot be."""
        if self._settings.witnesses:
            if self._settings.mine_at_start or self._settings.automine:
                self._mine_at_clock()
            self._wait_for_next_slot()

    def on_timer(self) -> None:
        """Handles the timer of a slot or, with automine, of a pending transaction."""
        if self._settings.automine:
            self._mine_what_waits()
        else:
            self.produce()
            self._wait_for_next_slot()

    def _wait_for_next_slot(self) -> None:
        if self._settings.witnesses and not self._settings.automine:
            interval_ms = self._producer.interval_ms
            next_slot_ms = ((self._clock.now_ms() + self._lead_ms) // interval_ms + 1) * interval_ms
            self._world.set_timer(PRODUCTION_TIMER, self._clock.to_world(next_slot_ms - self._lead_ms))

    # In slots

    def produce(self) -> ProductionOutcome:
        """Produces the block of the current slot if it belongs to one of this node's witnesses, and announces it."""
        is_syncing = self._network is not None and self._network.is_syncing
        outcome, block = self._producer.attempt(is_syncing)
        if block is not None:
            outcome = self._add(block)
        elif outcome is ProductionOutcome.FAILED:
            self._reapplier.begin()
        self._writes.look()
        self._producer.counts[outcome] += 1
        return outcome

    def _add(self, block: Block) -> ProductionOutcome:
        try:
            self._intake.on_block(block)
        except ProtocolError as error:
            self._world.note("production_failed", witness=block.witness, error=error.message)
            return ProductionOutcome.FAILED
        late_ms = self._clock.now_ms() - block.timestamp * MS_PER_SECOND
        self._lead_ms = min(max(0, self._lead_ms + late_ms // 4), LEAD_MS_MAX)
        self._world.note(
            "produced",
            number=block.number,
            witness=block.witness,
            transactions=len(block.transactions),
            late_ms=late_ms,
            id=block.id.hex(),
        )
        return ProductionOutcome.PRODUCED

    # At once

    def mine(self, count: int = 1, skip_seconds: int = 0) -> list[int]:
        """Produces `count` blocks at once, the first `skip_seconds` after the next slot; returns their numbers.

        For development chains: needs the keys of the scheduled witnesses. The chain's time runs ahead of the clock, and
        the node keeps that offset afterwards. Raises ProtocolError where a key is missing.
        """
        numbers, transactions = [], 0
        for index in range(count):
            self._writes.require()
            try:
                block = self._producer.build_next(skip_seconds if index == 0 else 0)
            except StoreWriteFailed as error:
                self._writes.look()
                raise refusal(error) from error
            self._clock.follow(block.timestamp * MS_PER_SECOND)
            self._intake.on_block(block)
            transactions += len(block.transactions)
            numbers.append(block.number)
        self._world.note("mined", number=numbers[-1], blocks=count, transactions=transactions)
        self._wait_for_next_slot()
        return numbers

    def before_transaction(self, transaction: Transaction) -> None:
        """Automine: handles a client's transaction before it is applied. If it would expire too late for an old head, a
        block is produced first, since clients may compute expirations from the clock. Raises ProtocolError."""
        ctx = self._chain.ctx
        latest = ctx.time + ctx.rules.max_time_until_expiration_seconds
        if self._is_automatic and transaction.expiration > latest:
            self._mine_at_clock()

    def after_transaction(self) -> None:
        """Automine: schedules a block after a transaction was applied."""
        if self._is_automatic:
            self._world.set_timer(PRODUCTION_TIMER, self._world.now_ms())

    def _mine_what_waits(self) -> None:
        """Produces one block in the current slot or, when that is taken, in the next one.

        Clients may compute expirations from an old head block, so the block's time is before all pending transactions
        expire.
        """
        earliest = self._chain.pending.earliest_expiration
        if earliest is not None:
            self._mine_at(min(self._clock.now_ms() // MS_PER_SECOND, earliest))

    def _mine_at_clock(self) -> None:
        if self._chain.finality.write_problem is None:
            self._mine_at(self._clock.now_ms() // MS_PER_SECOND)

    def _mine_at(self, when: int) -> None:
        """Produces a block in the slot of a time, or in the next free one."""
        slot = get_slot_at_time(self._chain.ctx, when)
        self.mine(1, max(0, slot - 1) * self._chain.ctx.rules.block_interval_seconds)
