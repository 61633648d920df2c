"""The source of external indexes: keeps the records of blocks until every index has acknowledged them.

An index sends its cursors; the outbox finds the newest of these blocks on the main chain and answers with the records
after it. That block counts as acknowledged: the index must have written it with its cursor, so that it survives a
crash. Records of reversible blocks are kept in memory, unpacked; when a block becomes irreversible, its record is
written in the batch with the state, unless every index has acknowledged it. Undone blocks are not kept: an index undoes
them from its own data. docs/decisions/0025-index-layer.md tells why that loses and doubles nothing.
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
"""Maximum size of the records on disk; the oldest are dropped."""

ANSWER_BYTES_MAX: Final = 4 << 20
"""Size of the records in one answer, which only the last record may exceed."""

NAMES_MAX: Final = 16

_PREFIX: Final = b"\x22"
_META: Final = _PREFIX + b"\x00"
_RECORDS: Final = _PREFIX + b"\x01"
_NUMBER: Final = Struct(">I")
NUMBER_MAX: Final = 0xFFFFFFFF
_FORMAT: Final = 1


class IndexLost(Exception):
    """The kept records cannot bring the index up to date; the text says what to do."""


class SourceBehind(Exception):
    """The index is ahead of this node, which does not have its irreversible blocks yet."""


class Outbox:
    """The records of one chain's blocks; `newest` holds those of blocks that are not committed, by number."""

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
        """The newest block acknowledged by each registered index."""
        self._floor = self._committed.number
        """Records of blocks up to this number have been dropped."""
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

    # Requests of indexes

    def register(self, name: str) -> Cursor:
        """Registers an index that will be filled up to the returned block; keeps records after that block for it."""
        self._check_room(name)
        start = self._committed
        self._keep(name, start.number)
        return start

    def unregister(self, name: str) -> None:
        """Stops keeping records for an index."""
        if self.acknowledged.pop(name, None) is None:
            return
        if self.acknowledged:
            self._write()
        else:
            self._backend.write(self._forget_all(), sync=True)

    def read(self, name: str, cursors: list[Cursor], *, is_final_only: bool = False) -> Answer:
        """The answer to an index with these cursors, oldest first, all of them written.

        Raises IndexLost for an index that must be rebuilt, SourceBehind for one that must wait.
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
        """Stores the registration and position of an index on disk."""
        if not self.acknowledged:
            self._floor = self._committed.number
        self.acknowledged[name] = number
        self._write()

    def _write(self) -> None:
        put = self._pack(self._floor, self._bytes, self.acknowledged, self._committed.number)
        self._backend.write([put], sync=True)

    @staticmethod
    def _pack(floor: int, size: int, acknowledged: Mapping[str, int], committed: int) -> Put:
        """Encodes the metadata. Acknowledgements end at the committed block: after a crash others may follow it."""
        names = tuple((name, min(number, committed)) for name, number in acknowledged.items())
        return _META, pack((_FORMAT, floor, size, names))

    def _forget_all(self) -> list[Put]:
        """Drops all records, when no index is registered."""
        self._bytes = 0
        return [(_META, None), *((key, None) for key, _data in self._backend.scan(_RECORDS, _key(NUMBER_MAX)))]

    # Following

    def undo(self, number: int) -> None:
        """Called after a block was undone: acknowledgements of it move back to its parent."""
        for name, acknowledged in self.acknowledged.items():
            self.acknowledged[name] = min(acknowledged, number - 1)

    def prepare(self, number: int) -> list[Put]:
        """Returns the puts for the commit of block `number`; `finish` follows the write.

        At least one index must be registered.
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
        """Called after the prepared puts were written."""
        self._floor, self._bytes, self.acknowledged = self._prepared


def _key(number: int) -> bytes:
    return _RECORDS + _NUMBER.pack(number)
