"""The health check, shared by GET /health, `plaudit status` and the container image."""

from __future__ import annotations

from typing import Any, Final

from client.durations import describe_seconds

AGE_SECONDS_MAX: Final = 60
"""Default maximum age of a healthy node's head block."""

AHEAD_SECONDS_MAX: Final = 5
"""How far a healthy node's head block may be ahead of the clock; nodes do not accept blocks further ahead."""


def find_problem(status: dict[str, Any], now: int, age_max: int = AGE_SECONDS_MAX) -> str:
    """Returns what is unhealthy by a node's status, or an empty text; `now` is in seconds since the epoch.

    Raises KeyError, TypeError, ValueError for an unknown form of status.
    """
    clock = status["clock"]
    age = now + int(clock["skipped_seconds"]) - int(status["head_block_unix_time"])
    if broken := status.get("broken_invariants"):
        return f"its state is inconsistent: broken invariants {', '.join(sorted(broken))} (see its log)"
    if not status["can_write"]:
        return "it can not write to its disk"
    if int(clock["jumped_ms"]):
        return (
            f"its clock jumped by {int(clock['jumped_ms']) // 1000} s; no block is produced until the time is confirmed"
        )
    if age < -AHEAD_SECONDS_MAX:
        return f"its head block is {describe_seconds(-age)} ahead of the time: a clock is or was wrong"
    if age > age_max:
        missing = int(status["missing_blocks"])
        lacks = f", and it lacks {missing} blocks that peers have" if missing else ""
        return f"its head block is {describe_seconds(age)} old{lacks}"
    return ""
