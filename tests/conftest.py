"""Leaves out what cannot pass on the chain of the tests; reports at the end what else was left out, and CPU times."""

import os
from collections import Counter, defaultdict
from collections.abc import Generator
from operator import itemgetter

import pytest

from tests import chains
from tests.vectors import LEFT_OUT

CPU: pytest.StashKey[float] = pytest.StashKey()
"""CPU seconds of this process at the end of the last phase of a test."""
DEAREST = 10
"""Tests that the report lists."""


def read_cpu_seconds() -> float:
    """CPU time of this process and of the children it has waited for, in seconds."""
    return sum(os.times()[:4])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Called by pytest when all tests are known."""
    left_out = [item for item in items if any(chains.UNFIT.get(marker.name) for marker in item.iter_markers())]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Called by pytest at the end of each phase of a test; workers send what is noted here with the report."""
    report = yield
    now = read_cpu_seconds()
    report.user_properties = [("cpu_seconds", now - item.config.stash.get(CPU, now))]
    item.config.stash[CPU] = now
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Called by pytest after all tests."""
    write_left_out(terminalreporter)
    spent: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                spent[report.nodeid] += sum(value for _, value in report.user_properties if isinstance(value, float))
    terminalreporter.section(f"{read_cpu_seconds():.0f} seconds of CPU")
    for name, seconds in sorted(spent.items(), key=itemgetter(1), reverse=True)[:DEAREST]:
        if seconds >= 1:
            terminalreporter.write_line(f"{seconds:6.1f} {name}")


def write_left_out(terminalreporter: pytest.TerminalReporter) -> None:
    """Counts the tests whose texts are not here."""
    missing: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", ()):
        if isinstance(report.longrepr, tuple) and LEFT_OUT in report.longrepr[2]:
            missing[report.longrepr[2].partition(LEFT_OUT)[2].removeprefix(": ")] += 1
    if missing:
        terminalreporter.section("left out: other people's texts, which this repository does not hold")
        for what, count in sorted(missing.items()):
            terminalreporter.write_line(f"{count} tests: {what}")
