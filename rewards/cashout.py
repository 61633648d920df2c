"""Cashout: posts whose window is over are paid from the reward fund.

Every payout is worked out by `compute_payout` and then given out here, so that the report of it tells what was done.
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
from rewards.fund import get_reward_fund, process_claims_decay
from rewards.payout import BeneficiaryPart, CuratorPart, PayoutExplanation, PayoutTerms, compute_payout
from rewards.sbd import compute_sbd_value
from state.context import Context
from state.money import adjust_balance, adjust_supply, get_median_price
from state.resource_credits import touch_rc
from state.tables.content import Comment, CommentVote, RewardFund
from state.tables.kinds import TIME_MAX


def process_comment_cashout(ctx: Context) -> None:
    """Pays every post and reply whose cashout time has come.

    The claims of all of them are added to the fund's recent claims first, and all are paid from the balance that the
    fund had before, so that in one block a claim is worth the same for everybody.
    """
    process_claims_decay(ctx)
    due = get_due_comments(ctx)
    if not due:
        return
    fund = get_reward_fund(ctx)
    total_claims = fund.recent_claims
    for comment in due:
        if comment.net_rshares > 0:
            total_claims += evaluate_reward_curve(comment.net_rshares, fund.author_reward_curve, fund.content_constant)
    total_claims &= UINT128_MAX
    awarded = sum(cashout_comment(ctx, comment, fund, total_claims) for comment in due)
    fund = get_reward_fund(ctx)
    ctx.tables.reward_funds.update(fund, recent_claims=total_claims, reward_balance=fund.reward_balance - awarded)


def get_due_comments(ctx: Context) -> list[Comment]:
    """The posts whose cashout time is not after the head block, in the order of their cashout times and ids."""
    return list(ctx.tables.comments.index("by_cashout_time").scan(stop=(ctx.time + 1,)))


def make_terms(ctx: Context, fund: RewardFund, total_claims: int) -> PayoutTerms:
    """The terms of a payout at this moment."""
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
    """Pays one post, closes it and removes its votes; returns the STEEM satoshis that leave the fund."""
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
    pending_shares = pending_steem = 0
    for part in payout.curators:
        if part.steem > 0:
            _pay_curator(ctx, comment, part)
            pending_shares += part.vests
            pending_steem += part.steem
    for beneficiary in payout.beneficiaries:
        _pay_beneficiary(ctx, comment, beneficiary)
        pending_shares += beneficiary.paid_vests
        pending_steem += beneficiary.vesting_steem
    _pay_author(ctx, comment, payout)
    pending_shares += payout.author_part.paid_vests
    pending_steem += payout.author_part.vesting_steem
    gpo = ctx.gpo
    ctx.update_gpo(
        pending_rewarded_vesting_shares=gpo.pending_rewarded_vesting_shares + pending_shares,
        pending_rewarded_vesting_steem=gpo.pending_rewarded_vesting_steem + pending_steem,
    )


def _pay_curator(ctx: Context, comment: Comment, part: CuratorPart) -> None:
    ctx.emit(
        CurationReward(
            curator=part.voter,
            reward=Asset(part.vests, VESTS),
            comment_author=comment.author,
            comment_permlink=comment.permlink,
        )
    )
    _add_rewards(ctx, part.voter, vesting_steem=part.steem, vests=part.vests, curation=part.steem)
    touch_rc(ctx, part.voter)


def _pay_beneficiary(ctx: Context, comment: Comment, part: BeneficiaryPart) -> None:
    if part.account == ctx.rules.treasury_account:
        adjust_balance(ctx, part.account, Asset(part.paid_sbd, SBD))
        _turn_into_sbd(ctx, part.steem, part.paid_sbd)
    else:
        if part.sbd_share:
            _turn_into_sbd(ctx, part.sbd_share - part.paid_steem, part.paid_sbd)
        _add_rewards(
            ctx,
            part.account,
            sbd=part.paid_sbd,
            steem=part.paid_steem,
            vesting_steem=part.vesting_steem,
            vests=part.paid_vests,
        )
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


def _pay_author(ctx: Context, comment: Comment, payout: PayoutExplanation) -> None:
    part = payout.author_part
    if part.sbd_share:
        _turn_into_sbd(ctx, part.sbd_share - part.paid_steem, part.paid_sbd)
    _add_rewards(
        ctx,
        part.account,
        sbd=part.paid_sbd,
        steem=part.paid_steem,
        vesting_steem=part.vesting_steem,
        vests=part.paid_vests,
        posting=part.steem,
    )
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


def _turn_into_sbd(ctx: Context, steem: int, sbd: int) -> None:
    """Takes STEEM of the fund out of the supply and puts the SBD made of it in."""
    adjust_supply(ctx, Asset(-steem, STEEM))
    adjust_supply(ctx, Asset(sbd, SBD))


def _add_rewards(
    ctx: Context,
    name: str,
    *,
    sbd: int = 0,
    steem: int = 0,
    vesting_steem: int = 0,
    vests: int = 0,
    curation: int = 0,
    posting: int = 0,
) -> None:
    """Adds to the rewards that wait to be claimed, and to the account's totals, in one step.

    As in the reference, STEEM that is too little to buy any VESTS becomes a liquid reward
    (database::modify_reward_balance).
    """
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
