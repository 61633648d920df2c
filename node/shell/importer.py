"""Imports blocks from a file into a chain with all checks, in batched commits, resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from chain.chain import Chain
from chain.finality import Mode
from node.shell.block_file import BlockFile, BlockFileError
from node.shell.recovery import RecoveryAhead
from protocol.block import Block
from protocol.errors import ProtocolError
from state.engine.progress import QUIET, Progress


class ImportProblem(Exception):
    """An import that could not be finished; the blocks imported so far are kept."""


class ImportResult(NamedTuple):
    """The result of an import: `is_stopped` when it was stopped before the end."""

    blocks: int
    transactions: int
    head_number: int
    is_stopped: bool


def import_blocks(
    chain: Chain,
    path: Path,
    *,
    until: int | None = None,
    skip_signatures: bool = False,
    recovery: RecoveryAhead | None = None,
    progress: Progress = QUIET,
    is_stopped: Callable[[], bool] = lambda: False,
) -> ImportResult:
    """Applies the blocks of a file after the chain's head, up to number `until`.

    However it ends, applied blocks are committed, and a later import continues from there. Raises ImportProblem for a
    file that is damaged or of another chain, the store's errors for a disk that cannot be written.
    """
    if until is not None and chain.head_number > until:
        raise ImportProblem(f"The chain is at block {chain.head_number} already, behind block {until}.")
    try:
        with closing(BlockFile(path, chain.codec)) as file:
            _find_head(chain, file)
            progress.begin(file.size, file.position)
            blocks = file.blocks(until)
            if recovery is not None and not skip_signatures:
                blocks = recovery.prepare(_until_damaged(blocks))
            result = _apply(chain, file, blocks, skip_signatures, progress, is_stopped)
            if not result.is_stopped and (until is None or file.number < until):
                file.read()  # Reraises the error that ended reading ahead, if any.
    except BlockFileError as error:
        raise ImportProblem(_keep_note(chain, f"{error}.")) from None
    if until is not None and chain.head_number < until and not result.is_stopped:
        raise ImportProblem(_keep_note(chain, f"{path} ends with block {chain.head_number}, before block {until}."))
    return result


def _find_head(chain: Chain, file: BlockFile) -> None:
    """Moves to the block after the head, and checks that the file's blocks are those of the chain."""
    head = chain.head_number
    if file.first_number > head + 1:
        raise ImportProblem(
            f"{file.path} begins with block {file.first_number}, but the chain needs block {head + 1} next."
        )
    if head < file.first_number:
        return
    file.skip_to(head)
    block = file.read()
    if block is not None and block.id != chain.head_id:
        raise ImportProblem(
            f"{file.path} is of another chain or branch: its block {head} is not the head of this chain."
        )


def _until_damaged(blocks: Iterator[Block]) -> Iterator[Block]:
    """Stops where the file is damaged, so that the blocks read before that are still applied."""
    try:
        yield from blocks
    except BlockFileError:
        return


def _apply(
    chain: Chain,
    file: BlockFile,
    blocks: Iterator[Block],
    skip_signatures: bool,
    progress: Progress,
    is_stopped: Callable[[], bool],
) -> ImportResult:
    count = transactions = 0
    stopped = False
    chain.enter(Mode.BULK)
    try:
        for block in blocks:
            try:
                chain.push_block(block, skip_signatures)
            except ProtocolError as error:
                raise ImportProblem(
                    _keep_note(chain, f"{file.path}: block {block.number} is refused: {error.message}.")
                ) from error
            if chain.finality.write_problem is not None:
                raise chain.finality.write_problem
            count += 1
            transactions += len(block.transactions)
            progress.advance(file.position, f"block {block.number}", blocks=count, transactions=transactions)
            if is_stopped():
                stopped = True
                break
    finally:
        chain.enter(Mode.PROMPT)  # Commits what is pending.
    if chain.finality.write_problem is not None:
        raise chain.finality.write_problem
    return ImportResult(count, transactions, chain.head_number, stopped)


def _keep_note(chain: Chain, text: str) -> str:
    return f"{text} The chain is at block {chain.head_number}; what was imported is kept."
