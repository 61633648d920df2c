"""Automated actions that wait for a block."""

from protocol.types import U32, Bytes, Time
from state.engine.declare import Index, table
from state.engine.rows import Row
from state.tables.kinds import ObjectId


@table(32, key="id", indexes=(Index("by_execution", "execution_time", "id"),))
class PendingRequiredAction(Row):
    """An automated action that a block must carry out, packed. Source: pending_required_action_object.hpp."""

    id: ObjectId
    execution_time: Time
    action: Bytes


@table(33, key="id", indexes=(Index("by_execution", "execution_time", "id"),))
class PendingOptionalAction(Row):
    """An automated action that a block may carry out, packed. Source: pending_optional_action_object.hpp.

    `due_block` is the number of the first block whose time is not before the action's, 0 until there is one. The
    offer ends when that block is irreversible; the reference asks its block log for the time instead.
    """

    id: ObjectId
    execution_time: Time
    action: Bytes
    due_block: U32
