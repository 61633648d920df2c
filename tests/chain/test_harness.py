"""The harness itself: everything it offers works and keeps the recounts right."""

from __future__ import annotations

import pytest

from operations.transfer import Transfer
from tests.chains import FIRST
from tests.harness import Harness, dev_config, steem


@pytest.mark.parametrize("preset", ["testnet", "dev"])
def test_accounts_posts_votes_and_payout(preset: str) -> None:
    world = Harness(None if preset == "testnet" else dev_config())
    world.generate_blocks(2)
    world.create_accounts("alice-1", "bob-1")
    world.fund("alice-1", steem_amount=10_000, sbd_amount=1000)
    assert world.vest("alice-1", 1_000_000) > 0
    world.vest("bob-1", 50_000_000)
    world.post("alice-1", "first")
    world.generate_block()
    world.vote("bob-1", "alice-1", "first")
    world.generate_block()
    world.recount()
    world.generate_until(world.comment("alice-1", "first").cashout_time)
    assert world.comment("alice-1", "first").last_payout == world.now
    assert world.account("alice-1").posting_rewards > 0
    world.recount()
    payouts = world.history.get_payouts("alice-1", "first")
    assert [payout.author for payout in payouts] == ["alice-1"]


def test_an_edit_becomes_part_of_a_block_and_is_undone_with_it() -> None:
    world = Harness()
    world.create_account("alice-1")
    before = world.chain.state_digest
    world.edit(lambda ctx: ctx.update_gpo(smt_creation_fee=5))
    assert world.gpo.smt_creation_fee == 5
    world.chain.undo_head()
    assert world.gpo.smt_creation_fee == 1000
    assert world.chain.state_digest == before


def test_a_witness_is_voted_in_and_produces() -> None:
    world = Harness()
    world.create_accounts("alice-1")
    world.vest(FIRST, 1_000_000)
    world.make_witness("alice-1")
    world.vote_witness(FIRST, "alice-1")
    names = {world.generate_block().witness for _ in range(45)}
    assert names == {FIRST, "alice-1"}
    world.recount()


def test_sparse_time_ends_at_the_wanted_slot() -> None:
    world = Harness()
    start = world.now
    world.generate_until(start + 600)
    assert world.now == start + 600
    assert world.chain.head_number == 2
    world.pass_time(9, sparse=False)
    assert world.chain.head_number == 5


def test_equal_transfers_are_different_transactions() -> None:
    world = Harness()
    world.create_account("alice-1")
    first = world.push(Transfer(FIRST, "alice-1", steem(1), ""))
    second = world.push(Transfer(FIRST, "alice-1", steem(1), ""))
    assert first.id != second.id
    assert world.account("alice-1").balance == 2
