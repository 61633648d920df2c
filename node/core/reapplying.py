"""What waits is applied to each new head, in pieces: a block that comes meanwhile does not wait for all of it."""

from chain.pool import SLICE_OPERATIONS_MAX, Budget, Pool
from node.core.world import World

REAPPLY_TIMER = "reapply"
SLICE_MS = 10
"""How long what waits is applied to a new head before other events get their turn."""

REAPPLY_MS_MAX = 200
"""How long it is applied on one head altogether, as the reference does."""


class Reapplier:
    """Applies it, and tells what does not fit any more."""

    def __init__(self, world: World, pool: Pool) -> None:
        self._world = world
        self._pool = pool
        self._spent_ms = 0

    def begin(self) -> None:
        """There is a new head."""
        self._spent_ms = 0
        if len(self._pool.pending):
            self._world.set_timer(REAPPLY_TIMER, self._world.now_ms())

    def on_timer(self) -> None:
        """Applies a piece."""
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
        """Hands on which of the transactions that were taken are no longer kept."""
        dropped = self._pool.take_dropped()
        if dropped:
            self._world.tell_dropped(dropped)
