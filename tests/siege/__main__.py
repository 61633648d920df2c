"""A witness under attack: python -m tests.siege [--seconds N] [--all-seconds N] [ATTACK ...].

A node with 21 keys makes a block a second, and may have 1,024 files open. It is attacked in each of the ways that the
table names, and then in all of them at once, by processes that yield the processor to it. Beside it a node of the same
kind is left alone. It fails when the witness misses a slot that the other one does not, when its loop computes for over
20 ms without looking at its timers (blocks apart), and when it takes over 400 MiB of memory. "Slowness" says how many
times slower than the machine for which the bound was set this one computed just before the attack; it excuses nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from rich.console import Console
from rich.table import Table

from tests.network.network import choose_seed, kept_directory, open_network
from tests.siege.attacker import ATTACKS
from tests.siege.siege import Outcome, Siege, make_chain


def show(outcomes: list[Outcome], console: Console) -> None:
    """Prints what the siege has shown."""
    table = Table(title="A witness with 21 keys under attack")
    for name in ("attack", "made/missed", "control", "loop held, ms", "with a block, ms", "RSS, MiB", "slowness"):
        table.add_column(name, justify="left" if name == "attack" else "right")
    for one in outcomes:
        table.add_row(
            one.name,
            f"{one.made}/{one.missed}",
            f"{one.control_made}/{one.control_missed}",
            f"<= {one.held * 1000:.0f}",
            f"<= {one.held_by_block * 1000:.0f}",
            str(one.memory >> 20),
            f"{one.slowness:.1f}",
        )
    console.print(table)
    for one in outcomes:
        for problem in one.list_problems():
            console.print(f"[red]problem:[/red] {problem}", highlight=False)


async def main(names: list[str], seconds: float, all_seconds: float) -> int:
    """Runs it and returns the exit code."""
    console = Console(width=120)
    outcomes: list[Outcome] = []
    with kept_directory(choose_seed()) as folder:
        async with open_network(folder, make_chain(folder)) as network:
            siege = Siege(network)
            await siege.start()
            outcomes.append(await siege.endure("nobody", (), min(seconds, 10)))
            for name in names:
                outcomes.append(await siege.endure(name, (name,), seconds))
                show(outcomes[-1:], console)
            if all_seconds:
                outcomes.append(await siege.endure("all at once", names, all_seconds))
    show(outcomes, console)
    return int(any(problem for one in outcomes for problem in one.list_problems()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(".")[0])
    parser.add_argument("names", nargs="*", metavar="ATTACK", help=", ".join(ATTACKS))
    parser.add_argument("--seconds", type=float, default=15.0, help="for each attack")
    parser.add_argument("--all-seconds", type=float, default=40.0, help="for all attacks at once; 0: not at all")
    chosen = parser.parse_args()
    sys.exit(asyncio.run(main(chosen.names or list(ATTACKS), chosen.seconds, chosen.all_seconds)))
