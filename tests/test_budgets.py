"""What each piece of work may cost in Python calls: benchmarks/budgets.toml, counted by benchmarks/count.py."""

from __future__ import annotations

import pytest

from benchmarks.count import count_all, count_calls, read_budgets


@pytest.fixture(scope="module")
def counts() -> dict[str, int]:
    return count_all([])


def test_every_piece_of_work_has_a_budget(counts: dict[str, int]) -> None:
    assert counts.keys() == read_budgets().keys()


@pytest.mark.parametrize("name", read_budgets())
def test_no_piece_of_work_makes_more_calls_than_its_budget(name: str, counts: dict[str, int]) -> None:
    assert counts[name] <= read_budgets()[name], "benchmarks/count.py --write takes what is counted as the budget"


def test_calls_are_counted() -> None:
    def call(depth: int) -> None:
        if depth:
            call(depth - 1)

    assert count_calls(lambda: call(4)) == 5
    assert count_calls(lambda: [len("") for _ in range(3)]) <= 1
