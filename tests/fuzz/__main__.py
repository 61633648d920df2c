"""Fuzzes everything that takes bytes from outside: `python -m tests.fuzz --inputs 1000000`.

The inputs follow from the seed, so a failure that depends on those before it comes again with the same seed. Failing
inputs are kept in tests/fuzz/corpus; `make test` feeds them from then on.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tests.fuzz.corpus import keep
from tests.fuzz.run import Report, Run, make_target
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

FAILURES_SHOWN = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Feeds the targets that were asked for; returns 1 if any input did what it must not."""
    options = _read_options(arguments)
    console = Console()
    kinds = [kind for kind in TARGETS if options.target in (None, kind.name)]
    shares = sum(kind.share for kind in kinds)
    reports = []
    with Progress(
        TextColumn("{task.description:<13}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]:>7} a second"),
        TimeRemainingColumn(),
        console=console,
    ) as progress:
        for kind in kinds:
            inputs = -(-options.inputs * kind.share // shares)
            reports.append(_play(kind, inputs, options.seed, progress))
    _show(reports, options.seed, console)
    for report in reports:
        for failure in report.failures:
            if failure.data:
                console.print(f"kept as {keep(failure, options.seed)}", markup=False)
    return 1 if any(report.failures for report in reports) else 0


def _read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="how many, all targets together")
    parser.add_argument("--seed", type=int, default=1, help="what all inputs follow from")
    parser.add_argument("--target", choices=[kind.name for kind in TARGETS], help="only this one")
    return parser.parse_args(arguments)


def _play(kind: type[Target], inputs: int, seed: int, progress: Progress) -> Report:
    task = progress.add_task(kind.name, total=inputs, speed="")

    def on_progress(done: int) -> None:
        speed = progress.tasks[task].speed
        progress.update(task, completed=done, speed=f"{speed:,.0f}" if speed else "")

    return Run(make_target(kind, seed), inputs).play(on_progress)


def _show(reports: Sequence[Report], seed: int, console: Console) -> None:
    columns = ("target", "inputs", "accepted", "refused", "failed", "seconds", "slowest", "growth")
    table = Table(*columns, title=f"Seed {seed}", title_justify="left")
    for report in reports:
        growth = "" if report.growth_mib is None else f"{report.growth_mib:.1f} MiB"
        table.add_row(
            report.name,
            f"{report.inputs:,}",
            f"{report.accepted:,}",
            f"{report.refused:,}",
            f"{len(report.failures):,}",
            f"{report.seconds:,.0f}",
            f"{report.slowest_ms:.0f} ms",
            growth,
        )
    console.print(table)
    for report in reports:
        for failure in report.failures[:FAILURES_SHOWN]:
            console.print(f"{failure.target}, input {failure.number}: {failure.what}", style="red", markup=False)
            console.print(failure.trace, markup=False, highlight=False)
    failed = sum(len(report.failures) for report in reports)
    console.print(f"{sum(report.inputs for report in reports):,} inputs, {failed:,} failures")


if __name__ == "__main__":
    sys.exit(main())
