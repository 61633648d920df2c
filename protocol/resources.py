"""The chain's resources, and the declaration of how much of each an operation consumes.

The sizes are the reference's; rc_api publishes them under the reference's names, and clients compute with them.
Source: libraries/plugins/rc/resource_count.cpp and resource_sizes.hpp.
"""

from __future__ import annotations

from typing import Final, NamedTuple

RESOURCE_NAMES: Final = (
    "resource_history_bytes",
    "resource_new_accounts",
    "resource_market_bytes",
    "resource_state_bytes",
    "resource_execution_time",
)
"""The resources in the order of counts and pools."""

Counts = tuple[int, int, int, int, int]
"""An amount of each resource."""

NOTHING: Final[Counts] = (0, 0, 0, 0, 0)

STATE_BYTES_SCALE: Final = 10_000
"""Weight of a byte of state that is kept for ever; temporary state weighs less, in proportion to its lifetime."""

STATE_SIZES: Final[dict[str, int]] = {}
"""Weighted bytes of state by the reference's name of the object."""


TOKEN_STATE_SIZES: Final[dict[str, int]] = {}
"""The same for objects that exist only where tokens are live."""


def state_size(name: str, size: int, weight: int = STATE_BYTES_SCALE, sizes: dict[str, int] = STATE_SIZES) -> int:
    """Declares the size of an object in the state under the reference's name; returns its weighted bytes."""
    if name in STATE_SIZES or name in TOKEN_STATE_SIZES:
        raise TypeError(f"{name} is already declared")
    sizes[name] = size * weight
    return size * weight


def token_state_size(name: str, size: int, weight: int = STATE_BYTES_SCALE) -> int:
    """As `state_size`, for an object that exists only where tokens are live."""
    return state_size(name, size, weight, TOKEN_STATE_SIZES)


TRANSACTION_BASE: Final = state_size("transaction_object_base_size", 35, 174)
TRANSACTION_BYTE: Final = state_size("transaction_object_byte_size", 1, 174)


class Resources(NamedTuple):
    """What an operation consumes besides the bytes of its transaction. Execution time is in nanoseconds.

    An operation that `is_market` makes the bytes of its transaction count as market bytes, too.
    """

    execution_time: int = 0
    state_bytes: int = 0
    new_accounts: int = 0
    is_market: bool = False

    def more(self, *, execution_time: int = 0, state_bytes: int = 0, new_accounts: int = 0) -> Resources:
        """These resources plus what depends on the fields of an operation."""
        return Resources(
            self.execution_time + execution_time,
            self.state_bytes + state_bytes,
            self.new_accounts + new_accounts,
            self.is_market,
        )


UNCOUNTED: Final = Resources()
"""For operations unknown to the reference: only the bytes of the transaction count, and no figure is published."""
