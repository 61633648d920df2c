"""Seeds of networks that once failed, and those that the bounded tests always play.

When `make sim` fails it names the seed. Mend the cause, and add the seed here with a word about what it showed: the
bounded test plays it from then on. A change of what is drawn (weather.py, or anything that takes a random number)
changes what seeds play; then a kept seed is one seed more and no longer the case that it was kept for, which is why
causes in the program also get a small test of their own.
"""

from __future__ import annotations

from typing import Final

BOUNDED_SEEDS: Final = range(1, 51)
"""Played by `make test`."""

KEPT_SEEDS: Final[dict[int, str]] = {}
"""What each seed showed."""
