"""The indexes of one node: those in its state database, and the outbox for external ones."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from chain.chain import Chain
from chain.effects import Applied, FeedItem, Undone
from chain.reader import Reader
from index.account_history import AccountHistory
from index.base import BEGINNING, Index
from index.market_history import MarketHistory
from index.outbox import Outbox
from index.rebuild import check_log_is_full, fill
from index.record import Record, RecordCodec, make_record, scan_rows
from index.state_index import StateIndex
from protocol.codec import codec_for
from protocol.config import ChainConfig
from protocol.errors import Rejected
from state.engine.kv import Put, Reads
from state.engine.progress import QUIET, Progress
from state.engine.store import Store
from state.tables.tables import Tables

IndexT = TypeVar("IndexT", bound=StateIndex)

STATE_INDEXES: tuple[type[StateIndex], ...] = (AccountHistory, MarketHistory)
"""The indexes in the state database."""


def is_indexed(values: Reads, number: int) -> bool:
    """Whether all indexes of a database are at block `number`, the block of its state."""
    return all(index.read_cursor(values).number == number for index in STATE_INDEXES)


class Indexes:
    """The follower that maintains the indexes of one chain.

    With `has_history` missing indexes in the state database are rebuilt, with reports to `progress`; None keeps what
    exists.
    """

    def __init__(self, has_history: bool | None = True, progress: Progress = QUIET) -> None:
        self.outbox: Outbox
        self._has_history = has_history
        self._progress = progress
        self._beside: tuple[StateIndex, ...] = ()
        self._newest: dict[int, Record] = {}
        """Records of blocks that are not committed, by number."""

    def begin(self, store: Store[Tables], reader: Reader, config: ChainConfig) -> None:
        """Brings the indexes up to the committed block. Raises HistoryUnavailable, BlockLogError."""
        assert store.committed is not None, "the ledger commits the genesis"
        self._store, self._reader, self._config = store, reader, config
        codec, backend, committed = codec_for(config.identity), store.backend, store.committed.number
        self.outbox = Outbox(store, reader, RecordCodec(config, codec), self._newest)
        if self._has_history is False or (self._has_history is None and not is_indexed(backend, committed)):
            return
        self._beside = (AccountHistory(backend, codec), MarketHistory(backend))
        behind = [index for index in self._beside if index.written.number != committed]
        if behind:
            check_log_is_full(reader)
            for index in behind:
                if not 0 < index.written.number < committed or not index.written.id:
                    index.drop()
            self._fill(behind)

    # Following the chain

    def take(self, feed: Iterable[FeedItem]) -> None:
        """The main chain has changed."""
        for item in feed:
            if isinstance(item, Applied):
                record = self._newest[item.effects.number] = make_record(item)
                for index in self._beside:
                    index.apply(record)
            elif isinstance(item, Undone):
                del self._newest[item.number]
                self.outbox.undo(item.number)
                for index in self._beside:
                    index.undo()

    def prepare(self, number: int) -> list[Put]:
        """Returns what is to be written in the batch with the state of block `number`."""
        puts = self.outbox.prepare(number) if self.outbox.acknowledged else []
        for index in self._beside:
            puts += index.prepare(number)
        return puts

    def finish(self, number: int) -> None:
        """The batch is written."""
        for index in self._beside:
            index.finish(number)
        if self.outbox.acknowledged:
            self.outbox.finish()
        while self._newest and (oldest := next(iter(self._newest))) <= number:
            del self._newest[oldest]

    # Rebuilding

    def rebuild(self) -> None:
        """Rebuilds the indexes in the state database from the block log.

        Raises BlockLogError, without changes, for a damaged log or one without its first blocks.
        """
        self._get(AccountHistory)
        check_log_is_full(self._reader)
        for number in range(1, self._committed + 1):
            self._reader.read_logged(number)  # Existing indexes are not dropped for a log that cannot replace them.
        for index in self._beside:
            index.drop()
        self._fill(self._beside)
        for record in self._newest.values():
            for index in self._beside:
                index.apply(record)

    def _fill(self, indexes: Sequence[Index]) -> None:
        fill(indexes, self._reader, self._config, self._committed, self._progress)

    def join(self, index: Index) -> None:
        """Fills a new index that will follow the outbox.

        On a node restored from a snapshot the index begins at the committed block, if it can be made from rows. Raises
        HistoryUnavailable otherwise, BlockLogError for a damaged log.
        """
        start = self.outbox.register(index.name)
        if self._reader.first_number == 1 or index.head != BEGINNING:
            self._fill((index,))
        else:
            index.begin_at(start, scan_rows(self._store))
            index.write(start.number)

    @property
    def _committed(self) -> int:
        assert self._store.committed is not None, "the ledger commits the genesis"
        return self._store.committed.number

    # Queries

    @property
    def has_history(self) -> bool:
        """Whether this node keeps account and market history."""
        return bool(self._beside)

    @property
    def history(self) -> AccountHistory:
        """Account history. Raises Rejected if this node keeps none."""
        return self._get(AccountHistory)

    @property
    def market(self) -> MarketHistory:
        """Trades and candles of the internal market. Raises Rejected if this node keeps no history."""
        return self._get(MarketHistory)

    def _get(self, kind: type[IndexT]) -> IndexT:
        for index in self._beside:
            if isinstance(index, kind):
                return index
        raise Rejected("", f"This node keeps no {kind.name.replace('_', ' ')}")


def open_chain(
    config: ChainConfig,
    data_dir: object | None = None,
    *,
    has_history: bool | None = True,
    progress: Progress = QUIET,
    **options: Any,
) -> tuple[Chain, Indexes]:
    """Opens the chain with its indexes in a directory, or in memory without one.

    Options and errors are those of `Indexes` and `Chain.open`.
    """
    indexes = Indexes(has_history, progress)
    return Chain.open(config, data_dir, followers=(indexes,), progress=progress, **options), indexes
