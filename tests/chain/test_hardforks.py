"""A hard fork on whole chains: the rules change when the witnesses agreed and its time came, and follow the state."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import Mock

import pytest

from chain.chain import Chain
from index.indexes import Indexes, open_chain
from operations.witness import AccountWitnessVote
from protocol.block import Block
from protocol.config import ChainConfig
from protocol.curves import RewardCurve
from protocol.errors import Rejected, UnknownHardfork
from protocol.rules import Rules
from protocol.virtual_operations import Hardfork
from state.context import SINGLETON
from tests.chain.own_chains import assert_undo_and_redo, chain_text
from tests.harness import Harness

FORK = """
[[hardforks.future]]
number = 25
version = "0.25.0"
time = "2025-06-01T00:05:00"
name = "made up"
upgrade = "reset_virtual_schedule_time"
[hardforks.future.rules]
max_account_witness_votes = 1
vesting_withdraw_intervals = 13
max_memo_size_bytes = 10
content_reward_percent_bp = 7000
vesting_reward_percent_bp = 1000
author_reward_curve = "linear"
curation_rewards_bp = 2500
max_sig_check_depth = 1
"""
FORK_TIME = 1_748_736_300


def open_world(witnesses: int, rules: str = "", *, more: str = FORK, path: Path | None = None) -> Harness:
    config = ChainConfig.parse(chain_text(witnesses, rules=rules, more=more))
    return Harness(config, path=path)


def is_forked(world: Harness | Chain) -> bool:
    """Whether the hard fork happened; if so, everything that it changes must be changed, and else nothing."""
    chain = world.chain if isinstance(world, Harness) else world
    ctx = chain.ctx
    last = ctx.tables.hardfork_property.get(SINGLETON).last_hardfork
    gpo, fund = ctx.gpo, ctx.tables.reward_funds.get("post")
    seen = (
        ctx.rules.max_account_witness_votes,
        ctx.rules.vesting_withdraw_intervals,
        gpo.content_reward_percent,
        gpo.vesting_reward_percent,
        fund.author_reward_curve,
        fund.percent_curation_rewards,
        chain.ledger._limits.max_depth,
    )
    expected = {
        24: (30, 4, 6500, 1500, RewardCurve.CONVERGENT_LINEAR.number, 5000, 2),
        25: (1, 13, 7000, 1000, RewardCurve.LINEAR.number, 2500, 1),
    }
    assert seen == expected[last]
    return last == 25


def pass_the_fork(world: Harness) -> Block:
    """Makes blocks until the one that the hard fork happens in; returns it."""
    while True:
        assert not is_forked(world)
        block = world.generate_block()
        if block.timestamp >= FORK_TIME:
            return block


def events_of(indexes: Indexes, block: Block) -> list[object]:
    return [
        entry.op for entry in indexes.history.get_operations_in_block(block.number) if isinstance(entry.op, Hardfork)
    ]


def test_the_rules_change_when_seventeen_of_twenty_one_agree() -> None:
    world = open_world(21)
    world.apply(AccountWitnessVote("alice", "wit01", True))
    block = pass_the_fork(world)
    assert block.timestamp == FORK_TIME
    assert is_forked(world)
    with pytest.raises(Rejected, match="too many witnesses"):
        world.push(AccountWitnessVote("alice", "wit02", True))
    world.generate_blocks(30)
    world.recount()
    assert_undo_and_redo(world)


@pytest.mark.parametrize(("rules", "happens"), [("", False), ("hardfork_required_witnesses = 3", True)])
def test_a_small_chain_needs_a_lower_number_of_votes(rules: str, happens: bool) -> None:
    world = open_world(3, rules)
    while world.now < FORK_TIME + 120:
        world.generate_block()
    assert is_forked(world) == happens
    world.recount()
    if happens:
        assert_undo_and_redo(world)


def test_after_a_restart_the_new_rules_hold(tmp_path: Path) -> None:
    path = tmp_path / "data"
    world = open_world(3, "hardfork_required_witnesses = 3", path=path)
    pass_the_fork(world)
    assert is_forked(world)
    digest, head = world.chain.state_digest, world.chain.head_number
    world.chain.close()
    for more in range(2):
        chain, indexes = open_chain(world.config, path)
        assert is_forked(chain)
        assert chain.head_number == head + 30 * more
        if not more:
            assert chain.state_digest == digest
        again = Harness(world.config, chain=chain, indexes=indexes, first_block=False)
        again.generate_blocks(30)
        again.recount()
        chain.close()


def test_a_program_that_does_not_know_the_fork_stops_at_it() -> None:
    world = open_world(3, "hardfork_required_witnesses = 3")
    old = Chain.open(ChainConfig.parse(chain_text(3, rules="hardfork_required_witnesses = 3")))
    assert old.config.chain_id == world.config.chain_id, "planning a fork does not make another chain"
    last = pass_the_fork(world)
    for number in range(1, last.number):
        block = world.chain.reader.get_block(number)
        assert block is not None
        old.push_block(block)
    with pytest.raises(UnknownHardfork):
        old.push_block(last)
    assert old.head_number == last.number - 1


def test_a_fork_switch_undoes_the_hard_fork_and_applies_it_again() -> None:
    world = open_world(7, "hardfork_required_witnesses = 5")
    other = Chain.open(world.config)
    while world.now + 9 < FORK_TIME:
        world.generate_block()
    for number in range(1, world.chain.head_number + 1):
        shared = world.chain.reader.get_block(number)
        assert shared is not None
        other.push_block(shared)
    side = Harness(world.config, chain=other, first_block=False)
    first = pass_the_fork(world)
    assert is_forked(world)
    assert events_of(world.indexes, first) == [Hardfork(25)]

    side.generate_block(skip_slots=1)
    branch = [side.chain.reader.get_block(side.chain.head_number)]
    while side.chain.head_number <= world.chain.head_number:
        branch.append(side.generate_block())
    assert is_forked(side)
    happened = next(block for block in branch if block is not None and block.timestamp >= FORK_TIME)
    assert happened.number == first.number - 1, "one slot was left out, so it is an earlier block"

    switched = [world.chain.push_block(block) for block in branch if block is not None][-1]
    assert switched.undone, "the branch is longer"
    assert world.chain.head_id == side.chain.head_id
    assert world.chain.state_digest == side.chain.state_digest
    assert is_forked(world)
    assert events_of(world.indexes, happened) == [Hardfork(25)]
    world.generate_blocks(30)
    world.recount()


def test_undoing_the_block_of_the_fork_brings_the_old_rules_back() -> None:
    world = open_world(7, "hardfork_required_witnesses = 5")
    pass_the_fork(world)
    after = world.chain.state_digest
    block = world.chain.reader.get_block(world.chain.head_number)
    assert block is not None
    world.chain.undo_head()
    assert not is_forked(world)
    world.chain.push_block(block)
    assert is_forked(world)
    assert world.chain.state_digest == after


def test_two_hard_forks_whose_time_has_come_happen_in_one_block() -> None:
    second = (
        FORK.replace("25\n", "26\n", 1).replace("0.25.0", "0.26.0").replace("= 13", "= 26").replace("= 1\n", "= 2\n")
    )
    config = ChainConfig.parse(chain_text(3, rules="hardfork_required_witnesses = 3", more=FORK + second))
    world = Harness(config)
    while world.now < FORK_TIME + 200:
        world.generate_block()
    hardfork = world.tables.hardfork_property.get(SINGLETON)
    assert hardfork.last_hardfork == 26
    assert world.ctx.rules.vesting_withdraw_intervals == 26
    assert hardfork.processed_hardforks[-2:] == (FORK_TIME, FORK_TIME)
    world.recount()


def test_the_rules_of_a_hard_fork_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that are undone or refused after a hard fork bring its rules back without checking them again."""
    world = open_world(7, "hardfork_required_witnesses = 5")
    pass_the_fork(world)
    world.generate_blocks(3)
    forked, chain = world.ctx.rules, world.chain
    made = Mock(side_effect=AssertionError("the rules are made again"))
    monkeypatch.setattr(Rules, "replace", made)
    refused = chain.reader.get_block(1)
    assert refused is not None
    for _ in range(3):
        with pytest.raises(Rejected):
            chain.ledger.apply_block(refused)
        assert world.ctx.rules is forked
    while is_forked(world):
        chain.undo_head()
    world.generate_block()
    assert is_forked(world)
    assert world.ctx.rules is forked
    assert made.call_count == 0
