"""The commands about snapshots."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from client.admin import call_admin
from client.declare import group, option
from client.defaults import LONG_SECONDS
from client.progress import Display
from client.render import Output, fields
from index.snapshot import SnapshotError, Summary
from node.commands.blocks import EXIT_INTERRUPTED
from node.failures import CommandError
from node.opening import find_data_dir, load_chain_config, open_existing, refuse_to_replace
from node.options import ADMIN, FORCE, JSON, Admin, ChainSettings
from node.shell.memory import tune_memory
from node.shell.snapshot_file import restore_snapshot, verify_snapshot, write_snapshot

NO_HISTORY: Final = option("Leave account history out.")


@group()
def snapshot() -> None:
    """Write, check and restore snapshots: the state of a chain in one file, from which a node can start."""


@snapshot.command("create")
def create(file: Path, settings: ChainSettings, no_history: bool = NO_HISTORY, force: bool = FORCE) -> None:
    """Write the state of a stopped node at the last irreversible block to FILE, with its account history."""
    config = load_chain_config(settings)
    refuse_to_replace(file, force)
    begun = time.monotonic()
    with _interruptible(), _plain_errors(None), Display() as progress:
        chain, _indexes = open_existing(settings, config, has_history=None)
        tune_memory()
        try:
            summary = write_snapshot(chain, file, progress, not no_history)
        finally:
            chain.close()
    click.echo(f"{file} is written in {time.monotonic() - begun:.1f} s.")
    _show(summary)


@snapshot.command("request")
def request(name: str, admin: Admin = ADMIN, is_json: bool = JSON) -> None:
    """Make a running node write a snapshot to the new file NAME in the folder `snapshots` of its data directory."""
    made = call_admin(admin, "create_snapshot", LONG_SECONDS, name=name)
    Output(is_json).show(made, lambda: fields(made, "The node has written a snapshot."))


@snapshot.command("verify")
def verify(file: Path, settings: ChainSettings) -> None:
    """Check the whole FILE, and that it belongs to the chain named with --preset or --chain."""
    is_named = settings.chain is not None or settings.preset is not None
    config = load_chain_config(settings) if is_named else None
    with _interruptible(), _plain_errors(file), Display() as progress:
        summary = verify_snapshot(file, config, progress)
    click.echo(f"{file} is whole: its rows give the state digest, its bytes the checksum.")
    _show(summary)


@snapshot.command("restore")
def restore(file: Path, settings: ChainSettings, no_history: bool = NO_HISTORY) -> None:
    """Create a data directory from FILE; the node continues from its block and has no older ones."""
    config = load_chain_config(settings)
    data_dir = find_data_dir(settings, config)
    begun = time.monotonic()
    tune_memory()
    with _interruptible(), _plain_errors(file), Display() as progress:
        summary = restore_snapshot(file, config, data_dir, progress, not no_history)
    click.echo(f"{data_dir} holds the chain of {file}, restored in {time.monotonic() - begun:.1f} s.")
    _show(summary)
    if no_history or not summary.header.has_history:
        click.echo("There is no account history: run the node with --no-history.")


def _show(summary: Summary) -> None:
    head = summary.header.meta.head
    history = f"{summary.history_entries} entries" if summary.header.has_history else "none"
    click.echo(f"  chain         {summary.header.meta.chain_id.hex()}")
    click.echo(f"  block         {head.number}, id {head.block_id.hex()}")
    click.echo(f"  state digest  {head.digest.hex()}")
    click.echo(f"  content       {summary.rows} rows, history: {history}")
    click.echo(f"  file          {summary.size} bytes, checksum {summary.checksum.hex()}")


@contextmanager
def _plain_errors(path: Path | None) -> Iterator[None]:
    """Adds the file name to the error of a snapshot."""
    try:
        yield
    except SnapshotError as error:
        raise CommandError(f"{error}." if path is None else f"{path}: {error}.") from error


@contextmanager
def _interruptible() -> Iterator[None]:
    """Handles SIGTERM like SIGINT: removes unfinished files and exits with a code for it."""
    earlier = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(EXIT_INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, earlier)
