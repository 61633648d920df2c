"""Leaves out what cannot pass on the chain that the tests run on, and says at the end what else was left out."""

from collections import Counter

import pytest

from tests import chains
from tests.vectors import LEFT_OUT


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Called by pytest when all tests are known."""
    left_out = [item for item in items if any(chains.UNFIT.get(marker.name) for marker in item.iter_markers())]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Called by pytest after all tests."""
    missing: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", ()):
        if isinstance(report.longrepr, tuple) and LEFT_OUT in report.longrepr[2]:
            missing[report.longrepr[2].partition(LEFT_OUT)[2].removeprefix(": ")] += 1
    if missing:
        terminalreporter.section("left out: other people's texts, which this repository does not hold")
        for what, count in sorted(missing.items()):
            terminalreporter.write_line(f"{count} tests: {what}")
