"""How far long work is: what tells it, whoever shows it."""

from __future__ import annotations

from typing import Final, Protocol


class Progress(Protocol):
    """Is told how far the work is."""

    def begin(self, size: int, position: int = 0) -> None:
        """The work goes from a position to `size`, which is 0 when nobody knows."""

    def advance(self, position: int, title: str, **counts: int) -> None:
        """It is at a position; `title` says so in words, `counts` what was done since it began."""


class QuietProgress:
    """Nobody looks."""

    def begin(self, size: int, position: int = 0) -> None:
        """Does nothing."""

    def advance(self, position: int, title: str, **counts: int) -> None:
        """Does nothing."""


QUIET: Final = QuietProgress()
