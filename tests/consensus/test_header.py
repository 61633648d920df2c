"""Who may make a block, and what its header says. Counterpart of generate_empty_blocks and hardfork_test."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from chain.hardforks import UPGRADES, current_rules, set_hardfork
from consensus.header import build_header_extensions, check_merkle_root
from consensus.slots import get_round_witnesses, get_scheduled_witness
from consensus.versions import get_node_version
from protocol.block_header import VersionReport
from protocol.config import ChainConfig
from protocol.errors import Invalid, Rejected, UnknownHardfork, UnknownKey
from protocol.hardforks import UPGRADE_NAMES
from protocol.types import NULL_PUBLIC_KEY, HardforkVersionVote
from protocol.virtual_operations import Hardfork
from state.context import SINGLETON, Context
from tests.chains import FIRST, TESTNET
from tests.consensus.chains import apply_block, generate, give_keys, key_of, make_block
from tests.consensus.worlds import add_witness, change_witness, make_context, make_round, parse_time

V24, V25, V26 = 24 << 16, 25 << 16, 26 << 16
FORK_TIME = TESTNET.genesis.time + 3 * 100


def future_config(**fork: Any) -> ChainConfig:
    """The testnet with a made-up next hard fork."""
    document = TESTNET.model_dump()
    planned = {"number": 25, "version": "0.25.0", "time": FORK_TIME, "rules": {"max_account_witness_votes": 7}, **fork}
    document["hardforks"]["future"] = [planned]
    return ChainConfig.model_validate(document)


def make_chain(config: ChainConfig = TESTNET, count: int = 21) -> Context:
    ctx = make_context(config)
    make_round(ctx, count)
    give_keys(ctx)
    return ctx


# --- who may make a block ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 4, 20, 21, 25])
def test_a_chain_of_any_number_of_witnesses(count: int) -> None:
    ctx = make_context()
    for number in range(count - 1):
        add_witness(ctx, f"wit{number:02}", votes=number)
    give_keys(ctx)
    generate(ctx, 100)
    assert ctx.gpo.head_block_number == 100
    assert len(get_round_witnesses(ctx)) == min(count, 21)
    assert ctx.gpo.last_irreversible_block_num == 79


def test_the_parent_must_be_the_head() -> None:
    ctx = make_chain()
    with pytest.raises(Rejected, match=r"head_block_id\(\) == next_block.previous"):
        apply_block(ctx, make_block(ctx, previous=bytes(20)[:-1] + b"\1"))


def test_the_time_must_grow() -> None:
    ctx = make_chain()
    generate(ctx)
    with pytest.raises(Rejected, match=r"head_block_time\(\) < next_block.timestamp"):
        apply_block(ctx, make_block(ctx, timestamp=ctx.time))


def test_a_time_before_the_next_slot() -> None:
    ctx = make_chain()
    generate(ctx)
    with pytest.raises(Rejected, match="slot_num > 0"):
        apply_block(ctx, make_block(ctx, timestamp=ctx.time + 1))


def test_an_unknown_witness() -> None:
    ctx = make_chain()
    with pytest.raises(UnknownKey, match="unknown key"):
        apply_block(ctx, make_block(ctx, witness="nobody"))


def test_another_witness_slot() -> None:
    ctx = make_chain()
    with pytest.raises(Rejected, match="Witness produced block at wrong time"):
        apply_block(ctx, make_block(ctx, witness=get_scheduled_witness(ctx, 2)))
    generate(ctx, 1, slot=2)


def test_another_key() -> None:
    ctx = make_chain()
    with pytest.raises(Rejected, match="validate_signee"):
        apply_block(ctx, make_block(ctx, key=key_of("somebody else")))


def test_no_signature_at_all() -> None:
    ctx = make_chain()
    with pytest.raises(Invalid):
        apply_block(ctx, make_block(ctx).with_signature(bytes(65)))


def test_a_witness_without_a_key_misses_its_turn() -> None:
    ctx = make_chain()
    name = get_scheduled_witness(ctx, 1)
    change_witness(ctx, name, signing_key=NULL_PUBLIC_KEY)
    with pytest.raises(Rejected, match="validate_signee"):
        apply_block(ctx, make_block(ctx))
    generate(ctx, 1, slot=2)
    assert ctx.tables.witnesses.get(name).total_missed == 1


def test_a_block_larger_than_the_median_maximum() -> None:
    ctx = make_chain()
    block = make_block(ctx)
    ctx.update_gpo(maximum_block_size=block.size - 1)
    with pytest.raises(Rejected, match="Block Size is too Big"):
        apply_block(ctx, block)
    ctx.update_gpo(maximum_block_size=block.size)
    apply_block(ctx, block)


def test_a_wrong_merkle_root() -> None:
    ctx = make_chain()
    check_merkle_root(make_block(ctx))
    with pytest.raises(Rejected, match="Merkle check failed"):
        check_merkle_root(make_block(ctx, transaction_merkle_root=b"\1" * 20))


# --- the last signing key ---------------------------------------------------------------------------------------


def test_a_witness_alone_cannot_end_the_chain_by_leaving() -> None:
    ctx = make_context()
    give_keys(ctx)
    generate(ctx, 5)
    apply_block(ctx, make_block(ctx), signing_key=NULL_PUBLIC_KEY)
    assert ctx.tables.witnesses.get(FIRST).signing_key == key_of(FIRST).public_key
    generate(ctx, 50)


def test_a_witness_who_is_not_alone_leaves() -> None:
    ctx = make_chain(count=2)
    block = make_block(ctx)
    apply_block(ctx, block, signing_key=NULL_PUBLIC_KEY)
    assert ctx.tables.witnesses.get(block.witness).signing_key == NULL_PUBLIC_KEY
    while ctx.gpo.head_block_number % 21:
        slot = 1 if get_scheduled_witness(ctx, 1) != block.witness else 2
        generate(ctx, 1, slot)
    assert block.witness not in get_round_witnesses(ctx)
    generate(ctx, 30)


def test_when_all_leave_one_after_another_the_last_one_stays() -> None:
    ctx = make_chain(count=4)
    change_witness(ctx, FIRST, signing_key=NULL_PUBLIC_KEY)
    for _ in range(4):
        slot = 1
        while ctx.tables.witnesses.get(get_scheduled_witness(ctx, slot)).signing_key == NULL_PUBLIC_KEY:
            slot += 1
        block = make_block(ctx, slot)
        apply_block(ctx, block, signing_key=NULL_PUBLIC_KEY)
    assert ctx.tables.witnesses.get(block.witness).signing_key == key_of(block.witness).public_key
    while ctx.gpo.head_block_number < 60:
        slot = 1
        while get_scheduled_witness(ctx, slot) != block.witness:
            slot += 1
        generate(ctx, 1, slot)
    assert get_round_witnesses(ctx) == (block.witness,)


# --- versions and hard forks ------------------------------------------------------------------------------------


def test_the_first_block_of_every_witness_reports_a_version() -> None:
    ctx = make_chain()
    for _ in range(21):
        block = make_block(ctx)
        assert block.extensions == (VersionReport(V24),)
        apply_block(ctx, block)
        assert ctx.tables.witnesses.get(block.witness).running_version == V24
    generate(ctx, 21)
    assert ctx.tables.witness_schedule.get(SINGLETON).majority_version == V24
    assert make_block(ctx).extensions == ()


def test_a_witness_that_reports_nothing_is_refused() -> None:
    ctx = make_chain()
    with pytest.raises(Rejected, match="not running current hardfork"):
        apply_block(ctx, make_block(ctx, extensions=()))
    with pytest.raises(Rejected, match="not running current hardfork"):
        apply_block(ctx, make_block(ctx, extensions=(VersionReport(V24 - 1),)))


def test_block_1_of_the_reference_chain_votes_for_an_old_hard_fork() -> None:
    ctx = make_context()
    give_keys(ctx)
    vote = HardforkVersionVote(1 << 16, parse_time("2016-04-25T17:30:00"))
    apply_block(ctx, make_block(ctx, extensions=(VersionReport(V24), vote)))
    witness = ctx.tables.witnesses.get(FIRST)
    assert (witness.hardfork_version_vote, witness.hardfork_time_vote) == vote
    generate(ctx, 22)
    hardfork = ctx.tables.hardfork_property.get(SINGLETON)
    assert (hardfork.next_hardfork, hardfork.next_hardfork_time) == (V24, TESTNET.genesis.time)


def test_votes_of_0_plan_version_0() -> None:
    """What the reference chain shows from its first full round on: nobody voted, so all vote for 0.0.0."""
    ctx = make_chain()
    generate(ctx, 21)
    hardfork = ctx.tables.hardfork_property.get(SINGLETON)
    assert (hardfork.next_hardfork, hardfork.next_hardfork_time) == (0, TESTNET.genesis.time)
    assert hardfork.current_hardfork_version == V24


def test_a_made_up_hard_fork() -> None:
    """Seventeen witnesses who know it are enough; it happens at its time, changes the rules and is an event."""
    config = future_config(upgrade="reset_virtual_schedule_time")
    ctx = make_chain(config)
    assert get_node_version(config) == V25
    first = make_block(ctx)
    assert first.extensions == (VersionReport(V25), HardforkVersionVote(V25, FORK_TIME))
    generate(ctx, 42)
    hardfork = ctx.tables.hardfork_property.get(SINGLETON)
    assert (hardfork.next_hardfork, hardfork.next_hardfork_time) == (V25, FORK_TIME)
    assert hardfork.last_hardfork == 24
    assert ctx.rules.max_account_witness_votes == 30
    while ctx.time + 3 < FORK_TIME:
        generate(ctx)
    assert not ctx.events
    generate(ctx)
    assert ctx.events == [Hardfork(25)]
    hardfork = ctx.tables.hardfork_property.get(SINGLETON)
    assert (hardfork.last_hardfork, hardfork.current_hardfork_version) == (25, V25)
    assert hardfork.processed_hardforks[-1] == FORK_TIME
    assert ctx.rules.max_account_witness_votes == 7
    assert current_rules(ctx) == ctx.rules, "as after a restart"
    schedule = ctx.tables.witness_schedule.get(SINGLETON)
    assert schedule.current_virtual_time == 0, "the upgrade of the state ran"
    generate(ctx, 50)
    assert ctx.events == [Hardfork(25)]
    assert schedule.majority_version == V25


@pytest.mark.parametrize(("aware", "happens"), [(16, False), (17, True)])
def test_seventeen_of_twenty_one(aware: int, happens: bool) -> None:
    """The others run a program that does not know the fork: they report 0.24.0 and vote for nothing."""
    ctx = make_chain(future_config())
    change_witness(ctx, FIRST, signing_key=NULL_PUBLIC_KEY)
    old = {f"wit{number:02}" for number in range(aware, 21)}
    refused = 0
    for _ in range(130):
        slot = 1
        while True:
            name = get_scheduled_witness(ctx, slot)
            block = make_block(ctx, slot, extensions=(VersionReport(V24),)) if name in old else make_block(ctx, slot)
            try:
                apply_block(ctx, block)
            except Rejected:
                refused += 1
                slot += 1
                continue
            break
    assert (ctx.tables.hardfork_property.get(SINGLETON).last_hardfork == 25) == happens
    assert bool(refused) == happens, "after the fork, blocks of the old program are refused"


def test_without_the_rules_a_node_stops_at_the_fork() -> None:
    ctx = make_chain()
    generate(ctx, 21)
    table = ctx.tables.hardfork_property
    table.update(table.get(SINGLETON), next_hardfork=V25, next_hardfork_time=ctx.time)
    with pytest.raises(UnknownHardfork):
        generate(ctx)


def test_a_state_beyond_the_known_forks_is_refused() -> None:
    ctx = make_chain()
    table = ctx.tables.hardfork_property
    table.update(table.get(SINGLETON), last_hardfork=25)
    with pytest.raises(UnknownHardfork):
        current_rules(ctx)


def test_an_unknown_upgrade_is_refused_before_the_chain_starts() -> None:
    with pytest.raises(ValidationError, match="must be empty or one of reset_virtual_schedule_time"):
        future_config(upgrade="no-such-step")
    assert tuple(UPGRADES) == UPGRADE_NAMES


def test_a_planned_hard_fork_without_votes() -> None:
    ctx = make_chain(future_config())
    set_hardfork(ctx, 25)
    generate(ctx)
    assert ctx.tables.hardfork_property.get(SINGLETON).last_hardfork == 25


def test_a_vote_for_a_fork_this_node_does_not_know_is_taken_back() -> None:
    ctx = make_chain()
    change_witness(ctx, "wit00", running_version=V24, hardfork_version_vote=V26, hardfork_time_vote=FORK_TIME)
    vote = HardforkVersionVote(V24, TESTNET.processed_hardforks[-1])
    assert build_header_extensions(ctx, "wit00") == (vote,)
