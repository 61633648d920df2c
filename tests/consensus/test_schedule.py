"""The witness schedule: who is chosen, in which order, the medians, and the votes on versions."""

from __future__ import annotations

from typing import Any

import pytest

from consensus.schedule import (
    _advance_virtual_time,
    compute_majority_version,
    compute_shuffle,
    reset_virtual_schedule_time,
    update_median_properties,
    update_witness_schedule,
)
from consensus.slots import get_round_witnesses
from protocol.assets import STEEM, Asset
from protocol.types import NULL_PUBLIC_KEY
from state.context import SINGLETON, Context
from state.tables.witnesses import SCHEDULE_ELECTED, SCHEDULE_MINER, SCHEDULE_TIMESHARE, WitnessSchedule
from tests.chains import FIRST
from tests.consensus.worlds import add_witness, change_witness, load_state, make_context, make_round, parse_time
from tests.vectors import read_jsonl, recorded_path

LAP = (1 << 128) - 1
VERSION_24 = 24 << 16
VERSION_25 = 25 << 16


def start_round(ctx: Context, block: int = 21) -> WitnessSchedule:
    ctx.update_gpo(head_block_number=block)
    update_witness_schedule(ctx)
    return ctx.tables.witness_schedule.get(SINGLETON)


@pytest.fixture(scope="module")
def states() -> dict[int, dict[str, Any]]:
    return {state["height"]: state for state in read_jsonl(recorded_path("reference_chain_a", "states.jsonl"))}


@pytest.fixture(scope="module")
def block_times() -> dict[int, int]:
    blocks = read_jsonl(recorded_path("reference_chain_a", "blocks.jsonl"))
    times: dict[int, int] = {}
    for record in blocks:
        block = record["block"]
        times[record["height"]] = parse_time(block.get("block", block)["timestamp"])
    return times


# --- against the reference chain --------------------------------------------------------------------------------


def test_every_round_of_the_reference_chain_has_our_order(
    states: dict[int, dict[str, Any]], block_times: dict[int, int]
) -> None:
    rounds = 0
    for height, state in states.items():
        if height < 42:
            continue
        shown = state["database_api"]["witness_schedule"]["current_shuffled_witnesses"]
        ctx = load_state(state)
        elected = [
            witness.owner
            for witness in ctx.tables.witnesses.index("by_vote_name").scan()
            if witness.signing_key != NULL_PUBLIC_KEY
        ][:20]
        timeshare = [name for name in shown if name not in elected]
        assert compute_shuffle(elected + timeshare, block_times[height // 21 * 21]) == tuple(shown), height
        rounds += 1
    assert rounds == 13


@pytest.mark.parametrize(("before", "after"), [(238, 253)])
def test_the_next_round_of_the_reference_chain(
    states: dict[int, dict[str, Any]], block_times: dict[int, int], before: int, after: int
) -> None:
    """From the state before a round starts, without a change of votes in between, follows the one after."""
    ctx = load_state(states[before])
    start = after // 21 * 21
    ctx.update_gpo(time=block_times[start])
    start_round(ctx, start)
    expected = load_state(states[after])
    schedule = ctx.tables.witness_schedule.get(SINGLETON)
    wanted = expected.tables.witness_schedule.get(SINGLETON)
    for field in (
        "current_virtual_time",
        "next_shuffle_block_num",
        "current_shuffled_witnesses",
        "num_scheduled_witnesses",
        "witness_pay_normalization_factor",
        "median_props",
        "majority_version",
        "account_subsidy_rd",
        "account_subsidy_witness_rd",
    ):
        assert getattr(schedule, field) == getattr(wanted, field), field
    for witness in expected.tables.witnesses.scan():
        mine = ctx.tables.witnesses.get(witness.owner)
        for field in ("virtual_last_update", "virtual_position", "virtual_scheduled_time"):
            assert getattr(mine, field) == getattr(witness, field), (witness.owner, field)


def test_the_median_properties_of_the_reference_chain(states: dict[int, dict[str, Any]]) -> None:
    """At height 43 every witness still asks for what it asked for when the round started."""
    ctx = load_state(states[43])
    wanted = ctx.tables.witness_schedule.get(SINGLETON).median_props
    update_median_properties(ctx)
    assert ctx.tables.witness_schedule.get(SINGLETON).median_props == wanted
    assert ctx.gpo.maximum_block_size == wanted.maximum_block_size == 73728


# --- who is chosen ----------------------------------------------------------------------------------------------


def test_nothing_happens_inside_a_round() -> None:
    ctx = make_context()
    make_round(ctx, 3)
    before = ctx.tables.witness_schedule.get(SINGLETON)
    assert start_round(ctx, 20) == before
    assert start_round(ctx, 22) == before


def test_one_witness_alone() -> None:
    """As the reference chains at block 21: the pay factor is 1 and virtual time starts again at 0."""
    ctx = make_context()
    schedule = start_round(ctx)
    assert get_round_witnesses(ctx) == (FIRST,)
    assert schedule.current_shuffled_witnesses == (FIRST,) + ("",) * 20
    assert schedule.num_scheduled_witnesses == 1
    assert schedule.witness_pay_normalization_factor == 1
    assert schedule.current_virtual_time == 0
    assert schedule.next_shuffle_block_num == 22
    assert schedule.majority_version == 0
    witness = ctx.tables.witnesses.get(FIRST)
    assert (witness.virtual_scheduled_time, witness.schedule) == (LAP, SCHEDULE_ELECTED)


@pytest.mark.parametrize("count", [2, 7, 20])
def test_a_round_of_few_witnesses(count: int) -> None:
    ctx = make_context()
    names = make_round(ctx, count - 1)
    schedule = start_round(ctx)
    assert sorted(get_round_witnesses(ctx)) == sorted([*names, FIRST])
    assert schedule.num_scheduled_witnesses == count
    assert schedule.witness_pay_normalization_factor == count
    assert len(schedule.current_shuffled_witnesses) == 21


def test_twenty_are_elected_and_one_shares_its_time() -> None:
    ctx = make_context()
    names = make_round(ctx, 30)
    for name in names:
        change_witness(ctx, name, virtual_scheduled_time=LAP // 2)
    change_witness(ctx, "wit27", virtual_scheduled_time=5)
    schedule = start_round(ctx)
    assert set(get_round_witnesses(ctx)) == {*names[:20], "wit27"}
    assert schedule.witness_pay_normalization_factor == 20 + 5
    assert schedule.current_virtual_time == 5
    witness = ctx.tables.witnesses.get("wit27")
    assert witness.schedule == SCHEDULE_TIMESHARE
    assert witness.virtual_last_update == 5
    assert witness.virtual_scheduled_time == 5 + LAP // (witness.votes + 1)
    assert ctx.tables.witnesses.get("wit03").schedule == SCHEDULE_ELECTED
    assert ctx.tables.witnesses.get("wit25").schedule == SCHEDULE_MINER, "not scheduled: as it was"


def test_equal_votes_are_ordered_by_name() -> None:
    ctx = make_context()
    for name in ("zoe", "adam", *[f"mid{i:02}" for i in range(20)]):
        add_witness(ctx, name, votes=7, virtual_scheduled_time=LAP)
    change_witness(ctx, FIRST, virtual_scheduled_time=1)
    start_round(ctx)
    chosen = set(get_round_witnesses(ctx))
    assert "adam" in chosen and "mid18" in chosen and FIRST in chosen
    assert "mid19" not in chosen and "zoe" not in chosen


def test_elected_witnesses_met_on_the_way_start_a_lap_too() -> None:
    ctx = make_context()
    names = make_round(ctx, 22)
    for place, name in enumerate(names):
        change_witness(ctx, name, virtual_scheduled_time=10 + place)
    change_witness(ctx, FIRST, virtual_scheduled_time=1000)
    start_round(ctx)
    schedule = ctx.tables.witness_schedule.get(SINGLETON)
    assert schedule.current_virtual_time == 30, "wit20 is the first who was not elected"
    assert ctx.tables.witnesses.get("wit00").virtual_last_update == 30
    assert ctx.tables.witnesses.get("wit21").virtual_last_update == 0, "was not considered any more"
    assert ctx.tables.witnesses.get("wit21").virtual_scheduled_time == 31


def test_virtual_time_that_would_leave_128_bits_starts_again() -> None:
    ctx = make_context()
    names = make_round(ctx, 22)
    for name in names:
        change_witness(ctx, name, virtual_scheduled_time=LAP - 1)
    schedule = start_round(ctx)
    assert schedule.current_virtual_time == 0
    for witness in ctx.tables.witnesses.scan():
        assert witness.virtual_scheduled_time == LAP // (witness.votes + 1)
        assert (witness.virtual_position, witness.virtual_last_update) == (0, 0)


@pytest.mark.parametrize(("beyond", "is_reset"), [(0, False), (1, True)])
def test_the_last_virtual_time_is_that_of_128_bits(beyond: int, is_reset: bool) -> None:
    ctx = make_context()
    lap = ctx.rules.virtual_schedule_lap_length // 10
    now = (1 << 128) - 1 - lap + beyond
    witness = add_witness(ctx, "late", votes=9, virtual_scheduled_time=now)
    assert _advance_virtual_time(ctx, [witness], 0) == (0 if is_reset else now)
    expected = (0, lap) if is_reset else (now, (1 << 128) - 1)
    witness = ctx.tables.witnesses.get("late")
    assert (witness.virtual_last_update, witness.virtual_scheduled_time) == expected


def test_reset_of_virtual_time() -> None:
    ctx = make_context()
    make_round(ctx, 2, virtual_position=9, virtual_last_update=8)
    table = ctx.tables.witness_schedule
    table.update(table.get(SINGLETON), current_virtual_time=77)
    reset_virtual_schedule_time(ctx)
    assert table.get(SINGLETON).current_virtual_time == 0
    assert ctx.tables.witnesses.get("wit00").virtual_scheduled_time == LAP // 1001


# --- witnesses without a key ------------------------------------------------------------------------------------


def test_a_witness_without_a_key_leaves_at_the_next_round() -> None:
    ctx = make_context()
    make_round(ctx, 4)
    change_witness(ctx, "wit02", signing_key=NULL_PUBLIC_KEY)
    schedule = start_round(ctx)
    assert set(get_round_witnesses(ctx)) == {"wit00", "wit01", "wit03", FIRST}
    assert schedule.num_scheduled_witnesses == 4


def test_a_full_schedule_with_disabled_candidates_does_not_stop_the_chain() -> None:
    """The reference asserts here that 21 witnesses are active, and would refuse every block from then on."""
    ctx = make_context()
    names = make_round(ctx, 30)
    for name in names[2:]:
        change_witness(ctx, name, signing_key=NULL_PUBLIC_KEY)
    schedule = start_round(ctx)
    assert set(get_round_witnesses(ctx)) == {"wit00", "wit01", FIRST}
    assert schedule.num_scheduled_witnesses == 3


def test_if_nobody_has_a_key_the_old_round_goes_on() -> None:
    ctx = make_context()
    names = make_round(ctx, 3)
    for name in (*names, FIRST):
        change_witness(ctx, name, signing_key=NULL_PUBLIC_KEY)
    before = ctx.tables.witness_schedule.get(SINGLETON)
    schedule = start_round(ctx)
    assert schedule.current_shuffled_witnesses == before.current_shuffled_witnesses
    assert schedule.num_scheduled_witnesses == 3
    assert schedule.witness_pay_normalization_factor == before.witness_pay_normalization_factor
    assert schedule.next_shuffle_block_num == 24


# --- medians ----------------------------------------------------------------------------------------------------


def test_medians_are_the_upper_ones_of_the_middle() -> None:
    ctx = make_context()
    names = make_round(ctx, 4)
    for place, name in enumerate(names):
        props = ctx.tables.witnesses.get(name).props
        change_witness(
            ctx,
            name,
            props=props._replace(
                account_creation_fee=Asset(100 * place, STEEM),
                maximum_block_size=70_000 + place,
                sbd_interest_rate=10 - place,
                account_subsidy_budget=800 + place,
                account_subsidy_decay=347_321 + place,
            ),
            available_witness_account_subsidies=10_000_000 * place,
        )
    update_median_properties(ctx)
    schedule = ctx.tables.witness_schedule.get(SINGLETON)
    median = schedule.median_props
    assert median.account_creation_fee == Asset(200, STEEM)
    assert (median.maximum_block_size, median.sbd_interest_rate) == (70_002, 9)
    assert (median.account_subsidy_budget, median.account_subsidy_decay) == (802, 347_323)
    assert (ctx.gpo.maximum_block_size, ctx.gpo.sbd_interest_rate) == (70_002, 9)
    assert schedule.account_subsidy_rd.budget_per_time_unit == 802
    assert schedule.account_subsidy_witness_rd.budget_per_time_unit == 1002
    decay = 347_323 * 21
    assert schedule.account_subsidy_witness_rd.decay_per_time_unit == decay
    assert schedule.account_subsidy_witness_rd.min_decay == (decay * 20_000_000 >> 36) * 9000 // 10_000


# --- versions and votes -----------------------------------------------------------------------------------------


def test_majority_version() -> None:
    assert compute_majority_version([5] * 16 + [4] * 5, 17, 9) == 4
    assert compute_majority_version([5] * 17 + [4] * 4, 17, 9) == 5
    assert compute_majority_version([6, *[5] * 16, 4, 4, 4, 4], 17, 9) == 5
    assert compute_majority_version([5] * 16, 17, 9) == 9, "without enough witnesses it stays what it was"


@pytest.mark.parametrize(("voters", "is_planned"), [(16, False), (17, True), (21, True)])
def test_seventeen_votes_plan_a_hard_fork(voters: int, is_planned: bool) -> None:
    ctx = make_context()
    names = make_round(ctx, 21, running_version=VERSION_24)
    for name in names[:voters]:
        change_witness(
            ctx, name, hardfork_version_vote=VERSION_25, hardfork_time_vote=1_700_000_000, running_version=VERSION_25
        )
    schedule = start_round(ctx)
    hardfork = ctx.tables.hardfork_property.get(SINGLETON)
    assert (hardfork.next_hardfork == VERSION_25) == is_planned
    assert schedule.majority_version == (VERSION_25 if is_planned else VERSION_24)
    if is_planned:
        assert hardfork.next_hardfork_time == 1_700_000_000


def test_votes_for_different_times_do_not_add_up() -> None:
    ctx = make_context()
    names = make_round(ctx, 21)
    for place, name in enumerate(names):
        change_witness(ctx, name, hardfork_version_vote=VERSION_25, hardfork_time_vote=1_700_000_000 + place % 2)
    start_round(ctx)
    assert ctx.tables.hardfork_property.get(SINGLETON).next_hardfork == VERSION_24


def test_a_lost_majority_takes_the_plan_back() -> None:
    ctx = make_context()
    names = make_round(ctx, 21, hardfork_version_vote=VERSION_25, hardfork_time_vote=1_700_000_000)
    start_round(ctx)
    assert ctx.tables.hardfork_property.get(SINGLETON).next_hardfork == VERSION_25
    for name in names[:6]:
        change_witness(ctx, name, hardfork_version_vote=VERSION_24)
    start_round(ctx, 42)
    hardfork = ctx.tables.hardfork_property.get(SINGLETON)
    assert hardfork.next_hardfork == hardfork.current_hardfork_version == VERSION_24
    assert hardfork.next_hardfork_time == 1_700_000_000, "the time stays, as in the reference"
