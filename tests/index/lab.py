"""An index in plain dicts that lives elsewhere, a node on storage that outlives its process, and both may be killed."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from typing import Any

from chain.block_log import MemoryBlockLog
from chain.chain import Chain
from chain.effects import Applied
from chain.ledger import Ledger
from chain.switch import APPLIED_BEFORE
from index.base import BEGINNING, Cursor, Index, Pair
from index.indexes import Indexes
from index.outbox import Outbox, SourceBehind
from index.rebuild import scan_genesis
from index.record import Change, Record, RecordCodec, make_record
from protocol.codec import codec_for
from protocol.config import ChainConfig
from state.engine.kv import Batch, MemoryBackend
from state.engine.store import Store
from state.tables.tables import Tables


class Killed(Exception):
    """The process is gone."""


class DictIndex(Index):
    """The observable rows as they are now, and every operation by its place; `disk` is what a process leaves behind."""

    name = "dicts"

    def __init__(self, disk: list[bytes]) -> None:
        self.disk = disk
        self.rows: dict[Any, Any] = {}
        self.operations: list[Any] = []
        self._cursors = [BEGINNING]
        self._undo: list[Any] = []
        if disk:
            self.rows, self.operations, self._cursors, self._undo = pickle.loads(disk[-1])

    @property
    def cursors(self) -> list[Cursor]:
        return list(self._cursors)

    def apply(self, record: Record) -> None:
        assert record.previous == self.head.id and record.number == self.head.number + 1
        before = {}
        for table, key, old, new in record.changes:
            assert self.rows.get((table, key)) == old, (record.number, table, key)
            before[table, key] = old
            self._set((table, key), new)
        self._undo.append((before, len(self.operations)))
        self.operations += [repr(applied) for applied in record.operations]
        self.operations += [repr(payout) for payout in record.payouts]
        self._cursors.append(Cursor(record.number, record.id))

    def undo(self) -> None:
        before, length = self._undo.pop()
        for key, old in before.items():
            self._set(key, old)
        del self.operations[length:]
        self._cursors.pop()

    def _set(self, key: Any, row: Any) -> None:
        if row is None:
            del self.rows[key]
        else:
            self.rows[key] = row

    def write(self, final: int) -> None:
        while len(self._cursors) > 1 and self._cursors[1].number <= final:
            del self._cursors[0], self._undo[0]
        self.disk[:] = [pickle.dumps((self.rows, self.operations, self._cursors, self._undo))]

    def drop(self) -> None:
        self.rows, self.operations, self._cursors, self._undo = {}, [], [BEGINNING], []
        self.disk.clear()

    def save(self) -> Iterator[Pair]:
        return (((b"all", data)) for data in self.disk)

    def restore(self, pairs: Iterable[Pair]) -> None:
        self.__init__([data for _key, data in pairs])  # type: ignore[misc]

    def begin_at(self, cursor: Cursor, rows: Iterable[Change]) -> None:
        self.rows = {(change.table, change.key): change.after for change in rows}
        self._cursors = [cursor]

    def content(self) -> tuple[dict[Any, Any], list[Any], Cursor]:
        """What must be equal between two indexes of one chain."""
        return dict(self.rows), list(self.operations), self.head


class FinalIndex(DictIndex):
    """The same of irreversible blocks only."""

    name = "finals"
    is_final_only = True


class MortalBackend(MemoryBackend):
    """A backend under whose process the power, or the process, may go: at a write, before or behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes_left: int | None = None
        self.is_behind = False

    def write(self, batch: Batch, sync: bool) -> None:
        if self.writes_left is None:
            super().write(batch, sync)
            return
        self.writes_left -= 1
        if self.writes_left > 0 or self.is_behind:
            super().write(batch, sync)
        if self.writes_left <= 0:
            raise Killed


class Node:
    """A chain with an outbox, on storage that a kill leaves."""

    def __init__(self, config: ChainConfig) -> None:
        self.config = config
        self.backend = MortalBackend()
        self.log = MemoryBlockLog()
        self.start()

    def start(self, *, power_failed: bool = False) -> None:
        """Starts a process on the storage; after a power failure what was not synced is gone."""
        self.backend.writes_left = None
        if power_failed:
            self.backend.crash()
        self.indexes = Indexes(has_history=False)
        codec = codec_for(self.config.identity)
        self.chain = Chain(self.config, self.backend, self.log, codec, followers=(self.indexes,))

    @property
    def outbox(self) -> Outbox:
        return self.indexes.outbox


def decoder(node: Node) -> Any:
    return RecordCodec(node.config, codec_for(node.config.identity)).decode


def feed(node: Node, index: Index, answers: int = 1) -> None:
    """Lets an index follow for at most so many answers."""
    decode = decoder(node)
    for _ in range(answers):
        try:
            answer = node.outbox.read(index.name, index.cursors, is_final_only=index.is_final_only)
        except SourceBehind:
            return
        index.take(type(answer).from_bytes(answer.to_bytes()), decode)


def index_from_nothing(node: Node, kind: type[DictIndex], last: int) -> DictIndex:
    """The index of the main chain up to a block, made by applying its blocks in a row."""
    index, decode = kind([]), decoder(node)
    encode = RecordCodec(node.config, codec_for(node.config.identity)).encode
    index.begin_at(BEGINNING, scan_genesis(node.config))
    ledger = Ledger(Store(MemoryBackend(), Tables, chain_id=node.config.chain_id), node.config)
    for number in range(1, last + 1):
        block = node.chain.reader.get_block(number)
        assert block is not None
        index.apply(decode(encode(make_record(Applied(block, ledger.apply_block(block, *APPLIED_BEFORE))))))
    return index
