"""Kinds of values that rows hold, beside those of protocol.types."""

from typing import Annotated, Any

from protocol.assets import SBD, STEEM, VESTS
from protocol.types import I64, Wire

ObjectId = I64
"""Counts the objects of a table in the order of their creation."""

Steem = Annotated[int, Wire("amount", STEEM)]
Sbd = Annotated[int, Wire("amount", SBD)]
Vests = Annotated[int, Wire("amount", VESTS)]


def find_symbol(kind: Any) -> int | None:
    """The symbol of which a field of this kind holds an amount, None for other kinds."""
    for mark in getattr(kind, "__metadata__", ()):
        if isinstance(mark, Wire) and mark.kind == "amount":
            return mark.symbol
    return None


TIME_MAX = 0xFFFFFFFF
"""The latest time that fits (time_point_sec::maximum): means "never" in cashout and withdrawal times."""
