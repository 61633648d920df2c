"""The node's clock: the world's, moved on by what development commands skipped; and a watch over the world's clock."""

from node.core.world import World

MS_PER_SECOND = 1000

JUMP_MS_MAX = 5_000
"""By how much the wall clock may move away from the monotonic one between two looks: more than corrections of a running
clock do, and no more than what spoils two slots."""

WITNESSES_CONFIRM_MAX = 3
"""So many other witnesses' blocks with the time that the clock shows after a jump confirm it; where there are few, half
of them."""

SETTLE_MS = 60_000
"""After so long a node that may go on alone takes the time after a jump for right: nobody else can tell."""


class Clock:
    """Milliseconds since the epoch."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._warp_ms = 0

    def now_ms(self) -> int:
        """The node's time."""
        return self._world.now_ms() + self._warp_ms

    @property
    def skipped_ms(self) -> int:
        """By how much development commands moved this clock on."""
        return self._warp_ms

    def follow(self, time_ms: int) -> None:
        """Moves on to a moment, if that is not past."""
        self._warp_ms += max(0, time_ms - self.now_ms())

    def to_world(self, time_ms: int) -> int:
        """The moment of the world's clock at which this one shows `time_ms`."""
        return time_ms - self._warp_ms


class ClockWatch:
    """Notices when the wall clock jumps: a block that is signed for a wrong time spoils slots to come.

    The wall clock is compared with the monotonic one. After a jump it is trusted again when it is back, when other
    witnesses' blocks have its time, or when it has settled on a node that may go on alone; or after a restart.
    """

    def __init__(self, world: World, settles: bool) -> None:
        self._world = world
        self._settles = settles
        self._offset_ms = world.now_ms() - world.monotonic_ms()
        self._jumped_to_ms = self._offset_ms
        self._jumped_at_ms = 0
        self._confirming: set[str] = set()
        self.jump_ms = 0
        """By how much the wall clock is away from where it should be; 0 while it is trusted."""

    def look(self) -> int:
        """Compares the clocks and returns `jump_ms`."""
        monotonic_ms = self._world.monotonic_ms()
        offset_ms = self._world.now_ms() - monotonic_ms
        jump_ms = offset_ms - self._offset_ms
        if abs(jump_ms) <= JUMP_MS_MAX:
            self._trust(offset_ms)
        elif not self.jump_ms or abs(offset_ms - self._jumped_to_ms) > JUMP_MS_MAX:
            self.jump_ms, self._jumped_to_ms, self._jumped_at_ms = jump_ms, offset_ms, monotonic_ms
            self._confirming.clear()
            self._world.note("clock_jumped", by_ms=jump_ms, action="no block is made until the time is sure again")
        elif self._settles and monotonic_ms - self._jumped_at_ms >= SETTLE_MS:
            self._trust(offset_ms)
        return self.jump_ms

    def confirm(self, witness: str, others: int) -> None:
        """One of `others` witnesses has just made a block with the time that the wall clock shows."""
        if self.look():
            self._confirming.add(witness)
            if len(self._confirming) >= min(WITNESSES_CONFIRM_MAX, max(1, others // 2)):
                self._trust(self._jumped_to_ms)

    def _trust(self, offset_ms: int) -> None:
        if self.jump_ms:
            self._world.note("clock_trusted", after_jump_of_ms=self.jump_ms)
        self._offset_ms = offset_ms
        self.jump_ms = 0
