"""What the APIs may ask of the node, and the parts that several of them share."""

from collections.abc import Awaitable
from typing import Any, NamedTuple, Protocol

from chain.chain import Chain
from chain.effects import AppliedOperation
from protocol.block import Block
from protocol.codec import Codec
from protocol.times import time_text
from protocol.transaction import Transaction
from rpc.objects import Json, ObjectForms


class Inclusion(NamedTuple):
    """Where a broadcast transaction ended up; `expired` when no block took it in time."""

    trx_id: bytes
    block_num: int
    trx_num: int
    expired: bool


class NodeAccess(Protocol):
    """The node as the APIs see it."""

    chain: Chain

    def broadcast(self, transaction: Transaction) -> None:
        """Applies a transaction to the pending state and passes it on. Raises ProtocolError."""

    def broadcast_and_wait(self, transaction: Transaction) -> Awaitable[Inclusion]:
        """Broadcasts, and completes when a block holds the transaction or it has expired. Raises ProtocolError."""

    def submit_block(self, block: Block) -> None:
        """Applies a block as if a peer had sent it, and passes it on. Raises ProtocolError."""

    def now(self) -> int:
        """The wall clock, in seconds since the epoch."""

    def get_status(self) -> Json:
        """The figures of GET /."""


class ApiBase:
    """Gives an API the chain and the object forms it answers in."""

    def __init__(self, node: NodeAccess, legacy: bool) -> None:
        self.node = node
        self.chain = node.chain
        self.legacy = legacy
        self.codec: Codec = node.chain.codec
        self.forms = ObjectForms(node.chain.config.identity, legacy)

    def parse_transaction(self, value: Any) -> Transaction:
        """A transaction out of either JSON form. Raises Invalid."""
        return Transaction.from_json(self.codec, value)

    def transaction_json(self, transaction: Transaction, block_num: int, position: int) -> Json:
        """A transaction with its id and its place."""
        result = transaction.to_json(self.codec, self.legacy)
        result["transaction_id"] = transaction.id.hex()
        result["block_num"] = block_num
        result["transaction_num"] = position
        return result

    def applied_operation(self, applied: AppliedOperation) -> Json:
        """An entry of the history. `op_in_trx` is always 0, because the reference never counts it.

        Source: account_history_api.hpp, api_operation_object.
        """
        return {
            "trx_id": applied.trx_id.hex(),
            "block": applied.block,
            "trx_in_block": applied.trx_in_block,
            "op_in_trx": 0,
            "virtual_op": applied.virtual_op,
            "timestamp": time_text(applied.timestamp),
            "op": self.codec.operation_to_json(applied.op, self.legacy),
        }
