"""The node's clock (the world's plus the time that development commands skipped), and detection of clock jumps."""

from node.core.world import World

MS_PER_SECOND = 1000

JUMP_MS_MAX = 5_000
"""Maximum drift of the wall clock against the monotonic one between two checks: more than ordinary clock corrections,
less than what affects more than two slots."""

WITNESSES_CONFIRM_MAX = 3
"""Number of other witnesses whose blocks must match the clock's time after a jump to confirm it; half of the witnesses
where there are fewer."""

SETTLE_MS = 60_000
"""A node that may produce alone trusts the time after a jump once this long has passed, as nobody can confirm it."""


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
        """Time that development commands skipped."""
        return self._warp_ms

    def follow(self, time_ms: int) -> None:
        """Advances the clock to a moment unless it is past."""
        self._warp_ms += max(0, time_ms - self.now_ms())

    def to_world(self, time_ms: int) -> int:
        """The moment of the world's clock at which this one shows `time_ms`."""
        return time_ms - self._warp_ms


class ClockWatch:
    """Detects jumps of the wall clock: a block signed for a wrong time blocks the key for later slots.

    The wall clock is compared with the monotonic one. After a jump it is trusted again when it is back, when other
    witnesses' blocks confirm its time, after SETTLE_MS on a node that may produce alone, or after a restart.
    """

    def __init__(self, world: World, settles: bool) -> None:
        self._world = world
        self._settles = settles
        self._offset_ms = world.now_ms() - world.monotonic_ms()
        self._jumped_to_ms = self._offset_ms
        self._jumped_at_ms = 0
        self._confirming: set[str] = set()
        self.jump_ms = 0
        """How far the wall clock is off; 0 while it is trusted."""

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
            self._world.note("clock_jumped", by_ms=jump_ms, action="no block is produced until the time is confirmed")
        elif self._settles and monotonic_ms - self._jumped_at_ms >= SETTLE_MS:
            self._trust(offset_ms)
        return self.jump_ms

    def confirm(self, witness: str, others: int) -> None:
        """Counts a block of one of `others` witnesses whose time matches the wall clock."""
        if self.look():
            self._confirming.add(witness)
            if len(self._confirming) >= min(WITNESSES_CONFIRM_MAX, max(1, others // 2)):
                self._trust(self._jumped_to_ms)

    def _trust(self, offset_ms: int) -> None:
        if self.jump_ms:
            self._world.note("clock_trusted", after_jump_of_ms=self.jump_ms)
        self._offset_ms = offset_ms
        self.jump_ms = 0
