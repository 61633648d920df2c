"""Emissions: amounts, times, targets, and what is made up after a gap."""

from __future__ import annotations

from typing import Any

import pytest

from operations.transfer import Transfer
from protocol.assets import Asset
from protocol.virtual_operations import SmtTokenEmission
from state.prices import compute_token_shares
from state.tables.kinds import TIME_MAX
from state.tables.tokens import TokenEmissions
from tests.chains import NULL
from tests.operations.world import changed
from tests.tokens.examples import get_example
from tests.tokens.world import INTERVAL, TEN_MINUTES, TokenWorld, emissions_of
from tokens.emissions import compute_emission, find_next_emission, share_out


def schedule_of(given: dict[str, Any], symbol: int = 0, begin: int = 0) -> TokenEmissions:
    """The schedule that an example describes."""
    return TokenEmissions(
        id=0,
        symbol=symbol,
        schedule_time=begin,
        token_unit=tuple(sorted(given["unit"].items())),
        interval_seconds=INTERVAL,
        emission_count=0xFFFFFFFF,
        lep_time=given["lep"],
        rep_time=given["rep"],
        lep_abs_amount=given["lep_abs"],
        rep_abs_amount=given["rep_abs"],
        lep_rel_amount_numerator=given["lep_rel"],
        rep_rel_amount_numerator=given["rep_rel"],
        rel_amount_denom_bits=given["bits"],
        floor_emissions=given["floor"],
    )


@pytest.mark.windows
def test_emission_interpolation() -> None:
    """F15: the reference swaps the two ends."""
    example = get_example("emission_interpolation")
    schedule = schedule_of(example["input"])
    for number, expected in example["expected"].items():
        amount = compute_emission(schedule, int(number) * INTERVAL, 0, 10**15)
        assert {"absolute": amount.absolute, "numerator": amount.numerator} == expected


@pytest.mark.parametrize("name", list(get_example("emission_amounts")["expected"]))
def test_emission_amounts(name: str) -> None:
    example = get_example("emission_amounts")
    given, expected = example["input"][name], example["expected"][name]
    schedule = schedule_of(given["schedule"])
    amount = compute_emission(schedule, 0, given["supply"], given["max_supply"])
    assert dict(share_out(schedule, amount.amount)) == expected["parts"]
    assert {**amount._asdict(), "parts": expected["parts"]} == expected


def test_emission_times(world: TokenWorld) -> None:
    example = get_example("emission_times")
    emissions = world.tables.token_emissions
    given: dict[str, Any] = {"unit": {"alice": 1}, "lep": 0, "rep": 0, "lep_abs": 1, "rep_abs": 1}
    given |= {"lep_rel": 0, "rep_rel": 0, "bits": 0, "floor": False}
    for begin, interval, count in example["input"]["schedules_first_interval_count"]:
        row = schedule_of(given, 16, begin)
        emissions.insert(row.replace(id=emissions.next_id(), interval_seconds=interval, emission_count=count))
    times: list[int] = []
    last = 0
    while (last := find_next_emission(world.ctx, 16, last)) != TIME_MAX:
        times.append(last)
    assert times == example["expected"]["times"]
    assert [time for time in times if time <= 100_000] == example["expected"]["due_at_100000"]


def test_smt_without_ico(world: TokenWorld) -> None:
    symbol = world.make_token()
    now = world.now
    world.push(emissions_of(symbol, now + 3, {"alice": 1}))
    world.setup(symbol, contribution_end_time=now, launch_time=now)
    assert len(world.pass_time(0)) == 3
    assert world.tables.token_balances.find(("alice", symbol)) is None
    events = world.pass_time(3)
    assert events == [SmtTokenEmission("alice", symbol, now + 3, (("alice", 1_000_000),))]
    assert world.balance("alice", symbol).liquid == world.token(symbol).current_supply == 1_000_000
    token = world.token(symbol)
    assert (token.last_virtual_emission_time, token.next_emission) == (now + 3, TIME_MAX)
    assert world.pass_time(10 * INTERVAL) == []


def test_every_target(world: TokenWorld) -> None:
    symbol = world.make_token()
    now = world.now
    unit = {"$rewards": 1, "$market_maker": 1, "$vesting": 2, "$!bob.vesting": 2, "george": 2, NULL: 1}
    world.push(emissions_of(symbol, now + 3, unit, lep_abs_amount=900, rep_abs_amount=900))
    world.setup(symbol, contribution_end_time=now, launch_time=now)
    world.pass_time(0)
    (event,) = world.pass_time(3)
    assert isinstance(event, SmtTokenEmission)
    assert event.impacted() == {"alice", "bob", "george"}
    token = world.token(symbol)
    assert token.current_supply == 800, "nothing is created for null (F6)"
    assert (token.reward_balance, token.market_maker_tokens) == (100, 100)
    assert world.balance("george", symbol).liquid == 200
    assert token.total_vesting_fund_smt == 400
    assert world.balance("bob", symbol).vesting_shares == 200 * 1_000_000


def test_a_stake_that_would_be_no_share_is_paid_liquid(world: TokenWorld) -> None:
    """F30: a power up worth nothing takes the tokens in the reference."""
    symbol = world.make_token()
    now = world.now
    world.push(emissions_of(symbol, now + 3, {"$!bob.vesting": 1}, lep_abs_amount=1, rep_abs_amount=1))
    world.setup(symbol, contribution_end_time=now, launch_time=now)
    world.pass_time(0)
    tokens = world.tables.tokens
    tokens.update(tokens.get(symbol), total_vesting_fund_ballast=10**12, total_vesting_shares_ballast=1)
    assert compute_token_shares(world.ctx, world.token(symbol), 1) == 0
    world.pass_time(3)
    held = world.balance("bob", symbol)
    assert (held.liquid, held.vesting_shares) == (1, 0)


def test_an_emission_of_nothing_moves_the_schedule_on(world: TokenWorld) -> None:
    """F16: the reference waits for ever, or makes up all of them later."""
    symbol = world.make_token()
    now = world.now
    growing = {"lep_abs_amount": 0, "rep_abs_amount": 100, "rep_time": now + 3 + 2 * INTERVAL, "emission_count": 3}
    world.push(emissions_of(symbol, now + 3, {"alice": 2}, **growing))
    world.setup(symbol, contribution_end_time=now, launch_time=now)
    world.pass_time(0)
    assert world.pass_time(3) == []
    assert world.token(symbol).last_virtual_emission_time == now + 3
    world.pass_time(INTERVAL)
    world.pass_time(INTERVAL)
    assert world.token(symbol).current_supply == 150


def test_emissions_wait_for_the_founders(world: TokenWorld) -> None:
    """F13: none before the last payout of the sale; then the missed ones are made up in order."""
    symbol = world.make_token()
    now = world.now
    world.push(emissions_of(symbol, now + TEN_MINUTES, {"alice": 1}, emission_count=5))
    world.add_tier(symbol, 10_000, {"fred": 1}, {"$from": 1})
    world.setup(symbol)
    world.pass_time(0)
    world.contribute("bob", symbol, 100)
    events = world.pass_time(TEN_MINUTES)
    assert not any(isinstance(event, SmtTokenEmission) for event in events)
    assert world.token(symbol).next_emission == now + TEN_MINUTES
    events = world.pass_time(2 * INTERVAL + 5)
    assert [event.emission_time for event in events if isinstance(event, SmtTokenEmission)] == [
        now + TEN_MINUTES + number * INTERVAL for number in range(3)
    ]


def test_a_block_makes_a_hundred_emissions_in_order_of_time_and_symbol(world: TokenWorld) -> None:
    """D12: the rest follows in the next block."""
    limit = world.ctx.rules.smt_max_emissions_per_block
    symbols = [world.make_token() for _ in range(2)]
    now = world.now
    for symbol in symbols:
        world.push(emissions_of(symbol, now + 3, {"alice": 1}, emission_count=0xFFFFFFFF))
        world.setup(symbol, contribution_end_time=now, launch_time=now)
    world.pass_time(0)
    first = world.pass_time(80 * INTERVAL)
    assert len(first) == limit
    places = [(event.emission_time, event.symbol) for event in first if isinstance(event, SmtTokenEmission)]
    assert places == sorted(places)
    second = world.pass_time(3)
    assert len(second) == 2 * 81 - limit


@pytest.mark.windows
def test_smt_token_emissions(world: TokenWorld) -> None:
    """The reference's long run: three schedules, gaps, the greatest supply, and a burn after which more is issued."""
    example = get_example("emission_long_run")
    given, expected = example["input"], example["expected"]
    sale = get_example("ico_two_equal_tiers")["input"]
    symbol, zero = world.make_token(), world.now
    begins = {"schedule_1": 30, "schedule_2": 30 + 25 * INTERVAL, "schedule_3": 30 + 50 * INTERVAL}
    for name, begin in begins.items():
        op = emissions_of(symbol, zero + begin, given[name]["unit"], emission_count=25)
        row = schedule_of(given[name])
        for field in ("lep_abs_amount", "rep_abs_amount", "lep_rel_amount_numerator", "rep_rel_amount_numerator"):
            op = changed(op, **{field: getattr(row, field)})
        op = changed(op, rel_amount_denom_bits=row.rel_amount_denom_bits)
        op = changed(op, lep_time=zero + row.lep_time, rep_time=zero + row.rep_time)
        world.push(changed(op, emission_count=0xFFFFFFFF) if name == "schedule_3" else op)
    for cap, steem_unit, token_unit in sale["tiers"]:
        world.add_tier(symbol, cap, steem_unit, token_unit)
    world.setup(symbol, max_supply=given["max_supply"], contribution_end_time=zero + 15, launch_time=zero + 15)
    world.pass_time(0)
    for contributor, amount in sale["contributions"]:
        world.fund(contributor, Asset(amount))
        world.contribute(contributor, symbol, amount)
    world.pass_time(15)
    assert world.token(symbol).current_supply == 15_000_000_000
    george = world.balance("george", symbol).liquid
    supply = expected["supply"]

    def see(time: int, what: str) -> None:
        world.pass_time(zero + time - world.now)
        assert world.token(symbol).current_supply == supply[what], what

    see(30 + 24 * INTERVAL, "after schedule 1")
    see(30 + 49 * INTERVAL, "after schedule 2")
    see(30 + 58 * INTERVAL, "after 9 of schedule 3")
    see(30 + 64 * INTERVAL, "six more, cut by max_supply 22,400,000,000")
    token, received = world.token(symbol), expected["received"]
    assert token.reward_balance == received["$rewards"]
    assert token.market_maker_tokens == received["$market_maker"]
    assert token.total_vesting_fund_smt == received["$vesting"]
    assert world.balance("george", symbol).liquid - george == received["george"]
    world.push(Transfer("george", NULL, Asset(500_000, symbol), ""))
    assert world.token(symbol).current_supply == 22_399_999_999 - 500_000
    see(30 + 70 * INTERVAL, "after george burned 500,000 and six more")
