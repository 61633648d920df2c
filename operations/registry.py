"""All operations of the chain by their wire number; importing this module registers every declaration."""

from typing import Final

from operations import (
    account,
    content,
    convert,
    custom,
    escrow,
    market,
    mining,
    proposal,
    recovery,
    reward,
    savings,
    token,
    transfer,
    vesting,
    vote,
    witness,
)
from protocol import virtual_operations
from protocol.operation import OPERATIONS, Operation

DECLARING_MODULES: Final = (
    account,
    content,
    convert,
    custom,
    escrow,
    market,
    mining,
    proposal,
    recovery,
    reward,
    savings,
    token,
    transfer,
    vesting,
    vote,
    witness,
    virtual_operations,
)
"""The modules that declare operations."""

ALL_OPERATIONS: Final[dict[int, type[Operation]]] = dict(sorted(OPERATIONS.items()))
"""Every operation, virtual ones too, by its wire number."""
