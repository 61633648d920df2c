"""Votes of rshares, with STEEM and with tokens: the most that a stake gives at once, and what counts of it.

Source: libraries/chain/steem_evaluator.cpp of master, vote2_evaluator and generic_vote_evaluator.
"""

from collections.abc import Iterable

from protocol.assets import STEEM, symbol_json
from protocol.curves import evaluate_reward_curve
from protocol.errors import Rejected
from protocol.integers import INT64_MAX
from protocol.measures import duration_text
from protocol.units import BASIS_POINTS, DAY_SECONDS
from rewards.comments import get_comment
from rewards.payout import compute_auction_weight
from rewards.reputation import count_vote, withdraw_vote
from rewards.token_posts import Options, is_votable, open_token_post
from rewards.voting import (
    add_vote,
    change_vote,
    check_changes_left,
    check_voting_mana,
    compute_mana_after_vote,
    compute_strength,
    count_at_root,
)
from state.context import Context
from state.mana import Staker, compute_manabars
from state.stake import update_with_mana
from state.tables.accounts import Account, Manabar
from state.tables.content import Comment, CommentVote
from state.tables.kinds import TIME_MAX
from state.tables.tokens import TokenPost, TokenVote


def cast_votes(ctx: Context, voter_name: str, author: str, permlink: str, votes: Iterable[tuple[int, int]]) -> None:
    """Votes on a post with rshares of STEEM and of tokens, by their symbols, or changes such votes. Raises Rejected."""
    comment = get_comment(ctx, author, permlink)
    voter = ctx.tables.accounts.get(voter_name)
    if not voter.can_vote:
        raise Rejected("voter.can_vote", "Voter has declined their voting rights.").named("voting_rights_declined")
    for symbol, rshares in votes:
        if symbol == STEEM:
            _vote_with_steem(ctx, voter_name, comment.id, rshares)
        else:
            _vote_with_token(ctx, voter, comment.id, symbol, rshares)


def _check_interval(ctx: Context, staker: Staker) -> None:
    interval = ctx.rules.min_vote_interval_seconds
    if not ctx.time - staker.last_vote_time >= interval:
        raise Rejected(
            "( now - voter.last_vote_time ).to_seconds() >= STEEM_MIN_VOTE_INTERVAL_SEC",
            f"Can only vote once every {duration_text(interval)}.",
        ).named("votes_too_close", every=duration_text(interval))


def _check_still_open(ctx: Context, cashout_time: int) -> None:
    if not ctx.time < cashout_time:
        raise Rejected("now < ctx.comment.cashout_time", "Comment is actively being rewarded. Cannot vote on comment.")


def _vote_with_steem(ctx: Context, voter_name: str, comment_id: int, rshares: int) -> None:
    rules, tables = ctx.rules, ctx.tables
    comment, voter = tables.comments.get(comment_id), tables.accounts.get(voter_name)
    if rshares > 0 and not comment.allow_votes:
        raise Rejected("comment.allow_votes", "Votes are not allowed on the comment.").named("votes_not_allowed")
    _check_interval(ctx, voter)
    if comment.cashout_time == TIME_MAX:
        return
    _check_still_open(ctx, comment.cashout_time)
    vote = tables.comment_votes.find((comment.id, voter.id))
    if vote is not None:
        withdraw_vote(ctx, comment.author, vote)
    votes = ctx.gpo.vote_power_reserve_rate * rules.voting_mana_regeneration_seconds // DAY_SECONDS
    counted = _use_mana(ctx, voter, STEEM, rshares, votes, comment.cashout_time, vote)
    if vote is None:
        add_vote(ctx, voter, comment, 0, counted)
    else:
        change_vote(ctx, comment, vote, 0, counted)
    count_vote(ctx, comment.author, voter_name, counted)


def _vote_with_token(ctx: Context, voter: Account, comment_id: int, symbol: int, rshares: int) -> None:
    tables = ctx.tables
    comment, token = tables.comments.get(comment_id), tables.tokens.find(symbol)
    if token is None or not is_votable(ctx, comment, symbol):
        raise Rejected(
            "votable_smt != root.allowed_vote_assets.end()",
            "SMT ${s} is not an allowed voting asset on comment ${a}/${p}",
            s=symbol_json(symbol),
            a=comment.author,
            p=comment.permlink,
        )
    holder = tables.token_balances.find((voter.name, symbol))
    if holder is None:
        raise _mana_missing()
    _check_interval(ctx, holder)
    if rshares < 0 and not token.allow_downvotes:
        raise Rejected("", "SMT ${s} does not allow votes against posts", s=symbol_json(symbol))
    post = tables.token_posts.find((comment.id, symbol))
    if post is None and ctx.time < comment.created + token.cashout_window_seconds:
        post = open_token_post(ctx, comment, token, Options())
    if post is None or post.cashout_time == TIME_MAX:
        return
    _check_still_open(ctx, post.cashout_time)
    vote = tables.token_votes.find((comment.id, symbol, voter.id))
    counted = _use_mana(ctx, holder, symbol, rshares, token.votes_per_regeneration_period, post.cashout_time, vote)
    if vote is None:
        _add_vote(ctx, voter, comment, post, counted)
    else:
        _change_vote(ctx, post, vote, counted)
    count_at_root(ctx, comment, abs(counted))


# Mana


def _mana_missing() -> Rejected:
    return Rejected(
        "voter.voting_manabar.has_mana( max_abs_rshares )", "Account does not have enough mana to vote."
    ).named("mana_missing", action="vote")


def compute_most(bars: tuple[Manabar, Manabar], pool_percent: int, votes: int, rshares: int) -> int:
    """The most rshares that mana up to date gives in one of its votes of a regeneration, rounded up."""
    voting, downvote = bars
    most = max(-(-voting.current_mana // votes), 0)
    if rshares < 0 and pool_percent:
        scaled = downvote.current_mana * BASIS_POINTS
        most = max(most, -(-scaled // (votes * pool_percent)))
    return most


def _use_mana(
    ctx: Context,
    staker: Staker,
    symbol: int,
    rshares: int,
    votes: int,
    cashout_time: int,
    vote: CommentVote | TokenVote | None,
) -> int:
    """Checks a vote, takes its mana, and returns the rshares that count, with their sign. Raises Rejected."""
    gpo, bars = ctx.gpo, compute_manabars(ctx, staker)
    most = compute_most(bars, gpo.downvote_pool_percent, votes, rshares)
    asked = abs(rshares)
    if not asked <= most:
        raise Rejected(
            "abs_rshares <= max_abs_rshares",
            "Account cannot vote with more than ${m} abs rshares in a single vote with token ${t}. Attempted: ${r}",
            m=most,
            t=symbol_json(symbol),
            r=rshares,
        )
    check_voting_mana(gpo, bars, rshares, most)
    counted = compute_strength(ctx.rules, asked, cashout_time - ctx.time)
    signed = -counted if rshares < 0 else counted
    used = asked
    if vote is not None:
        used = _check_change(ctx, vote, rshares, signed)
    elif rshares == 0:
        raise Rejected("ctx.rshares != 0", "Cannot vote with 0 rshares.").named("vote_missing")
    voting, downvote = compute_mana_after_vote(gpo, bars, rshares, used)
    update_with_mana(ctx, staker, (voting, downvote), last_vote_time=ctx.time)
    return signed


def _check_change(ctx: Context, vote: CommentVote | TokenVote, rshares: int, counted: int) -> int:
    """The mana that a change of a vote takes: in the same direction only what is added to it. Raises Rejected."""
    check_changes_left(ctx.rules, vote.num_changes)
    if vote.rshares == counted:
        raise Rejected(
            "itr->rshares != comment_rshares", "Your current vote on this comment is identical to the new vote."
        ).named("vote_unchanged")
    if (vote.rshares < 0) == (rshares < 0):
        return max(abs(counted) - abs(vote.rshares), 0)
    return abs(rshares)


# The post


def compute_token_weights(post: TokenPost, comment: Comment, rshares: int, now: int) -> tuple[int, int]:
    """The weight that a new vote adds to a post, and the part of it that is the voter's own after the auction.

    It counts from the token's own rshares; the reference counts from those of STEEM.
    """
    is_paid = comment.allow_curation_rewards and post.allow_curation_rewards and post.percent_curation_rewards > 0
    if not (rshares > 0 and is_paid):
        return 0, 0
    curve, constant = post.curation_reward_curve, post.content_constant
    before, after = (
        evaluate_token_curve(value, curve, constant) for value in (post.vote_rshares, post.vote_rshares + rshares)
    )
    full = max(after - before, 0)
    return full, compute_auction_weight(full, now - comment.created, post.reverse_auction_window_seconds)


def evaluate_token_curve(rshares: int, curve: int, constant: int) -> int:
    """The value of a curve at rshares, which are cut off where its intermediate values would not fit 128 bits."""
    return evaluate_reward_curve(min(rshares, INT64_MAX), curve, constant)


def _add_vote(ctx: Context, voter: Account, comment: Comment, post: TokenPost, rshares: int) -> None:
    full_weight, weight = compute_token_weights(post, comment, rshares, ctx.time)
    votes = ctx.tables.token_votes
    votes.insert(
        TokenVote(
            id=votes.next_id(),
            voter_id=voter.id,
            voter=voter.name,
            comment=post.comment,
            symbol=post.symbol,
            weight=weight,
            rshares=rshares,
            last_update=ctx.time,
            num_changes=0,
        )
    )
    ctx.tables.token_posts.update(
        post,
        net_rshares=post.net_rshares + rshares,
        abs_rshares=post.abs_rshares + abs(rshares),
        vote_rshares=post.vote_rshares + max(rshares, 0),
        total_vote_weight=post.total_vote_weight + full_weight,
        net_votes=post.net_votes + (1 if rshares > 0 else -1),
    )


def _change_vote(ctx: Context, post: TokenPost, vote: TokenVote, rshares: int) -> None:
    """Replaces the rshares of a vote; its curation weight is lost."""
    sign = (rshares > 0) - (rshares < 0) - (vote.rshares > 0) + (vote.rshares < 0)
    ctx.tables.token_posts.update(
        post,
        net_rshares=post.net_rshares - vote.rshares + rshares,
        abs_rshares=post.abs_rshares + abs(rshares),
        total_vote_weight=post.total_vote_weight - vote.weight,
        net_votes=post.net_votes + sign,
    )
    ctx.tables.token_votes.update(
        vote, rshares=rshares, weight=0, last_update=ctx.time, num_changes=vote.num_changes + 1
    )
