"""Stake (VESTS): power up, power down, delegation and its return.

The STEEM behind all shares is one fund, and the value of a share is the ratio of both sums. So every change of an
account's shares also changes the sums, and the votes of the witnesses that the account votes for.

Source: libraries/chain/database.cpp, create_vesting2 and process_vesting_withdrawals;
libraries/chain/steem_evaluator.cpp, delegate_vesting_shares_evaluator.
"""

from typing import Any, Final

from protocol.assets import STEEM, VESTS
from protocol.errors import Rejected
from state.balances import Purse
from state.context import Context
from state.mana import compute_manabars, take_mana
from state.prices import compute_shares, compute_shares_value
from state.supply import change_sums
from state.tables.accounts import Account, Manabar
from state.tables.vesting import VestingDelegation, VestingDelegationExpiration
from state.witness_votes import WitnessVoteSums, adjust_proxied_witness_votes


class Stake(Purse):
    """The shares of accounts, as a kind of place; incoming STEEM buys shares."""

    def change(self, ctx: Context, key: Any, symbol: int, delta: int) -> int:
        """Powers STEEM up and returns the new shares, which have full mana.

        For VESTS, a negative `delta` destroys shares and returns the STEEM behind them.
        """
        accounts = ctx.tables.accounts
        account = accounts.get(key)
        if symbol == STEEM and delta >= 0:
            steem, shares = delta, compute_shares(ctx.gpo, delta)
            bars = compute_manabars(ctx, account, shares)
            account = update_with_mana(ctx, account, bars, vesting_shares=account.vesting_shares + shares)
        elif symbol == VESTS and 0 <= -delta <= account.vesting_shares:
            steem, shares = -compute_shares_value(ctx.gpo, -delta), delta
            account = accounts.update(account, vesting_shares=account.vesting_shares + shares)
        else:
            raise Rejected("liquid.symbol == STEEM_SYMBOL")
        change_sums(ctx, total_vesting_fund_steem=steem, total_vesting_shares=shares)
        adjust_proxied_witness_votes(ctx, account, (shares,))
        return shares if symbol == STEEM else steem


STAKE: Final = Stake(Account, "vesting_shares")
"""The stake of an account."""


def update_with_mana(ctx: Context, account: Account, bars: tuple[Manabar, Manabar], **changes: int) -> Account:
    """Changes the stake of an account together with its mana bars, for voting and for down votes."""
    voting, downvote = bars
    return ctx.tables.accounts.update(account, voting_manabar=voting, downvote_manabar=downvote, **changes)


class PowerDown:
    """One payment of a power down: shares routed to other accounts, as STEEM or as shares, and the rest.

    The account loses the whole part in `finish`, which raises Rejected if more was routed.
    """

    __slots__ = ("_account", "_ctx", "_part", "_rest", "_sums")

    def __init__(self, ctx: Context, account: str, part: int, sums: WitnessVoteSums) -> None:
        self._ctx = ctx
        self._account = account
        self._part = self._rest = part
        self._sums = sums

    def give_shares(self, receiver: str, shares: int) -> None:
        """Transfers shares to another account as shares."""
        self._rest -= shares
        accounts = self._ctx.tables.accounts
        account = accounts.get(receiver)
        account = accounts.update(account, vesting_shares=account.vesting_shares + shares)
        adjust_proxied_witness_votes(self._ctx, account, (shares,), self._sums)

    def give_steem(self, receiver: str, shares: int) -> int:
        """Pays another account the value of shares in STEEM satoshis, and returns that value."""
        self._rest -= shares
        steem = compute_shares_value(self._ctx.gpo, shares)
        accounts = self._ctx.tables.accounts
        account = accounts.get(receiver)
        accounts.update(account, balance=account.balance + steem)
        change_sums(self._ctx, total_vesting_fund_steem=-steem, total_vesting_shares=-shares)
        return steem

    def finish(self, **progress: int) -> tuple[int, int]:
        """Pays the rest to the account as STEEM and removes the whole part; returns the rest in shares and in STEEM.

        `progress` are further changes of the account's row.
        """
        ctx, part, rest = self._ctx, self._part, self._rest
        if rest < 0:
            raise Rejected("to_convert >= 0", "Deposited more vests than were supposed to be withdrawn")
        steem = compute_shares_value(ctx.gpo, rest)
        accounts = ctx.tables.accounts
        account = accounts.get(self._account)
        account = accounts.update(
            account, vesting_shares=account.vesting_shares - part, balance=account.balance + steem, **progress
        )
        change_sums(ctx, total_vesting_fund_steem=-steem, total_vesting_shares=-rest)
        if part > 0:
            adjust_proxied_witness_votes(ctx, account, (-part,), self._sums)
        return rest, steem


# Lending


def lend_shares(ctx: Context, delegator: str, delegatee: str, shares: int) -> None:
    """Delegates shares, with their mana, to another account, in addition to earlier ones."""
    accounts, delegations = ctx.tables.accounts, ctx.tables.vesting_delegations
    lender, pool_percent = accounts.get(delegator), ctx.gpo.downvote_pool_percent
    bars = take_mana(pool_percent, (lender.voting_manabar, lender.downvote_manabar), shares)
    update_with_mana(ctx, lender, bars, delegated_vesting_shares=lender.delegated_vesting_shares + shares)
    borrower = accounts.get(delegatee)
    bars = compute_manabars(ctx, borrower, shares)
    update_with_mana(ctx, borrower, bars, received_vesting_shares=borrower.received_vesting_shares + shares)
    delegation = delegations.find((delegator, delegatee))
    if delegation is None:
        delegations.insert(VestingDelegation(delegations.next_id(), delegator, delegatee, shares, ctx.time))
    else:
        delegations.update(delegation, vesting_shares=delegation.vesting_shares + shares)


def call_shares_back(ctx: Context, delegation: VestingDelegation, shares: int, expiration: int) -> None:
    """Takes delegated shares and their mana from the delegatee; they return to the delegator after `expiration`."""
    tables = ctx.tables
    borrower = tables.accounts.get(delegation.delegatee)
    bars = take_mana(ctx.gpo.downvote_pool_percent, compute_manabars(ctx, borrower), shares)
    update_with_mana(ctx, borrower, bars, received_vesting_shares=borrower.received_vesting_shares - shares)
    expirations = tables.vesting_delegation_expirations
    expirations.insert(VestingDelegationExpiration(expirations.next_id(), delegation.delegator, shares, expiration))
    if shares < delegation.vesting_shares:
        tables.vesting_delegations.update(delegation, vesting_shares=delegation.vesting_shares - shares)
    else:
        tables.vesting_delegations.delete(delegation)


def return_shares(ctx: Context, returning: VestingDelegationExpiration) -> None:
    """Returns shares whose expiration has passed to their delegator, with their mana."""
    shares = returning.vesting_shares
    account = ctx.tables.accounts.get(returning.delegator)
    bars = compute_manabars(ctx, account, shares)
    update_with_mana(ctx, account, bars, delegated_vesting_shares=account.delegated_vesting_shares - shares)
    ctx.tables.vesting_delegation_expirations.delete(returning)
