"""Twice as many rows are twice as much work: no step and no operation starts over for each row."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest

import operations.matching
from protocol.assets import Price
from state.kv import MemoryBackend
from state.overlay import KeyOverlay
from state.schema import LimitOrder
from tests.harness import sbd, steem
from tests.limits.observers import OBSERVER_CASES, ObserverCase, observe
from tests.limits.operations import OPERATION_CASES, OperationCase
from tests.limits.steps import STEP_CASES, StepCase
from tests.limits.world import World, user

ROWS = 64
"""Rows that the store looks through more than once, because it remembers only longer runs, are fewer."""

GROWTH_MAX = 2.25


@pytest.fixture
def world() -> World:
    """A ledger to be filled."""
    return World()


def count_calls(action: Callable[[], object]) -> int:
    """How many functions are called, in Python and C."""
    calls = 0

    def note(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        if event in ("call", "c_call"):
            calls += 1

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return calls


def count_step(case: StepCase, rows: int) -> int:
    """The calls of a step with its rows in the database."""
    world = World()
    case.prepare(world, rows)
    world.commit()
    world.pass_time(2)
    return count_calls(lambda: (case.step(world.ctx), world.seal()))


def count_operation(case: OperationCase, size: int) -> int:
    """The calls of a transaction, its signature and the end of its block included."""
    world = World()
    operations = case.prepare(world, size)
    world.commit()
    transaction = world.sign(operations)
    return count_calls(lambda: (world.ledger.apply_transaction(transaction), world.seal()))


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
    def count(rows: int) -> int:
        backend = MemoryBackend()
        observer = case.make(backend)
        return count_calls(lambda: observe(observer, backend, case.operation, rows))

    assert count(2 * ROWS) / count(ROWS) <= GROWTH_MAX


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
