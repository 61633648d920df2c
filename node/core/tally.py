"""Counts within a window of time, for keys that come from outside."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

KEYS_MAX = 10_000
"""Keys that are counted at one time; of more, those whose window began first are forgotten."""

K = TypeVar("K", bound=Hashable)


class Tally(Generic[K]):
    """How often each key came since its window began; a key whose window is over begins again at none."""

    def __init__(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._counts: OrderedDict[K, tuple[int, int]] = OrderedDict()
        """By key: when its window began, and how often it has come since."""

    def count(self, key: K, now_ms: int) -> int:
        """How often a key has come in its window."""
        since_ms, count = self._counts.get(key, (now_ms, 0))
        return count if 0 <= now_ms - since_ms < self._window_ms else 0

    def add(self, key: K, now_ms: int) -> int:
        """Counts a key; returns how often it has come in its window."""
        count = self.count(key, now_ms)
        if count:
            self._counts[key] = (self._counts[key][0], count + 1)
            return count + 1
        self._counts.pop(key, None)
        self._counts[key] = (now_ms, 1)
        if len(self._counts) > KEYS_MAX:
            self._counts.popitem(last=False)
        return 1
