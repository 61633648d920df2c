"""Edits of a post's body sent as a patch instead of the full new text.

The reference patches bodies with a C++ port of Google's diff-match-patch, whose quirks are reproduced: the padding at
the end goes to the first hunk, long hunks are split with a different context, characters beyond U+FFFF are lost. The
reference bounds only the time of a single comparison; here all work of an edit is counted, so that every node gets the
same text.

Source: steem_evaluator.cpp, comment_evaluator, edit case; diff_match_patch.h of the reference (patch_apply).
"""

from bisect import bisect_right
from itertools import accumulate
from typing import Final

from operations.patch_budget import Budget
from operations.patch_diff import compute_difference, count_changes, shift_to_borders
from operations.patch_hunks import (
    DELETE,
    INSERT,
    KEEP,
    MARGIN,
    PADDING,
    PATTERN_MAX,
    Edit,
    Hunk,
    cut_hunks,
    get_new_text,
    get_old_text,
    pad_hunks,
    read_hunks,
    to_int32,
)
from operations.patch_search import Searched

_STEPS_OF_HUNK: Final = 30
_STEPS_OF_EDIT: Final = 20


def compute_edited_body(body: str, edit: str, budget: Budget) -> str:
    """The body after an edit: patched if `edit` reads as a patch with at least one hunk, otherwise replaced by it.

    It is also replaced if the patch exceeds the work budget, or removes the padding.
    """
    try:
        budget.spend_text(10 * len(body) + len(edit))
        hunks = read_hunks(edit, budget)
        return _apply(hunks, body, budget) if hunks else edit
    except (ValueError, IndexError):
        return edit


def _apply(hunks: list[Hunk], body: str, budget: Budget) -> str:
    """The body with all matching hunks applied; raises IndexError for an edit outside the text."""
    pad_hunks(hunks)
    searched = Searched(PADDING + body + PADDING, budget)
    shift = 0
    for hunk in cut_hunks(hunks, budget):
        budget.spend(_STEPS_OF_HUNK)
        expected = to_int32(hunk.start + shift)
        old = get_old_text(hunk.edits)
        begin, end = _find(searched, old, expected)
        if begin < 0:
            shift = to_int32(shift - to_int32(hunk.length2 - hunk.length1))
            continue
        shift = begin - expected
        _replace(searched, hunk.edits, old, begin, end, budget)
    text = searched.text
    if len(text) < MARGIN:
        raise IndexError("the padding is gone")
    padded_end = len(text) - MARGIN if len(text) >= 2 * MARGIN else len(text)
    return text[MARGIN:padded_end].encode("utf-8", "ignore").decode("utf-8")


def _find(searched: Searched, old: str, expected: int) -> tuple[int, int]:
    """The begin and end of the text or of its best match; (-1, -1) if there is no match.

    For a long text both ends are searched for.
    """
    begin = searched.find(old[:PATTERN_MAX], expected)
    if begin < 0 or len(old) <= PATTERN_MAX:
        return begin, begin + len(old)
    end = searched.find(old[-PATTERN_MAX:], to_int32(expected + len(old) - PATTERN_MAX))
    return (begin, end + PATTERN_MAX) if end > begin else (-1, -1)


def _replace(searched: Searched, edits: list[Edit], old: str, begin: int, end: int, budget: Budget) -> None:
    """Applies the edits of a hunk where it was found, unless more than half of a long text there differs."""
    text = searched.text
    found = text[begin:end]
    if found == old:
        searched.replace(text[:begin] + get_new_text(edits) + text[end:])
        return
    difference = compute_difference(old, found, budget)
    if len(old) > PATTERN_MAX and 2 * count_changes(difference) > len(old):
        return
    places = _Places(shift_to_borders(difference, budget))
    place = 0
    for kind, part in edits:
        if kind != KEEP:
            budget.spend(_STEPS_OF_EDIT)
            at = begin + places.get(place)
            behind = begin + places.get(place + len(part)) if kind == DELETE else at
            if behind > len(text):
                raise IndexError("an edit outside of the text")
            budget.spend_text(len(text))
            text = text[:at] + (part if kind == INSERT else "") + text[behind:]
        if kind != DELETE:
            place += len(part)
    searched.replace(text)


class _Places:
    """Maps positions in the expected text to positions in the found text."""

    def __init__(self, difference: list[Edit]) -> None:
        self._kinds = [kind for kind, _ in difference]
        self._old_ends = list(accumulate([len(text) if kind != INSERT else 0 for kind, text in difference]))
        self._new_ends = list(accumulate([len(text) if kind != DELETE else 0 for kind, text in difference]))

    def get(self, place: int) -> int:
        at = bisect_right(self._old_ends, place)
        old_before, new_before = (self._old_ends[at - 1], self._new_ends[at - 1]) if at else (0, 0)
        if at < len(self._kinds) and self._kinds[at] == DELETE:
            return new_before
        return new_before + place - old_before
