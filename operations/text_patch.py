"""Edits of a post's body sent as a patch instead of the whole new text.

The reference keeps bodies with the C++ variant of Google's diff-match-patch. Matching is that library's (its Python
variant); what differs in the C++ one is done here: how a patch is read, and that the padding at the end goes to the
first hunk. Two limits keep the work of one edit small whatever it holds; the reference bounds its by the clock.

Source: steem_evaluator.cpp, comment_evaluator, edit case; diff_match_patch.h (leutloff/diff-match-patch-cpp-stl).
"""

import re
from typing import Any, Final

from diff_match_patch import diff_match_patch  # type: ignore[import-untyped]
from diff_match_patch.diff_match_patch import patch_obj  # type: ignore[import-untyped]

FUZZY_MATCHES_MAX: Final = 64
"""Hunks of one edit that may be searched for when they are not where they should be; later ones are left out."""

DIFF_CHARACTERS_MAX: Final = 2000
"""Longer texts that differ are replaced as a whole instead of compared."""

_HEADER: Final = re.compile(r"@@ -([0-9]+),?([0-9]*) \+([0-9]+),?([0-9]*) @@", re.ASCII)
_ESCAPE: Final = re.compile("%(.?.?)", re.DOTALL)
_HEX: Final = re.compile("[0-9A-Fa-f]{2}", re.ASCII)
_MODES: Final = {"-": diff_match_patch.DIFF_DELETE, "+": diff_match_patch.DIFF_INSERT, " ": diff_match_patch.DIFF_EQUAL}
_NEVER: Final = 10**9


class _Patcher(diff_match_patch):  # type: ignore[misc]
    """The library with the clock taken out and work counted instead, so that every node gets the same text."""

    def __init__(self) -> None:
        super().__init__()
        self.Diff_Timeout = _NEVER
        self.fuzzy_left = FUZZY_MATCHES_MAX

    def match_bitap(self, text: str, pattern: str, loc: int) -> int:
        if self.fuzzy_left <= 0:
            return -1
        self.fuzzy_left -= 1
        place: int = super().match_bitap(text, pattern, loc)
        return place

    def diff_bisect(self, text1: str, text2: str, deadline: float) -> Any:
        if len(text1) + len(text2) > DIFF_CHARACTERS_MAX:
            return [(self.DIFF_DELETE, text1), (self.DIFF_INSERT, text2)]
        return super().diff_bisect(text1, text2, deadline)

    def patch_addPadding(self, patches: list[Any]) -> str:
        """Pads both ends of the first hunk, and moves all hunks behind the padding of the text."""
        padding = "".join(map(chr, range(1, self.Patch_Margin + 1)))
        for patch in patches:
            patch.start1 += len(padding)
            patch.start2 += len(padding)
        first = patches[0]
        missing = padding if not _is_equal_at(first, 0) else padding[len(first.diffs[0][1]) :]
        if missing:
            _grow(first, 0, missing)
            first.start1 -= len(missing)
            first.start2 -= len(missing)
        kept = len(first.diffs[-1][1]) if _is_equal_at(first, -1) else 0
        if kept < len(padding):
            _grow(first, -1, padding[: len(padding) - kept])
        return padding


def _is_equal_at(patch: Any, end: int) -> bool:
    return bool(patch.diffs) and patch.diffs[end][0] == diff_match_patch.DIFF_EQUAL


def _grow(patch: Any, end: int, text: str) -> None:
    """Adds text that both sides share at one end (0 or -1) of a hunk."""
    if _is_equal_at(patch, end):
        mode, present = patch.diffs[end]
        patch.diffs[end] = (mode, text + present if end == 0 else present + text)
    elif end == 0:
        patch.diffs.insert(0, (diff_match_patch.DIFF_EQUAL, text))
    else:
        patch.diffs.append((diff_match_patch.DIFF_EQUAL, text))
    patch.length1 += len(text)
    patch.length2 += len(text)


def compute_edited_body(body: str, edit: str) -> str:
    """The body after an edit: patched if `edit` reads as a patch with at least one hunk, otherwise replaced by it."""
    try:
        patches = read_patch(edit)
        if not patches:
            return edit
        patched: str = _Patcher().patch_apply(patches, body)[0]
    except (ValueError, IndexError, OverflowError):
        return edit
    return patched


def read_patch(text: str) -> list[Any]:
    """Reads a patch's hunks; raises ValueError for anything else."""
    patches: list[Any] = []
    for line in text.split("\n"):
        if not line:
            continue
        if line[0] == "@" or not patches:
            patches.append(_read_header(line))
            continue
        mode = _MODES.get(line[0])
        if mode is None:
            raise ValueError("Invalid patch mode")
        patches[-1].diffs.append((mode, _decode(line[1:])))
    return patches


def _read_header(line: str) -> Any:
    match = _HEADER.fullmatch(line)
    if match is None or len(line) > 100:
        raise ValueError("Invalid patch string")
    patch = patch_obj()
    patch.start1, patch.length1 = _read_range(match[1], match[2])
    patch.start2, patch.length2 = _read_range(match[3], match[4])
    return patch


def _read_range(start: str, length: str) -> tuple[int, int]:
    if length == "0":
        return int(start), 0
    return int(start) - 1, int(length) if length else 1


def _decode(text: str) -> str:
    """Undoes %-escapes of UTF-8. As in the reference, characters beyond ASCII count only when they are escaped."""
    if text.isascii() and "%" not in text:
        return text
    plain = _ESCAPE.sub(_decode_escape, text)
    return plain.encode("latin-1", "ignore").decode("utf-8", "ignore")


def _decode_escape(match: re.Match[str]) -> str:
    if _HEX.fullmatch(match[1]) is None:
        raise ValueError("Invalid character")
    return chr(int(match[1], 16))
