"""Field types of rows, in addition to those of protocol.types."""

from dataclasses import dataclass
from typing import Annotated, Any

from protocol.assets import SBD, STEEM, VESTS
from protocol.types import I64, Wire

ObjectId = I64
"""Sequence number of an object in its table, in the order of creation."""

Steem = Annotated[int, Wire("amount", STEEM)]
Sbd = Annotated[int, Wire("amount", SBD)]
Vests = Annotated[int, Wire("amount", VESTS)]


@dataclass(frozen=True)
class OfToken:
    """Marks an amount of the community token that the row names: of the token itself, or of its vesting shares."""

    is_vesting: bool


Tokens = Annotated[I64, OfToken(False)]
TokenShares = Annotated[I64, OfToken(True)]


def is_of_token(kind: Any) -> bool:
    """Whether a field of this kind holds an amount of the token that its row names."""
    return any(isinstance(mark, OfToken) for mark in getattr(kind, "__metadata__", ()))


def find_symbol(kind: Any) -> int | None:
    """The symbol of the amounts that a field of this kind holds; None for other kinds."""
    for mark in getattr(kind, "__metadata__", ()):
        if isinstance(mark, Wire) and mark.kind == "amount":
            return mark.symbol
    return None


TIME_MAX = 0xFFFFFFFF
"""The maximum time (time_point_sec::maximum), which means "never" in cashout and withdrawal times."""
