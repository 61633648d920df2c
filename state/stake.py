"""Stake: STEEM that became VESTS. Shares are bought, lent, given back and powered down here.

The STEEM behind all shares is one fund, and what a share is worth follows from both sums; so whatever changes the
shares of an account changes the sums as well, and carries the difference to the witnesses that they vote for.

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
    """The shares of accounts, as a kind of place: STEEM that comes in buys them."""

    def change(self, ctx: Context, key: Any, symbol: int, delta: int) -> int:
        """Powers STEEM up and returns the new shares, which come with their mana.

        Of VESTS a negative `delta` destroys shares, and the STEEM behind them, which is returned.
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
"""What an account has powered up."""


def update_with_mana(ctx: Context, account: Account, bars: tuple[Manabar, Manabar], **changes: int) -> Account:
    """Changes the stake of an account together with its mana bars, for voting and for down votes."""
    voting, downvote = bars
    return ctx.tables.accounts.update(account, voting_manabar=voting, downvote_manabar=downvote, **changes)


class PowerDown:
    """One part of an account's power down: shares that other accounts get, as STEEM or as shares, and a rest.

    The account loses the whole part when the rest is paid, at the end. Raises Rejected when more was given away.
    """

    __slots__ = ("_account", "_ctx", "_part", "_rest", "_sums")

    def __init__(self, ctx: Context, account: str, part: int, sums: WitnessVoteSums) -> None:
        self._ctx = ctx
        self._account = account
        self._part = self._rest = part
        self._sums = sums

    def give_shares(self, receiver: str, shares: int) -> None:
        """Gives shares to another account as shares."""
        self._rest -= shares
        accounts = self._ctx.tables.accounts
        account = accounts.get(receiver)
        account = accounts.update(account, vesting_shares=account.vesting_shares + shares)
        adjust_proxied_witness_votes(self._ctx, account, (shares,), self._sums)

    def give_steem(self, receiver: str, shares: int) -> int:
        """Gives another account what shares are worth, in STEEM satoshis, and returns that."""
        self._rest -= shares
        steem = compute_shares_value(self._ctx.gpo, shares)
        accounts = self._ctx.tables.accounts
        account = accounts.get(receiver)
        accounts.update(account, balance=account.balance + steem)
        change_sums(self._ctx, total_vesting_fund_steem=-steem, total_vesting_shares=-shares)
        return steem

    def finish(self, **progress: int) -> tuple[int, int]:
        """Gives the account the rest as STEEM and takes its part; returns the shares of the rest and their STEEM.

        `progress` is what else changes in the account's row.
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
    """Lends shares, with their mana, to another account, in addition to those that are lent already."""
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
    """Takes lent shares from the receiver, with their mana; the lender has them again when `expiration` is past."""
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
    """Gives shares whose way back is over to their delegator, with the mana they carry."""
    shares = returning.vesting_shares
    account = ctx.tables.accounts.get(returning.delegator)
    bars = compute_manabars(ctx, account, shares)
    update_with_mana(ctx, account, bars, delegated_vesting_shares=account.delegated_vesting_shares - shares)
    ctx.tables.vesting_delegation_expirations.delete(returning)
