"""An index in a key-value database, as a rule that of the state, where it is written in the same batch as the state.

The database holds what irreversible blocks put there. What newer blocks put is in memory, by block and all together, so
a change of branch only forgets it; reads see both.
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
"""Keys that are written or deleted together when an index is dropped or restored."""

Values = dict[bytes, bytes | None]
"""Keys with their new values; None: the key goes."""

CURSOR: Final = b"\x00"
"""What follows the prefix in the key of the cursor: it is the first key, so what is half dropped has none."""

_STORED: Final[Any] = object()
"""The value of a key that no block in memory has changed: what the database has."""


class StateIndex(Index):
    """An index whose keys begin with one byte, `prefix`. A new `layout` has it made again."""

    prefix: ClassVar[bytes]
    layout: ClassVar[int]

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._blocks: deque[tuple[Cursor, Values]] = deque()
        """The blocks that are not written yet, each with what it put."""
        self._values: Values = {}
        """The newest values of the keys that these blocks changed."""
        self._order: list[bytes] | None = None
        """These keys in their order, once somebody asked."""
        self._written = self.read_cursor(backend)
        self.load()

    # How far it is

    @classmethod
    def space(cls) -> tuple[bytes, bytes]:
        """Between which keys it lies."""
        return cls.prefix, bytes((cls.prefix[0] + 1,))

    @classmethod
    def read_cursor(cls, values: Reads) -> Cursor:
        """The last block of the index in a database; BEGINNING when there is no index, or one of another layout."""
        data = values.get(cls.prefix + CURSOR)
        if data is None:
            return BEGINNING
        layout, number, *more = unpack(data)
        # An index of an older program does not say the id: it lies beside a state, which knows it.
        block_id = more[0] if more and type(more[0]) is bytes else b""
        return Cursor(number, block_id) if layout == cls.layout else BEGINNING

    @property
    def cursors(self) -> list[Cursor]:
        """The last block that is written, and those behind it."""
        return [self._written, *(cursor for cursor, _puts in self._blocks)]

    @property
    def written(self) -> Cursor:
        """The last block that is in the database."""
        return self._written

    def load(self) -> None:
        """Reads what it keeps in memory, if anything, from the database."""

    # Following

    def apply(self, record: Record) -> None:
        """Takes in the block behind the newest one."""
        puts = self.index(record)
        self._blocks.append((Cursor(record.number, record.id), puts))
        self._values.update(puts)
        self._order = None

    @abstractmethod
    def index(self, record: Record) -> Values:
        """Returns what a block puts into the index, in a dictionary of its own."""

    def undo(self) -> None:
        """Gives the newest block back."""
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
        """Corrects what it keeps in memory, if anything, after keys got back their former values."""

    # Writing

    def prepare(self, number: int) -> list[Put]:
        """Returns the puts that make all blocks up to `number` part of the index; `finish` follows the write."""
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
        """Forgets what was written up to block `number`."""
        blocks = self._blocks
        while blocks and blocks[0][0].number <= number:
            self._written, _puts = blocks.popleft()
        self._join_blocks()

    def write(self, final: int) -> None:
        """Writes the blocks up to number `final`, for an index that does not lie beside a state."""
        self.backend.write(self.prepare(final), sync=True)
        self.finish(final)

    # The whole of it

    def drop(self) -> None:
        """Removes the whole index from the database."""
        self._blocks.clear()
        self._values.clear()
        self._order, self._written = None, BEGINNING
        while keys := [key for key, _value in islice(self.backend.scan(*self.space()), GROUP_PAIRS)]:
            self.backend.write([(key, None) for key in keys], sync=False)
        self.load()

    def save(self) -> Iterator[Pair]:
        """Gives what is in the database."""
        return self.backend.scan(*self.space())

    def restore(self, pairs: Iterable[Pair]) -> None:
        """Holds what was saved. Until all of it is there, the index has no cursor."""
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
