"""Explanations of pending payouts, in the form that each cashout reports for a paid one."""

from protocol.curves import evaluate_reward_curve
from protocol.errors import Rejected
from protocol.integers import UINT128_MAX
from rewards.cashout import make_terms
from rewards.comments import get_votes
from rewards.fund import fade_claims, get_reward_fund
from rewards.payout import (
    AuthorPart,
    BeneficiaryPart,
    CuratorPart,
    PayoutExplanation,
    PayoutTerms,
    compute_payout,
)
from state.context import Context
from state.tables.content import Comment
from state.tables.kinds import TIME_MAX

__all__ = ["AuthorPart", "BeneficiaryPart", "CuratorPart", "PayoutExplanation", "explain_pending"]


def explain_pending(ctx: Context, comment: Comment) -> PayoutExplanation:
    """The payout of a post if its cashout were now and it were the only post paid.

    Changes nothing. Raises Rejected for a post that has been paid: its explanation was reported with its cashout.
    """
    return compute_payout(comment, get_votes(ctx, comment), make_terms_now(ctx, comment), pending=True)


def make_terms_now(ctx: Context, comment: Comment) -> PayoutTerms:
    """The terms of that payout; raises Rejected for a post that has been paid."""
    if comment.cashout_time == TIME_MAX:
        raise Rejected("comment.cashout_time != fc::time_point_sec::maximum()", "The post has been paid already.")
    fund = get_reward_fund(ctx)
    claims = fade_claims(ctx, fund, ctx.time - fund.last_update)
    if comment.net_rshares > 0:
        claims += evaluate_reward_curve(comment.net_rshares, fund.author_reward_curve, fund.content_constant)
    return make_terms(ctx, fund, claims & UINT128_MAX)
