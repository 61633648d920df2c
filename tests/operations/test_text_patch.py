"""Patches of a post's body."""

import time
from functools import cache
from itertools import cycle, islice
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.patch_budget import STEPS_MAX, Budget, OutOfSteps
from operations.patch_diff import compute_difference, find_middle
from operations.patch_hunks import get_new_text, get_old_text, read_hunks
from operations.text_patch import compute_edited_body
from tests.vectors import read_jsonl, recorded_path

HEAVIEST: Final = 1014
"""The vector that costs most work."""

BODY = "The quick brown fox jumps over the lazy dog.\nThe end.\n"
EDIT_MAX = 64 * 1024
"""Bytes of a patch in the largest transaction."""


@cache
def read_vectors() -> list[dict[str, Any]]:
    """3,000 edits of invented texts with the bodies that the reference's own patcher makes of them."""
    return read_jsonl(recorded_path("patch_vectors.jsonl"))


def edited_body(body: str, edit: str) -> str:
    return compute_edited_body(body, edit, Budget())


def make_patch(old: str, new: str) -> str:
    """One hunk with up to four characters of context at each end."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-tail - 1] == new[-tail - 1]:
        tail += 1
    deleted, inserted = old[head : len(old) - tail], new[head : len(new) - tail]
    before, behind = old[max(0, head - 4) : head], old[len(old) - tail :][:4]
    length1, length2 = (len(before) + len(text) + len(behind) for text in (deleted, inserted))
    start = head - len(before)
    header = f"@@ -{start + bool(length1)},{length1} +{start + bool(length2)},{length2} @@\n"
    lines = [(" ", before), ("-", deleted), ("+", inserted), (" ", behind)]
    return header + "".join(f"{kind}{quote(text, safe=' ')}\n" for kind, text in lines if text)


def test_vectors_of_the_reference() -> None:
    """Every edit leaves the body that the C++ node keeps; none is cut for its work."""
    differing = [
        vector["id"] for vector in read_vectors() if edited_body(vector["old"], vector["patch"]) != vector["new"]
    ]
    assert len(read_vectors()) == 3000
    assert differing == []


@pytest.mark.parametrize(
    ("body", "edit", "edited"),
    [
        (BODY, "something else", "something else"),
        (BODY, "\n\n", "\n\n"),  # reads as a patch without hunks
        (BODY, "@@ nothing @@", "@@ nothing @@"),
        ("abc", "@@ -1,3 +1,4 @@\n ab\n+x\n c\n", "abxc"),
        ("abc", "@@ -1,3 +1,4 @@\n ab\n+%C3%BC\n c\n", "abüc"),
        ("abc", "@@ -1,3 +1,4 @@\n ab\n+ü\n c\n", "abc"),  # only escaped characters beyond ASCII count
        ("abc", "@@ -1,3 +1,4 @@\n ab\n+%\n c\n", "@@ -1,3 +1,4 @@\n ab\n+%\n c\n"),
        ("abc", "@@ -1,3 +1,4 @@\n ab\n?x\n c\n", "@@ -1,3 +1,4 @@\n ab\n?x\n c\n"),
        ("abc", "@@ -1,3 +1,3 @@\n xyzxyzxyz\n+q\n", "abc"),  # the place is not found: nothing changes
        ("", "@@ -0,0 +1,3 @@\n+abc\n", "abc"),
        ("abc", "@@ -1,3 +0,0 @@\n-abc\n", ""),
        ("abc", "@@ -1,3 +1,5 @@\n ab\n+%F0%9F%98%80\n c\n", "abc"),  # characters beyond U+FFFF are lost
        ("abc", "@@ -1,3 +1,4 @@\n ab\n+%E2%82A\n c\n", "abAc"),  # a broken sequence is dropped
        ("abc", f"@@ -{'9' * 5000},3 +1,4 @@\n ab\n+x\n c\n", "abxc"),  # numbers of any length
    ],
)
def test_edit(body: str, edit: str, edited: str) -> None:
    assert edited_body(body, edit) == edited


TEXTS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=200)


@given(TEXTS, TEXTS)
def test_patch_of_a_change_makes_it(old: str, new: str) -> None:
    patch = make_patch(old, new)
    if old != new and not (set(old + new) & set("\1\2\3\4")):
        assert edited_body(old, patch) == new


@given(st.text("ab\n ", max_size=60), st.text("ab\n ", max_size=60))
def test_difference_makes_the_new_text_of_the_old(old: str, new: str) -> None:
    edits = compute_difference(old, new, Budget())
    assert get_old_text(edits) == old
    assert get_new_text(edits) == new


@given(st.text("abc", min_size=2, max_size=40), st.text("abc", min_size=2, max_size=40))
def test_middle_is_where_paths_meet(old: str, new: str) -> None:
    """The place found for all characters at once is the one where the reference's two paths meet."""
    assert find_middle(old, new, Budget()) == find_meeting_place(old, new)


def find_meeting_place(old: str, new: str) -> tuple[int, int] | None:
    """The middle of a shortest path as Myers finds it: paths from both ends, longer by one edit in turn."""
    ahead: dict[int, int] = {1: 0}
    back: dict[int, int] = {1: 0}
    delta = len(old) - len(new)
    for edits in range((len(old) + len(new) + 1) // 2):
        for diagonal in range(-edits, edits + 1, 2):
            x = extend(old, new, ahead, diagonal, edits)
            if delta % 2 and is_inside(old, new, x, diagonal):
                other = back.get(delta - diagonal, -1)
                if is_inside(old, new, other, delta - diagonal) and x >= len(old) - other:
                    return x, x - diagonal
        for diagonal in range(-edits, edits + 1, 2):
            x = extend(old[::-1], new[::-1], back, diagonal, edits)
            if delta % 2 == 0 and is_inside(old, new, x, diagonal):
                other = ahead.get(delta - diagonal, -1)
                if is_inside(old, new, other, delta - diagonal) and other >= len(old) - x:
                    return other, other - delta + diagonal
    return None


def extend(old: str, new: str, reached: dict[int, int], diagonal: int, edits: int) -> int:
    """How far along `old` a path on a diagonal comes with so many edits; remembers it."""
    before, behind = reached.get(diagonal - 1, -1), reached.get(diagonal + 1, -1)
    x = behind if diagonal == -edits or (diagonal != edits and before < behind) else before + 1
    while x < len(old) and x - diagonal < len(new) and old[x] == new[x - diagonal]:
        x += 1
    reached[diagonal] = x
    return x


def is_inside(old: str, new: str, x: int, diagonal: int) -> bool:
    return 0 <= x <= len(old) and 0 <= x - diagonal <= len(new)


def change_each(text: str, step: int) -> str:
    """The text with each so-manieth character exchanged for one that it does not have."""
    return "".join("Z" if at % step == step - 1 else character for at, character in enumerate(text))


def make_near_misses(size: int, count: int) -> tuple[str, str]:
    """A body and a patch that deletes it in parts of which each third character differs."""
    body = "".join(islice(cycle("abcdefgaddbecaf"), size * count))
    parts = (change_each(body[at : at + size], 3) for at in range(0, size * count, size))
    return body, "".join(f"@@ -{at * size + 1},9 +{at * size + 1},9 @@\n-{part}\n" for at, part in enumerate(parts))


MIXED = "".join(chr(97 + at * at % 23) for at in range(60_000))
UNUSUAL = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000))) * 3
HOSTILE: Final = {
    "long numbers": ("x" * 60_000, "@@ -" + "1" * 32_000),
    "long numbers that are read": (BODY, f"@@ -{'1' * 32_000} +{'2' * 32_000} @@\n-T\n"),
    "sixty near misses": make_near_misses(1000, 60),
    "a near miss of 3,000": make_near_misses(3000, 1),
    "a near miss of 9,000": make_near_misses(9000, 1),
    "a near miss of 60,000": make_near_misses(60_000, 1),
    "20,000 deletions": ("xy" * 30_000, "@@ -1,20000 +1,0 @@\n" + "-x\n" * 20_000),
    "20,000 deletions in a hunk not cut": ("x" * 60_000, "@@ -1,8 +1,0 @@\n" + "-x\n" * 20_000),
    "deletions in a near miss": ("q" + "xy" * 10_000, "@@ -1,8 +1,0 @@\n-r\n" + "-x\n-y\n" * 10_000),
    "empty edits": ("xy" * 30_000, "@@ -1,33 +1,0 @@\n" + "-\n+\n \n" * 8000),
    "long context": ("x" * 60_000, "@@ -1,60000 +1,0 @@\n " + "x" * 60_000 + "\n-y"),
    "equal texts of unequal length": ("a" * 60_000, f"@@ -1,6 +1,0 @@\n-{'a' * 32}b{'a' * 59_400}"),
    "an edit that can be shifted far": ("a" * 30_000 + "b" * 400 + "a" * 30_000, "@@ -1,6 +1,0 @@\n-" + "a" * 60_000),
    "hunks that match nowhere": ("x" * 60_000, "@@ -1,9 +1,9 @@\n-abcdefghi\n+z\n" * 2200),
    "hunks that match nowhere in a mixed text": (
        MIXED,
        "".join(f"@@ -1 +{at * 60} @@\n-{'abcdefghijklmnopqrstuvwxyz0123'[at % 7 :]}\n" for at in range(1200)),
    ),
    "small near misses": (
        MIXED,
        "".join(f"@@ -1 +{at + 1} @@\n-{change_each(MIXED[at : at + 20], 4)}\n+Y\n" for at in range(0, 60_000, 40)),
    ),
    "unusual characters": (UNUSUAL, "".join(f"@@ -1 +{at * 50} @@\n-{'abcdefghijklmnop' * 2}\n" for at in range(1000))),
    "hunks that match in a wide text": (
        "\U0001f600" + MIXED,
        "".join(f"@@ -1 +{at + at // 40 * 10} @@\n-{MIXED[at : at + 9]}\n+{'W' * 9}\n" for at in range(0, 60_000, 40)),
    ),
    "headers only": (BODY, "@@ -1 +1 @@\n" * 5400),
    "empty lines": (BODY, "\n" * 65_000),
    "escapes": ("x" * 60_000, "@@ -1 +1 @@\n-" + "%F0%9F%98%80" * 5400),
    "surrogates": ("x" * 60_000, "@@ -1 +1 @@\n+" + "%ED%A0%80%ED%B0%80" * 3500),
    "raw characters": ("x" * 60_000, "@@ -1 +1 @@\n-" + "\u00f0" * 32_000),
    "a huge body": ("\U0001f600" * 2_000_000, "@@ -1 +1 @@\n-xxxx\n+y\n" * 2600),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_edit_costs_little(name: str) -> None:
    """No edit costs much more time than the heaviest of the reference's vectors, measured in the same run."""
    body, edit = HOSTILE[name]
    assert measure(body, edit.encode()[:EDIT_MAX].decode("utf-8", "ignore")) < 4 * measure_heaviest()


@cache
def measure_heaviest() -> float:
    heaviest = next(vector for vector in read_vectors() if vector["id"] == HEAVIEST)
    return min(measure(heaviest["old"], heaviest["patch"]) for _ in range(2))


def measure(body: str, edit: str) -> float:
    begin = time.process_time()
    edited_body(body, edit)
    return time.process_time() - begin


def test_work_is_limited() -> None:
    """Thousands of hunks that match nowhere, and a huge deletion of other text, end soon."""
    hunks = "@@ -1,9 +1,9 @@\n-abcdefghi\n+z\n" * 2000
    assert edited_body("x" * 60_000, hunks) == "x" * 60_000
    old = "a" * 40 + "b" * 30_000 + "c" * 40
    patch = f"@@ -1,{len(old)} +1,1 @@\n-{'a' * 40}{'d' * 30_000}{'c' * 40}\n+z\n"
    assert isinstance(edited_body(old, patch), str)


def test_edit_beyond_its_steps_replaces_the_body() -> None:
    body, edit = make_near_misses(1000, 60)
    assert edited_body(body, edit) == edit
    with pytest.raises(OutOfSteps, match=str(STEPS_MAX)):
        read_hunks("@@ -1 +1 @@\n" * 10, Budget(100))
