"""Cashout: pays posts whose payout window has ended from the reward fund.

`compute_payout` computes every payout, and this module executes the result, so the report always matches the payment.
Source: libraries/chain/database.cpp, process_comment_cashout, cashout_comment_helper, pay_curators, create_sbd,
adjust_total_payout.
"""

from protocol.assets import SBD, STEEM, VESTS, Asset
from protocol.curves import evaluate_reward_curve
from protocol.integers import UINT128_MAX
from protocol.virtual_operations import (
    AuthorReward,
    CommentBenefactorReward,
    CommentPayoutUpdate,
    CommentReward,
    CurationReward,
)
from rewards.comments import get_votes
from rewards.fund import get_reward_fund
from rewards.payout import AuthorPart, BeneficiaryPart, CuratorPart, PayoutExplanation, PayoutTerms, compute_payout
from state.balances import LIQUID, REWARD_FUND, Place, move
from state.context import Context
from state.issuance import burn, issue
from state.prices import compute_sbd_value, get_median_price
from state.resource_credits import touch_rc
from state.reward_balances import RewardPayments
from state.tables.content import Comment, CommentVote, RewardFund
from state.tables.kinds import TIME_MAX


def process_comment_cashout(ctx: Context) -> None:
    """Pays every post and reply whose cashout time has come.

    First the claims of all due posts are added to the fund's recent claims; then all are paid from the balance before
    the first payment. So equal claims in one block get equal payouts. Both follow the reference.
    """
    due = get_due_comments(ctx)
    if not due:
        return
    fund = get_reward_fund(ctx)
    total_claims = fund.recent_claims
    for comment in due:
        if comment.net_rshares > 0:
            total_claims += evaluate_reward_curve(comment.net_rshares, fund.author_reward_curve, fund.content_constant)
    total_claims &= UINT128_MAX
    for comment in due:
        cashout_comment(ctx, comment, fund, total_claims)
    ctx.tables.reward_funds.update(get_reward_fund(ctx), recent_claims=total_claims)


def get_due_comments(ctx: Context) -> list[Comment]:
    """The posts whose cashout time has come, in the order of their cashout times and ids."""
    return list(ctx.tables.comments.index("by_cashout_time").scan(stop=(ctx.time + 1,)))


def make_terms(ctx: Context, fund: RewardFund, total_claims: int) -> PayoutTerms:
    """The terms of a payout in the current state."""
    rules = ctx.rules
    return PayoutTerms(
        time=ctx.time,
        fund=fund,
        total_claims=total_claims,
        price=get_median_price(ctx),
        gpo=ctx.gpo,
        treasury=rules.treasury_account,
        dust_limit_sbd=rules.min_payout_sbd,
    )


def cashout_comment(ctx: Context, comment: Comment, fund: RewardFund, total_claims: int) -> int:
    """Pays one post, closes it and removes its votes; returns the STEEM satoshis that left the fund."""
    votes = get_votes(ctx, comment)
    payout = compute_payout(comment, votes, make_terms(ctx, fund, total_claims))
    if payout.reward > 0:
        _pay(ctx, comment, payout)
    ctx.tables.comments.update(
        comment,
        net_rshares=min(comment.net_rshares, 0),
        children_abs_rshares=0,
        abs_rshares=0,
        vote_rshares=0,
        total_vote_weight=0,
        max_cashout_time=TIME_MAX,
        cashout_time=TIME_MAX,
        last_payout=ctx.time,
        total_payout_value=comment.total_payout_value + payout.total_payout_sbd,
        curator_payout_value=comment.curator_payout_value + payout.curator_payout_sbd,
        beneficiary_payout_value=comment.beneficiary_payout_value + payout.beneficiary_payout_sbd,
        author_rewards=comment.author_rewards + payout.author_part.steem,
    )
    ctx.emit(CommentPayoutUpdate(author=comment.author, permlink=comment.permlink))
    _remove_votes(ctx, votes)
    ctx.report(payout)
    return payout.fund_paid


def _remove_votes(ctx: Context, votes: list[CommentVote]) -> None:
    table = ctx.tables.comment_votes
    for vote in votes:
        table.delete(vote)


def _pay(ctx: Context, comment: Comment, payout: PayoutExplanation) -> None:
    """Pays all parts of a payout: the share paid in SBD is issued, and the STEEM it replaces is burned."""
    rewards = RewardPayments()
    for part in payout.curators:
        if part.steem > 0:
            _pay_curator(ctx, comment, part, rewards)
    for beneficiary in payout.beneficiaries:
        _pay_beneficiary(ctx, comment, beneficiary, rewards)
    _pay_author(ctx, comment, payout, rewards)
    parts: list[BeneficiaryPart | AuthorPart] = [*payout.beneficiaries, payout.author_part]
    way: Place = (rewards, None)
    move(ctx, Asset(payout.fund_paid, STEEM), (REWARD_FUND, ctx.rules.post_reward_fund_name), way)
    burned = sum(part.sbd_share - part.paid_steem for part in parts)
    if burned:
        burn(ctx, Asset(burned, STEEM), way)
        issue(ctx, SBD, (sum(part.paid_sbd for part in parts), way))
    rewards.settle(ctx)


def _pay_curator(ctx: Context, comment: Comment, part: CuratorPart, rewards: RewardPayments) -> None:
    ctx.emit(
        CurationReward(
            curator=part.voter,
            reward=Asset(part.vests, VESTS),
            comment_author=comment.author,
            comment_permlink=comment.permlink,
        )
    )
    rewards.pay(ctx, part.voter, (0, 0, part.steem, part.vests), curation=part.steem)
    touch_rc(ctx, part.voter)


def _pay_beneficiary(ctx: Context, comment: Comment, part: BeneficiaryPart, rewards: RewardPayments) -> None:
    if part.account == ctx.rules.treasury_account:
        move(ctx, Asset(part.paid_sbd, SBD), (rewards, None), (LIQUID, part.account))
    else:
        paid = part.paid_sbd, part.paid_steem, part.vesting_steem, part.paid_vests
        rewards.pay(ctx, part.account, paid)
    ctx.emit(
        CommentBenefactorReward(
            benefactor=part.account,
            author=comment.author,
            permlink=comment.permlink,
            sbd_payout=Asset(part.paid_sbd, SBD),
            steem_payout=Asset(part.paid_steem, STEEM),
            vesting_payout=Asset(part.paid_vests, VESTS),
        )
    )
    touch_rc(ctx, part.account)


def _pay_author(ctx: Context, comment: Comment, payout: PayoutExplanation, rewards: RewardPayments) -> None:
    part = payout.author_part
    paid = part.paid_sbd, part.paid_steem, part.vesting_steem, part.paid_vests
    rewards.pay(ctx, part.account, paid, posting=part.steem)
    ctx.emit(
        AuthorReward(
            author=comment.author,
            permlink=comment.permlink,
            sbd_payout=Asset(part.paid_sbd, SBD),
            steem_payout=Asset(part.paid_steem, STEEM),
            vesting_payout=Asset(part.paid_vests, VESTS),
        )
    )
    touch_rc(ctx, part.account)
    claimed_sbd = compute_sbd_value(payout.median_price, payout.fund_paid)
    ctx.emit(CommentReward(author=comment.author, permlink=comment.permlink, payout=Asset(claimed_sbd, SBD)))
