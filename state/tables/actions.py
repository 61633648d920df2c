"""Automated actions that wait for a block."""

from typing import NamedTuple


class PendingRequiredAction(NamedTuple):
    """An automated action that a block must carry out, packed. Source: pending_required_action_object.hpp."""

    id: int
    execution_time: int
    action: bytes


class PendingOptionalAction(NamedTuple):
    """An automated action that a block may carry out, packed. Source: pending_optional_action_object.hpp.

    `due_block` is the number of the first block whose time is not before the action's, 0 until there is one. The
    offer ends when that block is irreversible; the reference asks its block log for the time instead.
    """

    id: int
    execution_time: int
    action: bytes
    due_block: int
