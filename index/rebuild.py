"""Records of past blocks, made by a replay of the block log on a separate state, concurrent with the running node."""

from collections.abc import Iterator, Sequence

from chain.effects import Applied
from chain.finality import is_group_full
from chain.ledger import Ledger
from chain.reader import Reader
from chain.switch import APPLIED_BEFORE
from index.base import BEGINNING, Index
from index.record import Change, Record, make_record, scan_rows
from protocol.config import ChainConfig
from protocol.errors import HistoryUnavailable
from state.engine.kv import Backend, MemoryBackend
from state.engine.progress import Progress
from state.engine.store import Store
from state.tables.tables import Tables


def check_log_is_full(reader: Reader) -> None:
    """Raises HistoryUnavailable if the block log does not begin with block 1."""
    if reader.first_number > 1:
        raise HistoryUnavailable(
            "",
            "Account history is made from block 1 on, but the blocks of this node begin with block ${first}.",
            first=reader.first_number,
        )


def execute(
    reader: Reader, config: ChainConfig, last: int, backend: Backend | None = None
) -> Iterator[tuple[Record, bool]]:
    """Yields the records of the irreversible blocks from 1 to `last`, each with whether to write the backlog now.

    Without a `backend` the state is in memory. Raises HistoryUnavailable if the first blocks are missing, BlockLogError
    for a damaged block.
    """
    check_log_is_full(reader)
    ledger = Ledger(Store(backend or MemoryBackend(), Tables, chain_id=config.chain_id), config)
    for number in range(ledger.head_number + 1, last + 1):
        block = reader.read_logged(number)
        record = make_record(Applied(block, ledger.apply_block(block, *APPLIED_BEFORE)))
        is_full = is_group_full(ledger.store, number)
        yield record, is_full
        if is_full:
            ledger.store.commit(number)


def scan_genesis(config: ChainConfig) -> Iterator[Change]:
    """Iterates over the observable rows of the genesis."""
    return scan_rows(Ledger(Store(MemoryBackend(), Tables, chain_id=config.chain_id), config).store)


def fill(
    indexes: Sequence[Index],
    reader: Reader,
    config: ChainConfig,
    last: int,
    progress: Progress,
    backend: Backend | None = None,
) -> None:
    """Brings indexes up to the irreversible block `last`; continues after a crash.

    Blocks that the indexes can undo are undone first, because they may be of another branch. Raises what `execute`
    does.
    """
    for index in indexes:
        while len(index.cursors) > 1:
            index.undo()
        if index.head == BEGINNING:
            index.begin_at(BEGINNING, scan_genesis(config))
            index.write(0)
    progress.begin(last)
    for record, is_full in execute(reader, config, last, backend):
        for index in indexes:
            if record.number > index.head.number:
                index.apply(record)
        if is_full or record.number == last:
            for index in indexes:
                index.write(record.number)
            title = f"Account history is made from the block log: block {record.number} of {last}"
            progress.advance(record.number, title)
