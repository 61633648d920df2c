"""Reads docs/reference-parity.md, runs every test it names and prints the counts: `python -m tests.parity`.

With `--chain names` or `--chain other` they run on chains with other names, and other windows (`tests/chains.py`), but
for those whose marker says that they cannot.

The page has one table for each file of the reference's tests; each row names the tests here that answer a case, or says
that the case does not apply and why. A named test must exist, run and pass; one that is skipped does not count.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests import chains

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "reference-parity.md"
KINDS: Final = "Three kinds of test for each operation"
NOT_APPLICABLE: Final = "not applicable"
NOT_APPLICABLE_MAX: Final = 15
CASES: Final = {
    "operation_tests.cpp": 103,
    "operation_time_tests.cpp": 21,
    "block_tests.cpp": 13,
    "basic_tests.cpp": 5,
    "serialization_tests.cpp": 17,
    "undo_tests.cpp": 5,
    "bmic_tests.cpp": 6,
    "proposal_tests.cpp": 44,
    "automated_action_tests.cpp": 9,
    "smt_tests.cpp": 13,
    "smt_operation_tests.cpp": 51,
    "smt_operation_time_tests.cpp": 9,
}
"""How many cases the reference's files have, those that are commented out included."""

_NAME = re.compile(r"`(tests/[\w/]+\.py)::(\w+)(?:\[([^\]`]*)\])?`")


class Named(NamedTuple):
    """A test as the page names it; `parameter` is the text in brackets, or empty."""

    path: str
    name: str
    parameter: str

    @property
    def function(self) -> str:
        """The test without its parameter."""
        return f"{self.path}::{self.name}"

    def exists(self) -> bool:
        """Whether the file has a function of that name."""
        file = ROOT / self.path
        return file.exists() and f"\ndef {self.name}(" in file.read_text(encoding="utf-8")

    def is_left_out(self) -> bool:
        """Whether its marker says that it cannot pass on the chain of this process."""
        text = (ROOT / self.path).read_text(encoding="utf-8")
        above = text.partition(f"\ndef {self.name}(")[0].rpartition("\n\n\n")[2]
        return any(f"@pytest.mark.{marker}\n" in above + "\n" for marker, is_unfit in chains.UNFIT.items() if is_unfit)

    def __str__(self) -> str:
        return f"{self.function}[{self.parameter}]" if self.parameter else self.function


class Row(NamedTuple):
    """One case of the reference."""

    case: str
    tests: list[Named]
    cell: str
    remark: str

    @property
    def applies(self) -> bool:
        """Whether the reference's case is answered by tests."""
        return self.cell != NOT_APPLICABLE


def read_page() -> str:
    """The text of the page."""
    return PAGE.read_text(encoding="utf-8")


def read_names(text: str) -> list[Named]:
    """The tests that a text names, in order."""
    return [Named(*match) for match in _NAME.findall(text)]


def read_cells(text: str) -> list[list[str]]:
    """The cells of all rows of all tables but their headings."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    rules = [number for number, row in enumerate(rows) if row[0] == "---"]
    headings = {number for rule in rules for number in (rule - 1, rule)}
    return [row for number, row in enumerate(rows) if number not in headings]


def read_sections(text: str) -> dict[str, str]:
    """The sections of the page by their headings."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def read_cases(text: str) -> dict[str, list[Row]]:
    """The rows of each file of the reference."""
    sections = read_sections(text)
    return {
        name: [Row(cells[0], read_names(cells[1]), cells[1], cells[2]) for cells in read_cells(sections.get(name, ""))]
        for name in CASES
    }


def find_faults(cases: dict[str, list[Row]]) -> list[str]:
    """What is wrong with the tables themselves."""
    faults = []
    for file, rows in cases.items():
        names = [row.case for row in rows]
        if len(rows) != CASES[file]:
            faults.append(f"{file}: {len(rows)} rows for {CASES[file]} cases")
        faults += [f"{file}: {name} has two rows" for name in sorted({name for name in names if names.count(name) > 1})]
        for row in rows:
            if row.applies and not row.tests:
                faults.append(f"{file}: {row.case} has no test")
            if not row.applies and not row.remark:
                faults.append(f"{file}: {row.case} does not apply, but why?")
    left_out = sum(not row.applies for rows in cases.values() for row in rows)
    if left_out > NOT_APPLICABLE_MAX:
        faults.append(f"{left_out} cases do not apply; at most {NOT_APPLICABLE_MAX} may")
    return faults


class Recorder:
    """A plugin of pytest that keeps how each test ended: passed only if every part of it passed."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest for each part of each test."""
        if self.outcomes.get(report.nodeid, "passed") == "passed":
            self.outcomes[report.nodeid] = report.outcome

    def find(self, named: Named) -> list[str]:
        """How the tests behind a name ended; a parameter may be a part of a longer one."""
        found = []
        for identity, outcome in self.outcomes.items():
            function, _, parameter = identity.partition("[")
            parts = parameter.removesuffix("]")
            fits = not named.parameter or parts == named.parameter or named.parameter in parts.split("-")
            if function == named.function and (fits or f"-{named.parameter}-" in f"-{parts}-"):
                found.append(outcome)
        return found


def run(tests: Sequence[Named], options: Sequence[str]) -> Recorder:
    """Runs the named tests with pytest."""
    recorder = Recorder()
    functions = sorted({named.function for named in tests if named.exists()})
    arguments = ["-q", "--no-header", "-p", "no:cacheprovider", f"--rootdir={ROOT}", *options]
    pytest.main([*arguments, *(str(ROOT / function) for function in functions)], plugins=[recorder])
    return recorder


def main(options: Sequence[str] = ()) -> int:
    """Runs everything and prints the counts; returns 0 if each row's tests exist and pass."""
    text = read_page()
    cases = read_cases(text)
    faults = find_faults(cases)
    tests = sorted(set(read_names(text)))
    recorder = run(tests, options)
    for named in tests:
        ends = recorder.find(named)
        if not ends and not named.is_left_out():
            faults.append(f"{named} {'did not run' if named.exists() else 'does not exist'}")
        elif set(ends) - {"passed"}:
            faults.append(f"{named}: {', '.join(sorted(set(ends) - {'passed'}))}")
    print(f"\n{'file of the reference':<28}{'cases':>6}{'rows':>6}{'answered':>10}{'not applicable':>16}{'tests':>7}")
    for file, rows in cases.items():
        named_here = {named for row in rows for named in row.tests}
        answered = sum(row.applies for row in rows)
        left_out = len(rows) - answered
        print(f"{file:<28}{CASES[file]:>6}{len(rows):>6}{answered:>10}{left_out:>16}{len(named_here):>7}")
    rows_of_all = [row for rows in cases.values() for row in rows]
    answered = sum(row.applies for row in rows_of_all)
    named_in_all = {named for row in rows_of_all for named in row.tests}
    counts = (sum(CASES.values()), len(rows_of_all), answered, len(rows_of_all) - answered, len(named_in_all))
    print("{:<28}{:>6}{:>6}{:>10}{:>16}{:>7}".format("all", *counts))
    passed = sum(outcome == "passed" for outcome in recorder.outcomes.values())
    left_out = sum(named.is_left_out() for named in tests)
    print(f"chain {chains.CHAIN}: {len(tests)} tests named, {left_out} of them left out on this chain")
    print(f"{len(recorder.outcomes)} cases of them run, {passed} passed")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def choose_chain(arguments: list[str]) -> list[str]:
    """Returns the options for pytest; another chain than that of this process runs in one of its own."""
    if arguments[:1] == ["--chain"] and arguments[1] != chains.CHAIN:
        environment = os.environ | {chains.VARIABLE: arguments[1]}
        command = [sys.executable, "-m", "tests.parity", *arguments[2:]]
        sys.exit(subprocess.run(command, env=environment, cwd=ROOT, check=False).returncode)
    return arguments[2:] if arguments[:1] == ["--chain"] else arguments


if __name__ == "__main__":
    sys.exit(main(choose_chain(sys.argv[1:])))
