"""Votes as operations. Counterparts of the reference's vote_apply and comment_freeze."""

import pytest

from state.schema import TIME_MAX
from tests.operations.blog import fill_fund, find_post, find_vote, forward_to_payout, pay_due, post, vote
from tests.operations.world import World

DUST = 50_000_000


@pytest.fixture
def blog(world: World) -> World:
    """Four accounts with stake, and posts by alice and bob, 150 seconds old."""
    world.create("alice", "bob", "sam", "dave")
    for name in ("alice", "bob", "sam", "dave"):
        world.vest(name, 10_000_000)
    world.forward(600)
    world.push(post("alice"))
    world.push(post("bob"))
    world.forward(150)
    return world


def test_used_mana_is_rshares(blog: World) -> None:
    mana = blog["alice"].voting_manabar.current_mana
    blog.push(vote("alice", "alice"))
    used = mana - blog["alice"].voting_manabar.current_mana
    assert used == (mana + 49) // 50
    row = find_post(blog, "alice")
    assert row.net_rshares == row.abs_rshares == find_vote(blog, "alice", "alice").rshares == used - DUST
    assert row.cashout_time == row.created + 3600
    assert blog["alice"].last_vote_time == blog.now
    blog.refuse(vote("alice", "bob", 5000), "Can only vote once every 3 seconds.")
    blog.forward(3)
    blog.push(vote("alice", "bob", 5000))
    regenerated = min(mana, mana - used + mana * 3 // 432_000)
    half = (regenerated * 5000 * 86_400 // 10_000 + 4_319_999) // 4_320_000
    assert find_vote(blog, "alice", "bob").rshares == half - DUST


def test_refusals(blog: World) -> None:
    blog.refuse(vote("alice", "sam"), "unknown key:unknown key: ")
    blog.refuse(vote("alice", "bob", 0), "Vote weight cannot be 0.")


def test_votes_against_use_their_own_mana(blog: World) -> None:
    blog.push(vote("alice", "bob"))
    voting, downvote = blog["sam"].voting_manabar.current_mana, blog["sam"].downvote_manabar.current_mana
    before = find_post(blog, "bob")
    blog.push(vote("sam", "bob", -5000))
    assert blog["sam"].voting_manabar.current_mana == voting
    spent = downvote - blog["sam"].downvote_manabar.current_mana - DUST
    assert spent == (voting + 99) // 100 - DUST
    after = find_post(blog, "bob")
    assert after.net_rshares == before.net_rshares - spent
    assert after.abs_rshares == before.abs_rshares + spent
    assert (before.net_votes, after.net_votes) == (1, 0)


def test_low_downvote_mana_goes_over_to_voting_mana(blog: World) -> None:
    accounts = blog.tables.accounts
    alice = blog["alice"]
    low = alice.downvote_manabar._replace(current_mana=1000, last_update_time=blog.now)
    accounts.update(alice, downvote_manabar=low)
    mana = alice.voting_manabar.current_mana
    blog.push(vote("alice", "bob", -10_000))
    used = (mana + 49) // 50
    assert blog["alice"].downvote_manabar.current_mana == 0
    assert blog["alice"].voting_manabar.current_mana == mana - used + 1000
    assert find_vote(blog, "alice", "bob").rshares == DUST - used


def test_changes(blog: World) -> None:
    blog.push(vote("alice", "bob"))
    first = find_vote(blog, "alice", "bob").rshares
    # At half of the reverse auction the voter has half of the weight; what the auction took stays on the post.
    left = find_post(blog, "bob").total_vote_weight - find_vote(blog, "alice", "bob").weight
    assert left == 37
    blog.forward(3)
    blog.refuse(vote("alice", "bob"), "Your current vote on this comment is identical to this vote.")
    weights = (5000, -7500, 0, 1, 2)
    for changes, weight in enumerate(weights, start=1):
        before, old = find_post(blog, "bob"), find_vote(blog, "alice", "bob")
        blog.push(vote("alice", "bob", weight))
        after, new = find_post(blog, "bob"), find_vote(blog, "alice", "bob")
        assert (new.num_changes, new.vote_percent, new.weight, new.last_update) == (changes, weight, 0, blog.now)
        assert after.net_rshares == before.net_rshares - old.rshares + new.rshares
        assert after.abs_rshares == before.abs_rshares + abs(new.rshares)
        assert after.total_vote_weight == left
        assert after.vote_rshares == first
        blog.forward(3)
    blog.refuse(vote("alice", "bob", 3), "Voter has used the maximum number of vote changes on this comment.")


def test_lockout_before_the_payout(blog: World) -> None:
    cashout = find_post(blog, "bob").cashout_time
    blog.forward(cashout - 297 - blog.now)
    mana = blog["dave"].voting_manabar.current_mana
    blog.push(vote("dave", "bob"))
    used = mana - blog["dave"].voting_manabar.current_mana
    assert find_vote(blog, "dave", "bob").rshares == (used - DUST) * 297 // 300
    blog.forward(297)
    blog.refuse(vote("sam", "bob"), "Comment is actively being rewarded. Cannot vote on comment.")


def test_votes_on_a_paid_post_do_nothing(blog: World) -> None:
    fill_fund(blog)
    blog.push(vote("bob", "alice"))
    forward_to_payout(blog, "alice")
    pay_due(blog)
    paid = find_post(blog, "alice")
    assert (paid.last_payout, paid.cashout_time) == (blog.now, TIME_MAX)
    for voter, weight in (("sam", 10_000), ("bob", -10_000), ("dave", 0)):
        mana = blog[voter].voting_manabar
        blog.push(vote(voter, "alice", weight))
        assert find_post(blog, "alice") == paid
        assert blog[voter].voting_manabar == mana
    blog.push(post("alice", body="still editable"))
    assert blog.tables.comment_contents.get(paid.id).body == "still editable"


def test_who_declined_may_not_vote(blog: World) -> None:
    blog.tables.accounts.update(blog["sam"], can_vote=False)
    blog.refuse(vote("sam", "bob"), "voter.can_vote: Voter has declined their voting rights.")
