"""Blocks in and out of files: progress and signals around the importer."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Annotated

import click

from chain.chain import Chain
from client.declare import group, option
from client.progress import Display
from node.failures import CommandError
from node.opening import load_chain_config, open_chain, open_existing, refuse_to_replace
from node.options import CHAIN, FORCE, ChainSettings, take_settings
from node.settings import Settings
from node.shell.block_file import write_blocks
from node.shell.importer import ImportProblem, ImportResult, import_blocks
from node.shell.memory import tune_memory
from node.shell.recovery import RecoveryAhead
from protocol.config import ChainConfig

EXIT_INTERRUPTED = 130


@group()
def blocks() -> None:
    """Blocks in and out of files (the reference's block_log format)."""


@blocks.command("import")
def import_(
    file: Path,
    settings: Annotated[Settings, take_settings(*CHAIN, "history")],
    until: int | None = option("Stop with block N as head.", type=click.IntRange(1), metavar="N"),
    skip_signatures: bool = option("Do not check signatures: for a file that you trust."),
) -> None:
    """Apply the blocks of FILE after the head of the chain; a later import resumes where this one ended."""
    config = load_chain_config(settings)
    run_import(config, lambda: open_chain(settings, config)[0], file, until, skip_signatures)


@blocks.command("export")
def export(
    file: Path,
    settings: ChainSettings,
    first: int | None = option("First block.  [default: the first there is]", "--from", type=click.IntRange(1)),
    last: int | None = option("Last block.  [default: the head]", "--to", type=click.IntRange(1)),
    force: bool = FORCE,
) -> None:
    """Write blocks of the chain to FILE, readable by `plaudit blocks import` and the reference."""
    config = load_chain_config(settings)
    refuse_to_replace(file, force)
    run_export(open_existing(settings, config, has_history=None)[0], file, first, last)


def run_import(
    config: ChainConfig, open_chain: Callable[[], Chain], path: Path, until: int | None, skip_signatures: bool
) -> None:
    """Imports with progress. Raises CommandError for an invalid file, and as opening a chain does."""
    with closing(RecoveryAhead(config.chain_id, processors=1 if skip_signatures else None)) as recovery:
        chain = open_chain()
        tune_memory()
        begun = time.monotonic()
        try:
            with _noticed_signals() as is_stopped, Display() as progress:
                result = import_blocks(
                    chain,
                    path,
                    until=until,
                    skip_signatures=skip_signatures,
                    recovery=recovery,
                    progress=progress,
                    is_stopped=is_stopped,
                )
        except ImportProblem as error:
            raise CommandError(str(error)) from error
        finally:
            chain.close()
    click.echo(_summary(result, time.monotonic() - begun))
    if result.is_stopped:
        raise SystemExit(EXIT_INTERRUPTED)


def _summary(result: ImportResult, seconds: float) -> str:
    if not result.blocks:
        return f"Nothing to import: the chain is at block {result.head_number}."
    begin = "Stopped" if result.is_stopped else "Done"
    rate = f"{result.transactions / max(seconds, 0.001):.0f} transactions/s"
    return (
        f"{begin}: {result.blocks} blocks with {result.transactions} transactions in {seconds:.1f} s ({rate}). "
        f"The chain is at block {result.head_number}."
    )


@contextmanager
def _noticed_signals() -> Iterator[Callable[[], bool]]:
    """Stops the import between two blocks on SIGINT and SIGTERM."""
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    earlier = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: stopped
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def run_export(chain: Chain, path: Path, first: int | None, last: int | None) -> None:
    """Writes blocks first..last of the chain to a file and closes the chain. Raises CommandError."""
    try:
        least, most = chain.reader.first_number, chain.head_number
        begin, end = least if first is None else first, most if last is None else last
        if not least <= begin <= end <= most:
            raise CommandError(f"The chain has blocks {least} to {most}, not {begin} to {end}.")
        size = write_blocks(path, _packed_blocks(chain, begin, end))
    finally:
        chain.close()
    click.echo(f"{path}: blocks {begin} to {end}, {size} bytes.")


def _packed_blocks(chain: Chain, first: int, last: int) -> Iterator[bytes]:
    for number in range(first, last + 1):
        packed = chain.reader.get_packed_block(number)
        assert packed is not None, "the chain has every block up to its head"
        yield packed
