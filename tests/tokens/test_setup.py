"""Tiers, emissions, parameters and the end of the setup."""

from __future__ import annotations

from typing import Any

import pytest

from operations.token import SmtSetRuntimeParameters, SmtSetSetupParameters
from operations.token_parameters import (
    SmtParamAllowDownvotes,
    SmtParamAllowVoting,
    SmtParamRewardsV1,
    SmtParamVoteRegenerationPeriodSecondsV1,
    SmtParamWindowsV1,
)
from protocol.assets import nai_string, symbol_to_nai
from state.tables.tokens import Phase
from tests.chains import TREASURY
from tests.operations.world import changed
from tests.tokens.examples import get_example
from tests.tokens.world import INTERVAL, TokenWorld, emissions_of, setup_of, tier
from tokens.sale import compute_greatest_supply

# Tiers


def test_smt_setup_ico_tier_apply(world: TokenWorld) -> None:
    symbol = world.make_token()
    good = tier(symbol, 1000, {"fred": 1}, {"$from": 1, "$!george.vesting": 1})
    for steem_unit, token_unit, target in (
        ({"nobody": 1}, {"$from": 1}, "nobody"),
        ({"$!nobody.vesting": 1}, {"$from": 1}, "$!nobody.vesting"),
        ({"fred": 1}, {"nobody": 1}, "nobody"),
        ({"fred": 1}, {"$!nobody.vesting": 1}, "$!nobody.vesting"),
    ):
        text = f"The provided account unit target {target} does not exist."
        world.refuse(tier(symbol, 1000, steem_unit, token_unit), text)
    stranger = changed(good, control_account="bob")
    world.refuse(stranger, f"The account bob does NOT control the SMT {symbol_to_nai(symbol)}")
    other = changed(good, symbol=symbol + 1)
    world.refuse(other, f"SMT numerical asset identifier {symbol_to_nai(symbol)} not found")
    world.push(good)
    world.refuse(good, "There is an ICO tier with a Steem Satoshi Cap of 1000 already.")
    world.push(changed(good, remove=True))
    shown = f'{{"nai":"{nai_string(symbol)}","precision":3}}'
    text = f"The specified ICO tier does not exist. Symbol: {shown}, Steem Satoshi Cap: 1000"
    world.refuse(changed(good, remove=True), text)
    world.push(good)
    for cap in range(1001, 1010):
        world.push(tier(symbol, cap, {"fred": 1}, {"$from": 1}))
    eleventh = tier(symbol, 2000, {"fred": 1}, {"$from": 1})
    world.refuse(eleventh, "There can be a maximum of 10 ICO tiers. Current: 10")
    world.setup(symbol)
    world.refuse(changed(good, remove=True), "SMT pre-setup operation no longer allowed after setup phase is over")


@pytest.mark.parametrize("target", [TREASURY, f"$!{TREASURY}.vesting"])
def test_the_treasury_is_no_target(world: TokenWorld, target: str) -> None:
    """F32: it takes nothing but SBD."""
    symbol = world.make_token()
    text = f"Can only transfer SBD to {target}"
    world.refuse(tier(symbol, 1000, {target: 1}, {"$from": 1}), text)
    world.refuse(tier(symbol, 1000, {"fred": 1}, {target: 1}), text)
    world.refuse(emissions_of(symbol, world.now + 10, {target: 1}), text)


# Emissions


def test_smt_setup_emissions_apply(world: TokenWorld) -> None:
    symbol = world.make_token()
    now = world.now
    good = emissions_of(symbol, now + 10, {"alice": 1, "$!bob.vesting": 1, "$rewards": 1}, emission_count=3)
    world.refuse(changed(good, control_account="bob"), "does NOT control the SMT")
    for target in ("nobody", "$!nobody.vesting"):
        unknown = emissions_of(symbol, now + 10, {target: 1})
        world.refuse(unknown, "Invalid emission destination, account nobody must exist")
    world.refuse(emissions_of(symbol, now, {"alice": 1}), "Emissions schedule time must be in the future")
    world.push(good)
    end = now + 10 + 2 * INTERVAL
    for early in (now + 11, end, end + INTERVAL - 1):
        text = f"New token emissions must begin no earlier than {INTERVAL} seconds after the last emission."
        world.refuse(emissions_of(symbol, early, {"alice": 1}), text)
    world.push(emissions_of(symbol, end + INTERVAL, {"alice": 1}, emission_count=0xFFFFFFFF))
    text = "Cannot add token emission when the prior emission is indefinite."
    world.refuse(emissions_of(symbol, end + 10 * INTERVAL, {"alice": 1}), text)
    world.setup(symbol, launch_time=now + 10, contribution_end_time=now + 5)
    text = "SMT pre-setup operation no longer allowed after setup phase is over"
    world.refuse(emissions_of(symbol, end + 10 * INTERVAL, {"alice": 1}), text)


def test_token_emission_timing(world: TokenWorld) -> None:
    """Six schedules with gaps of exactly the least one pass; each a second earlier is refused."""
    symbol = world.make_token()
    begin = world.now + 10
    for _ in range(6):
        world.push(emissions_of(symbol, begin, {"alice": 1}, emission_count=3))
        begin += 3 * INTERVAL
        world.refuse(emissions_of(symbol, begin - 1, {"alice": 1}), "New token emissions must begin no earlier than")


def test_emissions_are_removed_from_the_latest(world: TokenWorld) -> None:
    symbol = world.make_token()
    op = emissions_of(symbol, world.now + 10, {"alice": 1}, remove=True)
    world.refuse(op, f'Could not find token emission for the given SMT: {{"nai":"{nai_string(symbol)}","precision":3}}')


def test_schedules_and_targets_have_maxima(world: TokenWorld) -> None:
    """D13: every collection has one."""
    symbol = world.make_token()
    rules = world.ctx.rules
    world.create(*(f"name{number:02d}" for number in range(11)))
    many = {f"name{number:02d}": 1 for number in range(11)}
    world.refuse(emissions_of(symbol, world.now + 10, many), "An emission has 10 targets at most. Current: 11")
    begin = world.now + 10
    for number in range(rules.smt_max_emission_schedules):
        world.push(emissions_of(symbol, begin + number * INTERVAL, {"alice": 1}))
    next_one = emissions_of(symbol, begin + rules.smt_max_emission_schedules * INTERVAL, {"alice": 1})
    world.refuse(next_one, "A token has 100 schedules of emissions at most. Current: 100")


def test_the_end_of_a_schedule_is_always_checked(world: TokenWorld) -> None:
    """F17: the reference checks it only if the amount changes in time."""
    symbol = world.make_token()
    long = emissions_of(symbol, world.now + 10, {"alice": 1}, interval_seconds=2**31, emission_count=3)
    world.refuse(long, "Schedule end time overflow")


# Parameters


def test_set_setup_parameters_apply(world: TokenWorld) -> None:
    symbol = world.make_token()
    for value in (False, True):
        op = SmtSetSetupParameters("alice", symbol, (SmtParamAllowVoting(value),), ())
        world.push(op)
        assert world.token(symbol).allow_voting is value
    world.refuse(changed(op, control_account="bob"), "does NOT control the SMT")
    world.refuse(changed(op, symbol=symbol + 1), "not found")
    world.refuse(changed(op, symbol=world.pool[0] | 3), "not found")
    world.setup(symbol)
    world.refuse(op, "SMT pre-setup operation no longer allowed after setup phase is over")


PARAMETERS = (
    SmtParamWindowsV1(86_400, 300),
    SmtParamVoteRegenerationPeriodSecondsV1(86_400, 40),
    SmtParamRewardsV1(10**9, 5000, 4, 5),
    SmtParamAllowDownvotes(False),
)


@pytest.mark.parametrize("phase", range(6))
def test_smt_set_runtime_parameters_apply(world: TokenWorld, phase: int) -> None:
    """In every phase but that of a launch that failed (F28, D10)."""
    symbol = world.make_token()
    tokens = world.tables.tokens
    tokens.update(tokens.get(symbol), phase=phase)
    op = SmtSetRuntimeParameters("alice", symbol, PARAMETERS, ())
    world.refuse(changed(op, control_account="bob"), "does NOT control the SMT")
    world.refuse(changed(op, symbol=symbol + 1), "not found")
    if phase == Phase.LAUNCH_FAILED:
        world.refuse(op, f"The launch of SMT {symbol_to_nai(symbol)} has failed")
        return
    world.push(op)
    token = world.token(symbol)
    assert (token.cashout_window_seconds, token.reverse_auction_window_seconds) == (86_400, 300)
    assert (token.vote_regeneration_period_seconds, token.votes_per_regeneration_period) == (86_400, 40)
    assert (token.content_constant, token.percent_curation_rewards) == (10**9, 5000)
    assert (token.author_reward_curve, token.curation_reward_curve) == (4, 5)
    assert not token.allow_downvotes


def test_the_content_constant_has_a_maximum(world: TokenWorld) -> None:
    """F20: a huge one overflows or divides by zero at the cashout."""
    symbol = world.make_token()
    for constant, is_good in ((2**62, True), (2**62 + 1, False), (2**128 - 1, False)):
        op = SmtSetRuntimeParameters("alice", symbol, (SmtParamRewardsV1(constant, 1, 4, 5),), ())
        if is_good:
            world.push(op)
        else:
            world.refuse(op, f'Content constant must not exceed "{2**62}".')


# The end of the setup


def test_smt_setup_apply(world: TokenWorld) -> None:
    symbol = world.make_token()
    unknown = setup_of(world.now, world.pool[0] | 3)
    world.refuse(unknown, f"SMT numerical asset identifier {symbol_to_nai(unknown.symbol)} not found")
    op = setup_of(world.now, symbol, launch_time=world.now + 600)
    world.push(op)
    token, sale = world.token(symbol), world.tables.token_sales.get(symbol)
    assert (token.phase, token.max_supply) == (Phase.SETUP_COMPLETED, 10**15)
    assert (sale.contributed, sale.steem, sale.units) == (0, 0, ())
    world.refuse(changed(op, max_supply=5), "SMT pre-setup operation no longer allowed after setup phase is over")


def test_setup_apply(world: TokenWorld) -> None:
    """Begin, end and launch at almost one time, without tiers."""
    symbol = world.make_token()
    now = world.now
    world.push(setup_of(now, symbol, contribution_end_time=now + 1, launch_time=now + 1))


def test_the_minimum_needs_a_tier_that_reaches_it(world: TokenWorld) -> None:
    symbol = world.make_token()
    op = setup_of(world.now, symbol, steem_satoshi_min=1001)
    text = "An SMT with a Steem Satoshi Minimum of 1001 cannot succeed without an ICO tier."
    world.refuse(op, text)
    world.add_tier(symbol, 1000, {"fred": 1}, {"$from": 1})
    text = "The Steem Satoshi Minimum must be less than the hard cap. Steem Satoshi Minimum: 1001, Hard Cap: 1000"
    world.refuse(op, text)
    world.push(changed(op, steem_satoshi_min=1000))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"contribution_begin_time": -1}, "Contribution begin time must not be in the past"),
        (
            {"contribution_end_time": 0},
            "Contribution end time must be later than contribution begin time if there are ICO tiers",
        ),
        ({"launch_time": 700}, "The first token emission must not be before the launch time."),
        ({"min_unit_ratio": 0}, "The unit ratios must be at least 1, the minimum not above the maximum. Was 0 to 100"),
        ({"min_unit_ratio": 101}, "Was 101 to 100"),
    ],
)
def test_what_nobody_could_mend_later_is_refused(world: TokenWorld, fields: dict[str, int], text: str) -> None:
    """F7, F32, F36: the founder can still mend it now (D4)."""
    symbol = world.make_token()
    world.add_tier(symbol, 1000, {"fred": 1}, {"$from": 1})
    world.push(emissions_of(symbol, world.now + 650, {"alice": 1}))
    moved = {name: value + world.now if name.endswith("time") else value for name, value in fields.items()}
    world.refuse(setup_of(world.now, symbol, **moved), text)
    world.setup(symbol)


@pytest.mark.parametrize("is_tier", [True, False])
def test_rewards_need_voting(world: TokenWorld, is_tier: bool) -> None:
    """F19: tokens in the reward fund of a token that nobody votes with would be there for ever."""
    symbol = world.make_token()
    world.push(SmtSetSetupParameters("alice", symbol, (SmtParamAllowVoting(False),), ()))
    if is_tier:
        world.add_tier(symbol, 1000, {"fred": 1}, {"$rewards": 1})
    else:
        world.push(emissions_of(symbol, world.now + 650, {"$rewards": 1}))
    text = f"SMT {symbol_to_nai(symbol)} does not allow voting, so nothing may go to $rewards"
    world.refuse(setup_of(world.now, symbol), text)


def list_example_tiers(tiers: list[Any]) -> list[tuple[int, int, int]]:
    """The tiers of an example as (cap, STEEM unit, token unit); ten equal ones are abbreviated there."""
    if tiers[-1] == "... ten of them":
        return [(1_000_000 * number, 1, 655_350) for number in range(1, 11)]
    return [tuple(tier) for tier in tiers]


@pytest.mark.parametrize("name", list(get_example("setup_supply_check")["expected"]))
def test_setup_supply_check(world: TokenWorld, name: str) -> None:
    """F9: the greatest supply over all that can be contributed is what counts, not that of a filled sale."""
    example = get_example("setup_supply_check")
    given, expected = example["input"][name], example["expected"][name]
    symbol = world.make_token()
    for cap, steem_unit, token_unit in list_example_tiers(given["tiers"]):
        targets = ["$from", *(f"name{number:02d}" for number in range(9))]
        if token_unit > 65_535:
            if world.tables.accounts.find("name00") is None:
                world.create(*targets[1:])
            unit = dict.fromkeys(targets, token_unit // 10)
        else:
            unit = {"$from": token_unit}
        world.add_tier(symbol, cap, {"fred": steem_unit}, unit)
    ratios = {key: given[key] for key in ("min_unit_ratio", "max_unit_ratio")}
    tiers = list(world.tables.token_tiers.scan((symbol,)))
    assert compute_greatest_supply(tiers, *ratios.values()) == expected["greatest_supply"]
    op = setup_of(world.now, symbol, **ratios)
    if not expected["refused"]:
        world.push(op)
    elif expected["greatest_supply"] > 2**63:
        world.refuse(op, "Overflow detected in ICO tier '0'")
    else:
        shown = f'{{"nai":"{nai_string(symbol)}","precision":3}}'
        world.refuse(
            op, f'Max token supply for {shown} can exceed "{10**15}". Calculated: "{expected["greatest_supply"]}".'
        )
