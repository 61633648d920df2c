"""Reputation: the two rules, and taking a vote back."""

from rewards.reputation import count_vote, withdraw_vote
from state.context import Context
from state.tables.content import Reputation
from tests.rewards.context import make_context
from tests.rewards.rows import make_vote


def get(ctx: Context, name: str) -> int | None:
    row = ctx.tables.reputations.find(name)
    return None if row is None else row.reputation


def test_votes_for() -> None:
    ctx = make_context()
    count_vote(ctx, "alice", "bob", 640)
    assert get(ctx, "alice") == 10
    count_vote(ctx, "alice", "bob", 127)
    assert get(ctx, "alice") == 11


def test_votes_against_need_a_better_name() -> None:
    ctx = make_context()
    count_vote(ctx, "alice", "bob", -640)
    assert get(ctx, "alice") is None
    ctx.tables.reputations.insert(Reputation("bob", 5))
    count_vote(ctx, "alice", "bob", -1)
    assert get(ctx, "alice") == -1  # shifted, so rounded down
    ctx.tables.reputations.insert(Reputation("carol", 5))
    count_vote(ctx, "carol", "bob", -640)
    assert get(ctx, "carol") == 5


def test_a_bad_name_changes_nobody() -> None:
    ctx = make_context()
    ctx.tables.reputations.insert(Reputation("bob", -1))
    count_vote(ctx, "alice", "bob", 640)
    assert get(ctx, "alice") is None


def test_taking_a_vote_back() -> None:
    ctx = make_context()
    vote = make_vote(1, "bob", 0, 640, 0)
    withdraw_vote(ctx, "alice", vote)
    assert get(ctx, "alice") is None
    ctx.tables.reputations.insert(Reputation("alice", 15))
    withdraw_vote(ctx, "alice", vote)
    assert get(ctx, "alice") == 5
    withdraw_vote(ctx, "alice", vote.replace(rshares=5 * 64))
    assert get(ctx, "alice") is None
    ctx.tables.reputations.insert(Reputation("alice", 15))
    withdraw_vote(ctx, "alice", vote.replace(rshares=-640))
    assert get(ctx, "alice") == 15  # bob has no reputation
    ctx.tables.reputations.insert(Reputation("bob", 26))
    withdraw_vote(ctx, "alice", vote.replace(rshares=-640))
    assert get(ctx, "alice") == 25
