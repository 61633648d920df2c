"""The command to reset the double-signing guard of a stopped node after its clock was wrong."""

from __future__ import annotations

import time

import click

from chain.chain import STATE_DIRECTORY
from client.declare import group, option
from node.core.guard import FILE, ProductionGuard
from node.failures import EXIT_FAILED, CommandError
from node.options import Directory
from node.shell.files import DirectoryDisk
from protocol.times import time_text
from state.engine.leveldb import LevelDBBackend


@group()
def guard() -> None:
    """The record of slots that this machine's keys have signed for."""


@guard.command("reset")
def reset(directory: Directory = option("Directory of a stopped node's data.", "--data-dir", required=True)) -> None:
    """Release unused slots after the clock was far ahead and has been corrected."""
    if not (directory / FILE).exists():
        raise CommandError(f"{directory / FILE} is not there: no key has signed here.")
    backend = LevelDBBackend(str(directory / STATE_DIRECTORY))  # Locked while a node runs.
    try:
        now = int(time.time())
        ahead = ProductionGuard(DirectoryDisk(directory)).reset(now)
    except ValueError as error:
        raise CommandError(str(error)) from error
    finally:
        backend.close()
    click.echo(f"The clock of this machine shows {time_text(now)} UTC.")
    if not ahead:
        click.echo("No key has signed for a slot after this time. Nothing was changed.")
    for key, used in ahead.items():
        if used.floor < used.first - 1:
            text = f"may sign until {time_text(used.first)}, then again after {time_text(used.latest)}"
        else:
            text = f"may have signed for any slot until {time_text(used.latest)}: wait, or give the witness a new key"
        click.echo(f"{key.hex()} {text}.")
    if any(used.floor >= used.first - 1 for used in ahead.values()):
        raise SystemExit(EXIT_FAILED)
