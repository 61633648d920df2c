"""Whether a node is healthy: one judgement for GET /health, `plaudit status` and the image's health check."""

from __future__ import annotations

from typing import Any, Final

from wallet.durations import describe_seconds

AGE_SECONDS_MAX: Final = 60
"""How old the head block of a healthy node may be, unless its operator says otherwise."""


def find_problem(status: dict[str, Any], now: int, age_max: int = AGE_SECONDS_MAX) -> str:
    """Returns what is wrong with a node by its status, or nothing; `now` is in seconds since the epoch.

    Raises KeyError, TypeError, ValueError for a strange status.
    """
    age = now - int(status["head_block_unix_time"])
    if not status["can_write"]:
        return "it can not write to its disk"
    if age > age_max:
        missing = int(status["missing_blocks"])
        lacks = f", and it lacks {missing} blocks that peers have" if missing else ""
        return f"its head block is {describe_seconds(age)} old{lacks}"
    return ""
