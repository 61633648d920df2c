"""Rate limit of log lines per cause, so that no client or peer can fill the disk or slow down the node."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final, TextIO

LINES_PER_MINUTE: Final = 60
"""Maximum number of lines per cause and minute; further ones are only counted."""

WINDOW_SECONDS: Final = 60.0
CAUSES_MAX: Final = 500
"""Maximum number of tracked causes; others share the limit of their logger."""

OWN_EVENTS: Final = frozenset(
    {
        *("missed", "produced", "production_failed", "mined", "received", "syncing", "synced"),
        *("disk_problem", "disk_writable", "clock_differs", "clock_jumped", "clock_trusted", "left_out", "repeated"),
        *("reversible_block_refused", "invariant_broken"),
    }
)
"""Events of the node itself, bounded by its blocks, slots and actions: never rate limited.

Events caused by peers are also limited at their source, in node/core/notes.py.
"""

_TEMPLATE_CHARACTERS: Final = 40
Cause = tuple[str, int, str]


def find_cause(record: logging.LogRecord) -> Cause | None:
    """Returns the cause of a line: logger, level, and event or the start of its template; None for the node's own
    events."""
    event = record.__dict__.get("event")
    if event in OWN_EVENTS:
        return None
    return record.name, record.levelno, str(record.msg)[:_TEMPLATE_CHARACTERS] if event is None else str(event)


class LimitedHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a stream; of a frequent cause, the first ones of each minute and the number of suppressed
    ones."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(stream)
        self._clock = clock
        self._seen: dict[Cause, tuple[float, int]] = {}
        """By cause: start of its minute, and lines since."""
        self._swept = clock()

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the line unless its cause is over the limit, after summaries of lines suppressed in past minutes."""
        now = self._clock()
        if now - self._swept >= 1:
            self._swept = now
            self._tell(self._sweep(now))
        if self._admits(find_cause(record), now):
            super().emit(record)

    def close(self) -> None:
        """Writes the remaining summaries of suppressed lines."""
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
