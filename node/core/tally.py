"""Counters per key within a time window, for keys from untrusted sources."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

KEYS_MAX = 10_000
"""Maximum number of keys; those whose window began first are evicted."""

K = TypeVar("K", bound=Hashable)


class Tally(Generic[K]):
    """Counts occurrences per key; a key whose window is over starts again at 0."""

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._counts: OrderedDict[K, tuple[int, int]] = OrderedDict()
        """By key: start of its window and count since."""

    def count(self, key: K, now_ms: int) -> int:
        """Returns the count of a key in its window."""
        since_ms, count = self._counts.get(key, (now_ms, 0))
        return count if 0 <= now_ms - since_ms < self._window_ms else 0

    def add(self, key: K, now_ms: int) -> int:
        """Increments a key's counter; returns the count in its window."""
        count = self.count(key, now_ms)
        if count:
            self._counts[key] = (self._counts[key][0], count + 1)
            return count + 1
        self._counts.pop(key, None)
        self._counts[key] = (now_ms, 1)
        if len(self._counts) > KEYS_MAX:
            self._counts.popitem(last=False)
        return 1
