"""Who takes in the blocks and transactions that peers send."""

from typing import Protocol

from chain.effects import PushResult
from protocol.block import Block
from protocol.errors import Rejected
from protocol.transaction import Transaction

FUTURE_SECONDS_MAX = 5
"""How far the time of a block may be ahead of the clock. Source: chain_plugin.cpp, allow_future_time."""


class TooEarly(Rejected):
    """The time of a block has not come yet: by so many seconds it is ahead of this node's clock."""

    def __init__(self, number: int, seconds: int) -> None:
        super().__init__(
            "block time is not far in the future",
            "block ${number} is ${ahead} s ahead of this node's clock; at most ${max} s are allowed",
            number=number,
            ahead=seconds,
            max=FUTURE_SECONDS_MAX,
        )
        self.seconds = seconds


class Intake(Protocol):
    """The chain with what surrounds it: clock, disk and listeners."""

    def take_block(self, block: Block, skip_signatures: bool = False) -> PushResult:
        """Adds a block to the chain. Raises ProtocolError, of it TooEarly when only the block's time has not come."""

    def on_block(self, block: Block) -> PushResult:
        """Adds a block as `take_block` does, and offers what was applied to the peers."""

    def take_transaction(self, transaction: Transaction) -> None:
        """Applies a transaction to the pending state. Raises ProtocolError."""
