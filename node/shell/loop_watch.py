"""How long the event loop is held: what its thread computes from one round to the next, while everything else waits.

Timers, that of the next block among them, are looked at once in each round: so a round is the time between two chances
for a block, however many callbacks are run in it. What counts is the processor time of the loop's own thread (to the
nanosecond, not in ticks): what other programs of the machine take from it is not its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

IDLE_SECONDS: Final = 0.005
"""How often an idle loop is looked at; a busy one in every round. So the first long round after a pause is counted with
the short ones before it, and may look longer by this, but never shorter."""

SHORT_SECONDS: Final = 0.001
"""Rounds up to this length are not counted."""

OnRound = Callable[[float], None]
"""Is told how many seconds of processor time a round took."""


class LoopWatch:
    """Measures the rounds of the running event loop until it is stopped."""

    def __init__(self, on_round: OnRound) -> None:
        self._on_round = on_round
        self._loop = asyncio.get_running_loop()
        self._last = time.thread_time()
        self._handle: asyncio.Handle = self._loop.call_soon(self._look)

    def stop(self) -> None:
        """Looks no more."""
        self._handle.cancel()

    def _look(self) -> None:
        now = time.thread_time()
        used, self._last = now - self._last, now
        if used > SHORT_SECONDS:
            self._on_round(used)
            self._handle = self._loop.call_soon(self._look)
        else:
            self._handle = self._loop.call_later(IDLE_SECONDS, self._look)
