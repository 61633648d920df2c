"""Work in calls of functions, which are the same in every run: no clock tells as well whether it grows too fast."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from state.engine.kv import MemoryBackend
from tests.limits.observers import ObserverCase, observe
from tests.limits.operations import OperationCase
from tests.limits.steps import StepCase
from tests.limits.world import World

ROWS = 64
"""The smaller of two sizes; runs of removed rows that the store looks through again, being short, are shorter."""


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

    def work() -> None:
        case.step(world.ctx)
        world.seal()

    return count_calls(work)


def count_operation(case: OperationCase, size: int) -> int:
    """The calls of a transaction, its signature and the end of its block included."""
    world = World()
    operations = case.prepare(world, size)
    world.commit()
    transaction = world.sign(operations)

    def work() -> None:
        world.ledger.apply_transaction(transaction)
        world.seal()

    return count_calls(work)


def count_observer(case: ObserverCase, rows: int) -> int:
    """The calls of an observer for a block with so many operations."""
    backend = MemoryBackend()
    observer = case.make(backend)
    return count_calls(lambda: observe(observer, backend, case.operation, rows))
