"""The reward fund, and the decay of its recent claims.

The reference supports several funds, but every chain has exactly one.

Source: libraries/chain/database.cpp, the first part of process_comment_cashout.
"""

from protocol.integers import UINT128_MAX
from state.context import Context
from state.tables.content import RewardFund


def get_reward_fund(ctx: Context) -> RewardFund:
    """The fund that pays all posts and replies."""
    return ctx.tables.reward_funds.get(ctx.rules.post_reward_fund_name)


def compute_faded_claims(recent_claims: int, elapsed_seconds: int, decay_seconds: int, can_wrap: bool = True) -> int:
    """The recent claims after linear decay: they lose the fraction elapsed / decay.

    The reference subtracts unsigned 128-bit integers, so after more than `decay_seconds` without a block the result
    wraps around. With `can_wrap` false it is 0 instead.
    """
    if not can_wrap:
        return recent_claims - recent_claims * min(elapsed_seconds, decay_seconds) // decay_seconds
    return (recent_claims - ((recent_claims * elapsed_seconds) & UINT128_MAX) // decay_seconds) & UINT128_MAX


def fade_claims(ctx: Context, fund: RewardFund, elapsed_seconds: int) -> int:
    """A fund's recent claims after some time, by the rules of the chain."""
    rules = ctx.rules
    decay_seconds, can_wrap = rules.recent_claims_decay_seconds, rules.recent_claims_wrap
    return compute_faded_claims(fund.recent_claims, elapsed_seconds, decay_seconds, can_wrap)


def process_claims_decay(ctx: Context) -> None:
    """Decays the recent claims of the fund up to now.

    Decay starts at the first block instead of the genesis time, which may lie years before it: the initial claims of a
    chain config would be gone. (In the reference the claims are zero until long after the genesis.)
    """
    now, fund = ctx.time, get_reward_fund(ctx)
    elapsed = 0 if ctx.gpo.head_block_number == 1 else now - fund.last_update
    ctx.tables.reward_funds.update(fund, recent_claims=fade_claims(ctx, fund, elapsed), last_update=now)
