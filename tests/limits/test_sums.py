"""What is summed or left for later comes out as if each row had been worked on by itself."""

from __future__ import annotations

from random import Random

import pytest

import chain.expiries
from chain.expiries import process_expired_transactions
from operations.content import DeleteComment
from protocol.errors import Rejected
from rewards.comments import find_comment
from state.balances import LIQUID, Payments
from state.tables.globals import SeenTransaction
from state.witness_votes import WitnessVoteSums, adjust_witness_vote
from tests.harness import sbd, steem
from tests.limits.steps import VOTES_PER_ACCOUNT, give_votes, make_posts, make_witnesses
from tests.limits.world import World, user


@pytest.fixture
def world() -> World:
    """A ledger to be filled."""
    return World()


@pytest.mark.parametrize("seed", range(5))
def test_payments_are_those_made_one_by_one(world: World, seed: int) -> None:
    rng = Random(seed)
    accounts = world.tables.accounts
    for number in range(4):
        accounts.update(accounts.get(user(number)), sbd_balance=10**9)
    world.ctx.update_gpo(sbd_interest_rate=1000)
    world.pass_time(40 * 86_400)
    payments = [(user(rng.randrange(4)), rng.choice((steem, sbd))(rng.choice((0, 5, 10**6)))) for _ in range(50)]
    outcomes = []
    for is_summed in (False, True):
        world.store.begin()
        sums = Payments()
        for name, (amount, symbol) in payments:
            (sums if is_summed else LIQUID).change(world.ctx, name, symbol, amount)
        sums.finish(world.ctx)
        outcomes.append((world.store.compute_digest_from_scratch(), list(world.ctx.events)))
        world.ctx.events.clear()
        world.store.rollback()
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1], "interest is paid at the first touch"


@pytest.mark.parametrize("seed", range(5))
def test_votes_are_those_changed_one_by_one(world: World, seed: int) -> None:
    rng = Random(seed)
    tables = world.tables
    make_witnesses(world, VOTES_PER_ACCOUNT)
    for number in range(3):
        give_votes(world, user(number))
    schedule = tables.witness_schedule
    schedule.update(schedule.get(0), current_virtual_time=10**6)
    changes = [(user(rng.randrange(4)), rng.randint(-(10**9), 10**9)) for _ in range(20)]
    outcomes = []
    for is_summed in (False, True):
        world.store.begin()
        sums = WitnessVoteSums(world.ctx)
        for name, delta in changes:
            if is_summed:
                sums.add(tables.accounts.get(name), delta)
                continue
            for vote in list(tables.witness_votes.scan((name,))):
                adjust_witness_vote(world.ctx, tables.witnesses.get(vote.witness), delta)
        sums.finish()
        outcomes.append(world.store.compute_digest_from_scratch())
        world.store.rollback()
    assert outcomes[0] == outcomes[1]


def test_votes_that_pass_all_stake_for_a_moment_are_refused(world: World) -> None:
    make_witnesses(world, VOTES_PER_ACCOUNT)
    give_votes(world, user(0))
    account = world.tables.accounts.get(user(0))
    sums = WitnessVoteSums(world.ctx)
    with pytest.raises(Rejected, match="total_vesting_shares"):
        sums.add(account, world.ctx.gpo.total_vesting_shares)
        sums.add(account, -world.ctx.gpo.total_vesting_shares)


def test_expired_transactions_are_forgotten_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain.expiries, "FORGOTTEN_MAX", 10)
    seen = world.tables.seen_transactions
    for number in range(25):
        seen.insert(SeenTransaction(seen.next_id(), bytes([number]) * 20, world.now + 1))
    world.pass_time(2)
    left = []
    for _ in range(4):
        process_expired_transactions(world.ctx)
        left.append(len(list(seen.scan())))
    assert left == [15, 5, 0, 0]


def test_a_post_is_found_where_it_is_and_not_where_it_was(world: World) -> None:
    make_posts(world, 1, 0, net_rshares=0, cashout_time=world.now + 10**5)
    first = find_comment(world.ctx, user(0), "post-0")
    assert first is not None and find_comment(world.ctx, user(0), "post-0") is first
    assert find_comment(world.ctx, user(0), "post") is None and find_comment(world.ctx, user(0), "post-00") is None
    world.store.begin()
    world.apply(DeleteComment(user(0), "post-0"))
    assert find_comment(world.ctx, user(0), "post-0") is None
    make_posts(world, 1, 0)
    second = find_comment(world.ctx, user(0), "post-0")
    assert second is not None and second.id != first.id
    world.store.rollback()
    assert find_comment(world.ctx, user(0), "post-0") == first
