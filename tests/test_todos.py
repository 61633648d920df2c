"""Every note about missing work says why the work is missing: `TODO(reason): ...` with a reason of some words."""

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent
PLACES: Final = (
    "protocol",
    "state",
    "consensus",
    "rewards",
    "tokens",
    "operations",
    "chain",
    "client",
    "node",
    "rpc",
    "wallet",
    "tests",
)
MORE_PLACES: Final = ("docs", "benchmarks")
NOTE: Final = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?P<rest>.*)")
REASON: Final = re.compile(r"\(\S[^)]{9,}\):\s+\S")


def find_notes_without_reason(text: str) -> list[int]:
    """Returns the numbers of the lines with a note that gives no reason."""
    lines = enumerate(text.splitlines(), start=1)
    return [number for number, line in lines if (note := NOTE.search(line)) and not REASON.match(note["rest"])]


def test_no_note_is_without_a_reason() -> None:
    found = []
    for place in (*PLACES, *MORE_PLACES):
        for file in sorted((ROOT / place).rglob("*.py")):
            if file != Path(__file__).resolve():
                lines = find_notes_without_reason(file.read_text(encoding="utf-8"))
                found += [f"{file.relative_to(ROOT)}:{number}" for number in lines]
    assert not found, "notes without a reason: " + ", ".join(found)


@pytest.mark.parametrize("text", ["# TODO", "# TODO: later", "x = 1  # FIXME(x): y", "# XXX slow", "# HACK()"])
def test_a_bare_note_is_found(text: str) -> None:
    assert find_notes_without_reason(text) == [1]


def test_a_note_with_a_reason_is_accepted() -> None:
    assert find_notes_without_reason("# TODO(the reference has no code for it): trade against the pool") == []
