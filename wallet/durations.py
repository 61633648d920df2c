"""Lengths of time in words."""

from __future__ import annotations

UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def describe_seconds(seconds: int) -> str:
    """The two greatest units that count, like "1 day 4 hours"; "now" for nothing."""
    parts = []
    for name, size in UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    return " ".join(parts[:2]) or "now"
