"""Block production: which witness's slot it is, whether a block may be produced in it, and building the block.

Source: libraries/plugins/witness/witness_plugin.cpp.
"""

from collections import Counter
from enum import Enum
from typing import NamedTuple

from chain.chain import Chain
from chain.pool import Budget
from chain.production import TRIED_OPERATIONS_MAX
from consensus.slots import (
    get_participation_rate,
    get_round_witnesses,
    get_scheduled_witness,
    get_slot_at_time,
    get_slot_time,
)
from node.core.clock import MS_PER_SECOND, Clock, ClockWatch
from node.core.guard import ProductionGuard
from node.core.intake import FUTURE_SECONDS_MAX
from node.core.settings import NodeSettings
from node.core.world import World
from protocol.block import Block
from protocol.errors import ProtocolError
from protocol.keys import PrivateKey
from state.engine.errors import StoreWriteFailed

LAG_MAX_MS = 500
"""Maximum delay after the start of a slot; a later block would reach the other witnesses too late. Source:
witness_plugin.cpp."""

FILL_MS_MAX = 120
"""Maximum time for selecting the transactions of a block; applying the block takes about as long again."""


class ProductionOutcome(Enum):
    """Why a block was produced or not. Source: witness_plugin.hpp, block_production_condition."""

    PRODUCED = "produced"
    NOT_TIME_YET = "not_time_yet"
    NOT_MY_TURN = "not_my_turn"
    NO_PRIVATE_KEY = "no_private_key"
    STALE_CHAIN = "not_synced"
    LOW_PARTICIPATION = "low_participation"
    LAG = "lag"
    SLOT_USED = "slot_used"
    DISK_PROBLEM = "disk_problem"
    CLOCK_JUMPED = "clock_jumped"
    HEAD_IN_FUTURE = "head_in_future"
    FAILED = "exception_producing_block"


class Attempt(NamedTuple):
    """Outcome of an attempt, with the block if one was produced; the caller pushes it at once."""

    outcome: ProductionOutcome
    block: Block | None = None


class Producer:
    """Produces blocks for the witnesses whose keys it has; `counts` is the number of slots by outcome."""

    def __init__(self, world: World, chain: Chain, settings: NodeSettings, clock: Clock) -> None:
        """Raises ValueError when the file of used slots is damaged."""
        self.counts: Counter[ProductionOutcome] = Counter()
        self._world = world
        self._chain = chain
        self._settings = settings
        self._clock = clock
        self.guard = ProductionGuard(world.disk)
        self.watch = ClockWatch(world, settles=settings.stale_production)
        self._may_produce_stale = settings.stale_production
        self._has_caught_up = False

    @property
    def interval_ms(self) -> int:
        """Milliseconds between two slots."""
        return self._chain.ctx.rules.block_interval_seconds * MS_PER_SECOND

    def on_block(self, block: Block) -> None:
        """Handles an applied block; a recent one shows that the chain is live and this node in sync."""
        if block.timestamp * MS_PER_SECOND + self.interval_ms >= self._clock.now_ms():
            self._may_produce_stale = self._has_caught_up = True
            # The witness schedule is read only after a clock jump.
            if block.witness not in self._settings.witnesses and self.watch.look():
                others = set(get_round_witnesses(self._chain.ctx)).difference(self._settings.witnesses)
                self.watch.confirm(block.witness, len(others))

    # The block of the current slot

    def attempt(self, is_syncing: bool) -> Attempt:
        """Produces the block of the current slot if it belongs to one of this node's witnesses."""
        if self._chain.finality.write_problem is not None or self._chain.problem is not None:
            return Attempt(ProductionOutcome.DISK_PROBLEM)
        jump_ms = self.watch.look()
        if jump_ms:
            return self._miss(ProductionOutcome.CLOCK_JUMPED, by_ms=jump_ms)
        now_ms = self._clock.now_ms()
        ctx = self._chain.ctx
        slot = get_slot_at_time(ctx, (now_ms + LAG_MAX_MS) // MS_PER_SECOND)
        if slot == 0:
            ahead = ctx.time - now_ms // MS_PER_SECOND
            if ahead > FUTURE_SECONDS_MAX:
                return self._miss(ProductionOutcome.HEAD_IN_FUTURE, seconds=ahead)
            return Attempt(ProductionOutcome.NOT_TIME_YET)
        is_stale = get_slot_time(ctx, 1) * MS_PER_SECOND + self.interval_ms < now_ms
        if is_stale and (not self._may_produce_stale or (is_syncing and not self._has_caught_up)):
            return Attempt(ProductionOutcome.STALE_CHAIN)
        return self._attempt_slot(slot, now_ms)

    def _attempt_slot(self, slot: int, now_ms: int) -> Attempt:
        ctx = self._chain.ctx
        witness = get_scheduled_witness(ctx, slot)
        if witness not in self._settings.witnesses:
            return Attempt(ProductionOutcome.NOT_MY_TURN)
        key = self._find_key(witness)
        if key is None:
            return self._miss(ProductionOutcome.NO_PRIVATE_KEY, witness)
        participation = get_participation_rate(ctx)
        if participation < self._settings.participation_min_bp and not self._settings.stale_production:
            return self._miss(ProductionOutcome.LOW_PARTICIPATION, witness, participation_bp=participation)
        slot_time = get_slot_time(ctx, slot)
        late_ms = now_ms - slot_time * MS_PER_SECOND
        if abs(late_ms) > LAG_MAX_MS:
            return self._miss(ProductionOutcome.LAG, witness, late_ms=late_ms)
        if not self.guard.is_free(key.public_key, slot_time):
            return self._miss(ProductionOutcome.SLOT_USED, witness, slot_time=slot_time)
        try:
            return Attempt(ProductionOutcome.PRODUCED, self._build(witness, key, slot_time))
        except StoreWriteFailed as error:
            return self._miss(ProductionOutcome.DISK_PROBLEM, witness, error=str(error))
        except ProtocolError as error:
            return self._miss(ProductionOutcome.FAILED, witness, error=str(error))

    def _miss(self, outcome: ProductionOutcome, witness: str | None = None, **figures: object) -> Attempt:
        whose = {} if witness is None else {"witness": witness}
        self._world.note("missed", reason=outcome.value, **whose, **figures)
        return Attempt(outcome)

    def _build(self, witness: str, key: PrivateKey, slot_time: int) -> Block:
        self.guard.reserve(key.public_key, slot_time)
        begun_ms = self._world.monotonic_ms()
        budget = Budget(TRIED_OPERATIONS_MAX, lambda: self._world.monotonic_ms() - begun_ms >= FILL_MS_MAX)
        return self._chain.build_block(witness, key, slot_time, budget=budget)

    def _find_key(self, witness: str) -> PrivateKey | None:
        """Returns the private key for a witness's next block, or None.

        The state includes pending transactions, so a key that does not match is looked up again at the head block.
        """
        keys = self._settings.witness_keys
        key = keys.get(self._chain.ctx.tables.witnesses.get(witness).signing_key)
        if key is None and len(self._chain.pending):
            key = keys.get(self._chain.read_head_signing_key(witness))
        return key

    # Blocks on command, for development chains

    def build_next(self, skip_seconds: int = 0) -> Block:
        """Produces a block in the next slot, or `skip_seconds` later, for which a key is available.

        Raises ProtocolError where no key fits, StoreWriteFailed when the slot cannot be recorded.
        """
        ctx = self._chain.ctx
        slot = get_slot_at_time(ctx, get_slot_time(ctx, 1) + skip_seconds)
        slot = max(slot, self._first_unused_slot())
        places = ctx.tables.witness_schedule.get(0).num_scheduled_witnesses
        for candidate in range(slot, slot + places):
            witness = get_scheduled_witness(ctx, candidate)
            key = self._find_key(witness)
            if key is not None:
                return self._build(witness, key, get_slot_time(ctx, candidate))
        raise ProtocolError("witness_key", "this node holds the signing key of no scheduled witness")

    def _first_unused_slot(self) -> int:
        latest = max(map(self.guard.find_latest, self._settings.witness_keys), default=0)
        return get_slot_at_time(self._chain.ctx, latest) + 1
