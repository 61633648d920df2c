"""Each top-level package says on half a page what lives in it, and names only files that exist."""

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
