"""Ordered indexes of a table: their keys, and views that read rows in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any, Final, Generic, Protocol, TypeVar

from state.engine.declare import OrderKey, TableSpec
from state.engine.keys import TOP, build_encoder, encode_key
from state.engine.kv import Backend
from state.engine.overlay import KeyOverlay, compute_range
from state.engine.rows import Row, RowT, pack, unpack

RowT_co = TypeVar("RowT_co", bound=Row, covariant=True)

INDEX_SPACE: Final = b"\x02"

PLACES_MAX: Final = 10_000
"""Size of the cache that maps keys of a unique index to primary keys."""

_MISS: Final[Any] = object()


class Reads(Protocol[RowT_co]):
    """A table, as an index sees it."""

    def find(self, key: Any, /) -> RowT_co | None:
        """Returns the newest version of a row, or None."""

    def get(self, key: Any, /) -> RowT_co:
        """Returns the newest version of a row; raises RowMissing."""


class IndexState:
    """One index of one table: its overlay and its place in the database."""

    __slots__ = ("backend", "cut", "encode_key", "fields", "knows_it_is_empty", "name", "overlay", "place", "prefix")

    def __init__(self, backend: Backend, spec: TableSpec[Any], number: int) -> None:
        index, primary = spec.indexes[number], spec.primary
        self.backend = backend
        self.name = index.name
        self.fields = index.fields
        self.place = index.build_place(primary)
        self.overlay = KeyOverlay()
        self.prefix = INDEX_SPACE + spec.number.to_bytes(2, "big") + bytes([number])
        types = spec.find_types(index.complete(primary))
        self.encode_key: Callable[[OrderKey], bytes]
        """Encodes an index key as a database key."""
        self.encode_key = (
            (lambda place: self.prefix + encode_key(place)) if types is None else build_encoder(self.prefix, types)
        )
        self.cut: Callable[[OrderKey], Any] = itemgetter(-1 if len(primary) == 1 else slice(-len(primary), None))
        """Extracts the primary key from a key of the index."""
        self.knows_it_is_empty: bool | None = None
        """True: the database has no entry of this index. False: it may have some. None: not looked up yet."""

    def scan(self, low: OrderKey, high: OrderKey, reverse: bool) -> Iterator[OrderKey]:
        """Iterates over the index entries in the range."""
        prefix, overlay = self.prefix, self.overlay
        if self._is_stored_empty() and not overlay.added:
            return iter(())
        first = low if reverse else overlay.skip_gone(low, high)
        stored = map(_read, self.backend.scan(prefix + encode_key(first), prefix + encode_key(high), reverse))
        return overlay.merge(stored if reverse else overlay.live(stored, low, high), low, high, reverse)

    def holds(self, place: OrderKey) -> bool:
        """Whether the index contains this key."""
        overlay = self.overlay
        if place in overlay.added:
            return True
        return place not in overlay.removed and self.backend.get(self.encode_key(place)) is not None

    def encode(self, place: OrderKey) -> tuple[bytes, bytes]:
        """The database entry (key, value) of an index key."""
        return self.encode_key(place), pack(place)

    def _is_stored_empty(self) -> bool:
        """Whether the database has no entry of this index; cached, because every block scans many empty indexes."""
        is_empty = self.knows_it_is_empty
        if is_empty is None:
            entries = self.backend.scan(self.prefix + encode_key(()), self.prefix + encode_key((TOP,)))
            is_empty = self.knows_it_is_empty = next(entries, None) is None
        return is_empty


def _read(item: tuple[bytes, bytes]) -> OrderKey:
    place: OrderKey = unpack(item[1])
    return place


class IndexView(Generic[RowT]):
    """Reads the rows of a table in the order of one of its indexes."""

    __slots__ = ("_index", "_table")

    def __init__(self, table: Reads[RowT], index: IndexState) -> None:
        self._table = table
        self._index = index

    def has_due(self, *stop: Any) -> bool:
        """Whether there is a row before ``stop`` in the index: ``scan(stop=stop)`` would yield one.

        Takes one comparison while ``stop`` is not beyond the first key found by the last lookup.
        """
        overlay = self._index.overlay
        floor = overlay.floor
        if floor is None or (floor and floor < stop):
            floor = overlay.floor = next(self._index.scan((), (TOP,), False), ())
        return bool(floor) and floor < stop

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
        return map(self._table.get, map(self._index.cut, self._index.scan(low, high, reverse)))

    def scan_keys(self, prefix: tuple[Any, ...] = ()) -> Iterator[Any]:
        """Iterates over the primary keys of the rows whose key begins with ``prefix``, without reading the rows."""
        return map(self._index.cut, self._index.scan(*compute_range(prefix, None, None, False), False))

    def first(self, prefix: tuple[Any, ...] = ()) -> RowT | None:
        """Returns the first row whose key begins with ``prefix``, or None."""
        return next(self.scan(prefix), None)

    def find(self, key: tuple[Any, ...]) -> RowT | None:
        """Returns the first row whose key is, or begins with, ``key``, or None."""
        return next(self.scan(key), None)


class UniqueView(Generic[RowT]):
    """Finds the only row with a key in an index, with a cache of primary keys.

    A cached primary key may be stale, so it is checked: if its row exists and still has the key, it is the row.
    """

    __slots__ = ("_index", "_places", "_table")

    def __init__(self, table: Reads[RowT], index: IndexState) -> None:
        self._table = table
        self._index = index
        self._places: dict[OrderKey, Any] = {}

    def find(self, key: OrderKey) -> RowT | None:
        """Returns the row whose key begins with ``key``, or None."""
        primary = self._places.get(key, _MISS)
        if primary is not _MISS:
            row = self._table.find(primary)
            if row is not None and (self._index.place(row) or ())[: len(key)] == key:
                return row
        place = next(self._index.scan(*compute_range(key, None, None, False), False), None)
        if place is None:
            return None
        found = self._index.cut(place)
        if len(self._places) >= PLACES_MAX:
            self._places.clear()
        self._places[key] = found
        return self._table.get(found)
