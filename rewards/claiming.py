"""Claiming: earned rewards become balances, and VESTS that count.

Source: libraries/chain/steem_evaluator.cpp, claim_reward_balance_evaluator and claim_reward_balance2_evaluator.
"""

from protocol.assets import VESTS, Asset
from state.balances import LIQUID, REWARDS, move
from state.context import Context
from state.reward_balances import claim_shares


def claim_rewards(ctx: Context, name: str, steem: Asset, sbd: Asset, vests: Asset) -> None:
    """Moves rewards, which the account must have, to its balances; a claim always touches its SBD interest."""
    move(ctx, steem, (REWARDS, name), (LIQUID, name))
    move(ctx, sbd, (REWARDS, name), (LIQUID, name))
    claim_shares(ctx, name, vests.amount, with_mana=True)


def claim_reward(ctx: Context, name: str, reward: Asset) -> None:
    """Moves a reward of one symbol, which the account must have, to its balance.

    Only this symbol is touched: SBD interest is counted with SBD alone, and VESTS come without mana.
    """
    if reward.symbol == VESTS:
        claim_shares(ctx, name, reward.amount, with_mana=False)
    else:
        move(ctx, reward, (REWARDS, name), (LIQUID, name))
