"""The node's clock: the world's, moved on by what development commands skipped."""

from node.core.world import World

MS_PER_SECOND = 1000


class Clock:
    """Milliseconds since the epoch."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._warp_ms = 0

    def now_ms(self) -> int:
        """The node's time."""
        return self._world.now_ms() + self._warp_ms

    def follow(self, time_ms: int) -> None:
        """Moves on to a moment, if that is not past."""
        self._warp_ms += max(0, time_ms - self.now_ms())

    def to_world(self, time_ms: int) -> int:
        """The moment of the world's clock at which this one shows `time_ms`."""
        return time_ms - self._warp_ms
