"""Votes: mana, rshares, weights among curators, changes and refusals, with figures worked out by hand."""

import pytest

from protocol.errors import Rejected, UnknownKey
from protocol.rules import Rules
from rewards.comments import get_comment
from rewards.voting import cast_vote, check_voting_mana, compute_mana_after_vote, compute_strength, compute_used_mana
from state.context import Context
from state.tables.accounts import Manabar
from state.tables.content import CommentVote
from state.tables.kinds import TIME_MAX
from tests.rewards.context import add_account, add_post, make_context
from tests.rewards.rows import make_gpo

RULES = Rules()
GPO = make_gpo()
VESTED_STEEM = 10_000_000
"""At genesis 1,000 VESTS satoshis per STEEM satoshi: 10 ** 10 VESTS satoshis."""
FULL_MANA = 10_000_000_000
FULL_STRENGTH = FULL_MANA // 50 - 50_000_000
"""A whole vote uses 2 % of the mana; 50,000,000 are dust."""


def make_bars(voting: int, downvote: int) -> tuple[Manabar, Manabar]:
    return Manabar(voting, 0), Manabar(downvote, 0)


@pytest.mark.parametrize(
    ("voting", "downvote", "weight", "used"),
    [
        (10**12, 0, 10_000, 2 * 10**10),
        (10**12, 0, 5000, 10**10),
        (1, 0, 1, 1),  # 8 / 4,320,000 rounds up
        (0, 0, 10_000, 0),
        (5 * 10**11, 25 * 10**10, -10_000, 2 * 10**10),  # full downvote mana is worth 10 ** 12
        (10**12, 0, -10_000, 2 * 10**10),
    ],
)
def test_used_mana(voting: int, downvote: int, weight: int, used: int) -> None:
    assert compute_used_mana(RULES, GPO, make_bars(voting, downvote), weight) == used


def test_mana_after_vote() -> None:
    bars = make_bars(1000, 100)
    assert compute_mana_after_vote(GPO, bars, 1, 30) == (Manabar(970, 0), Manabar(100, 0))
    assert compute_mana_after_vote(GPO, bars, -1, 30) == (Manabar(1000, 0), Manabar(70, 0))
    assert compute_mana_after_vote(GPO, bars, -1, 130) == (Manabar(970, 0), Manabar(0, 0))
    no_pool = GPO.replace(downvote_pool_percent=0)
    assert compute_mana_after_vote(no_pool, bars, -1, 30) == (Manabar(970, 0), Manabar(100, 0))


def test_strength() -> None:
    assert compute_strength(RULES, 50_000_000, 10**6) == 0
    assert compute_strength(RULES, 49_999_999, 10**6) == 0
    assert compute_strength(RULES, 50_000_007, 43_200) == 7
    assert compute_strength(RULES, 50_000_007, 21_600) == 3  # half of 7, rounded down
    assert compute_strength(RULES, 50_000_007, 0) == 0


@pytest.fixture
def ctx() -> Context:
    """Alice's post, five minutes old, and bob, carol and dave with 10,000 STEEM of stake each."""
    ctx = make_context()
    add_account(ctx, "alice")
    for name in ("bob", "carol", "dave"):
        add_account(ctx, name, VESTED_STEEM)
    add_post(ctx)
    ctx.update_gpo(time=ctx.time + 300)
    return ctx


def get_vote(ctx: Context, voter: str) -> CommentVote:
    comment = get_comment(ctx, "alice", "post")
    return ctx.tables.comment_votes.get((comment.id, ctx.tables.accounts.get(voter).id))


@pytest.mark.windows
def test_first_vote(ctx: Context) -> None:
    cast_vote(ctx, "bob", "alice", "post", 10_000)
    comment = get_comment(ctx, "alice", "post")
    assert comment.net_rshares == comment.abs_rshares == comment.vote_rshares == FULL_STRENGTH == 150_000_000
    assert (comment.children_abs_rshares, comment.net_votes) == (FULL_STRENGTH, 1)
    vote = get_vote(ctx, "bob")
    # The root of 4,000,150,000,000: m = 41, so 2 ** 20 and half of 2 ** 20 + (1,801,126,744,448 >> 21).
    assert vote.weight == comment.total_vote_weight == 150_000_000 // 2_002_285
    voter = ctx.tables.accounts.get("bob")
    assert voter.voting_manabar == Manabar(FULL_MANA - 200_000_000, ctx.time)
    assert voter.last_vote_time == ctx.time
    assert ctx.tables.reputations.get("alice").reputation == FULL_STRENGTH >> 6


@pytest.mark.windows
def test_reverse_auction_takes_a_part(ctx: Context) -> None:
    ctx.update_gpo(time=ctx.time - 200)
    cast_vote(ctx, "bob", "alice", "post", 10_000)
    comment = get_comment(ctx, "alice", "post")
    assert comment.total_vote_weight == 74
    assert get_vote(ctx, "bob").weight == 74 * 100 // 300


def test_weight_zero_vote_of_a_small_account_counts_as_vote(ctx: Context) -> None:
    """Dust: used mana of 50,000,000 or less gives no rshares, and the reference then counts the vote as against."""
    cast_vote(ctx, "bob", "alice", "post", 2500)
    comment = get_comment(ctx, "alice", "post")
    assert (comment.net_rshares, comment.net_votes, get_vote(ctx, "bob").weight) == (0, -1, 0)


@pytest.mark.windows
def test_vote_against(ctx: Context) -> None:
    cast_vote(ctx, "bob", "alice", "post", 10_000)
    cast_vote(ctx, "carol", "alice", "post", -10_000)
    comment = get_comment(ctx, "alice", "post")
    assert (comment.net_rshares, comment.abs_rshares) == (0, 2 * FULL_STRENGTH)
    assert (comment.vote_rshares, comment.net_votes) == (FULL_STRENGTH, 0)
    assert get_vote(ctx, "carol").weight == 0
    voter = ctx.tables.accounts.get("carol")
    assert voter.voting_manabar.current_mana == FULL_MANA
    assert voter.downvote_manabar.current_mana == FULL_MANA // 4 - 200_000_000
    assert ctx.tables.reputations.get("alice").reputation == FULL_STRENGTH >> 6  # carol has no reputation to use


@pytest.mark.windows
def test_change_of_a_vote(ctx: Context) -> None:
    cast_vote(ctx, "bob", "alice", "post", 10_000)
    ctx.update_gpo(time=ctx.time + 3)
    cast_vote(ctx, "bob", "alice", "post", 0)
    comment = get_comment(ctx, "alice", "post")
    assert (comment.net_rshares, comment.abs_rshares, comment.net_votes) == (0, FULL_STRENGTH, 0)
    assert (comment.total_vote_weight, comment.vote_rshares) == (0, FULL_STRENGTH)
    vote = get_vote(ctx, "bob")
    assert (vote.weight, vote.rshares, vote.vote_percent, vote.num_changes) == (0, 0, 0, 1)
    assert ctx.tables.reputations.find("alice").reputation == 0  # type: ignore[union-attr]
    for changes, weight in enumerate((-10_000, 10_000, 9999, 9998), start=2):
        ctx.update_gpo(time=ctx.time + 3)
        cast_vote(ctx, "bob", "alice", "post", weight)
        assert get_vote(ctx, "bob").num_changes == changes
    ctx.update_gpo(time=ctx.time + 3)
    with pytest.raises(Rejected, match="maximum number of vote changes"):
        cast_vote(ctx, "bob", "alice", "post", 1)


@pytest.mark.windows
def test_vote_on_a_reply_counts_at_the_root(ctx: Context) -> None:
    root = get_comment(ctx, "alice", "post")
    reply = add_post(ctx, "dave", "reply")
    ctx.tables.comments.update(reply, root_comment=root.id, parent_author="alice", parent_permlink="post", depth=1)
    cast_vote(ctx, "bob", "dave", "reply", 10_000)
    assert get_comment(ctx, "alice", "post").children_abs_rshares == FULL_STRENGTH
    reply = get_comment(ctx, "dave", "reply")
    assert (reply.children_abs_rshares, reply.net_rshares) == (0, FULL_STRENGTH)


@pytest.mark.windows
def test_refusals(ctx: Context) -> None:
    with pytest.raises(UnknownKey, match="unknown key"):
        cast_vote(ctx, "bob", "alice", "nothing", 1)
    with pytest.raises(Rejected, match="Vote weight cannot be 0"):
        cast_vote(ctx, "bob", "alice", "post", 0)
    cast_vote(ctx, "carol", "alice", "post", 10_000)
    with pytest.raises(Rejected, match="once every 3 seconds"):
        cast_vote(ctx, "carol", "alice", "post", 5000)
    ctx.update_gpo(time=ctx.time + 3)
    with pytest.raises(Rejected, match="identical to this vote"):
        cast_vote(ctx, "carol", "alice", "post", 10_000)
    with pytest.raises(Rejected, match="voting_mana: 0 downvote_mana: 0 required_mana: 0"):
        cast_vote(ctx, "alice", "alice", "post", -1)
    accounts = ctx.tables.accounts
    accounts.update(accounts.get("dave"), can_vote=False)
    with pytest.raises(Rejected, match="declined their voting rights"):
        cast_vote(ctx, "dave", "alice", "post", 1)
    comments = ctx.tables.comments
    comment = comments.update(get_comment(ctx, "alice", "post"), allow_votes=False)
    with pytest.raises(Rejected, match="Votes are not allowed"):
        cast_vote(ctx, "bob", "alice", "post", 1)
    ctx.update_gpo(time=comment.cashout_time)
    with pytest.raises(Rejected, match="actively being rewarded"):
        cast_vote(ctx, "bob", "alice", "post", -1)
    comments.update(comment, cashout_time=TIME_MAX)
    cast_vote(ctx, "bob", "alice", "post", -1)
    assert ctx.tables.comment_votes.find((comment.id, accounts.get("bob").id)) is None


@pytest.mark.parametrize(
    ("voting", "downvote", "weight_bp", "used", "is_enough"),
    [
        (100, 0, 1, 100, True),
        (99, 0, 1, 100, False),
        (0, 0, 1, 0, True),
        (-1, 0, 1, 0, False),
        (60, 50, -1, 109, True),
        (60, 50, -1, 110, False),
        (0, 1, -1, 0, True),
        (-1, 50, -1, 1, False),
    ],
)
def test_the_last_mana_that_is_enough(voting: int, downvote: int, weight_bp: int, used: int, is_enough: bool) -> None:
    """A vote may take all of one mana; a vote against must leave something of both together, as in the reference."""
    gpo, bars = make_gpo(downvote_pool_percent=2500), (Manabar(voting, 0), Manabar(downvote, 0))
    if is_enough:
        check_voting_mana(gpo, bars, weight_bp, used)
    else:
        with pytest.raises(Rejected, match="enough mana"):
            check_voting_mana(gpo, bars, weight_bp, used)
