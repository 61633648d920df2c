"""The commands `snapshot create`, `snapshot verify` and `snapshot restore`: what they say around the work on files."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chain.snapshot import SnapshotError, Summary
from node.admin_client import LONG_SECONDS, call_admin
from node.commands.blocks import EXIT_INTERRUPTED
from node.failures import CommandError, plain_errors
from node.settings import Address
from node.shell.memory import tune_memory
from node.shell.snapshot_file import restore_snapshot, verify_snapshot, write_snapshot
from node.snapshot_progress import make_snapshot_progress
from wallet.render import Output, fields

if TYPE_CHECKING:
    from chain.chain import Chain
    from protocol.config import ChainConfig


def run_create(open_chain: Callable[[], Chain], path: Path, with_history: bool) -> None:
    """Writes a snapshot of the chain of a stopped node and reports. Raises CommandError."""
    begun = time.monotonic()
    with _interruptible(), _plain_errors(None), make_snapshot_progress() as progress:
        chain = open_chain()
        tune_memory()
        try:
            summary = write_snapshot(chain, path, progress, with_history)
        finally:
            chain.close()
    click.echo(f"{path} is written in {time.monotonic() - begun:.1f} s.")
    _show(summary)


def run_request(address: Address, name: str, is_json: bool) -> None:
    """Has a running node write a snapshot, waits for it, and reports. Raises CommandError."""
    made = call_admin(address, "create_snapshot", LONG_SECONDS, name=name)
    Output(is_json).show(made, lambda: fields(made, "The node has written a snapshot."))


def run_verify(path: Path, config: ChainConfig | None) -> None:
    """Checks a snapshot and reports. Raises CommandError."""
    with _interruptible(), _plain_errors(path), make_snapshot_progress() as progress:
        summary = verify_snapshot(path, config, progress)
    click.echo(f"{path} is whole: its rows give the state digest, its bytes the checksum.")
    _show(summary)


def run_restore(path: Path, config: ChainConfig, data_dir: Path, with_history: bool) -> None:
    """Makes a data directory from a snapshot and reports. Raises CommandError."""
    begun = time.monotonic()
    tune_memory()
    with _interruptible(), _plain_errors(path), make_snapshot_progress() as progress:
        summary = restore_snapshot(path, config, data_dir, progress, with_history)
    click.echo(f"{data_dir} holds the chain of {path}, restored in {time.monotonic() - begun:.1f} s.")
    _show(summary)
    if not (summary.header.has_history and with_history):
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
    """Turns what can go wrong into a CommandError that names the file."""
    try:
        with plain_errors():
            yield
    except SnapshotError as error:
        raise CommandError(f"{error}." if path is None else f"{path}: {error}.") from error


@contextmanager
def _interruptible() -> Iterator[None]:
    """Lets SIGTERM end the work as SIGINT does: what is unfinished is removed, and the exit code says so."""
    earlier = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(EXIT_INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, earlier)
