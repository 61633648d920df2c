"""The queue of automated actions: packed as they stand in a header, in the order of their times.

Source: libraries/chain/database.cpp of master, push_required_action.
"""

from typing import Any

from protocol.actions import OptionalAction, RequiredAction
from protocol.codec import codec_for
from state.context import Context
from state.tables.actions import PendingRequiredAction


def pack_required(ctx: Context, action: RequiredAction) -> bytes:
    """The encoding of a required action in a header and in the queue."""
    return codec_for(ctx.config.identity).encode(RequiredAction, action)


def pack_optional(ctx: Context, action: OptionalAction) -> bytes:
    """The encoding of an optional action in a header and in the state."""
    return codec_for(ctx.config.identity).encode(OptionalAction, action)


def unpack_required(ctx: Context, data: bytes) -> Any:
    """The required action of a row."""
    return codec_for(ctx.config.identity).decode(RequiredAction, data)


def unpack_optional(ctx: Context, data: bytes) -> Any:
    """The optional action of a row."""
    return codec_for(ctx.config.identity).decode(OptionalAction, data)


def enqueue_required(ctx: Context, action: RequiredAction, at: int = 0) -> PendingRequiredAction:
    """Puts an action into the queue; a block from time `at` on, or from now if that is later, must carry it out."""
    table = ctx.tables.pending_required_actions
    return table.insert(PendingRequiredAction(table.next_id(), max(at, ctx.time), pack_required(ctx, action)))
