"""Tables of immutable rows with ordered indexes: declarations, and the table a consensus function works with.

In memory a table keeps the newest version of every row changed since the last commit, next to the version the
database has of it, and a bounded number of other rows as a cache. Every change is noted in the store's journal, from
which the store undoes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, Generic, NamedTuple, TypeVar

from state.engine.errors import CheckpointError, RowExists, RowMissing, SchemaError, StaleRow
from state.engine.fields import find_fields, speed_up
from state.engine.keys import TOP, encode_key
from state.engine.kv import Backend
from state.engine.overlay import KeyOverlay, OrderKey, compute_range
from state.engine.rows import RowCodec, RowT, Upgrade, pack, unpack

KeyT = TypeVar("KeyT")

ROW_SPACE: Final = b"\x01"
INDEX_SPACE: Final = b"\x02"
NUMBER_MAX: Final = 0xFFFF

PLACES_MAX: Final = 10_000
"""Rows whose place in the table is remembered by their key in an index."""

_MISS: Final[Any] = object()
_tuple_new: Final = tuple.__new__


@dataclass(frozen=True, slots=True)
class Index:
    """An ordered index: ``key`` gives a row's place, or None when the row is not in the index.

    Rows with equal keys follow each other by primary key. ``fields`` names the fields whose change can move a row;
    without it they are found from the function, and when that fails the key is computed at every update.
    """

    name: str
    key: Callable[[Any], tuple[Any, ...] | None]
    fields: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TableSpec(Generic[RowT, KeyT]):
    """Declares a table. ``number`` is frozen for ever; ``key`` may read only fields that never change.

    Raise ``version`` whenever the fields of the row change, and give ``upgrades[n]``, which turns the plain field
    values of version n into those of version n + 1.
    """

    name: str
    number: int
    row: type[RowT]
    key: Callable[[RowT], KeyT]
    indexes: tuple[Index, ...] = ()
    version: int = 1
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)


class RowChange(NamedTuple):
    """What one block did to one row; None stands for an absent row. Hashes are 0 for an absent row."""

    table: Table[Any, Any]
    key: Any
    old: Any
    new: Any
    stored_key: bytes
    stored_row: bytes | None
    old_hash: int
    new_hash: int


class Journal:
    """The changes since the oldest open checkpoint, as (table, key, row before); closed it refuses changes."""

    __slots__ = ("append", "entries")

    def __init__(self) -> None:
        self.entries: list[tuple[Table[Any, Any], Any, Any]] = []
        self.append: Callable[[tuple[Table[Any, Any], Any, Any]], None] = self._refuse

    def open(self) -> None:
        """Starts to accept changes."""
        self.append = self.entries.append

    def close(self) -> None:
        """Forgets all entries and refuses further changes."""
        self.entries.clear()
        self.append = self._refuse

    def _refuse(self, entry: tuple[Table[Any, Any], Any, Any]) -> None:
        raise CheckpointError(f"{entry[0].name}: a row can change only while a checkpoint is open")


class Cache:
    """Bounds the rows kept only for speed: two generations, the older of which is dropped when the newer is full.

    A generation is full with a third of the bound, but a commit may fill it at once up to two thirds; more is dropped.
    """

    __slots__ = ("count", "limit", "tables")

    def __init__(self, rows_max: int) -> None:
        self.limit = max(rows_max // 3, 1)
        self.count = 0
        self.tables: list[Table[Any, Any]] = []

    def trim(self) -> None:
        """Starts a new generation when the present one is full."""
        if self.count > self.limit:
            times = 1 if self.count <= 2 * self.limit else 2
            self.count = 0
            for table in self.tables:
                for _ in range(times):
                    table.age()


class _IndexState:
    """One index of one table: its overlay and its place in the database."""

    __slots__ = ("fields", "key", "knows_it_is_empty", "name", "overlay", "prefix", "table")

    def __init__(self, table: Table[Any, Any], number: int, index: Index, names: tuple[str, ...]) -> None:
        unknown = set(index.fields or ()) - set(names)
        if unknown:
            raise SchemaError(f"{table.name}.{index.name}: no such fields: {sorted(unknown)}")
        self.table = table
        self.name = index.name
        self.fields = find_fields(index.key, names) if index.fields is None else frozenset(index.fields)
        self.key = speed_up(index.key, names)
        self.overlay = KeyOverlay()
        self.prefix = INDEX_SPACE + table.number.to_bytes(2, "big") + bytes([number])
        self.knows_it_is_empty: bool | None = None
        """True: the database has no entry of this index. False: it may have some. None: that is looked up at need."""

    def place(self, row: Any, primary: OrderKey) -> OrderKey | None:
        """The row's full key in this index: the declared key, made unique by ending in the primary key."""
        if row is None:
            return None
        key: OrderKey | None = self.key(row)
        if key is None or key[-len(primary) :] == primary:
            return key
        return key + primary

    def scan(self, low: OrderKey, high: OrderKey, reverse: bool) -> Iterator[Any]:
        """Iterates over the primary keys of the index entries in the range."""
        prefix, overlay, table = self.prefix, self.overlay, self.table
        if self._is_stored_empty() and not overlay.added:
            return
        first = low if reverse else overlay.skip_gone(low, high)
        stored = map(self._read, table.backend.scan(prefix + encode_key(first), prefix + encode_key(high), reverse))
        for key, _ in overlay.merge(stored if reverse else overlay.live(stored, low, high), low, high, reverse):
            yield key[-1] if table.arity == 0 else key[-table.arity :]

    def _is_stored_empty(self) -> bool:
        """Whether the database has nothing of this index: every block looks for what is due in many empty tables."""
        is_empty = self.knows_it_is_empty
        if is_empty is None:
            entries = self.table.backend.scan(self.prefix + encode_key(()), self.prefix + encode_key((TOP,)))
            is_empty = self.knows_it_is_empty = next(entries, None) is None
        return is_empty

    def _read(self, item: tuple[bytes, bytes]) -> tuple[OrderKey, None]:
        values = unpack(item[1])
        self.table.arity = values[0]
        return values[1:], None


Moves = list[tuple[_IndexState, OrderKey | None, OrderKey | None]]
"""Indexes in which the place of one row changes, with the old and the new place."""


class IndexView(Generic[RowT]):
    """Reads the rows of a table in the order of one of its indexes."""

    __slots__ = ("_index", "_table")

    def __init__(self, table: Table[RowT, Any], index: _IndexState) -> None:
        self._table = table
        self._index = index

    def scan(
        self,
        prefix: tuple[Any, ...] = (),
        *,
        start: tuple[Any, ...] | None = None,
        stop: tuple[Any, ...] | None = None,
        reverse: bool = False,
    ) -> Iterator[RowT]:
        """Iterates over the rows whose key begins with ``prefix``.

        ``start`` and ``stop`` are whole keys (prefix included) or beginnings of keys: the scan starts with the first
        key that is, or begins with, ``start`` or lies behind it, and ends before the first key that is, begins with,
        or lies behind ``stop``; behind is below when ``reverse``. Raises ScanInvalidated when keys of this index are
        changed before the scan is over.
        """
        low, high = compute_range(prefix, start, stop, reverse)
        return map(self._table.get, self._index.scan(low, high, reverse))

    def scan_keys(self, prefix: tuple[Any, ...] = ()) -> Iterator[Any]:
        """Iterates over the primary keys of the rows whose key begins with ``prefix``, without reading the rows."""
        return self._index.scan(*compute_range(prefix, None, None, False), False)

    def first(self, prefix: tuple[Any, ...] = ()) -> RowT | None:
        """Returns the first row whose key begins with ``prefix``, or None."""
        return next(self.scan(prefix), None)

    def find(self, key: tuple[Any, ...]) -> RowT | None:
        """Returns the first row whose key is, or begins with, ``key``, or None."""
        return next(self.scan(key), None)


class UniqueView(Generic[RowT]):
    """Finds the only row with a key in an index, and remembers where it was.

    What is remembered is checked against the row, so it may be out of date: when the row is there and still has the
    key, it is the one.
    """

    __slots__ = ("_index", "_places", "_table")

    def __init__(self, table: Table[RowT, Any], index: _IndexState) -> None:
        self._table = table
        self._index = index
        self._places: dict[OrderKey, Any] = {}

    def find(self, key: OrderKey) -> RowT | None:
        """Returns the row whose key begins with ``key``, or None."""
        primary = self._places.get(key, _MISS)
        if primary is not _MISS:
            row = self._table.find(primary)
            if row is not None and self._index.key(row)[: len(key)] == key:
                return row
        found = next(self._index.scan(*compute_range(key, None, None, False), False), _MISS)
        if found is _MISS:
            return None
        if len(self._places) >= PLACES_MAX:
            self._places.clear()
        self._places[key] = found
        return self._table.get(found)


class Table(Generic[RowT, KeyT]):
    """Rows of one type by primary key, as of now: committed, in reversible blocks and in open checkpoints."""

    __slots__ = (
        "_aged_hashes",
        "_aged_rows",
        "_base",
        "_cache",
        "_hashes",
        "_ids_taken",
        "_indexes",
        "_is_strict",
        "_journal",
        "_key",
        "_next_id",
        "_positions",
        "_present",
        "_row_type",
        "_rows",
        "_uniques",
        "_views",
        "_watched",
        "arity",
        "backend",
        "codec",
        "name",
        "number",
        "prefix",
        "spec",
    )

    def __init__(
        self,
        spec: TableSpec[RowT, KeyT],
        backend: Backend,
        journal: Journal,
        cache: Cache,
        next_id: Callable[[int], int],
        ids_taken: Callable[[int], int],
        is_strict: bool,
    ) -> None:
        if not 0 <= spec.number <= NUMBER_MAX:
            raise SchemaError(f"{spec.name}: table number {spec.number} is not between 0 and {NUMBER_MAX}")
        self.spec = spec
        self.name = spec.name
        self.number = spec.number
        self.backend = backend
        self.codec: RowCodec[RowT] = RowCodec(spec.name, spec.row, spec.version, spec.upgrades)
        self.prefix = ROW_SPACE + spec.number.to_bytes(2, "big")
        self.arity = 0
        """How many components the primary key has; 0 when it is not a tuple. Known once a key has been seen."""
        names: tuple[str, ...] = getattr(spec.row, "_fields")  # noqa: B009 - NamedTuple classes have no common base
        self._row_type = spec.row
        self._positions = {name: position for position, name in enumerate(names)}
        self._key: Callable[[Any], Any] = speed_up(spec.key, names)
        self._journal = journal
        self._cache = cache
        self._next_id = next_id
        self._ids_taken = ids_taken
        self._is_strict = is_strict
        self._rows: dict[Any, Any] = {}
        """The newest version of every changed row, and recently read ones; None: known to be absent."""
        self._aged_rows: dict[Any, Any] = {}
        self._base: dict[Any, Any] = {}
        """The version in the database of every row that may differ from it."""
        self._hashes: dict[Any, int] = {}
        """Hashes of rows as of the newest sealed block, where known."""
        self._aged_hashes: dict[Any, int] = {}
        self._present = KeyOverlay()
        self._indexes = tuple(_IndexState(self, number, index, names) for number, index in enumerate(spec.indexes))
        self._views = {index.name: IndexView(self, index) for index in self._indexes}
        self._uniques = {index.name: UniqueView(self, index) for index in self._indexes}
        if len(self._views) != len(self._indexes):
            raise SchemaError(f"{spec.name}: two indexes have one name")
        self._watched = self._find_watched(names)

    def _find_watched(self, names: tuple[str, ...]) -> frozenset[str]:
        """Returns the fields whose change may move a row in an index or change its primary key."""
        watched: set[str] = set()
        for fields in (find_fields(self.spec.key, names), *(index.fields for index in self._indexes)):
            watched.update(names if fields is None else fields)
        return frozenset(watched)

    def __repr__(self) -> str:
        return f"<Table {self.name}>"

    # Reading

    def find(self, key: KeyT) -> RowT | None:
        """Returns the newest version of a row, or None."""
        row = self._rows.get(key, _MISS)
        if row is _MISS:
            row = self._load(key)
        return row  # type: ignore[no-any-return]

    def get(self, key: KeyT) -> RowT:
        """Returns the newest version of a row; raises RowMissing."""
        row = self._rows.get(key, _MISS)
        if row is _MISS:
            row = self._load(key)
        if row is None:
            raise RowMissing(f"{self.name}: no row with key {key!r}", key)
        return row  # type: ignore[no-any-return]

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
        for key, _ in present.merge(read if reverse else present.live(read, low, high), low, high, reverse):
            yield self.get(key if self.arity else key[0])  # type: ignore[arg-type]

    def _read(self, item: tuple[bytes, bytes]) -> tuple[OrderKey, None]:
        """Decodes a row met in a scan, keeps it in the cache and returns its key."""
        row = self.codec.decode(item[1])
        key = self._key(row)
        if key not in self._rows:
            if key not in self._aged_rows:
                self._remember(key, row)
            else:
                self._load(key)
        return self._spread(key), None

    def _spread(self, key: Any) -> OrderKey:
        """The primary key as a tuple."""
        if type(key) is tuple:
            self.arity = len(key)
            return key
        return (key,)

    def _stored_key(self, key: Any) -> bytes:
        return self.prefix + encode_key(key if type(key) is tuple else (key,))

    def _load(self, key: Any) -> Any:
        row = self._aged_rows.get(key, _MISS)
        if row is _MISS:
            data = self.backend.get(self._stored_key(key))
            row = None if data is None else self.codec.decode(data)
        self._remember(key, row)
        return row

    def _remember(self, key: Any, row: Any) -> None:
        self._rows[key] = row
        cache = self._cache
        cache.count += 1
        if cache.count > cache.limit:
            cache.trim()

    # Changing

    def insert(self, row: RowT) -> RowT:
        """Adds a row; raises RowExists."""
        if type(row) is not self._row_type:
            raise TypeError(f"{self.name} holds {self._row_type.__name__}, not {type(row).__name__}")
        key = self._key(row)
        if self.find(key) is not None:
            raise RowExists(f"{self.name}: a row with key {key!r} exists")
        moves = self._move(key, None, row)
        self._journal.append((self, key, None))
        if key not in self._base:
            self._base[key] = None
        self._apply_moves(moves, key, None, row)
        self._move_present(key, None, row)
        self._rows[key] = row
        return row

    def update(self, row: RowT, /, **changes: Any) -> RowT:
        """Replaces fields of a row and returns the new version; raises StaleRow, RowMissing, TypeError, SchemaError."""
        key = self._key(row)
        if self._rows.get(key, _MISS) is not row:
            row = self._match_newest(key, row)
        values = list(row)
        positions = self._positions
        try:
            for name, value in changes.items():
                values[positions[name]] = value
        except KeyError as error:
            raise TypeError(f"{self.name} has no field {error}") from None
        new: RowT = _tuple_new(self._row_type, values)
        base = self._base
        if self._watched.isdisjoint(changes):
            self._journal.append((self, key, row))
            if key not in base:
                base[key] = row
            if self._is_strict:
                self._check_unmoved(key, row, new)
        else:
            self._update_moved(key, row, new, changes)
        self._rows[key] = new
        return new

    def delete(self, row: RowT) -> None:
        """Removes a row; raises StaleRow, RowMissing."""
        key = self._key(row)
        if self._rows.get(key, _MISS) is not row:
            row = self._match_newest(key, row)
        self._journal.append((self, key, row))
        stored = self._base.setdefault(key, row)
        primary = self._spread(key)
        for index in self._indexes:
            place = index.place(row, primary)
            if place is not None:
                index.overlay.move(place, None, place if stored is row else index.place(stored, primary))
        self._move_present(key, row, None)
        self._rows[key] = None

    def next_id(self) -> int:
        """Takes the next object id of this table, counting from 0; an undone block gives its ids back."""
        return self._next_id(self.number)

    def count_ids(self) -> int:
        """How many object ids this table has given: the number of its rows where none is ever deleted."""
        return self._ids_taken(self.number)

    def _match_newest(self, key: Any, row: RowT) -> RowT:
        """Returns the newest version when it equals ``row``, as a row read before the cache let go of it does."""
        newest = self.get(key)
        if newest != row:
            raise StaleRow(f"{self.name}: {key!r} has changed since this version of the row was read")
        return newest

    def _update_moved(self, key: Any, row: RowT, new: RowT, changes: Mapping[str, Any]) -> None:
        """Notes an update that may move the row in an index."""
        if self._key(new) != key:
            raise SchemaError(f"{self.name}: the primary key {key!r} cannot change to {self._key(new)!r}")
        moves = self._move(key, row, new, changes)
        self._journal.append((self, key, row))
        if key not in self._base:
            self._base[key] = row
        self._apply_moves(moves, key, row, new)
        if self._is_strict:
            self._check_unmoved(key, row, new, changes)

    def _move(self, key: Any, old: Any, new: Any, changes: Mapping[str, Any] | None = None) -> Moves:
        """Computes which index keys change; with ``changes`` only indexes that depend on one of these fields."""
        moves: Moves = []
        if not self._indexes:
            return moves
        primary = self._spread(key)
        for index in self._indexes:
            if changes is not None and index.fields is not None and index.fields.isdisjoint(changes):
                continue
            old_place, new_place = index.place(old, primary), index.place(new, primary)
            if old_place != new_place:
                moves.append((index, old_place, new_place))
        return moves

    def _apply_moves(self, moves: Moves, key: Any, old: Any, new: Any) -> None:
        """Moves a row in its indexes; where the database has one of the two versions its place is known already."""
        if moves:
            primary = self._spread(key)
            base = self._base[key]
            for index, old_place, new_place in moves:
                if base is old:
                    stored = old_place
                else:
                    stored = new_place if base is new else index.place(base, primary)
                index.overlay.move(old_place, new_place, stored)

    def _settle_move(self, key: Any, old: Any, new: Any) -> None:
        """Moves a row in all indexes and in the set of present keys; its base must be known."""
        self._apply_moves(self._move(key, old, new), key, old, new)
        self._move_present(key, old, new)

    def _move_present(self, key: Any, old: Any, new: Any) -> None:
        if (old is None) != (new is None):
            primary = self._spread(key)
            self._present.move(
                None if old is None else primary,
                None if new is None else primary,
                None if self._base[key] is None else primary,
            )

    def _check_unmoved(self, key: Any, row: RowT, new: RowT, changes: Mapping[str, Any] | None = None) -> None:
        for index, _, _ in self._move(key, row, new):
            if changes is None or (index.fields is not None and index.fields.isdisjoint(changes)):
                raise SchemaError(f"{self.name}.{index.name}: its key depends on more fields than it declares")

    # For the store

    def restore(self, key: Any, old: Any) -> None:
        """Puts an earlier version of a row back, in the reverse order of the changes."""
        current = self._rows.get(key, _MISS)
        if current is _MISS:
            current = self._load(key)
        base = self._base
        if key not in base:
            base[key] = current
        self._settle_move(key, current, old)
        if base[key] is old:
            del base[key]
            self._cache.count += 1
        self._rows[key] = old

    def seal(self, olds: Mapping[Any, Any], changes: list[RowChange]) -> None:
        """Appends the changes of a block, whose touched rows were ``olds`` before, to ``changes``."""
        base, encode, prefix = self._base, self.codec.encode, self.prefix
        for key, old in olds.items():
            new = self.find(key)
            if new is old:
                if base.get(key, _MISS) is new:
                    del base[key]
                    self._cache.count += 1
                continue
            stored_key = prefix + encode_key(key if type(key) is tuple else (key,))
            stored_row = None if new is None else encode(new)
            if self._is_strict and stored_row is not None:
                self.codec.check(new, stored_row)  # type: ignore[arg-type]
            new_hash = 0 if stored_row is None else hash_row(stored_key, stored_row)
            old_hash = 0 if old is None else self._find_hash(key, old, stored_key)
            changes.append(RowChange(self, key, old, new, stored_key, stored_row, old_hash, new_hash))

    def _find_hash(self, key: Any, row: Any, stored_key: bytes) -> int:
        known = self._hashes.get(key)
        if known is None:
            known = self._aged_hashes.get(key)
        return hash_row(stored_key, self.codec.encode(row)) if known is None else known

    def set_hash(self, key: Any, value: int) -> None:
        """Keeps the hash of a row's version in the newest sealed block."""
        self._hashes[key] = value

    def prepare_commit(
        self, change: RowChange, deletes: list[tuple[bytes, bytes | None]], puts: list[tuple[bytes, bytes | None]]
    ) -> Moves:
        """Collects what the database needs to hold ``change.new`` instead of the version it has.

        Returns the moves in its indexes, for `finish_commit`.
        """
        stored = self._pin_stored(change.key)
        new = change.new
        if stored is None and new is None:
            return []
        if new is None:
            deletes.append((change.stored_key, None))
        else:
            puts.append((change.stored_key, change.stored_row))
        moves = self._move(change.key, stored, new)
        for index, old_place, new_place in moves:
            if old_place is not None:
                deletes.append((index.prefix + encode_key(old_place), None))
            if new_place is not None:
                index.knows_it_is_empty = False
                puts.append((index.prefix + encode_key(new_place), self.pack_place(new_place)))
        return moves

    def pack_place(self, place: OrderKey) -> bytes:
        """The value of an index entry: how many components the primary key has, then the key of the entry."""
        return pack((self.arity, *place))

    def finish_commit(self, key: Any, new: Any, moves: Moves) -> None:
        """Accounts for the database holding ``new`` from now on; ``moves`` are those that led there."""
        stored, current = self._base[key], self._rows[key]
        primary = self._spread(key)
        for index, old_place, new_place in moves:
            place = new_place if current is new else index.place(current, primary)
            index.overlay.rebase(place, old_place, new_place)
        if (stored is None) != (new is None):
            self._present.rebase(
                None if current is None else primary,
                None if stored is None else primary,
                None if new is None else primary,
            )
        if current is new:
            del self._base[key]
            self._cache.count += 1
        else:
            self._base[key] = new

    def _pin_stored(self, key: Any) -> Any:
        """Returns the version in the database and holds on to it until the commit is finished."""
        base = self._base
        if key not in base:
            row = self.find(key)
            base[key] = self._rows[key] = row
        return base[key]

    def age(self) -> None:
        """Drops the older generation of cached rows; changed rows stay."""
        rows, hashes, base = self._rows, self._hashes, self._base
        self._aged_rows, self._aged_hashes = rows, hashes
        self._rows = {key: rows[key] for key in base}
        self._hashes = {key: hashes[key] for key in base if key in hashes}
        for index in self._indexes:
            index.knows_it_is_empty = index.knows_it_is_empty or None

    def count_memory(self) -> tuple[int, int, int]:
        """Returns how many rows are changed, how many are cached, and how many index keys differ from the database."""
        overlays = [self._present, *(index.overlay for index in self._indexes)]
        cached = len(self._rows.keys() | self._aged_rows.keys()) - len(self._base)
        return len(self._base), cached, sum(len(overlay.added) + len(overlay.removed) for overlay in overlays)

    def compute_digest(self) -> int:
        """Sums the hashes of all rows from the database and the changed rows, using nothing that was cached."""
        changed = {self._stored_key(key): self._rows[key] for key in self._base}
        total = 0
        for stored_key, data in self.backend.scan(self.prefix, self.prefix + b"\xff"):
            if stored_key not in changed:
                total += hash_row(stored_key, data)
        for stored_key, row in changed.items():
            if row is not None:
                total += hash_row(stored_key, self.codec.encode(row))
        return total

    def place_all(self, row: RowT) -> Iterator[tuple[bytes, bytes]]:
        """Iterates over the index entries (key, value) the database needs for a row."""
        primary = self._spread(self._key(row))
        for index in self._indexes:
            place = index.place(row, primary)
            if place is not None:
                yield index.prefix + encode_key(place), self.pack_place(place)


def hash_row(stored_key: bytes, stored_row: bytes) -> int:
    """The contribution of one row to the state digest."""
    return int.from_bytes(blake2b(stored_key + stored_row, digest_size=32).digest(), "big")
