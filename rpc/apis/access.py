"""The interface of the node that APIs use, and their shared parts."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from chain.chain import Chain
from chain.effects import AppliedOperation
from index.indexes import Indexes
from protocol.block import Block
from protocol.codec import Codec
from protocol.errors import Rejected
from protocol.keys import decode_public_key
from protocol.steps import ResultT
from protocol.times import time_text
from protocol.transaction import Transaction
from rpc.json_bytes import dump_json
from rpc.kinds import count_values
from rpc.objects import Json, forms_for
from rpc.slices import Aside, StepsTo

SMALL_VALUES = 100
"""Maximum number of JSON values decoded at once; a transaction with one operation and one signature has about
twenty."""

SMALL_KEYS = 20

SMALL_BLOCK_BYTES = 4 << 10
"""Maximum size of a block decoded at once."""


class Inclusion(NamedTuple):
    """The block that includes a broadcast transaction; `expired` if none did in time."""

    trx_id: bytes
    block_num: int
    trx_num: int
    expired: bool


class NodeAccess(Protocol):
    """The node as the APIs see it."""

    chain: Chain
    indexes: Indexes

    def broadcast(self, transaction: Transaction) -> None:
        """Applies a transaction to the pending state and relays it. Raises ProtocolError."""

    def broadcast_and_wait(self, transaction: Transaction) -> Awaitable[Inclusion]:
        """Broadcasts, and completes when a block holds the transaction or it has expired. Raises ProtocolError."""

    def submit_block(self, block: Block) -> None:
        """Applies a block as if a peer had sent it, and relays it. Raises ProtocolError."""

    def now(self) -> int:
        """The wall clock, in seconds since the epoch."""

    def get_status(self) -> Json:
        """The figures of GET /."""


class ApiBase:
    """Base of APIs: chain, indexes, and object forms."""

    def __init__(self, node: NodeAccess, legacy: bool) -> None:
        self.node = node
        self.chain = node.chain
        self.indexes = node.indexes
        self.legacy = legacy
        self.codec: Codec = node.chain.codec
        self.forms = forms_for(node.chain.config.identity, legacy)

    def read_transaction(self, value: Any, *, recovers: bool = True) -> StepsTo[Transaction]:
        """Decodes a transaction from either JSON form; with `recovers`, recovers its signers. Raises Invalid.

        A large one is decoded in a second thread. The signers of one too large for any block are not recovered.
        """
        maximum, chain_id = self.chain.ctx.gpo.maximum_block_size, self.chain.config.chain_id

        def read() -> Transaction:
            transaction = Transaction.from_json(self.codec, value)
            if recovers and transaction.size <= maximum:
                transaction.signers(chain_id)
            return transaction

        if count_values(value, SMALL_VALUES) <= SMALL_VALUES:
            return Transaction.from_json(self.codec, value)
        transaction: Transaction = yield Aside(read)
        return transaction

    def read_fitting_transaction(self, value: Any, *, recovers: bool = True) -> StepsTo[Transaction]:
        """Like `read_transaction`; raises Rejected for one that is too large for any block."""
        transaction = yield from self.read_transaction(value, recovers=recovers)
        maximum = self.chain.ctx.gpo.maximum_block_size
        if transaction.size > maximum:
            text = "the transaction has ${size} bytes, a block at most ${maximum}"
            raise Rejected("size <= ${maximum}", text, size=transaction.size, maximum=maximum)
        return transaction

    def read_block(self, number: int, show: Callable[[Block], ResultT]) -> StepsTo[ResultT | None]:
        """Returns `show` (which needs no state) of a block; None when there is no such block."""
        source = self.chain.reader.find_block_source(number)
        if source is None:
            return None
        if source.size <= SMALL_BLOCK_BYTES:
            return show(source.read())
        shown: ResultT = yield Aside(lambda: show(source.read()))
        return shown

    def read_keys(self, texts: list[str]) -> StepsTo[list[bytes]]:
        """Parses public keys. Raises Invalid."""
        prefix = self.chain.config.identity.address_prefix

        def read() -> list[bytes]:
            return [decode_public_key(text, prefix) for text in texts]

        if len(texts) <= SMALL_KEYS:
            return read()
        keys: list[bytes] = yield Aside(read)
        return keys

    def transaction_json(self, transaction: Transaction, block_num: int, position: int) -> Json:
        """Returns a transaction with its id, block and position."""
        result = transaction.to_json(self.codec, self.legacy)
        result["transaction_id"] = transaction.id.hex()
        result["block_num"] = block_num
        result["transaction_num"] = position
        return result

    def applied_operation(self, applied: AppliedOperation) -> bytes:
        """Returns an entry of the history as JSON. `op_in_trx` is always 0, because the reference never counts it.

        Source: account_history_api.hpp, api_operation_object.
        """
        trx_id, block, trx_in_block, _op_in_trx, virtual_op, timestamp, op = applied
        return (
            b'{"trx_id":"%b","block":%d,"trx_in_block":%d,"op_in_trx":0,"virtual_op":%d,"timestamp":"%b","op":%b}'
        ) % (
            trx_id.hex().encode(),
            block,
            trx_in_block,
            virtual_op,
            time_text(timestamp).encode(),
            dump_json(self.codec.operation_to_json(op, self.legacy)),
        )
