"""Durations and sizes in messages: a whole number of the largest unit that divides them."""

from typing import Final

from protocol.units import DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS

_DURATIONS: Final = ((DAY_SECONDS, "day"), (HOUR_SECONDS, "hour"), (MINUTE_SECONDS, "minute"), (1, "second"))
_SIZES: Final = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, " bytes"))


def duration_text(seconds: int) -> str:
    """Returns "5 minutes" for 300 seconds."""
    for unit, name in _DURATIONS:
        count, rest = divmod(seconds, unit)
        if count and not rest:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "0 seconds"


def size_text(size: int) -> str:
    """Returns "2MiB" for 2,097,152 bytes."""
    for unit, name in _SIZES:
        count, rest = divmod(size, unit)
        if count and not rest:
            return f"{count}{name}"
    return "0 bytes"
