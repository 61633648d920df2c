"""Fuzzy search for a hunk's text in a body: at the expected position, or at the best match.

The score of a position (lower is better) is the number of errors (characters to insert, delete or replace) divided by
the length of the pattern, plus the distance from the expected position divided by 1,000, all in single precision; above
0.5 there is no match. The reference runs the Bitap algorithm over the text for each number of errors. Here integers
hold the state of all positions at once, one bit each, so a search takes a few hundred operations.

Source: diff_match_patch.h of the reference (match_main, match_bitap).
"""

from functools import lru_cache
from typing import Final

from operations.patch_budget import Budget
from operations.patch_hunks import PATTERN_MAX

DISTANCE_OF_ONE: Final = 1000
"""Distance at which an exact copy scores like a match in place with every character wrong."""

REACH: Final = DISTANCE_OF_ONE // 2
"""Maximum distance of a match from the expected position."""

_UNIT: Final = 2**40
"""Denominator of scores: every single-precision value that occurs is a multiple of 1 / _UNIT."""

_LIKENESS_MAX: Final = _UNIT // 2
_PRECISION: Final = 24
"""Significant bits of a single-precision number."""

_BLOCK: Final = 512
_BLOCK_LENGTH: Final = _BLOCK + 2 * (REACH + PATTERN_MAX)
_STEPS_OF_SEARCH: Final = 20
_STEPS_OF_COPIES: Final = 40
_STEPS_OF_CELL: Final = 4


class Searched:
    """A text to search in, with the bitmaps of its characters near the last expected position."""

    __slots__ = ("_base", "_block", "_budget", "_masks", "text")

    def __init__(self, text: str, budget: Budget) -> None:
        self.text = text
        self._budget = budget
        self._base = -1
        self._block = ""
        self._masks: dict[str, int] = {}

    def replace(self, text: str) -> None:
        """Replaces the text to search in."""
        self._budget.spend_text(len(text))
        self.text = text
        self._base = -1

    def find(self, pattern: str, place: int) -> int:
        """The position of the pattern (at most PATTERN_MAX characters), or of its best match; -1 if there is none."""
        self._budget.spend(_STEPS_OF_SEARCH)
        place = max(0, min(place, len(self.text)))
        if self.text == pattern:
            return 0
        if not self.text:
            return -1
        if self.text.startswith(pattern, place):
            return place
        return self._find_alike(pattern, place)

    def _find_alike(self, pattern: str, place: int) -> int:
        """Searches with a rising number of errors until no position can score better; the last of equals wins."""
        length = len(pattern)
        found = self._find_copy(pattern, place)
        most = _compute_likeness(0, length, abs(found - place)) if found >= 0 else _LIKENESS_MAX
        if _compute_likeness(1, length, 0) > most:
            return found
        self._load(place)
        masks = [self._get_mask(character) for character in reversed(pattern)]
        everywhere = (2 << len(self._block)) - 1
        rows = [0] * (length + 1)
        for errors in range(length):
            if _compute_likeness(errors, length, 0) > most:
                break
            self._budget.spend(length * _STEPS_OF_CELL)
            rows = _allow_one_error_more(rows, masks, everywhere)
            for candidate in _get_nearest(rows[-1], place - self._base):
                distance = abs(self._base + candidate - place)
                if distance <= REACH and (likeness := _compute_likeness(errors, length, distance)) <= most:
                    found, most = self._base + candidate, likeness
        return found

    def _find_copy(self, pattern: str, place: int) -> int:
        """The exact copy nearest to the position (of two at equal distance, the one before); -1 if none is in reach."""
        self._budget.spend(_STEPS_OF_COPIES)
        before = self.text.rfind(pattern, max(0, place - REACH), place + len(pattern))
        behind = self.text.find(pattern, place + 1, place + REACH + len(pattern))
        if before < 0 or (behind >= 0 and behind - place < place - before):
            return behind
        return before

    def _load(self, place: int) -> None:
        """Loads the block of the text that covers all positions in reach."""
        base = max(0, place - REACH) // _BLOCK * _BLOCK
        if base != self._base:
            self._base = base
            self._block = self.text[base : base + _BLOCK_LENGTH]
            self._masks = {}

    def _get_mask(self, character: str) -> int:
        """The bitmap of a character's positions in the block."""
        mask = self._masks.get(character)
        if mask is None:
            gaps = self._block.split(character)
            mask = int("1".join(["0" * len(gap) for gap in reversed(gaps)]) or "0", 2)
            self._masks[character] = mask
            self._budget.spend(len(self._block) // 10 + len(gaps))
        return mask


def _allow_one_error_more(rows: list[int], masks: list[int], everywhere: int) -> list[int]:
    """Allows one error more. Row n is the bitmap of positions where the last n characters match with that many errors.

    Bit p means a match that begins at position p; the last bit, an empty match after the text. The first call, for 0
    errors, gets rows of zeros.
    """
    row = everywhere
    wider = [row]
    before = rows[0]
    for mask, same in zip(masks, rows[1:], strict=True):
        row = row >> 1 & mask | before | (before | same) >> 1
        wider.append(row)
        before = same
    return wider


def _get_nearest(row: int, place: int) -> list[int]:
    """The set bits nearest to a position: the next one after it, then the last one up to it."""
    nearest = []
    behind = row >> (place + 1)
    if behind:
        nearest.append(place + (behind & -behind).bit_length())
    up_to = row & (2 << place) - 1
    if up_to:
        nearest.append(up_to.bit_length() - 1)
    return nearest


@lru_cache(maxsize=4096)
def _compute_likeness(errors: int, length: int, distance: int) -> int:
    """The score (0 is an exact copy in place) in units, rounded like single-precision sums and quotients."""
    return _round_single(
        _round_single(errors, length) + _round_single(distance, DISTANCE_OF_ONE),
        _UNIT,
    )


def _round_single(numerator: int, denominator: int) -> int:
    """A quotient from 0 to 2 in units, rounded to single precision, half to even."""
    if not numerator:
        return 0
    shift = 0
    while numerator << shift < denominator << (_PRECISION - 1):
        shift += 1
    quotient, rest = divmod(numerator << shift, denominator)
    quotient += 2 * rest > denominator or (2 * rest == denominator and quotient % 2)
    return quotient * _UNIT >> shift
