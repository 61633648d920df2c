"""The effects of a block as data: its operations, events and reports."""

from typing import Any, NamedTuple

from protocol.block import Block
from protocol.operation import Operation
from protocol.rules import Rules
from state.engine.table import RowChange

NO_TRANSACTION_ID = bytes(20)
"""The transaction id of events that belong to no transaction."""

NO_TRANSACTION_INDEX = 0xFFFFFFFF
"""`trx_in_block` of events after the transactions of a block (the reference's -1 in 32 bits)."""


class AppliedOperation(NamedTuple):
    """One operation or event with its place in the chain, as the reference's account history keeps it.

    `virtual_op` counts the events since the transaction began (0: the operation itself); `timestamp` is the head
    block time at that moment: the previous block's for transactions, the block's own for the steps after them.
    Source: libraries/chain/include/steem/chain/notifications.hpp, operation_notification.
    """

    trx_id: bytes
    block: int
    trx_in_block: int
    op_in_trx: int
    virtual_op: int
    timestamp: int
    op: Operation


class BlockEffects(NamedTuple):
    """The effects of one block in order, the rules that applied, and the rows it changed."""

    number: int
    id: bytes
    timestamp: int
    operations: tuple[AppliedOperation, ...]
    reports: tuple[Any, ...]
    rules: Rules
    changes: tuple[RowChange, ...]


class Applied(NamedTuple):
    """Feed item: a block is now part of the main chain."""

    block: Block
    effects: BlockEffects


class Undone(NamedTuple):
    """Feed item: the head block was undone."""

    number: int
    id: bytes


class Irreversible(NamedTuple):
    """Feed item: every block up to this number is final."""

    number: int


FeedItem = Applied | Undone | Irreversible


class PushResult(NamedTuple):
    """The result of pushing a block: blocks undone (newest first), applied (oldest first), newly irreversible.

    `irreversible` is the last irreversible block's number if it advanced, else None. `feed` holds the same changes
    in the order in which they happened.
    """

    undone: tuple[Undone, ...]
    applied: tuple[Applied, ...]
    irreversible: int | None
    feed: tuple[FeedItem, ...]


NOTHING_CHANGED = PushResult((), (), None, ())
