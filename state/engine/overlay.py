"""The difference between an index's current keys and its keys in the database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sortedcontainers import SortedSet

from state.engine.declare import OrderKey
from state.engine.errors import ScanInvalidated
from state.engine.keys import TOP

GONE_MIN = 16
"""Minimum number of consecutive removed keys for which a range of removed keys is kept."""
GONE_RANGES_MAX = 8
"""Maximum number of such ranges: enough for the places that are used in turn, such as the sides of a market."""


class KeyOverlay:
    """Keys added to and removed from an index since the last commit.

    The content depends only on each row's committed and newest version, so it becomes empty when rows return to their
    committed version. Added keys are sorted lazily, by the first scan.
    """

    __slots__ = ("_gone", "_sorted", "_unsorted", "added", "floor", "removed", "version")

    def __init__(self) -> None:
        self.added: set[OrderKey] = set()
        self.removed: set[OrderKey] = set()
        self.version = 0
        self.floor: OrderKey | None = None
        """Lower bound of all keys, in memory and in the database; () if there are no keys, None if unknown."""
        # Ranges [first, second) in which every key of the database is in `removed`.
        self._gone: list[tuple[OrderKey, OrderKey]] = []
        self._sorted: Any = None  # None until the first scan.
        # The difference of `added` and `_sorted`: at most the size of both together, however rare scans are.
        self._unsorted: set[OrderKey] = set()

    def move(self, old: OrderKey | None, new: OrderKey | None, stored: OrderKey | None) -> None:
        """Replaces a row's key; ``stored`` is the key the database has for this row. None means no key."""
        self.version += 1
        if old is not None:
            if old == stored:
                self.removed.add(old)
            elif old in self.added:
                self.added.discard(old)
                if self._sorted is not None:
                    self._unsorted ^= {old}
        if new is not None:
            floor = self.floor
            if floor is not None and (not floor or new < floor):
                self.floor = new
            if new == stored:
                self._keep(new)
            elif new not in self.added:
                self.added.add(new)
                if self._sorted is not None:
                    self._unsorted ^= {new}

    def _keep(self, stored: OrderKey) -> None:
        """Notes that a key of the database is a current key again."""
        self.removed.discard(stored)
        if self._gone:
            self._gone = [(first, end) for first, end in self._gone if not first <= stored < end]

    def rebase(self, current: OrderKey | None, old_stored: OrderKey | None, stored: OrderKey | None) -> None:
        """Accounts for the database's key of a row changing from ``old_stored`` to ``stored``."""
        if old_stored == stored:
            return
        if current == stored:
            self.version += 1
            if old_stored is not None:
                self.removed.discard(old_stored)
            if current is not None:
                if current in self.added:
                    self.added.discard(current)
                    if self._sorted is not None:
                        self._unsorted ^= {current}
                self._keep(current)
            return
        self.move(current, None, old_stored)
        if old_stored is not None:
            self.removed.discard(old_stored)
        if stored is not None:
            self.removed.add(stored)
        self.move(None, current, stored)

    def scan(self, low: OrderKey, high: OrderKey, reverse: bool) -> Iterator[OrderKey]:
        """Iterates over added keys with low <= key < high in order."""
        if self._sorted is None:
            self._sorted = SortedSet(self.added)
        for key in self._unsorted:
            if key in self.added:
                self._sorted.add(key)
            else:
                self._sorted.discard(key)
        self._unsorted.clear()
        if not self._sorted:
            return iter(())
        keys: Iterator[OrderKey] = self._sorted.irange(low, high, (True, False), reverse)
        return keys

    def skip_gone(self, low: OrderKey, high: OrderKey) -> OrderKey:
        """Returns the key at which a forward scan of the database from ``low`` may begin.

        Otherwise every scan until the next commit would read and skip removed rows at the front of a queue, such as
        expired ones.
        """
        for first, end in self._gone:
            if first <= low < end:
                return min(end, high)
        return low

    def live(self, stored: Iterator[OrderKey], low: OrderKey, high: OrderKey) -> Iterator[OrderKey]:
        """Iterates over ``stored``, a forward scan of the database, without the removed keys at its start."""
        removed = self.removed
        count = 0
        for key in stored:
            if key not in removed:
                self._note_gone(low, key, count)
                yield key
                yield from stored
                return
            count += 1
        self._note_gone(low, high, count)

    def _note_gone(self, low: OrderKey, end: OrderKey, count: int) -> None:
        for number, (first, last) in enumerate(self._gone):
            if first <= low <= last:
                if last < end:
                    self._gone[number] = (first, end)
                return
        if count >= GONE_MIN:
            self._gone = [*self._gone[1 - GONE_RANGES_MAX :], (low, end)]

    def merge(self, stored: Iterator[OrderKey], low: OrderKey, high: OrderKey, reverse: bool) -> Iterator[OrderKey]:
        """Merges the database's keys and the added ones in order.

        Raises ScanInvalidated when keys change between two steps: the result could depend on which rows are committed,
        which differs between nodes.
        """
        added = self.scan(low, high, reverse)
        removed = self.removed
        version = self.version
        waiting = next(added, None)
        for key in stored:
            if key in removed:
                continue
            while waiting is not None and (waiting > key if reverse else waiting < key):
                yield waiting
                self._check(version)
                waiting = next(added, None)
            if waiting == key:
                # A batch whose write failed may have reached the disk nevertheless.
                waiting = next(added, None)
            yield key
            self._check(version)
        while waiting is not None:
            yield waiting
            self._check(version)
            waiting = next(added, None)

    def _check(self, version: int) -> None:
        if self.version != version:
            raise ScanInvalidated("keys changed during a scan; take list(...) of the scan before changing rows")


def compute_range(
    prefix: OrderKey, start: OrderKey | None, stop: OrderKey | None, reverse: bool
) -> tuple[OrderKey, OrderKey]:
    """Returns (low, high) such that a scan yields the keys with low <= key < high.

    ``start`` includes and ``stop`` excludes every key that begins with it, in both directions.
    """
    low, high = prefix, (*prefix, TOP)
    if reverse:
        start, stop = (None if stop is None else (*stop, TOP)), (None if start is None else (*start, TOP))
    if start is not None and start > low:
        low = start
    if stop is not None and stop < high:
        high = stop
    return low, high
