"""Votes: their cost in mana, their rshares, and their curation weight.

Source: libraries/chain/steem_evaluator.cpp, hf20_vote_evaluator.
"""

from typing import Any

from protocol.curves import evaluate_reward_curve
from protocol.errors import Rejected
from protocol.integers import INT64_MAX, UINT64_MAX
from protocol.measures import duration_text
from protocol.rules import Rules
from protocol.units import BASIS_POINTS, DAY_SECONDS
from rewards.comments import get_comment
from rewards.fund import get_reward_fund
from rewards.payout import compute_auction_weight
from rewards.reputation import count_vote, withdraw_vote
from state.context import Context
from state.mana import compute_manabars, use_mana
from state.tables.accounts import Account, Manabar
from state.tables.content import Comment, CommentVote
from state.tables.globals import GlobalProperties
from state.tables.kinds import TIME_MAX


def cast_vote(ctx: Context, voter_name: str, author: str, permlink: str, weight_bp: int) -> None:
    """Casts a vote on a post, or changes an earlier one.

    A vote on a post that has been paid is accepted and does nothing. Raises Rejected with the reference's texts, in
    the reference's order of checks.
    """
    comment = get_comment(ctx, author, permlink)
    tables = ctx.tables
    voter = tables.accounts.get(voter_name)
    if not voter.can_vote:
        raise Rejected("voter.can_vote", "Voter has declined their voting rights.").named("voting_rights_declined")
    if weight_bp > 0 and not comment.allow_votes:
        raise Rejected("comment.allow_votes", "Votes are not allowed on the comment.").named("votes_not_allowed")
    if comment.cashout_time == TIME_MAX:
        return
    now = ctx.time
    if not now < comment.cashout_time:
        raise Rejected(
            "_db.head_block_time() < comment.cashout_time",
            "Comment is actively being rewarded. Cannot vote on comment.",
        )
    vote = tables.comment_votes.find((comment.id, voter.id))
    if vote is not None:
        withdraw_vote(ctx, author, vote)
    if not now - voter.last_vote_time >= ctx.rules.min_vote_interval_seconds:
        raise Rejected(
            "( now - voter.last_vote_time ).to_seconds() >= STEEM_MIN_VOTE_INTERVAL_SEC",
            f"Can only vote once every {duration_text(ctx.rules.min_vote_interval_seconds)}.",
        ).named("votes_too_close", every=duration_text(ctx.rules.min_vote_interval_seconds))
    gpo, bars = ctx.gpo, compute_manabars(ctx, voter)
    used_mana = compute_used_mana(ctx.rules, gpo, bars, weight_bp)
    check_voting_mana(gpo, bars, weight_bp, used_mana)
    strength = compute_strength(ctx.rules, used_mana, comment.cashout_time - now)
    rshares = -strength if weight_bp < 0 else strength
    if vote is not None:
        _check_change(ctx.rules, vote, weight_bp)
    elif weight_bp == 0:
        raise Rejected("o.weight != 0", "Vote weight cannot be 0.").named("vote_missing")
    voting, downvote = compute_mana_after_vote(gpo, bars, weight_bp, used_mana)
    tables.accounts.update(voter, voting_manabar=voting, downvote_manabar=downvote, last_vote_time=now)
    if vote is None:
        add_vote(ctx, voter, comment, weight_bp, rshares)
    else:
        change_vote(ctx, comment, vote, weight_bp, rshares)
    count_vote(ctx, author, voter.name, rshares)


def uses_downvote_pool(gpo: GlobalProperties, weight_bp: int) -> bool:
    """Whether the vote is a downvote and the chain has a separate downvote mana."""
    return weight_bp < 0 and gpo.downvote_pool_percent > 0


def compute_used_mana(rules: Rules, gpo: GlobalProperties, bars: tuple[Manabar, Manabar], weight_bp: int) -> int:
    """The cost of a vote in mana (VESTS satoshis), rounded up as in the reference.

    A downvote costs a share of the voting mana or of the scaled-up downvote mana, whichever is greater.
    """
    voting, downvote = bars
    mana = voting.current_mana
    if uses_downvote_pool(gpo, weight_bp):
        mana = max(downvote.current_mana * BASIS_POINTS // gpo.downvote_pool_percent, mana)
    denominator = gpo.vote_power_reserve_rate * rules.voting_mana_regeneration_seconds
    if not denominator > 0:
        raise Rejected("max_vote_denom > 0")
    used = mana * abs(weight_bp) * DAY_SECONDS // BASIS_POINTS
    used = (used + denominator - 1) // denominator
    if used > INT64_MAX:
        raise Rejected("lo <= uint64_t( std::numeric_limits<int64_t>::max() )")
    return used


def compute_strength(rules: Rules, used_mana: int, seconds_left: int) -> int:
    """The absolute rshares of a vote: used mana less the dust threshold, fading to 0 in the lockout before payout."""
    strength = max(used_mana - rules.vote_dust_threshold, 0)
    if seconds_left < rules.upvote_lockout_seconds:
        strength = strength * seconds_left // rules.upvote_lockout_seconds
    return strength


def check_voting_mana(gpo: GlobalProperties, bars: tuple[Manabar, Manabar], weight_bp: int, used_mana: int) -> None:
    """Refuses a vote for which the mana does not suffice."""
    voting, downvote = bars[0].current_mana, bars[1].current_mana
    if voting < 0:
        raise Rejected("voter.voting_manabar.current_mana >= 0", "Account does not have enough mana to vote.").named(
            "mana_missing", action="vote"
        )
    if uses_downvote_pool(gpo, weight_bp):
        if not voting + downvote > used_mana:
            raise Rejected(
                "voter.voting_manabar.current_mana + voter.downvote_manabar.current_mana > used_mana.to_int64()",
                "Account does not have enough mana to downvote. voting_mana: ${v} downvote_mana: ${d} "
                "required_mana: ${r}",
                v=voting,
                d=downvote,
                r=used_mana,
            ).named("mana_missing", action="downvote")
    elif used_mana > 0 and voting < used_mana:
        raise Rejected(
            "voter.voting_manabar.has_mana( used_mana.to_int64() )", "Account does not have enough mana to vote."
        ).named("mana_missing", action="vote")


def check_changes_left(rules: Rules, num_changes: int) -> None:
    """Raises Rejected for a vote that has been changed as often as the rules allow."""
    if not num_changes < rules.max_vote_changes:
        raise Rejected(
            "itr->num_changes < STEEM_MAX_VOTE_CHANGES",
            "Voter has used the maximum number of vote changes on this comment.",
        ).named("vote_changes_used_up")


def _check_change(rules: Rules, vote: CommentVote, weight_bp: int) -> None:
    check_changes_left(rules, vote.num_changes)
    if vote.vote_percent == weight_bp:
        raise Rejected(
            "itr->vote_percent != o.weight", "Your current vote on this comment is identical to this vote."
        ).named("vote_unchanged")


def compute_mana_after_vote(
    gpo: GlobalProperties, bars: tuple[Manabar, Manabar], weight_bp: int, used_mana: int
) -> tuple[Manabar, Manabar]:
    """Voting and downvote mana after a vote; downvotes use downvote mana first, then voting mana."""
    voting, downvote = bars
    if not uses_downvote_pool(gpo, weight_bp):
        return use_mana(voting, used_mana), downvote
    remainder = used_mana - downvote.current_mana
    if remainder > 0:
        return use_mana(voting, remainder), use_mana(downvote, downvote.current_mana)
    return voting, use_mana(downvote, used_mana)


def add_vote(ctx: Context, voter: Account, comment: Comment, weight_bp: int, rshares: int) -> None:
    """Adds a vote to a post, with its weight among the curators."""
    full_weight, weight = compute_curation_weights(ctx, comment, rshares)
    votes = ctx.tables.comment_votes
    votes.insert(
        CommentVote(
            id=votes.next_id(),
            voter_id=voter.id,
            voter=voter.name,
            comment=comment.id,
            weight=weight,
            rshares=rshares,
            vote_percent=weight_bp,
            last_update=ctx.time,
            num_changes=0,
        )
    )
    _update_comment(
        ctx,
        comment,
        abs(rshares),
        net_rshares=comment.net_rshares + rshares,
        abs_rshares=comment.abs_rshares + abs(rshares),
        vote_rshares=comment.vote_rshares + max(rshares, 0),
        net_votes=comment.net_votes + (1 if rshares > 0 else -1),
        total_vote_weight=comment.total_vote_weight + full_weight,
    )


def compute_curation_weights(ctx: Context, comment: Comment, rshares: int) -> tuple[int, int]:
    """The curation weight that a new vote adds to the post, and the voter's own part of that weight.

    The first is the increase of the curation curve from the positive rshares before the vote to those after it; the
    second is that increase after the reverse auction.
    """
    if not (rshares > 0 and comment.last_payout == 0 and comment.allow_curation_rewards):
        return 0, 0
    fund = get_reward_fund(ctx)
    if not fund.percent_curation_rewards > 0:
        return 0, 0
    curve, constant = fund.curation_reward_curve, fund.content_constant
    before = _check_weight(evaluate_reward_curve(comment.vote_rshares, curve, constant))
    after = _check_weight(evaluate_reward_curve(comment.vote_rshares + rshares, curve, constant))
    if before >= after:
        return 0, 0
    full_weight = after - before
    return full_weight, compute_auction_weight(full_weight, ctx.time - comment.created, ctx.gpo.reverse_auction_seconds)


def _check_weight(value: int) -> int:
    if value > UINT64_MAX:
        raise Rejected("hi == 0")
    return value


def change_vote(ctx: Context, comment: Comment, vote: CommentVote, weight_bp: int, rshares: int) -> None:
    """Replaces the rshares of a vote. Its curation weight is lost, and mana used earlier is not refunded."""
    _update_comment(
        ctx,
        comment,
        abs(rshares),
        net_rshares=comment.net_rshares - vote.rshares + rshares,
        abs_rshares=comment.abs_rshares + abs(rshares),
        net_votes=comment.net_votes + _sign(rshares) - _sign(vote.rshares),
        total_vote_weight=(comment.total_vote_weight - vote.weight) & UINT64_MAX,
    )
    ctx.tables.comment_votes.update(
        vote,
        rshares=rshares,
        vote_percent=weight_bp,
        last_update=ctx.time,
        weight=0,
        num_changes=vote.num_changes + 1,
    )


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _update_comment(ctx: Context, comment: Comment, strength: int, **changes: Any) -> None:
    """Changes the sums of a post, and adds the vote's strength to the total of the discussion's root."""
    comments = ctx.tables.comments
    if comment.root_comment == comment.id:
        changes["children_abs_rshares"] = comment.children_abs_rshares + strength
        comments.update(comment, **changes)
        return
    comments.update(comment, **changes)
    count_at_root(ctx, comment, strength)


def count_at_root(ctx: Context, comment: Comment, strength: int) -> None:
    """Adds the strength of a vote to the discussion's, which is kept at its root."""
    comments = ctx.tables.comments
    root = comments.get(comment.root_comment)
    comments.update(root, children_abs_rshares=root.children_abs_rshares + strength)
