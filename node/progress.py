"""Shows how far an import is: a bar on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

REFRESH_SECONDS: Final = 0.2
LINE_SECONDS: Final = 10.0


class ImportProgress(Protocol):
    """A progress that is shown while a `with` block runs."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def begin(self, number: int, position: int, size: int) -> None:
        """The import begins behind block `number`, at byte `position` of `size`."""

    def advance(self, number: int, transactions: int, position: int) -> None:
        """Block `number` was applied; the file has been read up to `position`."""


def make_progress() -> ImportProgress:
    """Returns the one that fits standard error."""
    return BarProgress() if sys.stderr.isatty() else LineProgress()


class LineProgress:
    """Lines of text with rates."""

    def __init__(self) -> None:
        self._begun = self._next = time.monotonic()
        self._blocks = self._transactions = 0
        self._first = self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def begin(self, number: int, position: int, size: int) -> None:
        """Starts the clock."""
        self._begun = time.monotonic()
        self._next = self._begun + LINE_SECONDS
        self._first, self._size = position, size

    def advance(self, number: int, transactions: int, position: int) -> None:
        """Writes a line when it is time."""
        self._blocks += 1
        self._transactions += transactions
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + LINE_SECONDS
        seconds = now - self._begun
        left = seconds * (self._size - position) / max(1, position - self._first)
        sys.stderr.write(
            f"block {number}: {self._blocks / seconds:.0f} blocks/s, {self._transactions / seconds:.0f} "
            f"transactions/s, {left:.0f} s left\n"
        )
        sys.stderr.flush()


class BarProgress:
    """A bar with the block's number, rates and the time that is left."""

    def __init__(self) -> None:
        self._bar: Any = Progress(
            TextColumn("block {task.fields[number]}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
        )
        self._task = self._bar.add_task("import", number=0, rate="", total=None)
        self._begun = time.monotonic()
        self._next = 0.0
        self._blocks = self._transactions = 0
        self._last = (0, 0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._show()
        self._bar.stop()

    def begin(self, number: int, position: int, size: int) -> None:
        """Sets the bar's length."""
        self._begun = time.monotonic()
        self._last = (number, position)
        self._bar.update(self._task, total=size, completed=position, number=number)

    def advance(self, number: int, transactions: int, position: int) -> None:
        """Moves the bar when it is time."""
        self._blocks += 1
        self._transactions += transactions
        self._last = (number, position)
        now = time.monotonic()
        if now >= self._next:
            self._next = now + REFRESH_SECONDS
            self._show()

    def _show(self) -> None:
        seconds = max(time.monotonic() - self._begun, 0.001)
        number, position = self._last
        rate = f"{self._blocks / seconds:.0f} blocks/s, {self._transactions / seconds:.0f} transactions/s"
        self._bar.update(self._task, completed=position, number=number, rate=rate)
        self._bar.refresh()
