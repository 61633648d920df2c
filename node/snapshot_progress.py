"""Shows how far a snapshot is: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from node.progress import LINE_SECONDS, REFRESH_SECONDS


class SnapshotProgress(Protocol):
    """A progress that is shown while a `with` block runs."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def begin(self, size: int) -> None:
        """The work ends at position `size`; 0 when nobody knows."""

    def advance(self, rows: int, position: int) -> None:
        """So many rows and history entries are done, up to this position."""


def make_snapshot_progress() -> SnapshotProgress:
    """Returns the one that fits standard error."""
    return SnapshotBar() if sys.stderr.isatty() else SnapshotLines()


class QuietProgress:
    """Nobody looks."""

    def begin(self, size: int) -> None:
        """Does nothing."""

    def advance(self, rows: int, position: int) -> None:
        """Does nothing."""


class SnapshotLines:
    """Lines of text."""

    def __init__(self) -> None:
        self._begun = self._next = time.monotonic()
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def begin(self, size: int) -> None:
        """Starts the clock."""
        self._begun = time.monotonic()
        self._next = self._begun + LINE_SECONDS
        self._size = size

    def advance(self, rows: int, position: int) -> None:
        """Writes a line when it is time."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + LINE_SECONDS
        seconds = now - self._begun
        left = ""
        if self._size and position:
            left = f", {seconds * (self._size - position) / position:.0f} s left"
        sys.stderr.write(f"{rows} rows: {rows / seconds:.0f} rows/s{left}\n")
        sys.stderr.flush()


class SnapshotBar:
    """A bar with the number of rows and the time that is left."""

    def __init__(self) -> None:
        self._bar: Any = Progress(
            TextColumn("{task.fields[rows]} rows"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
        )
        self._task = self._bar.add_task("snapshot", rows=0, total=None)
        self._next = 0.0
        self._last = (0, 0)
        self._is_begun = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_begun:
            self._show()
            self._bar.stop()

    def begin(self, size: int) -> None:
        """Shows the bar."""
        self._is_begun = True
        self._bar.start()
        self._bar.update(self._task, total=size or None)

    def advance(self, rows: int, position: int) -> None:
        """Moves the bar when it is time."""
        self._last = (rows, position)
        now = time.monotonic()
        if now >= self._next:
            self._next = now + REFRESH_SECONDS
            self._show()

    def _show(self) -> None:
        rows, position = self._last
        self._bar.update(self._task, completed=position, rows=rows)
        self._bar.refresh()
