"""How often one cause may write a log line, so that no client or peer can fill the disk or slow the node by it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final, TextIO

LINES_PER_MINUTE: Final = 60
"""Lines of one cause within a minute; further ones are only counted."""

WINDOW_SECONDS: Final = 60.0
CAUSES_MAX: Final = 500
"""Causes told apart at one time; those beyond them share the limit of their logger."""

OWN_EVENTS: Final = frozenset(
    {
        *("missed", "produced", "production_failed", "mined", "received", "syncing", "synced"),
        *("disk_problem", "disk_writable", "clock_differs", "clock_jumped", "clock_trusted", "left_out", "repeated"),
        *("reversible_block_refused", "invariant_broken"),
    }
)
"""Events of the node itself, as many as blocks, slots and its own acts give: each is told.

What peers cause is limited where it is noted, in node/core/notes.py, and here, too.
"""

_TEMPLATE_CHARACTERS: Final = 40
Cause = tuple[str, int, str]


def find_cause(record: logging.LogRecord) -> Cause | None:
    """What a line is about: logger, level, and event or the begin of its template; None for an event of the node."""
    event = record.__dict__.get("event")
    if event in OWN_EVENTS:
        return None
    return record.name, record.levelno, str(record.msg)[:_TEMPLATE_CHARACTERS] if event is None else str(event)


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a stream; of a cause that has many, the first in each minute and how many followed."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._seen: dict[Cause, tuple[float, int]] = {}
        """When the minute of a cause began, and how many lines it has had since."""
        self._swept = clock()

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line unless its cause has had its share, and before it what was left out in minutes now over."""
        now = self._clock()
        if now - self._swept >= 1:
            self._swept = now
            self._tell(self._sweep(now))
        if self._admits(find_cause(record), now):
            super().emit(record)

    def close(self) -> None:
        """Writes what was left out and not told yet."""
        self._tell(self._sweep(float("inf")))
        super().close()

    def _admits(self, cause: Cause | None, now: float) -> bool:
        if cause is None:
            return True
        if cause not in self._seen and len(self._seen) >= CAUSES_MAX:
            cause = (*cause[:2], "")
        begun, count = self._seen.get(cause, (now, 0))
        self._seen[cause] = begun, count + 1
        return count < LINES_PER_MINUTE

    def _sweep(self, now: float) -> list[tuple[Cause, int]]:
        over = [cause for cause, (begun, _) in self._seen.items() if now - begun >= WINDOW_SECONDS]
        counts = [(cause, self._seen.pop(cause)[1] - LINES_PER_MINUTE) for cause in over]
        return [(cause, count) for cause, count in counts if count > 0]

    def _tell(self, left_out: list[tuple[Cause, int]]) -> None:
        for (name, level, what), count in left_out:
            figures: dict[str, Any] = {"what": what, "count": count}
            record = logging.LogRecord(name, level, "", 0, "repeated %s: %d more times", (what, count), None)
            record.__dict__.update(event="repeated", figures=figures)
            super().emit(record)
