"""What was recorded of the reference on the wire: single messages, key exchanges, and two whole sessions.

In a session "in" is what the reference sent and "out" what a probe sent to it.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, NamedTuple

from protocol.codec import Codec
from protocol.p2p.channel import Frame
from tests.strategies import TESTNET, import_all_operations
from tests.vectors import p2p_path

import_all_operations()
CODEC = Codec(TESTNET)


@cache
def vectors() -> dict[str, Any]:
    """All that was recorded, or skips the running test."""
    found: dict[str, Any] = json.loads(p2p_path("vectors.json").read_text(encoding="utf-8"))
    return found


class Recorded(NamedTuple):
    """One message as it was recorded; ``time`` is in seconds since the connection, 0 where there is no session."""

    label: str
    frame: Frame
    decoded: dict[str, Any]
    is_sent_by_reference: bool
    time: float


def to_recorded(entry: dict[str, Any]) -> Recorded:
    """Reads a message of the vectors."""
    plain = bytes.fromhex(entry["plaintext"])
    size = int.from_bytes(plain[:4], "little")
    number = int.from_bytes(plain[4:8], "little")
    assert number == entry["msg_type"] and not any(plain[8 + size :])
    label = f"{entry['name']} {entry.get('source', entry.get('direction'))}"
    return Recorded(
        label,
        Frame(number, plain[8 : 8 + size]),
        entry["decoded"],
        entry.get("direction") == "in",
        entry.get("time", 0.0),
    )


def single_messages() -> list[Recorded]:
    """The messages that were recorded one by one."""
    return [to_recorded(entry) for entry in vectors()["messages"]]


def sessions() -> list[dict[str, Any]]:
    """The two sessions: in the first the probe dials the reference, in the second the reference dials the probe."""
    found: list[dict[str, Any]] = vectors()["sessions"]
    return found


def frames_of(session: dict[str, Any]) -> list[Recorded]:
    """The messages of a session in the order in which they were seen."""
    return [to_recorded(entry) for entry in session["frames"]]


def all_messages() -> list[Recorded]:
    """Every message that was recorded anywhere."""
    return single_messages() + [message for session in sessions() for message in frames_of(session)]
