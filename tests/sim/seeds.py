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

LONG_SEEDS: Final = range(1, 401)
"""Played by `make sim`, and until one shows it with each planted fault."""

KEPT_SEEDS: Final[dict[int, str]] = {
    377: "a witness that lost its power had told blocks as final that it lacked afterwards (8b8244d)",
    437: "the same",
    2150: "a start on a full disk with an index to build ends, and has to be tried again (552646b)",
    3493: "two final blocks at one height by the reference's rule, four witnesses; the plan is milder since (552646b)",
    3710: "the same, with delays of half a second (6e8f2bb)",
    4964: "the same with seven witnesses of which two sign twice; the plan is milder since (5f162b2)",
}
"""What each seed showed, and at which commit."""
