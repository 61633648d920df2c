"""Per-block steps that process expirations: transactions, orders, returning delegations, requests, escrows.

Source: libraries/chain/database.cpp, clear_expired_transactions, clear_expired_orders, clear_expired_delegations,
account_recovery_processing, expire_escrow_ratification and process_decline_voting_rights.
"""

from itertools import islice

from protocol.assets import VESTS, Asset, paired_symbol
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
"""Maximum number of expired transactions removed by one block: more than a node can apply in one block interval.

The transactions of an hour may expire together. An expired transaction is refused anyway, so delayed removal does not
affect the validity of any block.
"""


def process_expired_transactions(ctx: Context) -> None:
    """Removes expired transactions from the duplicate check; from then on they are refused as expired."""
    seen = ctx.tables.seen_transactions
    expired: list[SeenTransaction] = list(islice(seen.index("by_expiration").scan(stop=(ctx.time,)), FORGOTTEN_MAX))
    for row in expired:
        seen.delete(row)


def process_expired_orders(ctx: Context) -> None:
    """Cancels expired orders, oldest first."""
    orders: list[LimitOrder] = list(ctx.tables.limit_orders.index("by_expiration").scan(stop=(ctx.time,)))
    payments = Payments()
    for order in orders:
        release(ctx, ctx.tables.limit_orders, order, (payments, order.seller))
    payments.finish(ctx)


def process_expired_token_delegations(ctx: Context) -> None:
    """Gives shares of tokens whose way back is over to their delegators, with the mana they carry."""
    due = list(ctx.tables.token_delegation_expirations.index("by_expiration").scan(stop=(ctx.time,)))
    for returning in due:
        shares = Asset(returning.vesting_shares, paired_symbol(returning.symbol))
        ctx.emit(ReturnVestingDelegation(returning.delegator, shares))
        return_shares(ctx, returning)


def process_expired_delegations(ctx: Context) -> None:
    """Returns expired delegations to their delegators, with their mana."""
    expirations = ctx.tables.vesting_delegation_expirations
    due: list[VestingDelegationExpiration] = list(expirations.index("by_expiration").scan(stop=(ctx.time,)))
    for returning in due:
        ctx.emit(ReturnVestingDelegation(returning.delegator, Asset(returning.vesting_shares, VESTS)))
        credits = regenerate_rc(ctx, returning.delegator)
        return_shares(ctx, returning)
        update_max_rc(credits)


def process_recovery_requests(ctx: Context) -> None:
    """Removes recovery requests that were not confirmed in time."""
    requests = ctx.tables.account_recovery_requests
    for request in list(requests.index("by_expiration").scan(stop=(ctx.time + 1,))):
        requests.delete(request)


def process_owner_histories(ctx: Context) -> None:
    """Removes former owner authorities that are too old for a recovery."""
    histories = ctx.tables.owner_histories
    oldest_valid = ctx.time - ctx.rules.owner_auth_recovery_period_seconds
    for history in list(histories.index("by_age").scan(stop=(oldest_valid,))):
        histories.delete(history)


def process_recovery_account_changes(ctx: Context) -> None:
    """Executes due changes of recovery accounts."""
    changes, accounts = ctx.tables.change_recovery_requests, ctx.tables.accounts
    for change in list(changes.index("by_effective_date").scan(stop=(ctx.time + 1,))):
        accounts.update(accounts.get(change.account_to_recover), recovery_account=change.recovery_account)
        changes.delete(change)


def process_escrow_ratification(ctx: Context) -> None:
    """Refunds every escrow that was not approved by both receiver and agent before the deadline."""
    waiting = ctx.tables.escrows.index("by_ratification_deadline")
    due: list[Escrow] = list(waiting.scan((False,), stop=(False, ctx.time + 1)))
    payments = Payments()
    for escrow in due:
        release(ctx, ctx.tables.escrows, escrow, (payments, escrow.from_))
    payments.finish(ctx)


def process_declined_voting_rights(ctx: Context) -> None:
    """Executes due waivers of voting rights: removes the account's own and proxied votes.

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
