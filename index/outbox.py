"""The source of indexes that live elsewhere: the records of blocks, kept until each of them has them.

An index names its cursors; the outbox finds the newest of these blocks on the main chain and answers with the records
behind it. That block counts as acknowledged: it must have been written with its cursor, so that no crash takes it
back. Records of blocks that can still be undone are not packed; when a block becomes irreversible, its record goes into
the batch that writes the state, unless every index has acknowledged it. Blocks that were undone are kept nowhere: an
index that has one gives it back by itself. docs/decisions/0025-index-layer.md tells why that loses and doubles nothing.
"""

from collections.abc import Iterator, Mapping
from itertools import chain
from struct import Struct
from typing import Final

from chain.reader import Reader
from index.base import BEGINNING, Answer, Cursor
from index.record import Record, RecordCodec
from state.engine.errors import StoreCorrupt
from state.engine.kv import Backend, Put
from state.engine.rows import pack, unpack
from state.engine.store import Store
from state.tables.tables import Tables

OUTBOX_BYTES_MAX: Final = 256 << 20
"""Bytes of the records that wait on the disk; the oldest make room."""

ANSWER_BYTES_MAX: Final = 4 << 20
"""Bytes of the records of one answer; the last of them may go beyond it."""

NAMES_MAX: Final = 16

_PREFIX: Final = b"\x22"
_META: Final = _PREFIX + b"\x00"
_RECORDS: Final = _PREFIX + b"\x01"
_NUMBER: Final = Struct(">I")
NUMBER_MAX: Final = 0xFFFFFFFF
_FORMAT: Final = 1


class IndexLost(Exception):
    """An index that the records here can not bring up to date; the text is a sentence that says what helps."""


class SourceBehind(Exception):
    """An index is ahead of this node, which has yet to get the irreversible blocks that the index has."""


class Outbox:
    """The records of one chain's blocks; `newest` are those of the blocks that are not committed, by number."""

    def __init__(
        self,
        store: Store[Tables],
        reader: Reader,
        codec: RecordCodec,
        newest: Mapping[int, Record],
        bytes_max: int = OUTBOX_BYTES_MAX,
    ) -> None:
        self._store = store
        self._backend: Backend = store.backend
        self._reader = reader
        self._codec = codec
        self._newest = newest
        self._bytes_max = bytes_max
        self.acknowledged: dict[str, int] = {}
        """The newest block of the main chain that each index is known to have; records are kept for these."""
        self._floor = self._committed.number
        """Records of blocks up to this number are gone."""
        self._bytes = 0
        self._prepared = (self._floor, self._bytes, self.acknowledged)
        self._load()

    def _load(self) -> None:
        data = self._backend.get(_META)
        if data is not None:
            layout, floor, size, names = unpack(data)
            if layout != _FORMAT:
                raise StoreCorrupt(f"the outbox has layout {layout}, this program knows {_FORMAT}")
            self._floor, self._bytes, self.acknowledged = floor, size, dict(names)

    @property
    def _committed(self) -> Cursor:
        head = self._store.committed
        assert head is not None, "the ledger commits the genesis"
        return Cursor(head.number, head.block_id)

    @property
    def head(self) -> Cursor:
        """The newest block of the main chain."""
        head = self._store.head
        assert head is not None, "the ledger commits the genesis"
        return Cursor(head.number, head.block_id)

    # For indexes

    def register(self, name: str) -> Cursor:
        """Keeps records for an index that is about to be filled up to the returned block, from there on."""
        self._check_room(name)
        start = self._committed
        self._keep(name, start.number)
        return start

    def unregister(self, name: str) -> None:
        """Keeps no records for an index any more."""
        if self.acknowledged.pop(name, None) is None:
            return
        if self.acknowledged:
            self._write()
        else:
            self._backend.write(self._forget_all(), sync=True)

    def read(self, name: str, cursors: list[Cursor], *, is_final_only: bool = False) -> Answer:
        """What an index with these cursors, oldest first and all of them written, needs next.

        Raises IndexLost for an index that must be made again, SourceBehind for one that must wait.
        """
        common = self._find_common(name, cursors)
        floor = self._floor if self.acknowledged else self._committed.number
        if common.number < floor:
            raise IndexLost(
                f"Index {name} has the blocks up to {common.number}, but the records here begin with block "
                f"{floor + 1}: fill it from the block log again."
            )
        self._check_room(name)
        if name not in self.acknowledged:
            self._keep(name, common.number)
        self.acknowledged[name] = common.number
        last = self._committed.number if is_final_only else self.head.number
        return Answer(common, tuple(self._collect(common.number, last)), self._committed.number, self.head)

    def _find_common(self, name: str, cursors: list[Cursor]) -> Cursor:
        """The newest of an index's blocks that is on the main chain."""
        for cursor in reversed(cursors):
            if cursor == BEGINNING or (cursor.number > 0 and self._reader.is_on_main_chain(cursor.id)):
                return cursor
        final, head = cursors[0], self.head
        if final.number > head.number:
            raise SourceBehind(f"Index {name} has block {final.number}, this node is at block {head.number} yet.")
        if final.number < self._reader.first_number:
            raise IndexLost(
                f"Index {name} has the blocks up to {final.number}, but the blocks of this node begin with block "
                f"{self._reader.first_number}: fill it from a node that has all, or make it again from here."
            )
        raise IndexLost(
            f"Index {name} has a block {final.number} with id {final.id.hex()} as irreversible, which is not on this "
            "node's chain: the index is that of another chain. Drop it, or ask another node."
        )

    def _collect(self, after: int, last: int) -> Iterator[bytes]:
        """The records of blocks after < number <= last, as many as fit into an answer."""
        committed, size = self._committed.number, 0
        kept = (data for _key, data in self._backend.scan(_key(after + 1), _key(min(last, committed) + 1)))
        newest = (self._codec.encode(self._newest[number]) for number in range(max(after, committed) + 1, last + 1))
        for data in chain(kept, newest):
            yield data
            size += len(data)
            if size >= ANSWER_BYTES_MAX:
                return

    def _check_room(self, name: str) -> None:
        if name not in self.acknowledged and len(self.acknowledged) >= NAMES_MAX:
            raise IndexLost(f"This node keeps records for {NAMES_MAX} indexes already, and not for {name} as well.")

    def _keep(self, name: str, number: int) -> None:
        """Remembers an index on the disk."""
        if not self.acknowledged:
            self._floor = self._committed.number
        self.acknowledged[name] = number
        self._write()

    def _write(self) -> None:
        put = self._pack(self._floor, self._bytes, self.acknowledged, self._committed.number)
        self._backend.write([put], sync=True)

    @staticmethod
    def _pack(floor: int, size: int, acknowledged: Mapping[str, int], committed: int) -> Put:
        """After a crash other blocks than those that were acknowledged may follow the committed one."""
        names = tuple((name, min(number, committed)) for name, number in acknowledged.items())
        return _META, pack((_FORMAT, floor, size, names))

    def _forget_all(self) -> list[Put]:
        """Nobody is left to keep records for."""
        self._bytes = 0
        return [(_META, None), *((key, None) for key, _data in self._backend.scan(_RECORDS, _key(NUMBER_MAX)))]

    # Following

    def undo(self, number: int) -> None:
        """A block was taken back: whoever had it has only the one before."""
        for name, acknowledged in self.acknowledged.items():
            self.acknowledged[name] = min(acknowledged, number - 1)

    def prepare(self, number: int) -> list[Put]:
        """Returns the puts that go with the commit of block `number`; `finish` follows the write.

        There must be an index to keep records for.
        """
        least = min(self.acknowledged.values())
        first = max(least, self._committed.number) + 1
        new = {block: self._codec.encode(self._newest[block]) for block in range(first, number + 1)}
        size = self._bytes + sum(map(len, new.values()))
        floor, deletes = max(self._floor, min(least, number)), []
        for block, length in self._measure(new):
            if block > least and size <= self._bytes_max:
                break
            floor, size = max(floor, block), size - length
            if new.pop(block, None) is None:
                deletes.append((_key(block), None))
        names = {name: has for name, has in self.acknowledged.items() if has >= floor}
        self._prepared = (floor, size, names)
        if not names:
            return self._forget_all()
        puts = [(_key(block), data) for block, data in new.items()]
        return [*deletes, *puts, self._pack(floor, size, names, number)]

    def _measure(self, new: Mapping[int, bytes]) -> Iterator[tuple[int, int]]:
        """Iterates over (number, size) of the records on the disk and of new ones, oldest first."""
        for key, data in self._backend.scan(_RECORDS, _key(NUMBER_MAX)):
            yield _NUMBER.unpack(key[len(_RECORDS) :])[0], len(data)
        yield from [(block, len(data)) for block, data in new.items()]

    def finish(self) -> None:
        """What was prepared is written."""
        self._floor, self._bytes, self.acknowledged = self._prepared


def _key(number: int) -> bytes:
    return _RECORDS + _NUMBER.pack(number)
