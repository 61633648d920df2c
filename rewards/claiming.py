"""Claiming: earned rewards become balances, and VESTS that count.

Source: libraries/chain/steem_evaluator.cpp, claim_reward_balance_evaluator and claim_reward_balance2_evaluator.
"""

from protocol.assets import SBD, STEEM, VESTS, Asset
from state.context import Context
from state.money import adjust_balance, adjust_reward_balance
from state.stake import adjust_proxied_witness_votes, update_manabars
from state.tables.accounts import Account


def compute_claimed_vesting_steem(account: Account, vests: int) -> int:
    """The STEEM behind claimed VESTS: all of it with the last of them, a part rounded down before."""
    if vests == account.reward_vesting_balance:
        return account.reward_vesting_steem
    return vests * account.reward_vesting_steem // account.reward_vesting_balance


def claim_rewards(ctx: Context, account: Account, steem: int, sbd: int, vests: int) -> None:
    """Moves rewards, which the account must have, to its balances; a claim always touches its SBD interest."""
    name = account.name
    adjust_reward_balance(ctx, name, Asset(-steem, STEEM))
    adjust_reward_balance(ctx, name, Asset(-sbd, SBD))
    adjust_balance(ctx, name, Asset(steem, STEEM))
    _claim_vests(ctx, update_manabars(ctx, adjust_balance(ctx, name, Asset(sbd, SBD)), vests), vests)


def claim_reward(ctx: Context, account: Account, reward: Asset) -> None:
    """Moves a reward of one symbol, which the account must have, to its balance.

    Only this symbol is touched: SBD interest is counted with SBD alone, and VESTS come without mana.
    """
    if reward.symbol == VESTS:
        _claim_vests(ctx, account, reward.amount)
        return
    adjust_reward_balance(ctx, account.name, Asset(-reward.amount, reward.symbol))
    adjust_balance(ctx, account.name, reward)


def _claim_vests(ctx: Context, account: Account, vests: int) -> None:
    vesting_steem = compute_claimed_vesting_steem(account, vests)
    account = ctx.tables.accounts.update(
        account,
        vesting_shares=account.vesting_shares + vests,
        reward_vesting_balance=account.reward_vesting_balance - vests,
        reward_vesting_steem=account.reward_vesting_steem - vesting_steem,
    )
    gpo = ctx.gpo
    ctx.update_gpo(
        total_vesting_shares=gpo.total_vesting_shares + vests,
        total_vesting_fund_steem=gpo.total_vesting_fund_steem + vesting_steem,
        pending_rewarded_vesting_shares=gpo.pending_rewarded_vesting_shares - vests,
        pending_rewarded_vesting_steem=gpo.pending_rewarded_vesting_steem - vesting_steem,
    )
    adjust_proxied_witness_votes(ctx, account, vests)
