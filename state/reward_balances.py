"""Unclaimed rewards: STEEM, SBD, and shares with the STEEM behind them.

Unclaimed shares have no voting power and are not part of the fund of all stake; separate sums count them.

Source: libraries/chain/database.cpp, database::modify_reward_balance; libraries/chain/steem_evaluator.cpp,
claim_reward_balance_evaluator.
"""

from typing import Any, Final

from protocol.assets import SBD, STEEM, VESTS, Asset, is_vesting
from protocol.errors import Rejected
from state.balances import LIQUID, REWARDS, Clearing, Place, Purse, TokenPurse, get_token_balance, move
from state.context import SINGLETON, Context
from state.mana import compute_manabars
from state.stake import update_with_mana
from state.supply import change_sums, change_supply
from state.tables.accounts import Account
from state.tables.globals import GlobalProperties
from state.tables.tokens import Token, TokenBalance
from state.witness_votes import adjust_proxied_witness_votes


class RewardShares(Purse):
    """The shares in unclaimed rewards, as a kind of place."""

    def change(self, ctx: Context, key: Any, symbol: int, delta: int) -> int:
        """Destroys -`delta` shares and returns the STEEM behind them; other changes are not supported."""
        accounts = ctx.tables.accounts
        account = accounts.get(key)
        if symbol != VESTS or not 0 <= -delta <= account.reward_vesting_balance:
            raise Rejected("false", "invalid symbol")
        steem = -compute_claimed_vesting_steem(account, -delta)
        accounts.update(
            account,
            reward_vesting_balance=account.reward_vesting_balance + delta,
            reward_vesting_steem=account.reward_vesting_steem + steem,
        )
        change_sums(ctx, pending_rewarded_vesting_steem=steem, pending_rewarded_vesting_shares=delta)
        return steem


REWARD_SHARES: Final = RewardShares(Account, "reward_vesting_balance", tokens="pending_vesting_shares")
"""Shares that an account has earned and not claimed."""
REWARD_SHARES_FUND: Final[Place] = (Purse(GlobalProperties, "pending_rewarded_vesting_steem"), SINGLETON)
"""The STEEM behind all unclaimed shares."""
TOKEN_REWARD_SHARES_FUND: Final = TokenPurse(Token, tokens="pending_rewarded_vesting_smt")
"""The tokens behind all such shares of a token."""


def compute_claimed_vesting_steem(account: Account, shares: int) -> int:
    """The STEEM behind claimed shares: a share rounded down, or all of it with the last shares."""
    if shares == account.reward_vesting_balance:
        return account.reward_vesting_steem
    return shares * account.reward_vesting_steem // account.reward_vesting_balance


class TokenRewardPayments:
    """What a post pays in a token, on its way from the reward fund to the accounts: the token's row changes once."""

    __slots__ = ("_paid", "_shares", "_symbol", "_value")

    def __init__(self, symbol: int) -> None:
        self._symbol = symbol
        self._paid = self._shares = self._value = 0

    def pay(self, ctx: Context, name: str, tokens: int, shares: int) -> None:
        """Adds to the rewards that wait to be claimed; what bought no shares is liquid, and what null gets is gone."""
        self._paid += tokens
        if name == ctx.rules.null_account:
            change_supply(ctx, self._symbol, -tokens)
            return
        balances = ctx.tables.token_balances
        row = get_token_balance(ctx, name, self._symbol)
        if shares == 0:
            balances.update(row, pending_liquid=row.pending_liquid + tokens)
            return
        self._shares += shares
        self._value += tokens
        balances.update(
            row,
            pending_vesting_shares=row.pending_vesting_shares + shares,
            pending_vesting_value=row.pending_vesting_value + tokens,
        )

    def settle(self, ctx: Context) -> None:
        """Takes what was paid from the reward fund, and counts the shares."""
        tokens = ctx.tables.tokens
        token = tokens.get(self._symbol)
        tokens.update(
            token,
            reward_balance=token.reward_balance - self._paid,
            pending_rewarded_vesting_shares=token.pending_rewarded_vesting_shares + self._shares,
            pending_rewarded_vesting_smt=token.pending_rewarded_vesting_smt + self._value,
        )


def compute_claimed_value(holder: TokenBalance, shares: int) -> int:
    """The tokens behind claimed shares: all of them with the last of these, a part rounded down before."""
    if shares == holder.pending_vesting_shares:
        return holder.pending_vesting_value
    return shares * holder.pending_vesting_value // holder.pending_vesting_shares


def claim_token_reward(ctx: Context, holder: TokenBalance, reward: Asset) -> None:
    """Moves a reward in a token, which the account must have, to its balance or its stake."""
    if not is_vesting(reward.symbol):
        move(ctx, reward, (REWARDS, holder.name), (LIQUID, holder.name))
        return
    shares, tokens = reward.amount, ctx.tables.tokens
    value = compute_claimed_value(holder, shares)
    update_with_mana(
        ctx,
        holder,
        compute_manabars(ctx, holder, shares),
        vesting_shares=holder.vesting_shares + shares,
        pending_vesting_shares=holder.pending_vesting_shares - shares,
        pending_vesting_value=holder.pending_vesting_value - value,
    )
    token = tokens.get(holder.symbol)
    tokens.update(
        token,
        total_vesting_shares=token.total_vesting_shares + shares,
        total_vesting_fund_smt=token.total_vesting_fund_smt + value,
        pending_rewarded_vesting_shares=token.pending_rewarded_vesting_shares - shares,
        pending_rewarded_vesting_smt=token.pending_rewarded_vesting_smt - value,
    )


def claim_reward(ctx: Context, name: str, reward: Asset, with_mana: bool = True) -> None:
    """Moves a reward, which must be available, to the account's balances; pays SBD interest, even for a claim of 0."""
    if reward.symbol == VESTS:
        _claim_shares(ctx, name, reward.amount, with_mana)
    else:
        move(ctx, reward, (REWARDS, name), (LIQUID, name))


def _claim_shares(ctx: Context, name: str, shares: int, with_mana: bool) -> None:
    account = ctx.tables.accounts.get(name)
    steem = compute_claimed_vesting_steem(account, shares)
    bars = account.voting_manabar, account.downvote_manabar
    account = update_with_mana(
        ctx,
        account,
        compute_manabars(ctx, account, shares) if with_mana else bars,
        vesting_shares=account.vesting_shares + shares,
        reward_vesting_balance=account.reward_vesting_balance - shares,
        reward_vesting_steem=account.reward_vesting_steem - steem,
    )
    change_sums(
        ctx,
        total_vesting_shares=shares,
        total_vesting_fund_steem=steem,
        pending_rewarded_vesting_shares=-shares,
        pending_rewarded_vesting_steem=-steem,
    )
    adjust_proxied_witness_votes(ctx, account, (shares,))


Reward = tuple[int, int, int, int]
"""SBD, liquid STEEM, the STEEM converted to VESTS, and these VESTS."""


class RewardPayments(Clearing):
    """Collects the rewards of a post: each account's row changes once, and the sums change once at the end."""

    __slots__ = ("_shares", "_steem")

    def __init__(self) -> None:
        super().__init__()
        self._shares = self._steem = 0

    def pay(self, ctx: Context, name: str, paid: Reward, curation: int = 0, posting: int = 0) -> None:
        """Adds to the unclaimed rewards and the totals of an account.

        As in the reference, STEEM too little to buy any VESTS becomes a liquid reward, but still counts as STEEM behind
        rewarded shares.
        """
        sbd, steem, vesting_steem, vests = paid
        self.change(ctx, name, STEEM, -steem - vesting_steem)
        self.change(ctx, name, SBD, -sbd)
        self._shares += vests
        self._steem += vesting_steem
        if vests == 0:
            steem += vesting_steem
            vesting_steem = 0
        accounts = ctx.tables.accounts
        account = accounts.get(name)
        accounts.update(
            account,
            reward_sbd_balance=account.reward_sbd_balance + sbd,
            reward_steem_balance=account.reward_steem_balance + steem,
            reward_vesting_balance=account.reward_vesting_balance + vests,
            reward_vesting_steem=account.reward_vesting_steem + vesting_steem,
            curation_rewards=account.curation_rewards + curation,
            posting_rewards=account.posting_rewards + posting,
        )

    def settle(self, ctx: Context) -> None:
        """Adds the rewarded shares to the sums and ends the payout; see `finish`."""
        change_sums(ctx, pending_rewarded_vesting_steem=self._steem, pending_rewarded_vesting_shares=self._shares)
        self.finish()
