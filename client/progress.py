"""Progress of long operations: a bar on a terminal, otherwise a line every few seconds."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

REFRESH_SECONDS: Final = 0.2
LINE_SECONDS: Final = 10.0


class Display:
    """Shows progress, rates and remaining time on standard error during a `with` block."""

    def __init__(self, is_terminal: bool | None = None) -> None:
        self._bar = _make_bar() if (sys.stderr.isatty() if is_terminal is None else is_terminal) else None
        self._pause = LINE_SECONDS if self._bar is None else REFRESH_SECONDS
        self._begun = self._next = time.monotonic()
        self._first = self._size = 0
        self._done: tuple[int, str, dict[str, int]] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None and self._done is not None:
            self._show(self._bar, *self._done)
            self._bar.stop()

    def begin(self, size: int, position: int = 0) -> None:
        """Starts at a position; `size` is the end, 0 if unknown."""
        self._begun = time.monotonic()
        self._first, self._size = position, size
        if self._bar is None:
            self._next = self._begun + self._pause
        else:
            self._done = position, "", {}
            self._bar.start()

    def advance(self, position: int, title: str, **counts: int) -> None:
        """Updates the position and the counts since the start; shows them when an update is due."""
        self._done = position, title, counts
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self._pause
        if self._bar is not None:
            self._show(self._bar, position, title, counts)
            return
        seconds = now - self._begun
        rates = [_describe_rates(counts, seconds)] if counts else []
        if self._size and position > self._first:
            rates.append(f"{seconds * (self._size - position) / (position - self._first):.0f} s left")
        sys.stderr.write(f"{title}: {', '.join(rates)}\n" if rates else f"{title}\n")
        sys.stderr.flush()

    def _show(self, bar: Progress, position: int, title: str, counts: dict[str, int]) -> None:
        rates = _describe_rates(counts, time.monotonic() - self._begun)
        bar.update(TaskID(0), total=self._size or None, completed=position, title=title, rates=rates)
        bar.refresh()


def _make_bar() -> Progress:
    bar = Progress(
        TextColumn("{task.fields[title]}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.fields[rates]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,
    )
    bar.add_task("", title="", rates="", total=None)
    return bar


def _describe_rates(counts: dict[str, int], seconds: float) -> str:
    return ", ".join(f"{count / max(seconds, 0.001):.0f} {name}/s" for name, count in counts.items())
