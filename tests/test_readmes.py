"""Each top-level package says on half a page what lives in it; prose of all pages is at most 100 characters wide."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = sorted(path.parent.name for path in ROOT.glob("*/py.typed"))
LINES_MAX = 40


def test_all_packages_are_found() -> None:
    assert {"protocol", "state", "consensus", "rewards", "operations", "chain", "node", "rpc", "wallet"} <= set(
        PACKAGES
    )


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_a_page(package: str) -> None:
    text = (ROOT / package / "README.md").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0] == f"# {package}" and len(lines) <= LINES_MAX
    for wanted in ("**Never:**", "**To add**"):
        assert wanted in text, f"{package}/README.md has no {wanted}"
    named = re.findall(r"`([\w./]+(?:\.py|/))`", text)
    missing = [name for name in named if not ((ROOT / package / name).exists() or (ROOT / name).exists())]
    assert missing == [], f"{package}/README.md names {missing}"


WIDTH_MAX = 100
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted(ROOT.glob("*/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
GENERATED = ("docs/reference/", "docs/limits.md")


def find_wide_prose(text: str) -> list[int]:
    """The lines of a page that are too wide; tables, code, headings and lines of one long word are left aside."""
    found, in_code = [], False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.lstrip().startswith("```"):
            in_code = not in_code
        is_prose = not in_code and not line.startswith(("|", "#", "    ", "<", "["))
        if is_prose and len(line) > WIDTH_MAX and " " in line.strip().partition(" ")[2]:
            found.append(number)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_prose_is_not_wider_than_a_page(page: Path) -> None:
    if page.relative_to(ROOT).as_posix().startswith(GENERATED):
        return
    assert find_wide_prose(page.read_text(encoding="utf-8")) == []


def test_wide_prose_is_found() -> None:
    wide = "word " * 30
    assert find_wide_prose(f"{wide}\n\n| {wide} |\n\n```\n{wide}\n```\n- {wide}\n") == [1, 8]
