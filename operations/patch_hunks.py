"""The hunks of a patch: parsing, padding, and splitting to the length that can be searched for.

Texts are sequences of the reference's 32-bit characters. A character beyond U+FFFF in a patch is two surrogates, which
a body never contains.

Source: diff_match_patch.h of the reference (patch_fromText, percent_decode, patch_addPadding, patch_splitMax).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from operations.patch_budget import Budget

PATTERN_MAX: Final = 32
"""Maximum number of characters in one search pattern."""

MARGIN: Final = 4
"""Number of characters of context at each end of a hunk, and of padding at each end of a body."""

PADDING: Final = "".join(map(chr, range(1, MARGIN + 1)))

KEEP: Final = " "
DELETE: Final = "-"
INSERT: Final = "+"

_DELETION_CUT_MAX: Final = 2 * PATTERN_MAX
"""Deletions longer than this that directly follow their context are not split."""

_LONG_DIGITS: Final = 19
_LONG_MAX: Final = 2**63 - 1
_HEX: Final = "0123456789ABCDEFabcdef"
_OCTETS: Final = {high + low: int(high + low, 16) for high in _HEX for low in _HEX}
_STEPS_OF_LINE: Final = 30
_STEPS_OF_PIECE: Final = 60
_STEPS_OF_ESCAPED: Final = 6


class Edit(NamedTuple):
    """One edit: a text that is kept, deleted or inserted."""

    kind: str
    text: str


@dataclass(slots=True)
class Hunk:
    """A group of adjacent edits, with its expected position and the lengths stated in its header."""

    start: int
    length1: int
    length2: int
    edits: list[Edit] = field(default_factory=list)


def get_old_text(edits: list[Edit]) -> str:
    """The text before the edits: everything kept or deleted."""
    return "".join([text for kind, text in edits if kind != INSERT])


def get_new_text(edits: list[Edit]) -> str:
    """The text after the edits: everything kept or inserted."""
    return "".join([text for kind, text in edits if kind != DELETE])


def to_int32(number: int) -> int:
    """Wraps a number to a signed 32-bit integer, as sums do in the reference."""
    return ((number + 2**31) & (2**32 - 1)) - 2**31


def read_hunks(text: str, budget: Budget) -> list[Hunk]:
    """Parses a patch, possibly without hunks; raises ValueError for other text."""
    hunks: list[Hunk] = []
    for line in text.split("\n"):
        if not line:
            continue
        budget.spend(_STEPS_OF_LINE)
        kind = line[0]
        if kind == "@" or not hunks:
            hunks.append(_read_header(line))
        elif kind in (KEEP, DELETE, INSERT):
            hunks[-1].edits.append(Edit(kind, _decode(line[1:], budget)))
        else:
            raise ValueError(f"a line of a patch begins with {kind!r}")
    return hunks


def _read_header(line: str) -> Hunk:
    """Parses `@@ -start[,][length] +start[,][length] @@`."""
    old, plus, new = line[4:-3].partition(" +")
    if not (line.startswith("@@ -") and line.endswith(" @@") and plus):
        raise ValueError("no header of a hunk")
    _, length1 = _read_range(old)
    start2, length2 = _read_range(new)
    return Hunk(start2, length1, length2)


def _read_range(text: str) -> tuple[int, int]:
    """The start, which counts from 1 unless the length is the digit 0, and the length, 1 if absent."""
    start, _, length = text.partition(",")
    if length == "0":
        return _read_number(start), 0
    return to_int32(_read_number(start) - 1), _read_number(length) if length else 1


def _read_number(digits: str) -> int:
    """A number of any length, as 64-bit wcstol reads it, truncated to an int."""
    if not (digits.isascii() and digits.isdecimal()):
        raise ValueError("no number in the header of a hunk")
    digits = digits.lstrip("0")
    return to_int32(_LONG_MAX if len(digits) > _LONG_DIGITS else min(int(digits or "0"), _LONG_MAX))


def _decode(text: str, budget: Budget) -> str:
    """Decodes percent-encoded UTF-8; raises ValueError for a % without two hexadecimal digits."""
    if text.isascii() and "%" not in text:
        return text
    budget.spend(_STEPS_OF_ESCAPED * len(text))
    head, *escaped = text.split("%")
    units = list(map(ord, head))
    for part in escaped:
        octet = _OCTETS.get(part[:2])
        if octet is None:
            raise ValueError("a % without two hexadecimal digits in a patch")
        units.append(octet)
        units.extend(map(ord, part[2:]))
    return "".join(_decode_units(units))


def _decode_units(units: list[int]) -> Iterator[str]:
    """Decodes UTF-8 leniently: a unit that breaks a sequence drops that sequence and starts the next.

    Units are octets, or raw characters of any size, of which only the relevant bits count.
    """
    at = 0
    while at < len(units):
        unit = units[at]
        at += 1
        if unit < 0x80:
            yield chr(unit)
            continue
        if unit >> 5 == 0b110:
            value, missing = unit & 0x1F, 1
        elif unit >> 4 == 0b1110:
            value, missing = unit & 0x0F, 2
        elif unit >> 3 == 0b11110:
            value, missing = unit & 0x07, 3
        else:
            continue
        while missing and at < len(units) and units[at] & 0xC0 == 0x80:
            value = value << 6 | units[at] & 0x3F
            missing -= 1
            at += 1
        if not missing:
            yield chr(value) if value < 0x10000 else chr(0xD7C0 + (value >> 10)) + chr(0xDC00 + (value & 0x3FF))


def pad_hunks(hunks: list[Hunk]) -> None:
    """Shifts all hunks by the padding of the body, and pads the context at both ends of the first hunk."""
    for hunk in hunks:
        hunk.start = to_int32(hunk.start + MARGIN)
    first = hunks[0]
    first.start = to_int32(first.start - _fill_context(first, 0))
    _fill_context(first, -1)


def _fill_context(hunk: Hunk, end: int) -> int:
    """Pads the kept text at one end of the hunk (0 or -1); returns the number of characters added."""
    edits = hunk.edits
    if not edits or edits[end].kind != KEEP:
        edits.insert(0 if end == 0 else len(edits), Edit(KEEP, ""))
    text = edits[end].text
    missing = max(0, MARGIN - len(text))
    edits[end] = Edit(KEEP, PADDING[MARGIN - missing :] + text if end == 0 else text + PADDING[:missing])
    hunk.length1 = to_int32(hunk.length1 + missing)
    hunk.length2 = to_int32(hunk.length2 + missing)
    return missing


def cut_hunks(hunks: list[Hunk], budget: Budget) -> Iterator[Hunk]:
    """Yields the hunks, splitting those whose header states a length too long for a search."""
    for hunk in hunks:
        if hunk.length1 <= PATTERN_MAX:
            yield hunk
        else:
            yield from _cut(hunk, budget)


def _cut(hunk: Hunk, budget: Budget) -> Iterator[Hunk]:
    """Yields the pieces of one hunk, each with context, except pieces without a change."""
    left = hunk.edits[::-1]
    start = hunk.start
    context = ""
    while left:
        edits = [Edit(KEEP, context)] if context else []
        piece = Hunk(to_int32(start - len(context)), len(context), len(context), edits)
        changes = _take_edits(piece, left, budget)
        start = to_int32(piece.start + piece.length2)
        context = get_new_text(edits)[max(0, len(context) - MARGIN) :]
        budget.spend_text(len(context))
        tail = _get_head_of_old_text(left)
        if tail:
            piece.length1 += len(tail)
            piece.length2 += len(tail)
            if edits and edits[-1].kind == KEEP:
                edits[-1] = Edit(KEEP, edits[-1].text + tail)
            else:
                edits.append(Edit(KEEP, tail))
        if changes:
            yield piece


def _take_edits(piece: Hunk, left: list[Edit], budget: Budget) -> bool:
    """Moves edits from the end of `left` to a piece until the piece is full; returns whether it has a change."""
    changes = False
    edits = piece.edits
    while left and piece.length1 < PATTERN_MAX - MARGIN:
        edit = left.pop()
        budget.spend(_STEPS_OF_PIECE)
        if edit.kind != INSERT:
            follows_context = len(edits) == 1 and edits[0].kind == KEEP
            whole = edit.kind == DELETE and follows_context and len(edit.text) > _DELETION_CUT_MAX
            room = PATTERN_MAX - MARGIN - piece.length1
            if len(edit.text) > room and not whole:
                budget.spend_text(len(edit.text))
                left.append(Edit(edit.kind, edit.text[room:]))
                edit = Edit(edit.kind, edit.text[:room])
            piece.length1 += len(edit.text)
        if edit.kind != DELETE:
            piece.length2 += len(edit.text)
        edits.append(edit)
        changes |= edit.kind != KEEP
    return changes


def _get_head_of_old_text(left: list[Edit]) -> str:
    """The first characters (at most MARGIN) of the text before the edits at the end of `left`."""
    head = ""
    for kind, text in reversed(left):
        if kind != INSERT:
            head += text[: MARGIN - len(head)]
        if len(head) == MARGIN:
            break
    return head
