"""The worst that operations and per-block steps can cost, beside what honest ones do: python -m benchmarks limits.

Writes docs/limits.md. Every figure is CPU time; the state lies in LevelDB. An operation is measured as a transaction of
its own: decoded, its signature recovered, its authorities checked, applied, charged, and the block sealed. A step is
measured with all its rows due in one block; that its work grows as they do is counted in calls.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.samples import make_samples
from benchmarks.timing import show
from consensus.resource_pools import compute_cost, compute_prices
from operations.reward import ClaimRewardBalance, ClaimRewardBalance2
from protocol.codec import Codec
from protocol.operation import Operation
from protocol.transaction import Transaction
from state.context import SINGLETON
from state.engine.leveldb import LevelDBBackend
from tests.limits.counting import ROWS as SOME_ROWS
from tests.limits.counting import count_observer, count_step
from tests.limits.observers import OBSERVER_CASES, ObserverCase, observe
from tests.limits.operations import OPERATION_CASES, OperationCase, add_reward
from tests.limits.steps import STEP_CASES, StepCase
from tests.limits.world import World

PAGE = Path(__file__).resolve().parent.parent / "docs" / "limits.md"
REPEATS = 5
ROWS = 1000
"""Rows of a step that is timed."""

RATIO_MAX = 10
"""A worst case that is more times as dear as an honest one says why it may be."""


class Cost(NamedTuple):
    """What one transaction costs: milliseconds, bytes, and the resource credits that its sender pays."""

    ms: float
    size: int
    credits: int

    @property
    def ms_per_kb(self) -> float:
        """Milliseconds for a thousand bytes."""
        return 1000 * self.ms / self.size

    @property
    def ms_per_credits(self) -> float:
        """Milliseconds for a thousand million RC."""
        return 10**9 * self.ms / self.credits


class Worst(NamedTuple):
    """A case with what it costs and what an honest operation of its kind costs."""

    case: OperationCase
    honest: Cost
    worst: Cost

    @property
    def ratio(self) -> float:
        """How many times more a unit of RC does."""
        return self.worst.ms_per_credits / self.honest.ms_per_credits


class StepCost(NamedTuple):
    """Milliseconds for one row: the step itself, with the seal of the block, and with the commit too.

    `growth` is that of the calls, counted, when there are twice as many rows.
    """

    name: str
    row: str
    step_ms: float
    sealed_ms: float
    committed_ms: float
    growth: float
    why: str


def main() -> None:
    """Measures everything and writes the page."""
    gc.set_threshold(100_000, 50, 100)
    honest = measure_honest()
    worst = [measure_worst(case, honest) for case in OPERATION_CASES]
    for found in worst:
        name = f"{found.case.operation.wire_name}: {found.case.worst:,} {found.case.unit}"
        show(name, found.worst.ms, "ms", f"{found.ratio:.1f} times the honest one per RC")
    steps = [measure_step(case) for case in STEP_CASES] + [measure_observer(case) for case in OBSERVER_CASES]
    for step in steps:
        show(f"{step.name}, a {step.row}", step.step_ms, "ms", f"{step.sealed_ms:.3f} with the seal")
    PAGE.write_text(render(honest, worst, steps))
    missing = [found.case.operation.wire_name for found in worst if found.ratio > RATIO_MAX and not found.case.why]
    if missing:
        raise SystemExit(f"more than {RATIO_MAX} times as dear as honest ones, and nobody says why: {missing}")


# Operations


def measure_honest() -> dict[str, Cost]:
    """The costs of one operation of each kind, by its name."""
    with tempfile.TemporaryDirectory() as directory:
        world = World(LevelDBBackend(directory))
        samples = [op for op in make_samples(world) if type(op) is not ClaimRewardBalance]
        samples.append(add_reward(world, "alice"))
        samples.append(ClaimRewardBalance2("bob", (), (add_reward(world, "bob").reward_vests,)))
        world.commit()
        costs = {op.wire_name: measure_transaction(world, (op,), skip_authorities=True) for op in samples}
        world.backend.close()
        return costs


def measure_worst(case: OperationCase, honest: dict[str, Cost]) -> Worst:
    """The cost of a case at its greatest size; where there is no honest sample, it is the case at size 1."""
    name = case.operation.wire_name
    return Worst(case, honest.get(name) or measure_case(case, 1), measure_case(case, case.worst))


def measure_case(case: OperationCase, size: int) -> Cost:
    """The cost of a case at a size."""
    with tempfile.TemporaryDirectory() as directory:
        world = World(LevelDBBackend(directory))
        operations = case.prepare(world, size)
        world.commit()
        cost = measure_transaction(world, operations)
        world.backend.close()
        return cost


def measure_transaction(world: World, operations: Sequence[Operation], skip_authorities: bool = False) -> Cost:
    """The least cost of a transaction in some repeats, each of which reads its rows from the database."""
    config = world.ledger.config
    codec = Codec(config.identity)
    signed = world.sign(operations)
    packed, size = signed.packed_signed, signed.size
    pools = world.tables.rc_pools.get(SINGLETON)
    prices = compute_prices(world.ctx, pools, world.ctx.gpo.total_vesting_shares)
    best = float("inf")
    world.store.rollback()
    for _ in range(REPEATS):
        world.forget_rows()
        world.store.begin()
        started = time.process_time()
        transaction = Transaction.from_bytes(codec, packed)
        transaction.signers(config.chain_id)
        world.ledger.apply_transaction(transaction, skip_signatures=skip_authorities)
        world.seal()
        best = min(best, time.process_time() - started)
        world.store.undo_block()
    world.store.begin()
    return Cost(1000 * best, size, compute_cost(prices, signed.counts))


# Steps


def measure_step(case: StepCase) -> StepCost:
    """What a row costs, and how the work grows with twice the rows."""
    rows = min(ROWS, case.most)
    step, sealed, committed = (1000 * seconds / rows for seconds in time_step(case, rows))
    growth = count_step(case, 2 * SOME_ROWS) / count_step(case, SOME_ROWS)
    return StepCost(case.name, case.row, step, sealed, committed, growth, case.why)


def time_step(case: StepCase, rows: int) -> tuple[float, float, float]:
    """The seconds of a step, with the seal of its block, and with the commit too."""
    with tempfile.TemporaryDirectory() as directory:
        world = World(LevelDBBackend(directory))
        case.prepare(world, rows)
        world.commit()
        world.store.rollback()
        step = sealed = float("inf")
        for repeat in range(REPEATS):
            world.forget_rows()
            world.store.begin()
            world.pass_time(2)
            started = time.process_time()
            case.step(world.ctx)
            step = min(step, time.process_time() - started)
            world.seal()
            sealed = min(sealed, time.process_time() - started)
            if repeat < REPEATS - 1:
                world.store.undo_block()
        started = time.process_time()
        head = world.store.head
        assert head is not None
        world.store.commit(head.number)
        committed = sealed + time.process_time() - started
        world.backend.close()
        return step, sealed, committed


def measure_observer(case: ObserverCase) -> StepCost:
    """What an operation costs an observer."""
    per_row = 1000 * time_observer(case) / ROWS
    growth = count_observer(case, 2 * SOME_ROWS) / count_observer(case, SOME_ROWS)
    why = "the operations of a block, each of which was paid for"
    return StepCost(case.name, case.row, per_row, per_row, per_row, growth, why)


def time_observer(case: ObserverCase) -> float:
    """The seconds of an observer for a block with so many operations."""
    best = float("inf")
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as directory:
            backend = LevelDBBackend(directory)
            observer = case.make(backend)
            started = time.process_time()
            observe(observer, backend, case.operation, ROWS)
            best = min(best, time.process_time() - started)
            backend.close()
    return best


# The page


def render(honest: dict[str, Cost], worst: Sequence[Worst], steps: Sequence[StepCost]) -> str:
    """The whole page."""
    return "\n".join([*INTRODUCTION, *render_worst(worst), *render_honest(honest), *render_steps(steps)])


INTRODUCTION = (
    "<!-- Generated by `python -m benchmarks limits`; do not edit. -->",
    "",
    "# What one operation and one step can cost",
    "",
    "The worst that was found for each operation and each per-block step, beside what honest ones cost. Figures are",
    "CPU time of CPython on the machine of the benchmark: compare them with each other. The state lies in LevelDB and",
    "no row is in memory at first. An operation is a transaction of its own: decoded, signature recovered,",
    "authorities checked, applied, charged, and its block sealed (what it changed is encoded and hashed).",
    "",
    "The fair measure for operations is time per resource credit: credits count the bytes, the state and the time",
    "that the protocol reckons, and they are what a sender runs out of. `ms/GRC` is milliseconds per 10^9 RC at the",
    "prices of pools at rest. What is more than ten times as dear per RC as an honest operation of its kind says why",
    "it may be.",
    "",
    "`tests/limits` counts the calls of every line here at two sizes, and fails where twice the rows are more than",
    "twice the work.",
    "",
)


def render_worst(worst: Sequence[Worst]) -> list[str]:
    """The operations whose work depends on more than their bytes."""
    lines = [
        "## Operations whose work depends on the state",
        "",
        "| operation | worst case | honest ms | worst ms | honest ms/kB | worst ms/kB | honest ms/GRC | worst ms/GRC "
        "| times per RC | why |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for found in worst:
        case, low, high = found.case, found.honest, found.worst
        lines.append(
            f"| `{case.operation.wire_name}` | {case.worst:,} {case.unit} | {low.ms:.2f} | {high.ms:.2f} "
            f"| {low.ms_per_kb:.2f} | {high.ms_per_kb:.2f} | {low.ms_per_credits:.2f} | {high.ms_per_credits:.2f} "
            f"| {found.ratio:.1f} | {case.why if found.ratio > RATIO_MAX else ''} |"
        )
    return [*lines, ""]


def render_honest(honest: dict[str, Cost]) -> list[str]:
    """What honest operations of all kinds cost."""
    lines = [
        "## Honest operations",
        "",
        "One of each kind that is enabled. Those that are not in the table above do the same work whatever the state",
        "is: their cost grows with their bytes alone.",
        "",
        "| operation | ms | bytes | ms/kB | ms/GRC |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, cost in sorted(honest.items()):
        lines.append(f"| `{name}` | {cost.ms:.2f} | {cost.size} | {cost.ms_per_kb:.2f} | {cost.ms_per_credits:.2f} |")
    return [*lines, ""]


def render_steps(steps: Sequence[StepCost]) -> list[str]:
    """The per-block steps and what follows a block."""
    lines = [
        "## Steps of a block",
        "",
        f"Milliseconds for one row when {ROWS:,} are due in one block; the growth is that of the calls when there are",
        "twice as many rows (2 is in proportion). The protocol lets a block do all that is due, so a row has to be",
        "cheap; who decides how many there are stands beside it. Steps that are not here do the same work in every",
        "block.",
        "",
        "| step | row | step, ms a row | and seal | and commit | growth | how many |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for step in steps:
        lines.append(
            f"| {step.name} | {step.row} | {step.step_ms:.4f} | {step.sealed_ms:.4f} | {step.committed_ms:.4f} "
            f"| {step.growth:.1f} | {step.why} |"
        )
    return [*lines, ""]


if __name__ == "__main__":
    main()
