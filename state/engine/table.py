"""Tables for consensus code: immutable rows by primary key, with ordered indexes.

A table keeps in memory the newest and the committed version of every row changed since the last commit, and a bounded
cache of other rows. Every change is recorded in the store's journal for undo. Rows are encoded and hashed at a commit,
or when a digest is requested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from operator import attrgetter
from typing import Any, Final, Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from state.engine.declare import OrderKey, TableSpec
from state.engine.errors import CheckpointError, RowExists, RowMissing, SchemaError, StaleRow
from state.engine.index import IndexState, IndexView, UniqueView
from state.engine.keys import build_encoder, encode_key
from state.engine.kv import Backend, Put
from state.engine.overlay import KeyOverlay, compute_range
from state.engine.rows import RowCodec, RowT, pack

KeyT = TypeVar("KeyT")

ROW_SPACE: Final = b"\x01"

_MISS: Final[Any] = object()


class RowChange(NamedTuple):
    """What one block did to one row; None stands for an absent row."""

    table: Table[Any, Any]
    key: Any
    old: Any
    new: Any


class Journal:
    """The changes since the oldest open checkpoint, as (table, key, row before); closed it refuses changes."""

    __slots__ = ("append", "entries")

    def __init__(self) -> None:
        self.entries: list[tuple[Table[Any, Any], Any, Any]] = []
        self.append: Callable[[tuple[Table[Any, Any], Any, Any]], None] = self._refuse

    def open(self) -> None:
        """Starts accepting changes."""
        self.append = self.entries.append

    def close(self) -> None:
        """Drops all entries and refuses further changes."""
        self.entries.clear()
        self.append = self._refuse

    def _refuse(self, entry: tuple[Table[Any, Any], Any, Any]) -> None:
        raise CheckpointError(f"{entry[0].name}: a row can change only while a checkpoint is open")


class Cache:
    """Bounds the cached rows: two generations, of which the older is dropped when the newer is full.

    A generation is full at a third of the bound; a commit may fill it to two thirds, and drops the rest.
    """

    __slots__ = ("count", "limit", "tables")

    def __init__(self, rows_max: int) -> None:
        self.limit = max(rows_max // 3, 1)
        self.count = 0
        self.tables: list[Table[Any, Any]] = []

    def trim(self) -> None:
        """Starts a new generation if the current one is full."""
        if self.count > self.limit:
            times = 1 if self.count <= 2 * self.limit else 2
            self.count = 0
            for table in self.tables:
                for _ in range(times):
                    table.age()


Moves = list[tuple[IndexState, OrderKey | None, OrderKey | None]]
"""Indexes in which the key of one row changes, with the old and the new key."""


class Batch(NamedTuple):
    """The batch of a commit: deletes come first, because an index key may pass from one row to another."""

    deletes: list[Put]
    puts: list[Put]


Stored = tuple[bytes, int]
"""The key of a row in the database, and the hash of the version there."""

CommittedRow = tuple[Any, Any, Stored | None, Moves]
"""A row written by a commit: key, version, its stored form (None: deleted), and the moves in its indexes."""


class Rows(dict[Any, Any]):
    """The newest versions of rows by key; missing ones are read from the database on access."""

    __slots__ = ("_find", "_name")

    def __init__(self, name: str, find: Callable[[Any], Any]) -> None:
        super().__init__()
        self._name = name
        self._find = find

    def __missing__(self, key: Any) -> Any:
        row = self._find(key)
        if row is None:
            raise RowMissing(f"{self._name}: no row with key {key!r}", key)
        return row


class Table(Generic[RowT, KeyT]):
    """Rows of one type by primary key, as of now: committed, in reversible blocks and in open checkpoints."""

    __slots__ = (
        "_absent",
        "_aged_rows",
        "_aged_stored",
        "_base",
        "_cache",
        "_ids_taken",
        "_indexes",
        "_is_plain",
        "_journal",
        "_next_id",
        "_present",
        "_read_watched",
        "_row_type",
        "_rows",
        "_stored",
        "_stored_key",
        "_uniques",
        "_views",
        "_watched",
        "backend",
        "codec",
        "get",
        "key_of",
        "name",
        "newest",
        "number",
        "prefix",
        "spec",
    )

    def __init__(
        self,
        spec: TableSpec[RowT],
        backend: Backend,
        journal: Journal,
        cache: Cache,
        next_id: Callable[[int], int],
        ids_taken: Callable[[int], int],
    ) -> None:
        self.spec = spec
        self.name = spec.name
        self.number = spec.number
        self.backend = backend
        self.codec: RowCodec[RowT] = RowCodec(spec.name, spec.row, spec.version, spec.upgrades)
        self.prefix = ROW_SPACE + spec.number.to_bytes(2, "big")
        self._row_type = spec.row
        self._is_plain = isinstance(spec.key, str)
        """Whether the primary key is a single value instead of a tuple."""
        self.key_of: Callable[[Any], Any] = attrgetter(*spec.primary)
        if not self._is_plain and len(spec.primary) == 1:
            raise SchemaError(f"{spec.name}: a key of one field is written as its name")
        types = spec.find_types(spec.primary)
        assert types is not None, "a primary key is made of fields"
        self._stored_key = build_encoder(self.prefix, types, self._is_plain)
        """Encodes a primary key as a database key."""
        self._watched = spec.watched
        self._read_watched: Callable[[Any], Any] = attrgetter(*sorted(spec.watched))
        self._journal = journal
        self._cache = cache
        self._next_id = next_id
        self._ids_taken = ids_taken
        self._rows = Rows(spec.name, self.find)
        """The newest version of every changed row that exists, and the cache of recently read rows."""
        self._absent: set[Any] = set()
        """Keys of rows that were deleted, or that are known to be absent."""
        self.get: Callable[[KeyT], RowT] = self._rows.__getitem__
        """Returns the newest version of a row; raises RowMissing."""
        self.newest: Callable[[KeyT], RowT | None] = self._rows.get
        """Returns the newest version of a row that has changed since the last commit, or None."""
        self._aged_rows: dict[Any, Any] = {}
        self._base: dict[Any, Any] = {}
        """The version in the database of every row that may differ from it."""
        self._stored: dict[Any, Stored] = {}
        """The stored form of rows in the database, where known."""
        self._aged_stored: dict[Any, Stored] = {}
        self._present = KeyOverlay()
        self._indexes = tuple(IndexState(backend, spec, number) for number in range(len(spec.indexes)))
        self._views = {index.name: IndexView(self, index) for index in self._indexes}
        self._uniques = {index.name: UniqueView(self, index) for index in self._indexes}

    def __repr__(self) -> str:
        return f"<Table {self.name}>"

    # Reading

    def find(self, key: KeyT) -> RowT | None:
        """Returns the newest version of a row, or None."""
        row: RowT | None = self._rows.get(key)
        if row is None and key not in self._absent:
            row = self._load(key)
        return row

    def index(self, name: str) -> IndexView[RowT]:
        """Returns the view of an index; raises SchemaError for an unknown name."""
        view = self._views.get(name)
        if view is None:
            raise SchemaError(f"{self.name} has no index {name}; it has {sorted(self._views)}")
        return view

    def unique(self, name: str) -> UniqueView[RowT]:
        """Returns the view of an index in which no two rows share the key that is looked for; raises KeyError."""
        return self._uniques[name]

    def scan(
        self,
        prefix: tuple[Any, ...] = (),
        *,
        start: tuple[Any, ...] | None = None,
        stop: tuple[Any, ...] | None = None,
        reverse: bool = False,
    ) -> Iterator[RowT]:
        """Iterates over rows by primary key; a key that is not a tuple counts as a tuple of one. See IndexView.scan."""
        low, high = compute_range(prefix, start, stop, reverse)
        present = self._present
        first = low if reverse else present.skip_gone(low, high)
        read = map(
            self._read, self.backend.scan(self.prefix + encode_key(first), self.prefix + encode_key(high), reverse)
        )
        for key in present.merge(read if reverse else present.live(read, low, high), low, high, reverse):
            yield self.get(key[0] if self._is_plain else key)  # type: ignore[arg-type]

    def _read(self, item: tuple[bytes, bytes]) -> OrderKey:
        """Decodes a row read by a scan, caches it and returns its key."""
        row = self.codec.decode(item[1])
        key = self.key_of(row)
        if key not in self._rows and key not in self._absent:
            if key not in self._aged_rows:
                self._remember(key, row)
            else:
                self._load(key)
        return (key,) if self._is_plain else key

    def _load(self, key: Any) -> Any:
        row = self._aged_rows.get(key)
        if row is None:
            data = self.backend.get(self._stored_key(key))
            row = None if data is None else self.codec.decode(data)
        self._remember(key, row)
        return row

    def _remember(self, key: Any, row: Any) -> None:
        self._hold(key, row)
        cache = self._cache
        cache.count += 1
        if cache.count > cache.limit:
            cache.trim()

    def _hold(self, key: Any, row: Any) -> None:
        """Sets the newest version of a row; None for an absent one."""
        if row is None:
            self._rows.pop(key, None)
            self._absent.add(key)
        else:
            self._rows[key] = row
            self._absent.discard(key)

    # Changing

    def insert(self, row: RowT) -> RowT:
        """Adds a row; raises RowExists."""
        if type(row) is not self._row_type:
            raise TypeError(f"{self.name} holds {self._row_type.__name__}, not {type(row).__name__}")
        key = self.key_of(row)
        if self.find(key) is not None:
            raise RowExists(f"{self.name}: a row with key {key!r} exists")
        self._journal.append((self, key, None))
        stored = self._base.setdefault(key, None)
        for index in self._indexes:
            place = index.place(row)
            if place is not None:
                index.overlay.move(None, place, None if stored is None else index.place(stored))
        self._move_present(key, None, row)
        self._rows[key] = row
        self._absent.discard(key)
        return row

    def update(self, row: RowT, /, **changes: Any) -> RowT:
        """Replaces fields of a row and returns the new version; raises StaleRow, RowMissing, TypeError, SchemaError."""
        key = self.key_of(row)
        if self._rows.get(key) is not row:
            row = self._match_newest(key, row)
        new = replace(row, **changes)
        is_watched = not self._watched.isdisjoint(changes)
        if is_watched and self.key_of(new) != key:
            raise SchemaError(f"{self.name}: the primary key {key!r} cannot change to {self.key_of(new)!r}")
        self._journal.append((self, key, row))
        self._base.setdefault(key, row)
        if is_watched:
            self._apply_moves(self._find_moves(row, new, changes), key, row, new)
        self._rows[key] = new
        return new

    def delete(self, row: RowT) -> None:
        """Removes a row; raises StaleRow, RowMissing."""
        key = self.key_of(row)
        if self._rows.get(key) is not row:
            row = self._match_newest(key, row)
        self._journal.append((self, key, row))
        stored = self._base.setdefault(key, row)
        for index in self._indexes:
            place = index.place(row)
            if place is not None:
                known = place if stored is row else None if stored is None else index.place(stored)
                index.overlay.move(place, None, known)
        self._move_present(key, row, None)
        self._hold(key, None)

    def next_id(self) -> int:
        """Takes the next object id of this table, counting from 0; undoing a block releases its ids."""
        return self._next_id(self.number)

    def count_ids(self) -> int:
        """Number of object ids given out; equal to the number of rows in tables without deletions."""
        return self._ids_taken(self.number)

    def _match_newest(self, key: Any, row: RowT) -> RowT:
        """Returns the newest version if it equals ``row``, which may have been read before the cache dropped it."""
        newest = self.get(key)
        if newest != row:
            raise StaleRow(f"{self.name}: {key!r} has changed since this version of the row was read")
        return newest

    def _find_moves(self, old: Any, new: Any, changes: Mapping[str, Any] | None = None) -> Moves:
        """Finds the indexes in which the row's key changes; ``changes`` limits them to indexes over these fields."""
        moves: Moves = []
        for index in self._indexes:
            if changes is not None and index.fields.isdisjoint(changes):
                continue
            old_place = None if old is None else index.place(old)
            new_place = None if new is None else index.place(new)
            if old_place != new_place:
                moves.append((index, old_place, new_place))
        return moves

    def _apply_moves(self, moves: Moves, key: Any, old: Any, new: Any) -> None:
        """Moves a row in its indexes; the stored key is known if the database has one of the two versions."""
        base = self._base[key]
        for index, old_place, new_place in moves:
            if base is old:
                stored = old_place
            elif base is new:
                stored = new_place
            else:
                stored = None if base is None else index.place(base)
            index.overlay.move(old_place, new_place, stored)

    def _settle_move(self, key: Any, old: Any, new: Any) -> None:
        """Moves a row in all indexes and in the set of existing keys; its committed version must be known."""
        if self._indexes:
            self._apply_moves(self._find_moves(old, new), key, old, new)
        if (old is None) != (new is None):
            self._move_present(key, old, new)

    def _move_present(self, key: Any, old: Any, new: Any) -> None:
        primary = (key,) if self._is_plain else key
        self._present.move(
            None if old is None else primary,
            None if new is None else primary,
            None if self._base[key] is None else primary,
        )

    # For the store

    def restore(self, key: Any, old: Any) -> None:
        """Puts an earlier version of a row back, in the reverse order of the changes."""
        current = self.find(key)
        base = self._base
        if key not in base:
            base[key] = current
        self._settle_move(key, current, old)
        self.forget_change(key, old)
        self._hold(key, old)

    def forget_change(self, key: Any, row: Any) -> None:
        """Notes that a row is as before a block again, and may equal the committed version."""
        if self._base.get(key, _MISS) is row:
            del self._base[key]
            self._cache.count += 1

    def prepare_commit(self, news: Mapping[Any, Any], batch: Batch) -> tuple[list[CommittedRow], int]:
        """Adds to ``batch`` the writes that replace committed versions with the versions ``news`` (by key).

        Returns the input of `finish_commit`, and the change of the sum of row hashes.
        """
        committed: list[CommittedRow] = []
        deletes, puts, encode, base = batch.deletes, batch.puts, self.codec.encode, self._base
        difference = 0
        for key, new in news.items():
            old = base.get(key, _MISS)
            if old is _MISS:
                old = self._pin_stored(key)
            stored: Stored | None = None
            if old is not None:
                stored = self._stored.get(key) or self._aged_stored.get(key) or self._hash_stored(key, old)
                difference -= stored[1]
            elif new is None:
                committed.append((key, None, None, []))
                continue
            stored_key = self._stored_key(key) if stored is None else stored[0]
            if new is None:
                deletes.append((stored_key, None))
                committed.append((key, None, None, self._collect_moves(old, None, batch)))
                continue
            data = encode(new)
            puts.append((stored_key, data))
            new_hash = hash_row(stored_key, data)
            difference += new_hash
            moves: Moves = []
            if self._indexes and (old is None or self._read_watched(old) != self._read_watched(new)):
                moves = self._collect_moves(old, new, batch)
            committed.append((key, new, (stored_key, new_hash), moves))
        return committed, difference

    def _collect_moves(self, old: Any, new: Any, batch: Batch) -> Moves:
        """Adds the changes of a row's index entries to the batch."""
        moves = self._find_moves(old, new)
        for index, old_place, new_place in moves:
            if old_place is not None:
                batch.deletes.append((index.encode_key(old_place), None))
            if new_place is not None:
                index.knows_it_is_empty = False
                batch.puts.append((index.encode_key(new_place), pack(new_place)))
        return moves

    def finish_commit(self, committed: list[CommittedRow]) -> None:
        """Makes the versions collected by `prepare_commit` the committed ones, after the batch was written."""
        bases, newest, known = self._base, self.newest, self._stored
        for key, new, stored, moves in committed:
            old, current = bases[key], newest(key)
            for index, old_place, new_place in moves:
                place = new_place if current is new else None if current is None else index.place(current)
                index.overlay.rebase(place, old_place, new_place)
            if (old is None) != (new is None):
                primary = (key,) if self._is_plain else key
                self._present.rebase(
                    None if current is None else primary,
                    None if old is None else primary,
                    None if new is None else primary,
                )
            if current is new:
                del bases[key]
                self._cache.count += 1
            else:
                bases[key] = new
            if stored is not None:
                known[key] = stored
            else:
                known.pop(key, None)
                self._aged_stored.pop(key, None)

    def _pin_stored(self, key: Any) -> Any:
        """Reads the committed version and keeps it in memory until the commit is finished."""
        row = self._base[key] = self.find(key)
        self._hold(key, row)
        return row

    def _hash_stored(self, key: Any, row: Any) -> Stored:
        """The stored form of the committed version."""
        stored_key = self._stored_key(key)
        return stored_key, hash_row(stored_key, self.codec.encode(row))

    def hash_version(self, key: Any, row: Any) -> int:
        """The contribution of a version of a row to the state digest; 0 for an absent one."""
        return 0 if row is None else self._hash_stored(key, row)[1]

    def age(self) -> None:
        """Drops the older generation of cached rows; changed rows stay."""
        rows, stored, base = self._rows, self._stored, self._base
        self._aged_rows, self._aged_stored = dict(rows), stored
        changed = {key: rows[key] for key in base if key in rows}
        rows.clear()
        rows.update(changed)
        self._absent.intersection_update(base)
        self._stored = {key: stored[key] for key in base if key in stored}
        for index in self._indexes:
            index.knows_it_is_empty = index.knows_it_is_empty or None

    def count_memory(self) -> tuple[int, int, int]:
        """Returns how many rows are changed, how many are cached, and how many index keys differ from the database."""
        overlays = [self._present, *(index.overlay for index in self._indexes)]
        cached = len(self._rows.keys() | self._absent | self._aged_rows.keys()) - len(self._base)
        return len(self._base), cached, sum(len(overlay.added) + len(overlay.removed) for overlay in overlays)

    def compute_digest(self) -> int:
        """Sums the hashes of all committed and changed rows, without use of caches."""
        changed = {self._stored_key(key): self._rows.get(key) for key in self._base}
        total = 0
        for stored_key, data in self.backend.scan(self.prefix, self.prefix + b"\xff"):
            if stored_key not in changed:
                total += hash_row(stored_key, data)
        for stored_key, row in changed.items():
            if row is not None:
                total += hash_row(stored_key, self.codec.encode(row))
        return total

    def find_broken_index(self, old: RowT | None, new: RowT | None) -> str:
        """Returns the name of an index that is inconsistent with a change of a row, or ""."""
        for index, old_place, new_place in self._find_moves(old, new):
            if (new_place is not None and not index.holds(new_place)) or (
                old_place is not None and index.holds(old_place)
            ):
                return index.name
        return ""

    def place_all(self, row: RowT) -> Iterator[tuple[bytes, bytes]]:
        """Iterates over the index entries (key, value) the database needs for a row."""
        for index in self._indexes:
            place = index.place(row)
            if place is not None:
                yield index.encode(place)


def hash_row(stored_key: bytes, stored_row: bytes) -> int:
    """The contribution of one row to the state digest."""
    return int.from_bytes(blake2b(stored_key + stored_row, digest_size=32).digest(), "big")
