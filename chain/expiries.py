"""Per-block steps that remove what has run out: transactions, orders, returning delegations, requests, escrows.

Source: libraries/chain/database.cpp, clear_expired_transactions, clear_expired_orders, clear_expired_delegations,
account_recovery_processing, expire_escrow_ratification and process_decline_voting_rights.
"""

from itertools import islice

from protocol.assets import VESTS, Asset
from protocol.virtual_operations import ReturnVestingDelegation
from state.balances import Payments, release
from state.context import Context
from state.resource_credits import regenerate_rc, update_max_rc
from state.stake import return_shares
from state.tables.globals import SeenTransaction
from state.tables.market import LimitOrder
from state.tables.payments import Escrow
from state.tables.vesting import VestingDelegationExpiration
from state.witness_votes import WitnessVoteSums, adjust_proxied_witness_votes, clear_witness_votes

FORGOTTEN_MAX = 5000
"""Expired transactions that one block forgets, more than this node can apply in the time of a block.

An hour of transactions may expire together. Their expiration alone keeps them from coming again, so no block is
accepted or refused for the sake of those that wait to be forgotten.
"""


def process_expired_transactions(ctx: Context) -> None:
    """Forgets transactions whose expiration is past: from then on it keeps them from coming again."""
    seen = ctx.tables.seen_transactions
    expired: list[SeenTransaction] = list(islice(seen.index("by_expiration").scan(stop=(ctx.time,)), FORGOTTEN_MAX))
    for row in expired:
        seen.delete(row)


def process_expired_orders(ctx: Context) -> None:
    """Cancels the orders whose expiration is past, oldest first."""
    orders: list[LimitOrder] = list(ctx.tables.limit_orders.index("by_expiration").scan(stop=(ctx.time,)))
    payments = Payments()
    for order in orders:
        release(ctx, ctx.tables.limit_orders, order, (payments, order.seller))
    payments.finish(ctx)


def process_expired_delegations(ctx: Context) -> None:
    """Gives VESTS whose way back is over to their delegators, with the mana they carry."""
    expirations = ctx.tables.vesting_delegation_expirations
    due: list[VestingDelegationExpiration] = list(expirations.index("by_expiration").scan(stop=(ctx.time,)))
    for returning in due:
        ctx.emit(ReturnVestingDelegation(returning.delegator, Asset(returning.vesting_shares, VESTS)))
        credits = regenerate_rc(ctx, returning.delegator)
        return_shares(ctx, returning)
        update_max_rc(credits)


def process_recovery_requests(ctx: Context) -> None:
    """Clears requests for a recovery that nobody confirmed in time."""
    requests = ctx.tables.account_recovery_requests
    for request in list(requests.index("by_expiration").scan(stop=(ctx.time + 1,))):
        requests.delete(request)


def process_owner_histories(ctx: Context) -> None:
    """Clears the replaced owner authorities that can no longer recover an account."""
    histories = ctx.tables.owner_histories
    oldest_valid = ctx.time - ctx.rules.owner_auth_recovery_period_seconds
    for history in list(histories.index("by_age").scan(stop=(oldest_valid,))):
        histories.delete(history)


def process_recovery_account_changes(ctx: Context) -> None:
    """Carries out due changes of recovery accounts."""
    changes, accounts = ctx.tables.change_recovery_requests, ctx.tables.accounts
    for change in list(changes.index("by_effective_date").scan(stop=(ctx.time + 1,))):
        accounts.update(accounts.get(change.account_to_recover), recovery_account=change.recovery_account)
        changes.delete(change)


def process_escrow_ratification(ctx: Context) -> None:
    """Gives back every escrow that its receiver and its agent have not both approved by the deadline."""
    waiting = ctx.tables.escrows.index("by_ratification_deadline")
    due: list[Escrow] = list(waiting.scan((False,), stop=(False, ctx.time + 1)))
    payments = Payments()
    for escrow in due:
        release(ctx, ctx.tables.escrows, escrow, (payments, escrow.from_))
    payments.finish(ctx)


def process_declined_voting_rights(ctx: Context) -> None:
    """Takes the voting rights of those who gave them up: own and proxied votes no longer count anywhere.

    Source: database::process_decline_voting_rights.
    """
    accounts, requests = ctx.tables.accounts, ctx.tables.decline_voting_requests
    sums = WitnessVoteSums(ctx)
    for request in list(requests.index("by_effective_date").scan(stop=(ctx.time + 1,))):
        account = accounts.get(request.account)
        deltas = (-account.vesting_shares, *(-votes for votes in account.proxied_vsf_votes))
        adjust_proxied_witness_votes(ctx, account, deltas, sums)
        clear_witness_votes(ctx, account.name)
        sums.forget_choices(account.name)
        accounts.update(accounts.get(account.name), can_vote=False, proxy="")
        requests.delete(request)
    sums.finish()
