"""Progress reports of long work."""

from __future__ import annotations

from typing import Final, Protocol


class Progress(Protocol):
    """Receives progress reports."""

    def begin(self, size: int, position: int = 0) -> None:
        """Begins work from `position` to `size`, which is 0 if unknown."""

    def advance(self, position: int, title: str, **counts: int) -> None:
        """Reports a position; `title` describes it, `counts` is the work done since `begin`."""


class QuietProgress:
    """Ignores progress reports."""

    def begin(self, size: int, position: int = 0) -> None:
        """Does nothing."""

    def advance(self, position: int, title: str, **counts: int) -> None:
        """Does nothing."""


QUIET: Final = QuietProgress()
