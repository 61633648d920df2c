"""Plays seeds: `python -m tests.sim --seeds 1000`, or one with everything that happens: `--seed 17 --trace`."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import NamedTuple

from rich.console import Console
from rich.progress import Progress, TextColumn
from rich.table import Table

from tests.sim.run import run_seed
from tests.sim.weather import Plan

CHUNK_SEEDS = 10
LINES_SHOWN = 40


class Outcome(NamedTuple):
    """What is left of a report when many seeds are played."""

    seed: int
    failure: str
    features: tuple[str, ...]
    counts: Counter[str]
    largest: dict[str, int]
    cpu_seconds: float


def play(seeds: list[int]) -> list[Outcome]:
    """Plays some seeds in this process."""
    outcomes = []
    for seed in seeds:
        begin = time.process_time()
        report = run_seed(seed)
        failure = "" if report.failure is None else str(report.failure)
        outcomes.append(
            Outcome(seed, failure, report.features, report.counts, report.largest, time.process_time() - begin)
        )
    return outcomes


def play_all(seeds: list[int], jobs: int) -> Iterator[Outcome]:
    """Plays seeds in some processes, in any order."""
    chunks = [seeds[at : at + CHUNK_SEEDS] for at in range(0, len(seeds), CHUNK_SEEDS)]
    if jobs == 1:
        for chunk in chunks:
            yield from play(chunk)
        return
    with ProcessPoolExecutor(jobs) as pool:
        for future in as_completed([pool.submit(play, chunk) for chunk in chunks]):
            yield from future.result()


class Summary:
    """What happened in all seeds together."""

    def __init__(self) -> None:
        self.features: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.largest: Counter[str] = Counter()
        self.failures: list[tuple[int, str]] = []
        self.seeds = 0
        self.cpu_seconds = 0.0

    def add(self, outcome: Outcome) -> None:
        """Counts one seed."""
        self.seeds += 1
        self.features.update(outcome.features)
        self.counts.update(outcome.counts)
        self.largest |= Counter(outcome.largest)
        self.cpu_seconds += outcome.cpu_seconds
        if outcome.failure:
            self.failures.append((outcome.seed, outcome.failure))

    def show(self, console: Console) -> None:
        """Prints the tables."""
        table = Table("weather or fault", "seeds", title="What was on", title_justify="left")
        for name in sorted(self.features):
            table.add_row(name, f"{self.features[name]:,}")
        console.print(table)
        table = Table("what", "times", title="What happened", title_justify="left")
        for name in sorted(self.counts):
            table.add_row(name, f"{self.counts[name]:,}")
        console.print(table)
        for seed, failure in sorted(self.failures):
            console.print(f"seed {seed}: {failure}", style="red", markup=False)
        console.print(
            f"{self.seeds:,} seeds, {len(self.failures)} failed, "
            f"{self.cpu_seconds / max(self.seeds, 1):.2f} s of processor time each"
        )


def show_one(seed: int, has_trace: bool, console: Console) -> int:
    """Plays one seed and shows its plan, what happened and, if it failed, its last lines."""
    report = run_seed(seed, print if has_trace else None)
    _show_plan(report.plan, console)
    console.print(f"what was on: {', '.join(report.features)}", markup=False)
    console.print(f"trace {report.trace}")
    if report.failure is not None and not has_trace:
        for line in report.last_lines[-LINES_SHOWN:]:
            console.print(line, markup=False, highlight=False)
    console.print("all checks held" if report.failure is None else str(report.failure), markup=False)
    return 0 if report.failure is None else 1


def _show_plan(plan: Plan, console: Console) -> None:
    for name in plan.__slots__:
        value = getattr(plan, name)
        lines = [f"{name}: {value}"] if not isinstance(value, list) else [f"{name}:", *(f"  {item}" for item in value)]
        for line in lines:
            console.print(line, markup=False, highlight=False)


def show_many(first: int, count: int, jobs: int, console: Console) -> int:
    """Plays many seeds; returns 1 when one failed."""
    summary = Summary()
    columns = (*Progress.get_default_columns(), TextColumn("{task.fields[failed]} failed"))
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(f"seeds {first} to {first + count - 1}", total=count, failed=0)
        for outcome in play_all(list(range(first, first + count)), jobs):
            summary.add(outcome)
            if outcome.failure:
                progress.console.print(f"seed {outcome.seed}: {outcome.failure}", style="red", markup=False)
            progress.update(task, advance=1, failed=len(summary.failures))
    summary.show(console)
    return 1 if summary.failures else 0


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many seeds to play")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--jobs", type=int, default=2, help="in how many processes")
    parser.add_argument("--seed", type=int, help="one seed, with its plan")
    parser.add_argument("--trace", action="store_true", help="with --seed: print everything that happens")
    chosen = parser.parse_args(arguments)
    console = Console(soft_wrap=True)
    if chosen.seed is not None:
        return show_one(chosen.seed, chosen.trace, console)
    return show_many(chosen.first, chosen.seeds, chosen.jobs, console)


if __name__ == "__main__":
    sys.exit(main())
