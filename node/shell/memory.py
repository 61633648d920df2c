"""The memory of the process: when garbage is collected, and when what is free goes back to the system."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable

NEW_OBJECTS_MAX = 10_000
"""At most so many new objects are looked at in one collection, a few milliseconds; requests may leave a hundred
thousand between two blocks."""

GC_THRESHOLDS = (NEW_OBJECTS_MAX // 5, 3, 100_000)
"""A second look at those that lived through four first ones, and with them at those of the fifth. All objects are
looked at after days only, since that takes seconds where there are many, and there is hardly a cycle to be found."""

RETURN_SECONDS = 30.0
"""So often free memory goes back. There is much of it between rows that stay, and the C library would keep it."""

LARGE_BYTES = 256 << 10
"""Blocks of memory of this size go back to the system when they are freed. By itself the C library of GNU raises this
bound with each such block, up to 32 MiB: then the bodies of a few large requests stay in the process for ever."""

_M_MMAP_THRESHOLD = -3
"""The number of that bound in malloc.h."""


def tune_memory() -> None:
    """Lets the garbage collector look at new objects only, and seldom, and large blocks go back to the system."""
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, LARGE_BYTES)


class Tidier:
    """What is done in a quiet moment, some milliseconds: or else it is while a block is made, which then is late."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._returned_at = now()
        # Only the C library of GNU has it, and only it needs it.
        self._return = getattr(ctypes.CDLL(None), "malloc_trim", None)

    def tidy(self) -> None:
        """Collects the garbage of the last blocks or, from time to time, gives free memory back."""
        if self._return is not None and self._now() - self._returned_at >= RETURN_SECONDS:
            self._return(0)
            self._returned_at = self._now()
        else:
            gc.collect(1)
