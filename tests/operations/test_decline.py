"""Giving voting rights up. Counterpart of the reference's decline_voting_rights_apply."""

import pytest

from chain.expiries import process_declined_voting_rights
from operations.content import Comment
from operations.recovery import DeclineVotingRights
from operations.vote import Vote
from operations.witness import AccountWitnessProxy, AccountWitnessVote
from protocol.errors import Rejected
from tests.chains import FIRST
from tests.harness import Harness
from tests.operations.world import World

BLOCK = 3


@pytest.fixture
def chain() -> Harness:
    """Alice, a witness, and bob, who made her his proxy, have the same stake."""
    chain = Harness()
    chain.create_accounts("alice", "bob")
    for name in ("alice", "bob"):
        chain.vest(name, 10_000)
    chain.make_witness("alice")
    chain.apply(AccountWitnessProxy("bob", "alice"))
    return chain


def test_decline_voting_rights(chain: Harness) -> None:
    """Counterpart of decline_voting_rights_apply."""
    period = chain.config.rules.owner_auth_recovery_period_seconds
    requests = chain.tables.decline_voting_requests
    chain.push(DeclineVotingRights("alice", True))
    assert requests.get("alice").effective_date == chain.now + period
    chain.generate_block()
    with pytest.raises(Rejected, match="Cannot create new request because one already exists"):
        chain.push(DeclineVotingRights("alice", True))
    chain.push(DeclineVotingRights("alice", False))
    assert requests.find("alice") is None
    chain.generate_block()
    with pytest.raises(Rejected, match="Cannot cancel the request because it does not exist"):
        chain.push(DeclineVotingRights("alice", False))
    chain.push(DeclineVotingRights("alice", True))
    due = chain.now + period
    chain.generate_until(due - BLOCK)
    assert chain.now == due - BLOCK
    assert chain.account("alice").can_vote
    chain.push(AccountWitnessVote("alice", "alice", True))
    chain.push(Comment("", "test", "alice", "test", "test", "test", ""), Vote("alice", "alice", "test", 10_000))
    assert chain.witness("alice").votes == sum(chain.account(name).vesting_shares for name in ("alice", "bob"))
    chain.recount()

    chain.generate_block()
    assert chain.now == due
    assert not chain.account("alice").can_vote
    assert requests.find("alice") is None
    assert list(chain.tables.witness_votes.scan(("alice",))) == []
    assert chain.account("alice").witnesses_voted_for == 0
    assert chain.witness("alice").votes == 0
    post = chain.comment("alice", "test")
    assert chain.tables.comment_votes.find((post.id, chain.account("alice").id)) is not None
    with pytest.raises(Rejected, match="Account has declined its voting rights"):
        chain.push(AccountWitnessVote("alice", "alice", True))
    for weight in (0, 5_000):
        with pytest.raises(Rejected, match="Voter has declined their voting rights"):
            chain.push(Vote("alice", "alice", "test", weight))
    with pytest.raises(Rejected, match="Account has declined the ability to vote and cannot proxy votes"):
        chain.push(AccountWitnessProxy("alice", "bob"))
    assert chain.account("alice").proxied_vsf_votes[0] == chain.account("bob").vesting_shares
    chain.recount()


@pytest.fixture
def world(world: World) -> World:
    """A chain of proxies: dan to carol to bob to alice, who votes for initminer; each with his own stake."""
    world.create("alice", "bob", "carol", "dan")
    for name, amount in (("alice", 1_000), ("bob", 2_000), ("carol", 4_000), ("dan", 8_000)):
        world.vest(name, amount)
    world.push(AccountWitnessVote("alice", FIRST, True))
    for name, proxy in (("dan", "carol"), ("carol", "bob"), ("bob", "alice")):
        world.push(AccountWitnessProxy(name, proxy))
    return world


def decline(world: World, name: str) -> None:
    """Lets an account decline and the time pass."""
    world.push(DeclineVotingRights(name, True))
    world.forward(world.ctx.rules.owner_auth_recovery_period_seconds - 1)
    world.run(process_declined_voting_rights)
    assert world[name].can_vote
    world.forward(1)
    world.run(process_declined_voting_rights)
    assert not world[name].can_vote
    assert world.tables.decline_voting_requests.find(name) is None


def test_declining_takes_own_and_proxied_votes_off_the_chain_of_proxies(world: World) -> None:
    shares = {name: world[name].vesting_shares for name in ("alice", "bob", "carol", "dan")}
    votes = world.tables.witnesses.get(FIRST).votes
    decline(world, "carol")
    assert world["carol"].proxy == ""
    assert world["carol"].proxied_vsf_votes == (shares["dan"], 0, 0, 0)
    assert world["bob"].proxied_vsf_votes == (0, 0, 0, 0)
    assert world["alice"].proxied_vsf_votes == (shares["bob"], 0, 0, 0)
    assert world.tables.witnesses.get(FIRST).votes == votes - shares["carol"] - shares["dan"]
    assert world["alice"].witnesses_voted_for == 1
    world.recount()


def test_declining_ends_direct_votes(world: World) -> None:
    votes = world.tables.witnesses.get(FIRST).votes
    weight = world["alice"].witness_vote_weight
    decline(world, "alice")
    assert world.tables.witnesses.get(FIRST).votes == votes - weight
    assert list(world.tables.witness_votes.scan(("alice",))) == []
    assert world["bob"].proxy == "alice"
    world.recount()
    world.push(AccountWitnessProxy("bob", ""))
    world.push(AccountWitnessVote("bob", FIRST, True))
    world.recount()


def test_a_decline_is_refused(world: World) -> None:
    world.refuse(DeclineVotingRights("nobody", True), "no row with key 'nobody'")
    world.refuse(
        DeclineVotingRights("alice", False),
        "itr != request_idx.end(): Cannot cancel the request because it does not exist.",
    )
    world.push(DeclineVotingRights("alice", True))
    world.refuse(
        DeclineVotingRights("alice", True),
        "itr == request_idx.end(): Cannot create new request because one already exists.",
    )
    world.push(DeclineVotingRights("alice", False))
    world.push(DeclineVotingRights("alice", True))


def test_requests_of_one_moment_are_carried_out_together(world: World) -> None:
    """Also those of an account and of its proxy, in the order of their names."""
    for name in ("bob", "alice", "dan"):
        world.push(DeclineVotingRights(name, True))
    world.forward(world.ctx.rules.owner_auth_recovery_period_seconds)
    world.run(process_declined_voting_rights)
    assert [world[name].can_vote for name in ("alice", "bob", "carol", "dan")] == [False, False, True, False]
    assert list(world.tables.decline_voting_requests.scan()) == []
    assert world.tables.witnesses.get(FIRST).votes == 0
    world.recount()
