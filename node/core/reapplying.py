"""Reapplies pending transactions to each new head in time slices, so that an arriving block is not delayed."""

from chain.pool import SLICE_OPERATIONS_MAX, Budget, Pool
from node.core.world import World

REAPPLY_TIMER = "reapply"
SLICE_MS = 10
"""Maximum time of a slice before other events are handled."""

REAPPLY_MS_MAX = 200
"""Maximum total time per head, as in the reference."""


class Reapplier:
    """Reapplies pending transactions, and reports those that fail."""

    def __init__(self, world: World, pool: Pool) -> None:
        self._world = world
        self._pool = pool
        self._spent_ms = 0

    def begin(self) -> None:
        """Starts over on a new head."""
        self._spent_ms = 0
        if len(self._pool.pending):
            self._world.set_timer(REAPPLY_TIMER, self._world.now_ms())

    def on_timer(self) -> None:
        """Runs one slice."""
        begun_ms = self._world.monotonic_ms()
        budget = Budget(SLICE_OPERATIONS_MAX, lambda: self._world.monotonic_ms() - begun_ms >= SLICE_MS)
        goes_on = self._pool.reapply(budget)
        self._spent_ms += self._world.monotonic_ms() - begun_ms
        self.tell_dropped()
        if goes_on and self._spent_ms < REAPPLY_MS_MAX:
            self._world.set_timer(REAPPLY_TIMER, self._world.now_ms())
        elif goes_on:
            self._pool.stop_reapplying()

    def tell_dropped(self) -> None:
        """Reports accepted transactions that were dropped."""
        dropped = self._pool.take_dropped()
        if dropped:
            self._world.tell_dropped(dropped)
