"""Account and market history from nothing: the block log is executed again on a state in memory."""

from collections.abc import Sequence

from chain.finality import GROUP_BLOCKS, GROUP_BYTES
from chain.ledger import Ledger
from chain.observers import Observer
from chain.reader import Reader
from chain.switch import APPLIED_BEFORE
from protocol.config import ChainConfig
from protocol.errors import HistoryUnavailable
from state.engine.kv import Backend, MemoryBackend
from state.engine.store import Store
from state.tables.tables import Tables


def rebuild(
    observers: Sequence[Observer], reader: Reader, backend: Backend, config: ChainConfig, committed: int
) -> None:
    """Makes the indexes of a database whose state is that of block `committed`.

    Raises HistoryUnavailable, before anything is changed, when the log does not begin with block 1.
    """
    check_log_is_full(reader)
    for observer in observers:
        observer.drop()
    ledger = Ledger(Store(MemoryBackend(), Tables, chain_id=config.chain_id), config)
    for number in range(1, committed + 1):
        effects = ledger.apply_block(reader.read_logged(number), *APPLIED_BEFORE)
        for observer in observers:
            observer.add_block(effects)
        is_full = number % GROUP_BLOCKS == 0 or ledger.store.count_held(number) >= GROUP_BYTES
        if is_full or number == committed:
            ledger.store.commit(number)
            backend.write([put for observer in observers for put in observer.prepare(number)], sync=True)
            for observer in observers:
                observer.finish(number)


def check_log_is_full(reader: Reader) -> None:
    """Raises HistoryUnavailable when the blocks that are kept do not begin with block 1."""
    if reader.first_number > 1:
        raise HistoryUnavailable(
            "",
            "Account history is made from block 1 on, but the blocks of this node begin with block ${first}.",
            first=reader.first_number,
        )
