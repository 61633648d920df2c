"""Ordered key-value backends: the interface, and an implementation in memory for tests and simulation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, Protocol

from sortedcontainers import SortedDict, SortedList

from state.engine.errors import StoreError

Put = tuple[bytes, bytes | None]
"""A key and its new value; None deletes it."""

Batch = Iterable[Put]


class Reads(Protocol):
    """A source of values by key."""

    def get(self, key: bytes, /) -> bytes | None:
        """Returns the value, or None."""


class View(Protocol):
    """A snapshot of a backend; later writes are not visible.

    It is taken in the backend's thread, and may be read and closed in another one.
    """

    def get(self, key: bytes) -> bytes | None:
        """Returns the value, or None."""

    def scan(self, low: bytes, high: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Iterates over (key, value) with low <= key < high. Raises StoreError once the backend must close."""

    def measure(self, low: bytes, high: bytes) -> int:
        """Estimates the size of the data between two keys, in a unit of the backend; 0 if unknown."""

    def close(self) -> None:
        """Releases the snapshot; may be called twice."""


class Backend(Protocol):
    """An ordered map of bytes to bytes with atomic batches."""

    @property
    def read_problem(self) -> StoreError | None:
        """The error of the first read that failed for good; None if there was none."""

    def get(self, key: bytes) -> bytes | None:
        """Returns the value, or None."""

    def scan(self, low: bytes, high: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Iterates over (key, value) with low <= key < high (None: no end), as of the moment of the call."""

    def write(self, batch: Batch, sync: bool) -> None:
        """Applies all puts and deletes (value None) atomically; ``sync`` waits until they are on disk."""

    def snapshot(self) -> View:
        """Returns a view of the current content, which the caller must close."""

    def close(self) -> None:
        """Releases the backend; may be called twice."""


class MemoryView:
    """A copy of a map in memory."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def get(self, key: bytes) -> bytes | None:
        """Returns the value, or None."""
        value: bytes | None = self._values.get(key)
        return value

    def scan(self, low: bytes, high: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Iterates over (key, value) with low <= key < high."""
        for key in self._values.irange(low, high, (True, False)):
            yield key, self._values[key]

    def measure(self, low: bytes, high: bytes) -> int:
        """Counts the keys between two keys."""
        return int(self._values.bisect_left(high) - self._values.bisect_left(low))

    def close(self) -> None:
        """Releases the copy."""
        self._values = SortedDict()


class FrozenBackend:
    """A read-only backend over a view."""

    read_problem: StoreError | None = None

    def __init__(self, view: View) -> None:
        self._view = view

    def get(self, key: bytes) -> bytes | None:
        """Returns the value, or None."""
        return self._view.get(key)

    def scan(self, low: bytes, high: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Iterates over (key, value) with low <= key < high, forwards only."""
        assert high is not None and not reverse, "a view is read forwards, up to an end"
        return self._view.scan(low, high)

    def write(self, batch: Batch, sync: bool) -> None:
        """Raises StoreError."""
        raise StoreError("a view of the database cannot be changed")

    def snapshot(self) -> View:
        """Returns the view itself."""
        return self._view

    def close(self) -> None:
        """Closes the view."""
        self._view.close()


SPACE_BYTES: Final = 3
"""Length of the key prefix by which unsorted keys are grouped; a scan sorts only the groups it may touch."""


class MemoryBackend:
    """A backend in memory; ``crash`` loses what was written without sync, as a power failure would.

    Keys are sorted lazily, by the first scan of their range.
    """

    read_problem: StoreError | None = None

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}
        self._order: Any = SortedList()
        # The difference of `_values` and `_order`, by key prefix.
        self._unordered: defaultdict[bytes, set[bytes]] = defaultdict(set)
        self._unsynced: list[Put] = []

    def get(self, key: bytes) -> bytes | None:
        """Returns the value, or None."""
        return self._values.get(key)

    def scan(self, low: bytes, high: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Iterates over (key, value) with low <= key < high; what is written meanwhile may or may not show."""
        size, values = 8, self._values
        ends = (True, False)
        first, last = low[:SPACE_BYTES], None if high is None else high[:SPACE_BYTES]
        for space in tuple(self._unordered):
            if first <= space and (last is None or space <= last):
                keys = self._unordered.pop(space)
                present = keys & values.keys()
                self._order.update(present)
                for key in keys - present:
                    self._order.remove(key)
        while high is None or low < high:
            found = list(islice(self._order.irange(low, high, ends, reverse), size))
            for key in found:
                value = values.get(key)
                if value is not None:
                    yield key, value
            if len(found) < size:
                return
            size = min(size * 2, 1024)
            if reverse:
                high = found[-1]
            else:
                low, ends = found[-1], (False, False)

    def write(self, batch: Batch, sync: bool) -> None:
        """Applies the batch."""
        news = dict(batch)
        if sync:
            self._unsynced.clear()
        else:
            self._unsynced += [(key, self._values.get(key)) for key in news]
        self._put(news)

    def snapshot(self) -> MemoryView:
        """Returns a copy that shares keys and values."""
        return MemoryView(SortedDict(self._values))

    def crash(self) -> None:
        """Returns to the last synced state."""
        self.take_back(0)

    def take_back(self, kept: int) -> None:
        """Reverts all writes without sync except the first ``kept`` puts."""
        self._put(dict(reversed(self._unsynced[kept:])))
        del self._unsynced[kept:]

    def close(self) -> None:
        """Does nothing: the values remain for the next store that opens this backend."""

    def _put(self, news: dict[bytes, bytes | None]) -> None:
        values: Any = self._values
        moved: defaultdict[bytes, set[bytes]] = defaultdict(set)
        for key, value in news.items():
            if (key in values) == (value is None):
                moved[key[:SPACE_BYTES]].add(key)
        for space, keys in moved.items():
            self._unordered[space] ^= keys
        values.update(news)
        for key in [key for key, value in news.items() if value is None]:
            del values[key]
