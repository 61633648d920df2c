"""An index in a key-value database, usually that of the state, where it is written in the same batch as the state.

The database holds the entries of irreversible blocks. Entries of newer blocks are in memory, by block and merged, so a
reorg only drops them; reads see both.
"""

from __future__ import annotations

from abc import abstractmethod
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import chain, islice
from typing import Any, ClassVar, Final

from index.base import BEGINNING, Cursor, Index, Pair
from index.record import Record
from state.engine.kv import Backend, Put, Reads
from state.engine.rows import pack, unpack

GROUP_PAIRS: Final = 10_000
"""Number of keys per batch when an index is dropped or restored."""

Values = dict[bytes, bytes | None]
"""Keys with their new values; None deletes a key."""

CURSOR: Final = b"\x00"
"""Suffix of the cursor's key. It is the first key of the index, so a partly dropped index has no cursor."""

_STORED: Final[Any] = object()
"""Marks a key that no block in memory has changed, whose value is in the database."""


class StateIndex(Index):
    """An index whose keys begin with one byte, `prefix`. A new `layout` causes a rebuild."""

    prefix: ClassVar[bytes]
    layout: ClassVar[int]

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._blocks: deque[tuple[Cursor, Values]] = deque()
        """The blocks not written yet, each with its entries."""
        self._values: Values = {}
        """The newest values of the keys changed by these blocks."""
        self._order: list[bytes] | None = None
        """These keys in order; None until they are needed."""
        self._written = self.read_cursor(backend)
        self.load()

    # Position

    @classmethod
    def space(cls) -> tuple[bytes, bytes]:
        """The key range of the index."""
        return cls.prefix, bytes((cls.prefix[0] + 1,))

    @classmethod
    def read_cursor(cls, values: Reads) -> Cursor:
        """The last block of the index in a database; BEGINNING if it is absent or has another layout."""
        data = values.get(cls.prefix + CURSOR)
        if data is None:
            return BEGINNING
        layout, number, *more = unpack(data)
        # The cursor of an older program has no id; it is in a state database, which knows the id.
        block_id = more[0] if more and type(more[0]) is bytes else b""
        return Cursor(number, block_id) if layout == cls.layout else BEGINNING

    @property
    def cursors(self) -> list[Cursor]:
        """The last written block, and those after it."""
        return [self._written, *(cursor for cursor, _puts in self._blocks)]

    @property
    def written(self) -> Cursor:
        """The last block in the database."""
        return self._written

    def load(self) -> None:
        """Loads data kept in memory, if any, from the database."""

    # Following

    def apply(self, record: Record) -> None:
        """Applies the block after the newest one."""
        puts = self.index(record)
        self._blocks.append((Cursor(record.number, record.id), puts))
        self._values.update(puts)
        self._order = None

    @abstractmethod
    def index(self, record: Record) -> Values:
        """Returns the entries of a block, in a new dictionary."""

    def undo(self) -> None:
        """Undoes the newest block."""
        _cursor, puts = self._blocks.pop()
        self._join_blocks()
        if puts:
            self.reload(puts)

    def _join_blocks(self) -> None:
        self._values = {}
        for _cursor, puts in self._blocks:
            self._values.update(puts)
        self._order = None

    def reload(self, keys: Iterable[bytes]) -> None:
        """Updates data kept in memory, if any, after keys were restored to former values."""

    # Writing

    def prepare(self, number: int) -> list[Put]:
        """Returns the puts of all blocks up to `number`; `finish` follows the write."""
        written: Values = {}
        last = self._written
        for cursor, puts in self._blocks:
            if cursor.number > number:
                break
            written.update(puts)
            last = cursor
        written[self.prefix + CURSOR] = pack((self.layout, *last))
        return list(written.items())

    def finish(self, number: int) -> None:
        """Drops the blocks up to `number` from memory after they were written."""
        blocks = self._blocks
        while blocks and blocks[0][0].number <= number:
            self._written, _puts = blocks.popleft()
        self._join_blocks()

    def write(self, final: int) -> None:
        """Writes the blocks up to number `final`, for an index outside the state database."""
        self.backend.write(self.prepare(final), sync=True)
        self.finish(final)

    # The whole index

    def drop(self) -> None:
        """Removes the whole index from the database."""
        self._blocks.clear()
        self._values.clear()
        self._order, self._written = None, BEGINNING
        while keys := [key for key, _value in islice(self.backend.scan(*self.space()), GROUP_PAIRS)]:
            self.backend.write([(key, None) for key in keys], sync=False)
        self.load()

    def save(self) -> Iterator[Pair]:
        """Iterates over the content of the database."""
        return self.backend.scan(*self.space())

    def restore(self, pairs: Iterable[Pair]) -> None:
        """Restores saved content. The index has no cursor until this is complete."""
        self.drop()
        waiting = iter(pairs)
        cursor = next(waiting, None)
        while group := list(islice(waiting, GROUP_PAIRS)):
            self.backend.write(group, sync=False)
        if cursor is not None:
            self.backend.write([cursor], sync=True)
        self._written = self.read_cursor(self.backend)
        self.load()

    # Reading

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, or None."""
        value = self._values.get(key, _STORED)
        return self.backend.get(key) if value is _STORED else value

    def scan(self, low: bytes, high: bytes, *, reverse: bool = False) -> Iterator[Pair]:
        """Iterates over (key, value) with low <= key < high, as of now."""
        scan = self.backend.scan
        if not self._values:
            return scan(low, high, reverse)
        if self._order is None:
            self._order = sorted(self._values)
        keys = self._order[bisect_left(self._order, low) : bisect_left(self._order, high)]
        if not keys:
            return scan(low, high, reverse)
        first = keys[0]  # What is new comes last as a rule: all before it is only in the database.
        before = scan(low, first, reverse)
        if reverse:
            keys.reverse()
        changed = dict.fromkeys(keys)
        stored = (pair for pair in scan(first, high, reverse) if pair[0] not in changed)
        new = [(key, value) for key in keys if (value := self._values[key]) is not None]
        merged = merge(stored, new, reverse=reverse)
        return chain(merged, before) if reverse else chain(before, merged)
