"""Runs the tests of layers 0 to 4 under coverage.py and prints what they cover, package by package.

    python -m tests.cover [ARGUMENTS OF PYTEST]

Fails where tests fail, and where a package has less than `PERCENT_MIN` of its lines and branches covered.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from coverage import Coverage

from tests.test_layers import LAYERS, ROOT

PACKAGES: Final = [package for package, layer in LAYERS.items() if layer <= 4]
PERCENT_MIN: Final = 95.0
DATA: Final = ROOT / ".cache" / "coverage"
TESTS: Final = [*(f"tests/{package}" for package in PACKAGES), "tests/rpc/test_every_method.py"]
"""What only methods ask for, such as the outlook of proposals, is covered by those who call them."""


def run_tests(arguments: list[str]) -> int:
    """Runs the tests of the packages; every process leaves a file beside `DATA`. Returns pytest's exit code."""
    DATA.parent.mkdir(exist_ok=True)
    for file in DATA.parent.glob(f"{DATA.name}*"):
        file.unlink()
    run = [sys.executable, "-m", "coverage", "run", f"--source={','.join(PACKAGES)}", "-m", "pytest", *arguments]
    return subprocess.run([*run, *TESTS], cwd=ROOT, check=False).returncode


def main(arguments: list[str]) -> int:
    """Returns the exit code."""
    code = run_tests(arguments)
    coverage = Coverage()
    coverage.combine([str(DATA.parent)])
    percents = {}
    for package in PACKAGES:
        percents[package] = coverage.report(include=[f"{package}/*"], show_missing=True, skip_covered=True)
    for package, percent in percents.items():
        print(
            f"{package:<12} {percent:6.1f} %{'' if percent >= PERCENT_MIN else f', at least {PERCENT_MIN:g} % needed'}"
        )
    return code or int(min(percents.values()) < PERCENT_MIN)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
