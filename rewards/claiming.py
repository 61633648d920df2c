"""Claiming: earned rewards become balances, and VESTS that count.

Source: libraries/chain/steem_evaluator.cpp, claim_reward_balance_evaluator.
"""

from protocol.assets import SBD, STEEM, Asset
from state.context import Context
from state.money import adjust_balance, adjust_reward_balance
from state.schema import Account
from state.stake import adjust_proxied_witness_votes, update_manabars


def compute_claimed_vesting_steem(account: Account, vests: int) -> int:
    """The STEEM behind claimed VESTS: all of it with the last of them, a part rounded down before."""
    if vests == account.reward_vesting_balance:
        return account.reward_vesting_steem
    return vests * account.reward_vesting_steem // account.reward_vesting_balance


def claim_rewards(ctx: Context, account: Account, steem: int, sbd: int, vests: int) -> None:
    """Moves rewards, which the account must have, to its balances; a claim always touches its SBD interest."""
    name = account.name
    vesting_steem = compute_claimed_vesting_steem(account, vests)
    adjust_reward_balance(ctx, name, Asset(-steem, STEEM))
    adjust_reward_balance(ctx, name, Asset(-sbd, SBD))
    adjust_balance(ctx, name, Asset(steem, STEEM))
    account = update_manabars(ctx, adjust_balance(ctx, name, Asset(sbd, SBD)), vests)
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
