"""Votes as operations. Counterparts of the reference's vote_apply and comment_freeze."""

import pytest

from state.tables.kinds import TIME_MAX
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


@pytest.mark.windows
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


@pytest.mark.windows
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


@pytest.mark.windows
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


@pytest.mark.windows
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


@pytest.mark.windows
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
    assert (paid.net_rshares, paid.abs_rshares) == (0, 0)
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


def mana_now(world: World, name: str) -> int:
    """Voting mana of an account as it has grown back by now."""
    row = world[name]
    most, bar = row.vesting_shares, row.voting_manabar
    return min(most, bar.current_mana + most * (world.now - bar.last_update_time) // 432_000)


def downvote_mana_now(world: World, name: str) -> int:
    """The same of mana for votes against, of which there is a quarter."""
    row = world[name]
    most, bar = row.vesting_shares // 4, row.downvote_manabar
    return min(most, bar.current_mana + most * (world.now - bar.last_update_time) // 432_000)


def use(mana: int, weight: int) -> int:
    """Mana that a vote of this weight uses: 10 whole votes a day at full mana, over five days, rounded up."""
    return (mana * abs(weight) * 86_400 // 10_000 + 4_319_999) // 4_320_000


@pytest.mark.windows
def test_vote_apply(blog: World) -> None:
    """Counterpart of vote_apply from its second vote on, with the same weights in the same order."""
    blog.vest("alice", 90_000_000)
    created = {name: find_post(blog, name).created for name in ("alice", "bob")}
    blog.push(vote("alice", "alice"))
    blog.forward(3)
    mana = mana_now(blog, "alice")
    blog.push(vote("alice", "bob", 5_000))
    strength = use(mana, 5_000) - DUST
    assert blog["alice"].voting_manabar.current_mana == mana - use(mana, 5_000)
    assert find_post(blog, "bob").net_rshares == strength

    # A late vote does not move the payout.
    blog.forward(1_800)
    before, mana = find_post(blog, "alice"), mana_now(blog, "bob")
    blog.push(vote("bob", "alice"))
    after = find_post(blog, "alice")
    assert after.net_rshares == before.net_rshares + use(mana, 10_000) - DUST
    assert after.cashout_time == created["alice"] + 3_600
    assert find_vote(blog, "bob", "alice").rshares == use(mana, 10_000) - DUST

    # A vote against takes its mana from the quarter for such votes.
    before, full = find_post(blog, "bob"), mana_now(blog, "sam")
    blog.push(vote("sam", "bob", -5_000))
    against = use(full, 5_000) - DUST
    after = find_post(blog, "bob")
    assert (after.net_rshares, after.abs_rshares) == (before.net_rshares - against, before.abs_rshares + against)
    assert after.cashout_time == created["bob"] + 3_600
    assert blog["sam"].downvote_manabar.current_mana == full // 4 - use(full, 5_000)

    # A vote on a reply counts at the root too, and does not move its payout.
    blog.push(post("sam", "reply", parent=("alice", "post")))
    before, mana = find_post(blog, "alice"), mana_now(blog, "alice")
    blog.push(vote("alice", "sam", 10_000, "reply"))
    after = find_post(blog, "alice")
    assert find_post(blog, "sam", "reply").net_rshares == use(mana, 10_000) - DUST
    assert after.children_abs_rshares == before.children_abs_rshares + use(mana, 10_000) - DUST
    assert (after.net_rshares, after.cashout_time) == (before.net_rshares, created["alice"] + 3_600)

    # Alice changes her vote: less, against, none.
    for weight in (2_500, -7_500, 0):
        blog.forward(3)
        before, old = find_post(blog, "bob"), find_vote(blog, "alice", "bob")
        mana, low = mana_now(blog, "alice"), downvote_mana_now(blog, "alice")
        worth = mana if weight >= 0 else max(mana, low * 4)
        blog.push(vote("alice", "bob", weight))
        new_strength = use(worth, weight) - DUST if weight else 0
        assert new_strength > 0 or not weight
        signed = new_strength if weight > 0 else -new_strength
        after, new = find_post(blog, "bob"), find_vote(blog, "alice", "bob")
        assert (new.rshares, new.vote_percent, new.last_update) == (signed, weight, blog.now)
        assert after.net_rshares == before.net_rshares - old.rshares + signed
        assert after.abs_rshares == before.abs_rshares + new_strength
        assert after.cashout_time == created["bob"] + 3_600
        used = use(worth, weight)
        assert blog["alice"].voting_manabar.current_mana == mana - (used if weight > 0 else 0)
        assert blog["alice"].downvote_manabar.current_mana == low - (used if weight < 0 else 0)
        blog.recount()

    # Too little downvote mana: the rest is voting mana.
    blog.forward(3)
    alice = blog["alice"]
    bar = alice.downvote_manabar._replace(current_mana=alice.downvote_manabar.current_mana // 30)
    blog.tables.accounts.update(alice, downvote_manabar=bar._replace(last_update_time=blog.now))
    before, mana = find_post(blog, "bob"), mana_now(blog, "alice")
    used = use(mana, 10_000)
    blog.push(vote("alice", "bob", -10_000))
    after = find_post(blog, "bob")
    assert (after.net_rshares, after.abs_rshares) == (
        before.net_rshares - (used - DUST),
        before.abs_rshares + used - DUST,
    )
    assert find_vote(blog, "alice", "bob").rshares == -(used - DUST)
    assert blog["alice"].downvote_manabar.current_mana == 0
    assert blog["alice"].voting_manabar.current_mana == mana - used + bar.current_mana

    # In the last five minutes a vote loses strength, one against too.
    blog.forward(created["bob"] + 3_600 - 297 - blog.now)
    mana = mana_now(blog, "dave")
    blog.push(vote("dave", "bob"))
    assert find_vote(blog, "dave", "bob").rshares == (use(mana, 10_000) - DUST) * 297 // 300
    blog.forward(3)
    before, old = find_post(blog, "bob"), find_vote(blog, "dave", "bob")
    worth = max(mana_now(blog, "dave"), downvote_mana_now(blog, "dave") * 4)
    blog.push(vote("dave", "bob", -10_000))
    weakened = (use(worth, 10_000) - DUST) * 294 // 300
    assert find_vote(blog, "dave", "bob").rshares == -weakened
    assert find_post(blog, "bob").net_rshares == before.net_rshares - old.rshares - weakened
