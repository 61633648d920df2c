"""Measures how long callbacks block the event loop: the CPU time of its thread per round.

Timers, including the one of the next block, are checked once per round, however many callbacks run in it. CPU time of
the loop's thread is measured (in nanoseconds), so that other programs on the machine do not count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

IDLE_SECONDS: Final = 0.005
"""Interval of measurements in an idle loop; a busy one is measured in every round. The first long round after an idle
period includes the short ones before it, so it may appear longer by this, but never shorter."""

SHORT_SECONDS: Final = 0.001
"""Rounds up to this length are not counted."""

OnRound = Callable[[float], None]
"""Callback with the CPU time of a round in seconds."""


class LoopWatch:
    """Measures the rounds of the running event loop until it is stopped."""

    def __init__(self, on_round: OnRound) -> None:
        self._on_round = on_round
        self._loop = asyncio.get_running_loop()
        self._last = time.thread_time()
        self._handle: asyncio.Handle = self._loop.call_soon(self._look)

    def stop(self) -> None:
        """Stops measuring."""
        self._handle.cancel()

    def _look(self) -> None:
        now = time.thread_time()
        used, self._last = now - self._last, now
        if used > SHORT_SECONDS:
            self._on_round(used)
            self._handle = self._loop.call_soon(self._look)
        else:
            self._handle = self._loop.call_later(IDLE_SECONDS, self._look)
