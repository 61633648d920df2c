"""Memory management of the process: garbage collection, and returning free memory to the system."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable

NEW_OBJECTS_MAX = 10_000
"""Maximum number of new objects per collection, which takes a few milliseconds; requests may create a hundred thousand
between two blocks."""

GC_THRESHOLDS = (NEW_OBJECTS_MAX // 5, 3, 100_000)
"""Thresholds of the three generations. A full collection runs only after days, since it takes seconds with many objects
and finds hardly any cycle."""

RETURN_SECONDS = 30.0
"""Interval of returning free memory to the system, which the C library would keep because of fragmentation."""

LARGE_BYTES = 256 << 10
"""Allocations from this size on are returned to the system when freed. By default glibc raises this threshold with each
such allocation, up to 32 MiB, and the bodies of a few large requests would stay in the process for ever."""

_M_MMAP_THRESHOLD = -3
"""M_MMAP_THRESHOLD of malloc.h."""


def tune_memory() -> None:
    """Restricts the garbage collector to new objects, and makes malloc return large allocations to the system."""
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, LARGE_BYTES)


class Tidier:
    """Maintenance of some milliseconds for idle moments, as it would delay a block in production."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._returned_at = now()
        # Only glibc has and needs it.
        self._return = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def tidy(self) -> None:
        """Collects the garbage of the last blocks or, from time to time, returns free memory to the system."""
        if self._return is not None and self._now() - self._returned_at >= RETURN_SECONDS:
            self._return(0)
            self._returned_at = self._now()
        else:
            gc.collect(1)
