"""Delegation of vesting shares: the available amount, and starting, raising, lowering and ending a delegation.

The delegatee gets the shares and their mana at once; the delegator gets them back only after the return period.

Source: libraries/chain/steem_evaluator.cpp, delegate_vesting_shares_evaluator.
"""

from typing import NamedTuple

from protocol.assets import VESTS, Asset, liquid_symbol, symbol_json
from protocol.errors import Rejected
from protocol.integers import div_trunc
from protocol.resources import state_size
from protocol.units import BASIS_POINTS
from state.context import SINGLETON, Context
from state.mana import Staker, compute_effective_vesting_shares, update_manabars
from state.prices import compute_shares
from state.stake import Delegation, call_shares_back, find_delegation, find_staker, lend_shares
from state.tables.kinds import TIME_MAX

DELEGATION_BYTES = state_size("vesting_delegation_object_base_size", 60)
"""Weighted bytes of state of a delegation."""

MIN_DELEGATION_DIVISOR = 3
MIN_UPDATE_DIVISOR = 30
"""Divisors of the account creation fee that give the minimum delegation and the minimum change of one."""


class Available(NamedTuple):
    """VESTS satoshis that an account can delegate, limited by its voting mana and by its downvote mana."""

    by_voting_mana: int
    by_downvote_mana: int


def compute_available(account: Staker, downvote_pool_percent: int) -> Available:
    """What an account with regenerated mana bars can delegate: shares backed by mana, less all of a power down."""
    by_voting_mana = account.voting_manabar.current_mana
    by_downvote_mana = by_voting_mana
    if downvote_pool_percent:
        scaled = account.downvote_manabar.current_mana * BASIS_POINTS // downvote_pool_percent
        by_downvote_mana = scaled + BASIS_POINTS // downvote_pool_percent - 1
    own = compute_effective_vesting_shares(account) - account.received_vesting_shares
    correction = _compute_later_withdrawals(account)
    return Available(min(by_voting_mana, own) - correction, min(by_downvote_mana, own) - correction)


def _compute_later_withdrawals(account: Staker) -> int:
    """VESTS of a running power down after its next payment, which the effective shares already exclude."""
    remaining = account.to_withdraw - account.withdrawn
    if account.next_vesting_withdrawal < TIME_MAX and remaining > account.vesting_withdraw_rate:
        return remaining - account.vesting_withdraw_rate
    return 0


def compute_minimum(ctx: Context, symbol: int, divisor: int) -> int:
    """VESTS satoshis that the median account creation fee divided by `divisor` buys; 0 for the shares of a token."""
    if symbol != VESTS:
        return 0
    fee = ctx.tables.witness_schedule.get(SINGLETON).median_props.account_creation_fee
    return compute_shares(ctx.gpo, div_trunc(fee.amount, divisor))


def change_delegation(ctx: Context, delegator: str, delegatee: str, vesting_shares: Asset) -> None:
    """Sets the delegation from one account to another to `vesting_shares`."""
    symbol = vesting_shares.symbol
    accounts = ctx.tables.accounts
    lender: Staker = accounts.get(delegator) if symbol == VESTS else _get_holder(ctx, delegator, symbol)
    accounts.get(delegatee)
    delegation = find_delegation(ctx, delegator, delegatee, symbol)
    lender = update_manabars(ctx, lender)
    available = compute_available(lender, ctx.gpo.downvote_pool_percent)
    if delegation is None:
        _start(ctx, lender, delegatee, vesting_shares, available)
    elif vesting_shares.amount >= delegation.vesting_shares:
        _raise(ctx, lender, delegation, vesting_shares, available)
    else:
        _lower(ctx, delegation, vesting_shares)


def _get_holder(ctx: Context, delegator: str, symbol: int) -> Staker:
    lender = find_staker(ctx, delegator, symbol)
    if lender is None:
        raise Rejected(
            "delegator != nullptr",
            "Account ${acc} does not have a balance for the given symbol. Symbol: ${sym}",
            acc=delegator,
            sym=symbol_json(liquid_symbol(symbol)),
        )
    return lender


def _check_mana(delegator: str, wanted: Asset, name: str, available: Available) -> None:
    for variable, kind, amount in (
        ("available_shares", "mana", available.by_voting_mana),
        ("available_downvote_shares", "downvote mana", available.by_downvote_mana),
    ):
        if not amount >= wanted.amount:
            raise Rejected(
                f"{variable} >= {name}",
                f"Account ${{acc}} does not have enough {kind} to delegate. required: ${{r}} available: ${{a}}",
                acc=delegator,
                r=wanted.nai_json,
                a=Asset(amount, wanted.symbol).nai_json,
            ).named("power_missing")


def _start(ctx: Context, lender: Staker, delegatee: str, vesting_shares: Asset, available: Available) -> None:
    _check_mana(lender.name, vesting_shares, "op.vesting_shares", available)
    amount, symbol = vesting_shares
    minimum = compute_minimum(ctx, symbol, MIN_DELEGATION_DIVISOR)
    if not amount >= minimum:
        raise Rejected(
            "op.vesting_shares >= min_delegation",
            "Account must delegate a minimum of ${v}",
            v=Asset(minimum, symbol).nai_json,
        ).named("delegation_too_small")
    if amount == 0 and symbol != VESTS:
        raise Rejected("", "There is no delegation that could be taken back")
    lend_shares(ctx, lender, delegatee, vesting_shares)


def _raise(ctx: Context, lender: Staker, delegation: Delegation, vesting_shares: Asset, available: Available) -> None:
    delta = vesting_shares._replace(amount=vesting_shares.amount - delegation.vesting_shares)
    _check_update(ctx, delta, "increase")
    _check_mana(lender.name, delta, "delta", available)
    lend_shares(ctx, lender, delegation.delegatee, delta, delegation)


def _check_update(ctx: Context, delta: Asset, direction: str) -> None:
    minimum = compute_minimum(ctx, delta.symbol, MIN_UPDATE_DIVISOR)
    if not delta.amount >= minimum:
        raise Rejected(
            "delta >= min_update",
            f"Steem Power {direction} is not enough of a difference. min_update: ${{min}}",
            min=Asset(minimum, delta.symbol).nai_json,
        ).named("delegation_change_too_small")


def _lower(ctx: Context, delegation: Delegation, vesting_shares: Asset) -> None:
    """Takes shares from the delegatee; they return to the delegator when their expiration has passed."""
    amount, symbol = vesting_shares
    delta = delegation.vesting_shares - amount
    if amount > 0:
        _check_update(ctx, Asset(delta, symbol), "decrease")
        minimum = compute_minimum(ctx, symbol, MIN_DELEGATION_DIVISOR)
        if not amount >= minimum:
            raise Rejected(
                "op.vesting_shares >= min_delegation",
                "Delegation must be removed or leave minimum delegation amount of ${v}",
                v=Asset(minimum, symbol).nai_json,
            )
    expiration = max(ctx.time + ctx.gpo.delegation_return_period, delegation.min_delegation_time)
    call_shares_back(ctx, delegation, delta, expiration)
