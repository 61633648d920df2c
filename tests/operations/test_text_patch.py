"""Patches of a post's body."""

import pytest
from diff_match_patch import diff_match_patch  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from operations.text_patch import FUZZY_MATCHES_MAX, compute_edited_body

BODY = "The quick brown fox jumps over the lazy dog.\nThe end.\n"


def make_patch(old: str, new: str) -> str:
    library = diff_match_patch()
    patch: str = library.patch_toText(library.patch_make(old, new))
    return patch


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
    ],
)
def test_edit(body: str, edit: str, edited: str) -> None:
    assert compute_edited_body(body, edit) == edited


@given(st.text(max_size=200), st.text(max_size=200))
def test_patch_of_the_library_gives_the_new_text(old: str, new: str) -> None:
    patch = make_patch(old, new)
    if patch and patch.count("@@ -") == 1:
        assert compute_edited_body(old, patch) == new


def test_work_is_limited() -> None:
    """Thousands of hunks that match nowhere, and a huge deletion of other text, end soon."""
    hunks = "@@ -1,9 +1,9 @@\n-abcdefghi\n+z\n" * 2000
    assert compute_edited_body("x" * 60_000, hunks) == "x" * 60_000
    assert FUZZY_MATCHES_MAX < 2000
    old = "a" * 40 + "b" * 30_000 + "c" * 40
    patch = f"@@ -1,{len(old)} +1,1 @@\n-{'a' * 40}{'d' * 30_000}{'c' * 40}\n+z\n"
    assert isinstance(compute_edited_body(old, patch), str)
