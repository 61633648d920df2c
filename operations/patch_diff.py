"""Difference of two texts: the edits that the reference chooses among equally short edit scripts.

Source: diff_match_patch.h of the reference (diff_main without lines, diff_cleanupMerge, diff_cleanupSemanticLossless);
E. Myers, An O(ND) Difference Algorithm and Its Variations, 1986.
"""

from typing import Final, NamedTuple

from operations.patch_budget import Budget
from operations.patch_hunks import DELETE, INSERT, KEEP, Edit

_STEPS_OF_DIFFERENCE: Final = 60
_STEPS_OF_EDIT: Final = 8
_STEPS_OF_COLUMN: Final = 12
_BITS_PER_STEP: Final = 500
_STEPS_OF_SHIFT: Final = 20

_LETTERS_AND_DIGITS: Final = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_BLANKS: Final = frozenset("\t\n\v\f\r ")
_LINE_ENDS: Final = frozenset("\n\r")
_BLANK_LINES: Final = ("\n\n", "\n\r\n", "\r\n\n", "\r\n\r\n")


class _Halves(NamedTuple):
    """A long common substring of two texts, and the parts before and after it."""

    old_before: str
    old_behind: str
    new_before: str
    new_behind: str
    shared: str


def compute_difference(old: str, new: str, budget: Budget) -> list[Edit]:
    """The edits that turn `old` into `new`."""
    budget.spend(_STEPS_OF_DIFFERENCE)
    budget.spend_text(2 * (len(old) + len(new)))
    if old == new:
        return [Edit(KEEP, old)] if old else []
    head = _count_common_head(old, new)
    tail = _count_common_tail(old[head:], new[head:])
    edits = _compare_middles(old[head : len(old) - tail], new[head : len(new) - tail], budget)
    if head:
        edits.insert(0, Edit(KEEP, old[:head]))
    if tail:
        edits.append(Edit(KEEP, old[len(old) - tail :]))
    return _merge(edits, budget)


def count_changes(edits: list[Edit]) -> int:
    """The Levenshtein distance: characters inserted, deleted, or exchanged."""
    changes = inserted = deleted = 0
    for kind, text in edits:
        if kind == INSERT:
            inserted += len(text)
        elif kind == DELETE:
            deleted += len(text)
        else:
            changes += max(inserted, deleted)
            inserted = deleted = 0
    return changes + max(inserted, deleted)


def _count_common_head(one: str, two: str) -> int:
    same, different = 0, min(len(one), len(two)) + 1
    while different - same > 1:
        middle = (same + different) // 2
        if one[same:middle] == two[same:middle]:
            same = middle
        else:
            different = middle
    return same


def _count_common_tail(one: str, two: str) -> int:
    length1, length2 = len(one), len(two)
    same, different = 0, min(length1, length2) + 1
    while different - same > 1:
        middle = (same + different) // 2
        if one[length1 - middle : length1 - same] == two[length2 - middle : length2 - same]:
            same = middle
        else:
            different = middle
    return same


def _compare_middles(old: str, new: str, budget: Budget) -> list[Edit]:
    """The edits between texts without common prefix or suffix, not merged yet."""
    if not old:
        return [Edit(INSERT, new)]
    if not new:
        return [Edit(DELETE, old)]
    long, short, kind = (old, new, DELETE) if len(old) > len(new) else (new, old, INSERT)
    at = long.find(short)
    if at >= 0:
        return [Edit(kind, long[:at]), Edit(KEEP, short), Edit(kind, long[at + len(short) :])]
    if len(short) > 1:
        halves = _find_halves(old, new, budget)
        if halves is not None:
            return [
                *compute_difference(halves.old_before, halves.new_before, budget),
                Edit(KEEP, halves.shared),
                *compute_difference(halves.old_behind, halves.new_behind, budget),
            ]
        middle = find_middle(old, new, budget)
        if middle is not None:
            x, y = middle
            return [*compute_difference(old[:x], new[:y], budget), *compute_difference(old[x:], new[y:], budget)]
    return [Edit(DELETE, old), Edit(INSERT, new)]


def _find_halves(old: str, new: str, budget: Budget) -> _Halves | None:
    """Splits both texts around a common substring of at least half the longer text, if one is found quickly."""
    long, short = (old, new) if len(old) > len(new) else (new, old)
    if len(long) < 4 or len(short) * 2 < len(long):
        return None
    first = _find_shared(long, short, (len(long) + 3) // 4, budget)
    second = _find_shared(long, short, (len(long) + 1) // 2, budget)
    best = first if len(first.shared) > len(second.shared) else second
    if len(best.shared) * 2 < len(long):
        return None
    if len(old) > len(new):
        return best
    return _Halves(best.new_before, best.new_behind, best.old_before, best.old_behind, best.shared)


def _find_shared(long: str, short: str, at: int, budget: Budget) -> _Halves:
    """The longest common substring around a copy of the quarter of `long` that starts at `at`; the first of equals."""
    seed = long[at : at + len(long) // 4]
    best = _Halves("", "", "", "", "")
    place = short.find(seed)
    while place >= 0:
        budget.spend(_STEPS_OF_DIFFERENCE)
        budget.spend_text(2 * len(short))
        behind = _count_common_head(long[at:], short[place:])
        before = _count_common_tail(long[:at], short[:place])
        if before + behind > len(best.shared):
            shared = short[place - before : place + behind]
            best = _Halves(
                long[: at - before], long[at + behind :], short[: place - before], short[place + behind :], shared
            )
        place = short.find(seed, place + 1)
    return best


def find_middle(old: str, new: str, budget: Budget) -> tuple[int, int] | None:
    """The middle of a shortest edit path, as numbers of characters of `old` and `new` before it; None without a match.

    The reference grows paths from the start and from the end by one edit in turn until two meet. It tries the diagonals
    (characters of old less those of new) in rising order from the start, and in falling order from the end. So among
    all middles (rounded up) of shortest paths, it takes one on the lowest diagonal if the number of edits is odd, on
    the highest if it is even, and the furthest on that diagonal.
    """
    if (len(old) + len(new)) % 2:
        middle = _find_highest_middle(new, old, budget)
        return None if middle is None else middle[::-1]
    return _find_highest_middle(old, new, budget)


def _find_highest_middle(one: str, two: str, budget: Budget) -> tuple[int, int] | None:
    """The furthest middle of a shortest edit path on the highest diagonal."""
    columns = _compare_all(one, two, budget)
    x, y = len(one), len(two)
    edits = x - y + 2 * columns[x].bit_count()
    if edits == x + y:
        return None
    back = edits // 2
    while back:  # along the path that is highest everywhere
        if y and columns[x] >> (y - 1) & 1:
            y -= 1
            back -= 1
        elif y and one[x - 1] == two[y - 1]:
            x -= 1
            y -= 1
        else:
            x -= 1
            back -= 1
    while x < len(one) and y < len(two) and _count_shared(columns, x + 1, y + 1) > _count_shared(columns, x, y):
        x += 1
        y += 1
    return x, y


def _count_shared(columns: list[int], x: int, y: int) -> int:
    """The length of the longest common subsequence of the first `x` and `y` characters."""
    return y - (columns[x] & (1 << y) - 1).bit_count()


def _compare_all(one: str, two: str, budget: Budget) -> list[int]:
    """For each number of first characters of `one` a bit for each character of `two`, 0 if it makes the longest common
    subsequence longer.

    Source of the steps: H. Hyyrö, Bit-Parallel LCS-length Computation Revisited, 2004.
    """
    budget.spend((len(one) + len(two)) * (_STEPS_OF_COLUMN + len(two) // _BITS_PER_STEP))
    places: dict[str, int] = {}
    for at, character in enumerate(two):
        places[character] = places.get(character, 0) | 1 << at
    every = (1 << len(two)) - 1
    column = every
    columns = [column]
    for character in one:
        matches = column & places.get(character, 0)
        column = (column + matches | column - matches) & every
        columns.append(column)
    return columns


def _merge(edits: list[Edit], budget: Budget) -> list[Edit]:
    """Joins adjacent edits of the same kind, and moves single edits where that joins kept texts."""
    while True:
        budget.spend(_STEPS_OF_EDIT * len(edits))
        edits = _join(edits, budget)
        if not _move_single_edits(edits, budget):
            return edits


def _join(edits: list[Edit], budget: Budget) -> list[Edit]:
    """Leaves at most one deletion and one insertion, in this order and without common ends, between kept texts."""
    joined: list[Edit] = []
    run: list[Edit] = []
    for edit in [*edits, Edit(KEEP, "")]:
        if edit.kind != KEEP:
            run.append(edit)
            continue
        kept = edit.text
        if len(run) > 1:
            deleted = "".join([text for kind, text in run if kind == DELETE])
            inserted = "".join([text for kind, text in run if kind == INSERT])
            budget.spend_text(2 * (len(deleted) + len(inserted)))
            if {kind for kind, _ in run} == {DELETE, INSERT}:
                head = _count_common_head(inserted, deleted)
                if head:
                    before = joined.pop().text if joined else ""
                    joined.append(Edit(KEEP, before + inserted[:head]))
                    deleted, inserted = deleted[head:], inserted[head:]
                tail = _count_common_tail(inserted, deleted)
                if tail:
                    kept = inserted[len(inserted) - tail :] + kept
                    deleted, inserted = deleted[: len(deleted) - tail], inserted[: len(inserted) - tail]
            run = [Edit(kind, text) for kind, text in ((DELETE, deleted), (INSERT, inserted)) if text]
        elif not run and joined:
            kept = joined.pop().text + kept
        budget.spend_text(len(kept))
        joined += run
        joined.append(Edit(KEEP, kept))
        run = []
    if not joined[-1].text:
        joined.pop()
    return joined


def _move_single_edits(edits: list[Edit], budget: Budget) -> bool:
    """Moves a single edit across an adjacent kept text if the edit ends, or begins, with that text."""
    changed = False
    at = 1
    while at < len(edits) - 1:
        before, edit, behind = edits[at - 1 : at + 2]
        if before.kind == behind.kind == KEEP:
            budget.spend_text(len(edits) + len(before.text) + len(behind.text))
            if edit.text.endswith(before.text):
                text = before.text + edit.text[: len(edit.text) - len(before.text)]
                edits[at - 1 : at + 2] = [Edit(edit.kind, text), Edit(KEEP, before.text + behind.text)]
                changed = True
            elif edit.text.startswith(behind.text):
                text = edit.text[len(behind.text) :] + behind.text
                edits[at - 1 : at + 2] = [Edit(KEEP, before.text + behind.text), Edit(edit.kind, text)]
                changed = True
        at += 1
    return changed


def shift_to_borders(edits: list[Edit], budget: Budget) -> list[Edit]:
    """Shifts single edits to the best border of words, sentences or lines; the last of equals."""
    shifted = list(edits)
    at = 1
    while at < len(shifted) - 1:
        before, edit, behind = shifted[at - 1 : at + 2]
        if before.kind == behind.kind == KEEP:
            text = before.text + edit.text + behind.text
            budget.spend_text(2 * len(text) + len(shifted))
            begin = _find_best_begin(text, len(before.text), len(edit.text), budget)
            if begin != len(before.text):
                end = begin + len(edit.text)
                parts = (Edit(KEEP, text[:begin]), Edit(edit.kind, text[begin:end]), Edit(KEEP, text[end:]))
                shifted[at - 1 : at + 2] = [part for part in parts if part.text or part.kind != KEEP]
                if begin == 0 or end == len(text):
                    continue
        at += 1
    return shifted


def _find_best_begin(text: str, begin: int, length: int, budget: Budget) -> int:
    """The best position to which an edit can be shifted without changing the result."""
    budget.spend(_STEPS_OF_SHIFT)
    begin -= _count_common_tail(text[:begin], text[begin : begin + length])
    best_begin, best = begin, _rate_both(text, begin, begin + length)
    while length and begin + length < len(text) and text[begin] == text[begin + length]:
        begin += 1
        budget.spend(_STEPS_OF_SHIFT)
        rate = _rate_both(text, begin, begin + length)
        if rate >= best:
            best_begin, best = begin, rate
    return best_begin


def _rate_both(text: str, begin: int, end: int) -> int:
    return _rate_border(text, 0, begin, end) + _rate_border(text, begin, end, len(text))


def _rate_border(text: str, begin: int, border: int, end: int) -> int:
    """The score of a border between text[begin:border] and text[border:end]: 0 inside a word, up to 6 at an end."""
    if begin == border or border == end:
        return 6
    last, first = text[border - 1], text[border]
    if last in _LINE_ENDS or first in _LINE_ENDS:
        one, two = text[max(begin, border - 3) : border], text[border : min(end, border + 4)]
        is_blank_line = one.endswith(("\n\n", "\n\r\n")) or two.startswith(_BLANK_LINES)
        return 5 if is_blank_line else 4
    if last in _BLANKS or first in _BLANKS:
        return 3 if last not in _BLANKS and last not in _LETTERS_AND_DIGITS and first in _BLANKS else 2
    return 0 if last in _LETTERS_AND_DIGITS and first in _LETTERS_AND_DIGITS else 1
