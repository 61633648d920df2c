"""Interface through which the network hands received blocks and transactions to the node."""

from typing import Protocol

from chain.effects import PushResult
from protocol.block import Block
from protocol.errors import Rejected
from protocol.transaction import Transaction

FUTURE_SECONDS_MAX = 5
"""Maximum time that a block may be ahead of the clock. Source: chain_plugin.cpp, allow_future_time."""


class TooEarly(Rejected):
    """A block whose time is `seconds` too far ahead of this node's clock."""

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
    """The node as the network uses it."""

    def take_block(self, block: Block, skip_signatures: bool = False) -> PushResult:
        """Adds a block to the chain. Raises TooEarly when its time is in the future, and other kinds of
        ProtocolError."""

    def on_block(self, block: Block) -> PushResult:
        """Adds a block as `take_block` does, and announces the applied blocks to peers."""

    def take_transaction(self, transaction: Transaction) -> None:
        """Applies a transaction to the pending state. Raises ProtocolError."""
