"""Automated actions: scheduled by the chain, and executed by block producers through the block header.

Required actions wait in a queue. They must be executed in its order as soon as they are due and the part of a block
reserved for them has room. Optional actions may be executed, even if they were not scheduled.
Source: libraries/chain/database.cpp, push_required_action and push_optional_action; required_action_evaluator.cpp;
optional_action_evaluator.cpp.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from operations.checks import check_account_name
from protocol.actions import (
    ExampleOptionalAction,
    ExampleRequiredAction,
    OptionalAction,
    RequiredAction,
    SmtContributorPayoutAction,
    SmtFounderPayoutAction,
    SmtIcoEvaluationAction,
    SmtIcoLaunchAction,
    SmtRefundAction,
    SmtTokenLaunchAction,
)
from protocol.errors import Rejected
from protocol.times import time_text
from protocol.types import wire_name_of
from state.action_queue import enqueue_required, pack_optional
from state.context import Context
from state.tables.actions import PendingOptionalAction, PendingRequiredAction
from tokens.launch import evaluate_sale, launch_sale, launch_token, pay_contributor, pay_founders, refund_contribution


class ActionRule(NamedTuple):
    """The rules of one kind of action: validation of its fields (raises Invalid), and its effect (raises Rejected)."""

    validate: Callable[[Any], None]
    apply: Callable[[Context, Any], None]
    is_enabled: Callable[[Context], bool]


def _is_test_net(ctx: Context) -> bool:
    return ctx.config.is_test_net


def _has_tokens(ctx: Context) -> bool:
    return ctx.rules.tokens_live


def _check_account(action: ExampleRequiredAction | ExampleOptionalAction) -> None:
    check_account_name(action.account)


def _do_nothing(_ctx: Context, _action: object) -> None:
    """The effect of the example actions, which exist to test the mechanism."""


def _check_nothing(_action: object) -> None:
    """What the chain itself put into the queue needs no check: a block must carry the same bytes."""


ACTION_RULES: dict[type, ActionRule] = {
    ExampleRequiredAction: ActionRule(_check_account, _do_nothing, _is_test_net),
    ExampleOptionalAction: ActionRule(_check_account, _do_nothing, _is_test_net),
    SmtIcoLaunchAction: ActionRule(_check_nothing, launch_sale, _has_tokens),
    SmtIcoEvaluationAction: ActionRule(_check_nothing, evaluate_sale, _has_tokens),
    SmtTokenLaunchAction: ActionRule(_check_nothing, launch_token, _has_tokens),
    SmtRefundAction: ActionRule(_check_nothing, refund_contribution, _has_tokens),
    SmtContributorPayoutAction: ActionRule(_check_nothing, pay_contributor, _has_tokens),
    SmtFounderPayoutAction: ActionRule(_check_nothing, pay_founders, _has_tokens),
}
"""The enabled actions, and on which chains. The examples exist on test networks only, as in the reference."""


def _get_rule(ctx: Context, action: object) -> ActionRule:
    rule = ACTION_RULES.get(type(action))
    if rule is None or not rule.is_enabled(ctx):
        name = wire_name_of(type(action))
        raise Rejected("false", "${name} is not enabled on this chain.", name=name)
    return rule


def validate_action(ctx: Context, action: object) -> None:
    """Checks the fields of an action; raises Invalid, or Rejected if the action is not enabled on this chain."""
    _get_rule(ctx, action).validate(action)


def apply_action(ctx: Context, action: object) -> None:
    """Applies an action; raises Rejected."""
    _get_rule(ctx, action).apply(ctx, action)


def schedule_required_action(ctx: Context, action: RequiredAction, at: int | None = None) -> PendingRequiredAction:
    """Queues an action that must be executed by a block from time `at` on (default: now)."""
    execution_time = _check_time(ctx, "required", at)
    validate_action(ctx, action)
    return enqueue_required(ctx, action, execution_time)


def schedule_optional_action(ctx: Context, action: OptionalAction, at: int | None = None) -> PendingOptionalAction:
    """Offers an action to the producers of blocks from time `at` on (default: now)."""
    execution_time = _check_time(ctx, "optional", at)
    validate_action(ctx, action)
    gpo, table = ctx.gpo, ctx.tables.pending_optional_actions
    due_block = gpo.head_block_number if execution_time <= gpo.time else 0
    data = pack_optional(ctx, action)
    return table.insert(PendingOptionalAction(table.next_id(), execution_time, data, due_block))


def _check_time(ctx: Context, kind: str, at: int | None) -> int:
    now = ctx.time
    execution_time = now if at is None else at
    if not execution_time >= now:
        raise Rejected(
            "execution_time >= head_block_time()",
            f"Cannot push {kind} action to execute in the past. head_block_time: ${{h}} execution_time: ${{e}}",
            h=time_text(now),
            e=time_text(execution_time),
        )
    return execution_time
