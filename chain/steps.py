"""The per-block steps after the transactions, in the order of the reference.

The order is consensus: steps read what earlier ones wrote. Liquidity rewards, which followed the subsidised accounts,
ended with hard fork 12.

Source: libraries/chain/database.cpp, database::_apply_block; libraries/plugins/rc/rc_plugin.cpp, on_post_apply_block.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from chain.actions import (
    check_required_actions,
    process_optional_actions,
    process_required_actions,
    remove_unwanted_actions,
)
from chain.delayed_payments import process_conversions, process_savings_withdrawals
from chain.expiries import (
    process_declined_voting_rights,
    process_escrow_ratification,
    process_expired_delegations,
    process_expired_orders,
    process_expired_token_delegations,
    process_expired_transactions,
    process_owner_histories,
    process_recovery_account_changes,
    process_recovery_requests,
)
from chain.hardforks import process_hardforks
from chain.resource_credits import charge_optional_actions, process_resource_credits
from chain.withdrawals import process_token_withdrawals, process_vesting_withdrawals
from consensus.global_data import create_block_summary, update_global_dynamic_data, update_signing_witness
from consensus.irreversibility import update_last_irreversible_block
from consensus.median_feed import update_median_feed
from consensus.schedule import update_witness_schedule
from consensus.subsidized_accounts import process_subsidized_accounts
from protocol.rules import Rules
from rewards.cashout import process_comment_cashout
from rewards.fund import process_claims_decay
from rewards.inflation import process_funds
from rewards.null_account import process_null_account
from rewards.proposals import process_proposals
from rewards.token_cashout import process_token_cashout
from rewards.virtual_supply import process_virtual_supply
from state.context import Context
from state.tables.tables import Tables
from tokens.emissions import process_token_emissions
from tokens.identifiers import process_identifier_pool


class Due(NamedTuple):
    """The condition of a step: rows whose index key is `prefix` and a time that has come.

    The rule `late` is a delay in seconds added to the time in the key. With `is_past` the time must be before that of
    the block, otherwise it may be equal.
    """

    table: str
    order: str
    prefix: tuple[Any, ...] = ()
    is_past: bool = False
    late: str = ""


class Step(NamedTuple):
    """One per-block step over the state and the block in `ctx.block`.

    With `when`, the step is called only if such a row is due; with `rule`, only where this rule is set.
    """

    process: Callable[[Context], None]
    when: Due | None = None
    rule: str = ""


class BoundStep(NamedTuple):
    """A step of one ledger, called if `has_due(*prefix, time of the block + shift)`."""

    process: Callable[[Context], None]
    has_due: Callable[..., bool] | None = None
    prefix: tuple[Any, ...] = ()
    shift: int = 0


def bind_steps(steps: tuple[Step, ...], tables: Tables, rules: Rules) -> tuple[BoundStep, ...]:
    """Resolves the indexes of the steps' conditions under the current rules."""
    return tuple(_bind(step, tables, rules) for step in steps if not step.rule or getattr(rules, step.rule))


def _bind(step: Step, tables: Tables, rules: Rules) -> BoundStep:
    due = step.when
    if due is None:
        return BoundStep(step.process)
    late = getattr(rules, due.late) if due.late else 0
    view = getattr(tables, due.table).index(due.order)
    return BoundStep(step.process, view.has_due, due.prefix, -late if due.is_past else 1 - late)


STEPS: tuple[Step, ...] = (
    Step(update_global_dynamic_data),
    Step(update_signing_witness),
    Step(update_last_irreversible_block),
    Step(create_block_summary),
    Step(process_expired_transactions, Due("seen_transactions", "by_expiration", is_past=True)),
    Step(process_expired_orders, Due("limit_orders", "by_expiration", is_past=True)),
    Step(process_expired_delegations, Due("vesting_delegation_expirations", "by_expiration", is_past=True)),
    Step(
        process_expired_token_delegations,
        Due("token_delegation_expirations", "by_expiration", is_past=True),
        rule="tokens_live",
    ),
    Step(update_witness_schedule),
    Step(update_median_feed),
    Step(process_virtual_supply),
    Step(process_null_account),
    Step(process_funds),
    Step(process_conversions, Due("convert_requests", "by_conversion_date")),
    Step(process_claims_decay),
    Step(process_comment_cashout, Due("comments", "by_cashout_time")),
    Step(process_token_cashout, Due("token_posts", "by_cashout_time"), rule="tokens_live"),
    Step(process_token_withdrawals, Due("token_balances", "by_next_vesting_withdrawal"), rule="tokens_live"),
    Step(process_vesting_withdrawals, Due("accounts", "by_next_vesting_withdrawal")),
    Step(process_savings_withdrawals, Due("savings_withdraws", "by_complete_from_id")),
    Step(process_subsidized_accounts),
    Step(process_virtual_supply),
    Step(process_recovery_requests, Due("account_recovery_requests", "by_expiration")),
    Step(
        process_owner_histories,
        Due("owner_histories", "by_age", late="owner_auth_recovery_period_seconds", is_past=True),
    ),
    Step(process_recovery_account_changes, Due("change_recovery_requests", "by_effective_date")),
    Step(process_escrow_ratification, Due("escrows", "by_ratification_deadline", (False,))),
    Step(process_declined_voting_rights, Due("decline_voting_requests", "by_effective_date")),
    Step(process_proposals),
    Step(process_token_emissions, Due("tokens", "by_next_emission"), rule="tokens_live"),
    Step(process_required_actions),
    Step(check_required_actions, Due("pending_required_actions", "by_execution")),
    Step(process_optional_actions),
    Step(remove_unwanted_actions, Due("pending_optional_actions", "by_execution")),
    Step(charge_optional_actions),
    Step(process_identifier_pool, rule="tokens_live"),
    Step(process_hardforks),
    Step(process_resource_credits),
)
"""All steps. The first four make the block the new head."""
