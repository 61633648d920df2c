"""Durations in words."""

from __future__ import annotations

from protocol.units import DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS

UNITS = (("day", DAY_SECONDS), ("hour", HOUR_SECONDS), ("minute", MINUTE_SECONDS), ("second", 1))


def describe_seconds(seconds: int) -> str:
    """Returns the two largest non-zero units, like "1 day 4 hours"; "now" for 0."""
    parts = []
    for name, size in UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "now"
