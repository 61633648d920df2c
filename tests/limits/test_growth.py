"""Twice as many rows are twice as much work: no step and no operation starts over for each row."""

from __future__ import annotations

import pytest

import operations.matching
from protocol.assets import Price
from state.engine.overlay import KeyOverlay
from state.tables.market import LimitOrder
from tests.harness import sbd, steem
from tests.limits.counting import ROWS, count_calls, count_observer, count_operation, count_step
from tests.limits.observers import OBSERVER_CASES, ObserverCase
from tests.limits.operations import OPERATION_CASES, OperationCase
from tests.limits.steps import STEP_CASES, StepCase
from tests.limits.world import World, user

GROWTH_MAX = 2.25


@pytest.fixture
def world() -> World:
    """A ledger to be filled."""
    return World()


@pytest.mark.parametrize("case", STEP_CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_a_step_takes_as_many_calls_for_each_row_however_many_there_are(case: StepCase) -> None:
    growth = count_step(case, 2 * ROWS) / count_step(case, ROWS)
    assert 1.3 < growth <= GROWTH_MAX, "the step works on all rows, and starts over for none"


@pytest.mark.parametrize("case", OPERATION_CASES, ids=lambda case: f"{case.operation.wire_name}-{case.unit}")
def test_an_operation_takes_as_many_calls_for_each_row_however_many_there_are(case: OperationCase) -> None:
    size = min(ROWS, case.worst // 2)
    assert count_operation(case, 2 * size) / count_operation(case, size) <= GROWTH_MAX


@pytest.mark.parametrize("case", OBSERVER_CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_an_observer_takes_as_many_calls_for_each_operation_however_many_there_are(case: ObserverCase) -> None:
    assert count_observer(case, 2 * ROWS) / count_observer(case, ROWS) <= GROWTH_MAX


def test_a_step_that_starts_over_for_each_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations.matching, "READ_AHEAD_MAX", 1)
    monkeypatch.setattr(KeyOverlay, "skip_gone", lambda _self, low, _high: low)
    case = OPERATION_CASES[0]
    assert count_operation(case, 2 * ROWS) / count_operation(case, ROWS) > GROWTH_MAX


def test_both_sides_of_a_market_are_remembered(world: World) -> None:
    """Who swept both sides of a book makes no later order dearer, on whichever side it is."""
    orders = world.tables.limit_orders
    prices = (Price(steem(1000), sbd(1000)), Price(sbd(1000), steem(1000)))
    for number in range(8 * ROWS):
        row = LimitOrder(orders.next_id(), world.now, world.now + 100, user(0), number, 1000, prices[number % 2])
        orders.insert(row)
    world.commit()
    for row in list(orders.scan()):
        orders.delete(row)
    book = orders.index("by_price")

    def look() -> None:
        for price in prices:
            assert book.first((price.base.symbol, price.quote.symbol)) is None

    first = count_calls(look)
    assert count_calls(look) < first / 10
