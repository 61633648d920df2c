"""Stake (VESTS, and shares of community tokens): power up, power down, delegation and its return.

The STEEM behind all shares is one fund, and the value of a share is the ratio of both sums. So every change of an
account's shares also changes the sums, and the votes of the witnesses that the account votes for. Each token has such a
fund, and no witnesses.

Source: libraries/chain/database.cpp, create_vesting2 and process_vesting_withdrawals;
libraries/chain/steem_evaluator.cpp, delegate_vesting_shares_evaluator.
"""

from typing import Any, Final, NamedTuple

from protocol.assets import STEEM, VESTS, Asset, is_vesting, liquid_symbol, paired_symbol
from protocol.errors import Rejected
from state.balances import Purse, get_token_balance
from state.context import Context
from state.mana import Staker, StakerT, compute_manabars, take_mana
from state.prices import compute_shares, compute_shares_value, compute_token_shares, compute_token_shares_value
from state.supply import change_sums, change_supply
from state.tables.accounts import Account, Manabar
from state.tables.tokens import TokenBalance, TokenDelegation, TokenDelegationExpiration
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
        elif self.can_hold_tokens(ctx, symbol) and not is_vesting(symbol) and delta >= 0:
            return power_tokens_up(ctx, key, symbol, delta)
        else:
            raise Rejected("liquid.symbol == STEEM_SYMBOL")
        change_sums(ctx, total_vesting_fund_steem=steem, total_vesting_shares=shares)
        adjust_proxied_witness_votes(ctx, account, (shares,))
        return shares if symbol == STEEM else steem


STAKE: Final = Stake(Account, "vesting_shares", tokens="vesting_shares")
"""The stake of an account."""


def power_tokens_up(ctx: Context, name: str, symbol: int, amount: int) -> int:
    """Turns tokens into shares and returns these. Those of the null account are gone, with the tokens.

    Raises Rejected for what buys no share, and when all shares together would be more than fits into 64 bits.
    """
    tokens = ctx.tables.tokens
    token = tokens.get(symbol)
    if name == ctx.rules.null_account:
        change_supply(ctx, symbol, -amount)
        return amount
    shares = compute_token_shares(ctx, token, amount)
    if not shares > 0:
        raise Rejected(
            "",
            "${a} cannot be powered up: it buys no share, or more than there may be",
            a=Asset(amount, symbol).nai_json,
        )
    holder = get_token_balance(ctx, name, symbol)
    update_with_mana(ctx, holder, compute_manabars(ctx, holder, shares), vesting_shares=holder.vesting_shares + shares)
    tokens.update(
        token,
        total_vesting_fund_smt=token.total_vesting_fund_smt + amount,
        total_vesting_shares=token.total_vesting_shares + shares,
    )
    return shares


def update_with_mana(ctx: Context, account: StakerT, bars: tuple[Manabar, Manabar], **changes: int) -> StakerT:
    """Changes a stake together with its mana bars, for voting and for down votes."""
    voting, downvote = bars
    table: Any = ctx.tables.accounts if type(account) is Account else ctx.tables.token_balances
    new: StakerT = table.update(account, voting_manabar=voting, downvote_manabar=downvote, **changes)
    return new


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


class TokensPaid(NamedTuple):
    """A part of a power down: shares and the tokens that they became."""

    shares: int
    tokens: int


def power_tokens_down(ctx: Context, holder: TokenBalance, shares: int, **progress: int) -> TokensPaid:
    """Turns shares into tokens again; `progress` is what else changes in the row."""
    tables = ctx.tables
    token = tables.tokens.get(holder.symbol)
    paid = compute_token_shares_value(ctx, token, shares)
    tables.token_balances.update(
        holder, vesting_shares=holder.vesting_shares - shares, liquid=holder.liquid + paid, **progress
    )
    tables.tokens.update(
        token,
        total_vesting_fund_smt=token.total_vesting_fund_smt - paid,
        total_vesting_shares=token.total_vesting_shares - shares,
    )
    return TokensPaid(shares, paid)


# Lending

Delegation = VestingDelegation | TokenDelegation
Returning = VestingDelegationExpiration | TokenDelegationExpiration


def find_staker(ctx: Context, name: str, symbol: int) -> Staker | None:
    """An account with its stake in VESTS, or in a token that is given by its vesting symbol; None if there is none."""
    if symbol == VESTS:
        return ctx.tables.accounts.find(name)
    return ctx.tables.token_balances.find((name, liquid_symbol(symbol)))


def get_staker(ctx: Context, name: str, symbol: int) -> Staker:
    """As `find_staker`; a stake in a token is made if it is not there. Raises RowMissing for an unknown account."""
    if symbol == VESTS:
        return ctx.tables.accounts.get(name)
    return get_token_balance(ctx, name, liquid_symbol(symbol))


def find_delegation(ctx: Context, delegator: str, delegatee: str, symbol: int) -> Delegation | None:
    """What one account lends to another of VESTS, or of the shares of a token."""
    if symbol == VESTS:
        return ctx.tables.vesting_delegations.find((delegator, delegatee))
    return ctx.tables.token_delegations.find((delegator, delegatee, liquid_symbol(symbol)))


def get_shares_symbol(row: Delegation | Returning) -> int:
    """The vesting symbol of shares that are lent."""
    return paired_symbol(row.symbol) if isinstance(row, (TokenDelegation, TokenDelegationExpiration)) else VESTS


def lend_shares(
    ctx: Context, lender: Staker, delegatee: str, shares: Asset, delegation: Delegation | None = None
) -> None:
    """Delegates shares, with their mana, to another account, in addition to an earlier delegation."""
    amount, symbol = shares
    pool_percent = ctx.gpo.downvote_pool_percent
    bars = take_mana(pool_percent, (lender.voting_manabar, lender.downvote_manabar), amount)
    update_with_mana(ctx, lender, bars, delegated_vesting_shares=lender.delegated_vesting_shares + amount)
    borrower = get_staker(ctx, delegatee, symbol)
    bars = compute_manabars(ctx, borrower, amount)
    update_with_mana(ctx, borrower, bars, received_vesting_shares=borrower.received_vesting_shares + amount)
    delegations: Any = ctx.tables.vesting_delegations if symbol == VESTS else ctx.tables.token_delegations
    if delegation is not None:
        delegations.update(delegation, vesting_shares=delegation.vesting_shares + amount)
        return
    number, now = delegations.next_id(), ctx.time
    if symbol == VESTS:
        delegations.insert(VestingDelegation(number, lender.name, delegatee, amount, now))
    else:
        delegations.insert(TokenDelegation(number, lender.name, delegatee, liquid_symbol(symbol), amount, now))


def call_shares_back(ctx: Context, delegation: Delegation, shares: int, expiration: int) -> None:
    """Takes delegated shares and their mana from the delegatee; they return to the delegator after `expiration`."""
    tables, symbol = ctx.tables, get_shares_symbol(delegation)
    borrower = get_staker(ctx, delegation.delegatee, symbol)
    bars = take_mana(ctx.gpo.downvote_pool_percent, compute_manabars(ctx, borrower), shares)
    update_with_mana(ctx, borrower, bars, received_vesting_shares=borrower.received_vesting_shares - shares)
    if isinstance(delegation, TokenDelegation):
        returning, token = tables.token_delegation_expirations, delegation.symbol
        row = TokenDelegationExpiration(returning.next_id(), delegation.delegator, token, shares, expiration)
        returning.insert(row)
    else:
        expirations = tables.vesting_delegation_expirations
        expirations.insert(VestingDelegationExpiration(expirations.next_id(), delegation.delegator, shares, expiration))
    table: Any = tables.vesting_delegations if symbol == VESTS else tables.token_delegations
    if shares < delegation.vesting_shares:
        table.update(delegation, vesting_shares=delegation.vesting_shares - shares)
    else:
        table.delete(delegation)


def return_shares(ctx: Context, returning: Returning) -> None:
    """Returns shares whose expiration has passed to their delegator, with their mana."""
    shares, tables = returning.vesting_shares, ctx.tables
    account = get_staker(ctx, returning.delegator, get_shares_symbol(returning))
    bars = compute_manabars(ctx, account, shares)
    update_with_mana(ctx, account, bars, delegated_vesting_shares=account.delegated_vesting_shares - shares)
    if isinstance(returning, TokenDelegationExpiration):
        tables.token_delegation_expirations.delete(returning)
    else:
        tables.vesting_delegation_expirations.delete(returning)
