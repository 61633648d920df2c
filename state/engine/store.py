"""The state of the chain: tables over a backend, nested checkpoints, reversible blocks and atomic commits.

The backend holds irreversible state only. Changes of reversible blocks and open checkpoints are in memory; after a
restart the node applies these blocks again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from functools import cached_property
from itertools import islice
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

from protocol.steps import Steps, do_all
from state.engine import declare
from state.engine.cache_sizes import CACHE_ROWS
from state.engine.declare import TableSet, TableSpec, find_spec
from state.engine.errors import CheckpointError, SchemaError
from state.engine.kv import Backend, Put
from state.engine.meta import META_KEY, Head, Meta, check_meta, describe_tables, encode_meta, read_meta
from state.engine.progress import QUIET, Progress
from state.engine.rows import Row, RowT
from state.engine.table import Batch, Cache, CommittedRow, Journal, KeyT, RowChange, Table
from state.engine.upgrade import upgrade_tables

EXTRA_SPACE_MIN: Final = b"\x10"
"""The smallest first byte of keys that other modules may write with a commit."""
CHANGE_BYTES: Final = 500
"""Estimated memory of a changed row until its commit, besides texts: row, journal entry and index keys."""
_DIGEST_MODULUS: Final = 1 << 256
_tuple_new: Final = tuple.__new__


TablesT = TypeVar("TablesT", bound=TableSet)


@declare.table(0, key="table")
class Sequence(Row):
    """The next object id of a table."""

    table: int
    next_id: int


SEQUENCES: Final[TableSpec[Sequence]] = find_spec("sequences", Sequence)


class BlockDelta:
    """The changes of one sealed block; `held` estimates the bytes of all blocks so far up to this one."""

    def __init__(self, number: int, block_id: bytes, changes: tuple[RowChange, ...], held: int) -> None:
        self.number = number
        self.block_id = block_id
        self.changes = changes
        self.held = held

    @cached_property
    def digest_change(self) -> int:
        """The block's change of the sum of row hashes, computed at its first use."""
        return do_all(self.hash_changes())

    def hash_changes(self) -> Steps[int]:
        """Computes `digest_change` in steps of one changed row, because a block may change thousands."""
        total = 0
        for table, key, old, new in self.changes:
            total += table.hash_version(key, new) - table.hash_version(key, old)
            yield
        return total


class Session:
    """A checkpoint as a context manager: an exception rolls it back, success merges it into the enclosing one."""

    __slots__ = ("_depth", "_store")

    def __init__(self, store: Store[Any]) -> None:
        self._store = store
        self._depth = 0

    def __enter__(self) -> Self:
        self._depth = self._store.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            if self._store.depth != self._depth:
                raise CheckpointError(f"the session opened checkpoint {self._depth}, now {self._store.depth} are open")
            self._store.squash()
            return
        while self._store.depth >= self._depth:
            self._store.rollback()


class Store(Generic[TablesT]):
    """All tables of one chain.

    ``cache_rows`` is the maximum number of committed rows in the cache; ``is_strict`` checks at each sealed block that
    rows survive encoding (slow, for tests). The upgrade of an older database reports to ``progress``. Raises
    ForeignChain, StoreTooNew, NotAStore, StoreCorrupt.
    """

    def __init__(
        self,
        backend: Backend,
        tables_class: type[TablesT],
        *,
        chain_id: bytes = b"",
        cache_rows: int = CACHE_ROWS,
        is_strict: bool = False,
        progress: Progress = QUIET,
    ) -> None:
        self.backend = backend
        self._chain_id = chain_id
        self._is_strict = is_strict
        self._journal = Journal()
        self._cache = Cache(cache_rows)
        self._marks: list[int] = []
        self._sealed: deque[BlockDelta] = deque()
        self._held = 0
        """`held` of the last committed block."""
        specs = (SEQUENCES, *tables_class.SPECS)
        self._declared = describe_tables(specs)
        self._all: list[Table[Any, Any]] = [
            Table(spec, backend, self._journal, self._cache, self._take_id, self._count_ids) for spec in specs
        ]
        self._cache.tables = self._all
        self._sequences: Table[Sequence, int] = self._all[0]
        self.tables: TablesT = tables_class()
        for table in self._all[1:]:
            setattr(self.tables, table.name, table)
        self.committed = self._open(progress)
        """The block whose state is in the backend; None before the first commit."""

    def _open(self, progress: Progress) -> Head | None:
        meta = read_meta(self.backend)
        if meta is None:
            return None
        check_meta(meta, self._chain_id, self._declared)
        if meta.tables != self._declared:
            meta = upgrade_tables(self.backend, meta, self._all, self._declared, progress)
        return meta.head

    def close(self) -> None:
        """Closes the backend; reversible blocks and open checkpoints are lost."""
        self.backend.close()

    # Heads

    @property
    def head(self) -> BlockDelta | Head | None:
        """The newest sealed block, or the committed one when none is reversible."""
        return self._sealed[-1] if self._sealed else self.committed

    @property
    def reversible(self) -> tuple[BlockDelta, ...]:
        """The sealed blocks that can still be undone, oldest first."""
        return tuple(self._sealed)

    @property
    def digest(self) -> bytes:
        """The digest over all rows as of the newest sealed block (32 bytes)."""
        return self._compute_digest(self._sealed)

    def find_digest(self, number: int) -> bytes | None:
        """Returns the state digest as of a reversible or the committed block, else None."""
        if self.committed is not None and self.committed.number == number:
            return self.committed.digest
        if all(delta.number != number for delta in self._sealed):
            return None
        return self._compute_digest([delta for delta in self._sealed if delta.number <= number])

    def prepare_digest(self, number: int) -> Steps[None]:
        """Computes what `find_digest` of a reversible block needs, in steps."""
        for delta in self.reversible:
            if delta.number <= number and "digest_change" not in vars(delta):
                delta.digest_change = yield from delta.hash_changes()

    def _compute_digest(self, blocks: Iterable[BlockDelta]) -> bytes:
        """The digest after the first of the sealed blocks."""
        digest = sum((delta.digest_change for delta in blocks), self._committed_digest)
        return (digest % _DIGEST_MODULUS).to_bytes(32, "big")

    @property
    def _committed_digest(self) -> int:
        return 0 if self.committed is None else int.from_bytes(self.committed.digest, "big")

    def compute_digest_from_scratch(self) -> bytes:
        """Computes the digest over all rows as they are now, open checkpoints included; reads the whole database."""
        return (sum(table.compute_digest() for table in self._all) % _DIGEST_MODULUS).to_bytes(32, "big")

    # Checkpoints

    @property
    def depth(self) -> int:
        """How many checkpoints are open."""
        return len(self._marks)

    @property
    def pending_changes(self) -> int:
        """Number of changes in open checkpoints. The state is unchanged while this and the head are."""
        return len(self._journal.entries)

    def begin(self) -> int:
        """Opens a checkpoint inside the newest one and returns how many are open."""
        marks, journal = self._marks, self._journal
        if not marks:
            journal.open()
        marks.append(len(journal.entries))
        return len(marks)

    def rollback(self) -> None:
        """Undoes everything since the newest checkpoint was opened, and closes it; raises CheckpointError."""
        if not self._marks:
            raise CheckpointError("no checkpoint is open")
        mark = self._marks.pop()
        entries = self._journal.entries
        olds: dict[tuple[Table[Any, Any], Any], Any] = {}
        for table, key, old in islice(entries, mark, None):
            olds.setdefault((table, key), old)  # Only the first version: a row is restored once.
        del entries[mark:]
        for (table, key), old in reversed(olds.items()):
            table.restore(key, old)
        if not self._marks:
            self._journal.close()
        self._cache.trim()

    def squash(self) -> None:
        """Merges the newest checkpoint into the enclosing one; raises CheckpointError."""
        if len(self._marks) < 2:
            raise CheckpointError("there is no checkpoint to merge into")
        self._marks.pop()

    def find_sealed(self, table: Table[RowT, KeyT], key: KeyT) -> RowT | None:
        """Returns a row as before the oldest open checkpoint, or None; scans all changes since then."""
        for changed, changed_key, old in self._journal.entries:
            if changed is table and changed_key == key:
                return old  # type: ignore[no-any-return]
        return table.find(key)

    def list_changes(self, mark: int) -> tuple[int, list[RowChange]]:
        """Returns how many changes are pending, and the rows that changed since there were ``mark`` of them.

        Rows that changed back to their former version are left out.
        """
        entries = self._journal.entries
        olds: dict[tuple[Table[Any, Any], Any], Any] = {}
        for table, key, old in islice(entries, mark, None):
            olds.setdefault((table, key), old)
        changes = (RowChange(table, key, old, table.find(key)) for (table, key), old in olds.items())
        return len(entries), [change for change in changes if change.old is not change.new]

    def session(self) -> Session:
        """Returns a checkpoint for a ``with`` statement, which must be inside another checkpoint to succeed."""
        return Session(self)

    def _take_id(self, table: int) -> int:
        row = self._sequences.find(table)
        if row is None:
            self._sequences.insert(Sequence(table, 1))
            return 0
        self._sequences.update(row, next_id=row.next_id + 1)
        return row.next_id

    def _count_ids(self, table: int) -> int:
        row = self._sequences.find(table)
        return 0 if row is None else row.next_id

    # Blocks

    def count_held(self, number: int) -> int:
        """Estimates the bytes of memory that a commit of the blocks up to ``number`` would free."""
        before = self._held
        return next((delta.held - before for delta in reversed(self._sealed) if delta.number <= number), 0)

    def seal_block(self, number: int, block_id: bytes, size: int = 0) -> BlockDelta:
        """Seals the only open checkpoint as a reversible block; raises CheckpointError.

        ``size`` is the size of the block in bytes, which estimates the texts in its rows. A strict store raises
        SchemaError for a row that cannot be stored, and leaves the checkpoint open.
        """
        if len(self._marks) != 1:
            raise CheckpointError(f"a block is sealed with one checkpoint open, not {len(self._marks)}")
        head = self.head
        if head is not None and number <= head.number:
            raise CheckpointError(f"block {number} does not follow block {head.number}")
        touched: dict[Table[Any, Any], dict[Any, Any]] = {}
        for table, key, old in self._journal.entries:
            olds = touched.get(table)
            if olds is None:
                olds = touched[table] = {}
            if key not in olds:
                olds[key] = old
        changes: list[RowChange] = []
        for table, olds in touched.items():
            newest = table.newest
            for key, old in olds.items():
                new = newest(key)
                if new is old:
                    table.forget_change(key, old)
                    continue
                if self._is_strict and new is not None:
                    table.codec.check(new, table.codec.encode(new))
                changes.append(_tuple_new(RowChange, (table, key, old, new)))
        self._marks.pop()
        self._journal.close()
        self._cache.trim()
        held = self._sealed[-1].held if self._sealed else self._held
        delta = BlockDelta(number, block_id, tuple(changes), held + size + CHANGE_BYTES * len(changes))
        self._sealed.append(delta)
        return delta

    def undo_block(self) -> BlockDelta:
        """Undoes the newest sealed block and returns it; raises CheckpointError."""
        if self._marks:
            raise CheckpointError(f"a block is undone with no checkpoint open, not {len(self._marks)}")
        if not self._sealed:
            raise CheckpointError("no reversible block is left")
        delta = self._sealed.pop()
        for change in reversed(delta.changes):
            change.table.restore(change.key, change.old)
        self._cache.trim()
        return delta

    def commit(self, number: int, extra: Iterable[Put] = (), *, sync: bool = True) -> None:
        """Writes the state as of sealed block ``number`` and ``extra`` in one batch; these blocks become irreversible.

        ``extra`` are puts and deletes (value None) of other modules, with keys from EXTRA_SPACE_MIN on. If the write
        fails (StoreFull, StoreWriteFailed), the state in memory is unchanged and the call can be repeated.
        """
        blocks = [delta for delta in self._sealed if delta.number <= number]
        newest: dict[Table[Any, Any], dict[Any, Any]] = {}
        for delta in blocks:
            for table, key, _, new in delta.changes:
                news = newest.get(table)
                if news is None:
                    news = newest[table] = {}
                news[key] = new
        batch = Batch([], [])
        prepared: list[tuple[Table[Any, Any], list[CommittedRow]]] = []
        digest = self._committed_digest
        for table, news in newest.items():
            committed, difference = table.prepare_commit(news, batch)
            prepared.append((table, committed))
            digest += difference
        for key, value in extra:
            if key < EXTRA_SPACE_MIN:
                raise SchemaError(f"key {key.hex()} lies in the space of the store")
            batch.puts.append((key, value))
        head = self.committed
        if blocks:
            head = Head(blocks[-1].number, blocks[-1].block_id, (digest % _DIGEST_MODULUS).to_bytes(32, "big"))
            batch.puts.append((META_KEY, encode_meta(Meta(self._chain_id, head, self._declared))))
        self.backend.write(batch.deletes + batch.puts, sync)
        for table, committed in prepared:
            table.finish_commit(committed)
        for _ in blocks:
            self._held = self._sealed.popleft().held
        self.committed = head
        self._cache.trim()

    # Memory

    def count_memory(self) -> tuple[int, int, int]:
        """Returns how many rows are changed, how many are cached, and how many index keys differ from the backend."""
        counts = [table.count_memory() for table in self._all]
        return sum(c[0] for c in counts), sum(c[1] for c in counts), sum(c[2] for c in counts)
