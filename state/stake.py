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
from state.context import SINGLETON, Context
from state.mana import compute_manabars, take_mana
from state.prices import compute_shares, compute_shares_value
from state.tables.accounts import Account
from state.tables.vesting import VestingDelegation, VestingDelegationExpiration
from state.witness_votes import WitnessVoteSums, adjust_proxied_witness_votes


class Stake(Purse):
    """The shares of accounts, as a kind of place: STEEM that comes in buys them."""

    def change(self, ctx: Context, key: Any, symbol: int, delta: int) -> int:
        """Powers STEEM up and returns the new shares, which come with their mana.

        Of VESTS a negative `delta` destroys shares, and the STEEM behind them, which is returned.
        """
        accounts, sums = ctx.tables.accounts, ctx.tables.global_properties
        account, gpo = accounts.get(key), sums.get(SINGLETON)
        if symbol == STEEM:
            steem, shares = delta, compute_shares(gpo, delta)
            voting, downvote = compute_manabars(ctx, account, shares)
            account = accounts.update(
                account,
                vesting_shares=account.vesting_shares + shares,
                voting_manabar=voting,
                downvote_manabar=downvote,
            )
        elif symbol == VESTS and delta <= 0:
            steem, shares = -compute_shares_value(gpo, -delta), delta
            account = accounts.update(account, vesting_shares=account.vesting_shares + shares)
        else:
            raise Rejected("liquid.symbol == STEEM_SYMBOL")
        sums.update(
            gpo,
            total_vesting_fund_steem=gpo.total_vesting_fund_steem + steem,
            total_vesting_shares=gpo.total_vesting_shares + shares,
        )
        adjust_proxied_witness_votes(ctx, account, shares)
        return shares if symbol == STEEM else steem


STAKE: Final = Stake(Account, "vesting_shares")
"""What an account has powered up."""


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
        adjust_proxied_witness_votes(self._ctx, account, shares, self._sums)

    def give_steem(self, receiver: str, shares: int) -> int:
        """Gives another account what shares are worth, in STEEM satoshis, and returns that."""
        self._rest -= shares
        steem = compute_shares_value(self._ctx.gpo, shares)
        accounts = self._ctx.tables.accounts
        account = accounts.get(receiver)
        accounts.update(account, balance=account.balance + steem)
        self._sell(steem, shares)
        return steem

    def _sell(self, steem: int, shares: int) -> None:
        gpo = self._ctx.gpo
        self._ctx.tables.global_properties.update(
            gpo,
            total_vesting_fund_steem=gpo.total_vesting_fund_steem - steem,
            total_vesting_shares=gpo.total_vesting_shares - shares,
        )

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
        self._sell(steem, rest)
        if part > 0:
            adjust_proxied_witness_votes(ctx, account, -part, self._sums)
        return rest, steem


# Lending


def lend_shares(ctx: Context, delegator: str, delegatee: str, shares: int) -> None:
    """Lends shares, with their mana, to another account, in addition to those that are lent already."""
    accounts, delegations = ctx.tables.accounts, ctx.tables.vesting_delegations
    lender = accounts.get(delegator)
    voting, downvote = take_mana(
        ctx.gpo.downvote_pool_percent, (lender.voting_manabar, lender.downvote_manabar), shares
    )
    accounts.update(
        lender,
        delegated_vesting_shares=lender.delegated_vesting_shares + shares,
        voting_manabar=voting,
        downvote_manabar=downvote,
    )
    borrower = accounts.get(delegatee)
    voting, downvote = compute_manabars(ctx, borrower, shares)
    accounts.update(
        borrower,
        received_vesting_shares=borrower.received_vesting_shares + shares,
        voting_manabar=voting,
        downvote_manabar=downvote,
    )
    delegation = delegations.find((delegator, delegatee))
    if delegation is None:
        delegations.insert(VestingDelegation(delegations.next_id(), delegator, delegatee, shares, ctx.time))
    else:
        delegations.update(delegation, vesting_shares=delegation.vesting_shares + shares)


def call_shares_back(ctx: Context, delegation: VestingDelegation, shares: int, expiration: int) -> None:
    """Takes lent shares from the receiver, with their mana; the lender has them again when `expiration` is past."""
    accounts, tables = ctx.tables.accounts, ctx.tables
    borrower = accounts.get(delegation.delegatee)
    voting, downvote = take_mana(ctx.gpo.downvote_pool_percent, compute_manabars(ctx, borrower), shares)
    accounts.update(
        borrower,
        received_vesting_shares=borrower.received_vesting_shares - shares,
        voting_manabar=voting,
        downvote_manabar=downvote,
    )
    expirations = tables.vesting_delegation_expirations
    expirations.insert(VestingDelegationExpiration(expirations.next_id(), delegation.delegator, shares, expiration))
    left = delegation.vesting_shares - shares
    if left > 0:
        tables.vesting_delegations.update(delegation, vesting_shares=left)
    else:
        tables.vesting_delegations.delete(delegation)


def return_shares(ctx: Context, returning: VestingDelegationExpiration) -> None:
    """Gives shares whose way back is over to their delegator, with the mana they carry."""
    accounts, shares = ctx.tables.accounts, returning.vesting_shares
    account = accounts.get(returning.delegator)
    voting, downvote = compute_manabars(ctx, account, shares)
    accounts.update(
        account,
        delegated_vesting_shares=account.delegated_vesting_shares - shares,
        voting_manabar=voting,
        downvote_manabar=downvote,
    )
    ctx.tables.vesting_delegation_expirations.delete(returning)
