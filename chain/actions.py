"""Automated actions in blocks: validation of those in a header, and selection for a new block.

Source: libraries/chain/database.cpp, process_required_actions and process_optional_actions;
libraries/plugins/witness/block_producer.cpp, apply_pending_transactions.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from consensus.header import HeaderActions
from operations.actions import apply_action, validate_action
from protocol.actions import RequiredAction
from protocol.codec import codec_for
from protocol.errors import ProtocolError, Rejected
from protocol.times import time_text
from protocol.units import BASIS_POINTS
from state.action_queue import pack_required, unpack_optional, unpack_required
from state.context import Context
from state.tables.actions import PendingRequiredAction

EXTENSION_BYTES = 6
"""Maximum overhead of a header extension in bytes: its tag and the number of its actions."""


def compute_partition(ctx: Context) -> int:
    """Number of bytes of a block reserved for required actions."""
    gpo = ctx.gpo
    return gpo.maximum_block_size * gpo.required_actions_partition_percent // BASIS_POINTS


def process_required_actions(ctx: Context) -> None:
    """Executes the required actions of a header, which must be the first of the queue, in order.

    The queue is ordered by time, then by age. Branch 0.23.x checked the age alone, which contradicted its own producer;
    later versions fixed that. Raises Rejected.
    """
    queue = ctx.tables.pending_required_actions
    for action in ctx.applied_block.required_actions:
        pending = queue.index("by_execution").first()
        if pending is None:
            raise Rejected(
                "pending_itr != pending_action_idx.end()", "Block included required action that does not exist in queue"
            )
        data = pack_required(ctx, action)
        if data != pending.action:
            raise Rejected(
                "actions_itr->visit( equal_visitor )",
                "Unexpected action included. Expected: ${e} Observed: ${o}",
                e=_show(ctx, pending.action),
                o=_show(ctx, data),
            )
        apply_action(ctx, action)
        queue.delete(pending)


def check_required_actions(ctx: Context) -> None:
    """Refuses a block that omits a due required action although the reserved part has room for it.

    Raises Rejected.
    """
    pending = ctx.tables.pending_required_actions.index("by_execution").first()
    if pending is None or pending.execution_time > ctx.time:
        return
    carried_out = ctx.applied_block.required_actions
    total = sum(len(pack_required(ctx, action)) for action in carried_out) + len(pending.action)
    partition = compute_partition(ctx)
    if not total > partition:
        raise Rejected(
            "total_actions_size > required_actions_partition_size",
            "Expected action was not included in block. total_actions_size: ${as}, "
            "required_actions_partition_action: ${rs}, pending_action: ${pa}",
            **{"as": total, "rs": partition, "pa": _show_row(ctx, pending)},
        )


def _show(ctx: Context, data: bytes) -> Any:
    return codec_for(ctx.config.identity).to_json(RequiredAction, unpack_required(ctx, data))


def _show_row(ctx: Context, row: PendingRequiredAction) -> Any:
    return {"id": row.id, "execution_time": time_text(row.execution_time), "action": _show(ctx, row.action)}


def process_optional_actions(ctx: Context) -> None:
    """Executes the optional actions of a header.

    The action itself checks whether it is early or repeated. Raises Rejected and Invalid.
    """
    for action in ctx.applied_block.optional_actions:
        validate_action(ctx, action)
        apply_action(ctx, action)


def remove_unwanted_actions(ctx: Context) -> None:
    """Removes the optional actions that were offered in irreversible blocks.

    A supermajority of witnesses has passed such an action over.
    """
    gpo, offers = ctx.gpo, ctx.tables.pending_optional_actions
    for row in list(offers.index("by_execution").scan(stop=(gpo.time + 1,))):
        due_block = row.due_block or gpo.head_block_number
        if due_block <= gpo.last_irreversible_block_num:
            offers.delete(row)
        elif not row.due_block:
            offers.update(row, due_block=due_block)


def has_due_actions(ctx: Context, timestamp: int) -> bool:
    """Whether a block of that time has due automated actions."""
    tables = ctx.tables
    queues = (
        tables.pending_required_actions.index("by_execution"),
        tables.pending_optional_actions.index("by_execution"),
    )
    return any(queue.has_due(timestamp + 1) for queue in queues)


def choose_actions(
    ctx: Context, timestamp: int, size: int, session: Callable[[], AbstractContextManager[Any]]
) -> HeaderActions:
    """Applies the due actions on top of a block's transactions, and returns those for its header.

    `size` is that of the block so far, in bytes. Required actions get all remaining room, also those that other actions
    put into the queue, optional ones the rest. The changes stay in the open checkpoint; `session` opens one inside it.
    Errors of a required action are raised, because no valid block can be made then.
    """
    maximum = ctx.gpo.maximum_block_size
    required: list[Any] = []
    queue = ctx.tables.pending_required_actions
    while (row := queue.index("by_execution").first()) is not None and row.execution_time <= timestamp:
        if size + len(row.action) > maximum:
            break
        action = unpack_required(ctx, row.action)
        with session():
            apply_action(ctx, action)
            queue.delete(row)
        size += len(row.action)
        required.append(action)
    optional: list[Any] = []
    for offer in list(ctx.tables.pending_optional_actions.index("by_execution").scan(stop=(timestamp + 1,))):
        if size + len(offer.action) > maximum:
            break
        action = unpack_optional(ctx, offer.action)
        try:
            with session():
                apply_action(ctx, action)
        except ProtocolError:
            continue
        size += len(offer.action)
        optional.append(action)
    return HeaderActions(tuple(required), tuple(optional))
