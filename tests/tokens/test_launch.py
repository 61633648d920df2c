"""Sales: contributions, payouts, refunds, and the launch, by the actions that blocks carry out."""

from __future__ import annotations

from typing import Any

import pytest

from operations.token import SmtContribute, SmtCreate
from protocol.assets import STEEM
from protocol.operation import Operation
from protocol.virtual_operations import (
    SmtContributorPayout,
    SmtFounderPayout,
    SmtIcoEvaluation,
    SmtIcoLaunch,
    SmtRefund,
    SmtTokenLaunch,
)
from state.balances import LIQUID, MARKET_MAKER, TOKEN_REWARD_FUND
from state.issuance import issue
from state.prices import compute_shares
from state.stake import STAKE
from state.tables.tokens import Phase
from tests.chains import NULL
from tests.harness import sbd, steem
from tests.operations.world import changed
from tests.tokens.examples import get_example
from tests.tokens.world import TEN_MINUTES, TokenWorld, emissions_of
from tokens.places import choose_place
from tokens.sale import compute_bought, compute_founders, compute_share, compute_unit_ratio

ICO_EXAMPLES = (
    "ico_two_equal_tiers",
    "ico_special_targets",
    "ico_two_tiers_remainders",
    "ico_three_tiers_span",
    "ico_dust",
)


def names_of(events: list[Operation]) -> list[str]:
    return [event.wire_name for event in events]


def start_sale(world: TokenWorld, given: dict[str, Any], **changes: Any) -> int:
    """Makes a token with the tiers of an example and begins its sale; everybody has the STEEM to contribute."""
    symbol = world.make_token()
    for name, amount in given["contributions"]:
        if world.tables.accounts.find(name) is None:
            world.create(name)
        world.fund(name, steem(amount))
    for cap, steem_unit, token_unit in given["tiers"]:
        world.add_tier(symbol, cap, steem_unit, token_unit)
    ratios: dict[str, Any] = {key: given[key] for key in ("min_unit_ratio", "max_unit_ratio") if key in given}
    world.setup(symbol, **ratios | changes)
    assert names_of(world.pass_time(0)) == ["smt_ico_launch"]
    for number, (name, amount) in enumerate(given["contributions"]):
        world.contribute(name, symbol, amount, number)
    return symbol


@pytest.mark.parametrize("name", ICO_EXAMPLES)
def test_the_arithmetic_of_a_sale(world: TokenWorld, name: str) -> None:
    example = get_example(name)
    given, expected = example["input"], example["expected"]
    symbol = world.make_token()
    for cap, steem_unit, token_unit in given["tiers"]:
        for target in (*steem_unit, *token_unit):
            if target[0] != "$" and world.tables.accounts.find(target) is None:
                world.create(target)
        world.add_tier(symbol, cap, steem_unit, token_unit)
    tiers = list(world.tables.token_tiers.scan((symbol,)))
    contributed = sum(amount for _, amount in given["contributions"])
    ratio = compute_unit_ratio(given["tiers"][-1][0], given["min_unit_ratio"], given["max_unit_ratio"], contributed)
    assert ratio == expected["unit_ratio"]
    units = [0] * len(tiers)
    begin = 0
    for (contributor, amount), part in zip(given["contributions"], expected["contributors"], strict=True):
        bought = compute_bought(tiers, begin, amount)
        assert {
            "contributor": contributor,
            "contribution": amount,
            "tokens": compute_share(tiers, bought.units, ratio, "$from"),
            "tokens_vested": compute_share(tiers, bought.units, ratio, "$from.vesting"),
            "steem_back": bought.rest,
        } == part
        units = [sum(pair) for pair in zip(units, bought.units, strict=True)]
        begin += amount
    assert units == expected["units_by_tier"]
    founders = compute_founders(tiers, units, ratio)
    assert founders.steem == expected["founders_steem"]
    assert founders.tokens == expected["founders_tokens"]


@pytest.mark.parametrize("name", ICO_EXAMPLES)
def test_smt_ico_payouts(world: TokenWorld, name: str) -> None:
    """Whole sales by actions: every satoshi of STEEM comes out, and the supply is what was paid."""
    example = get_example(name)
    given, expected = example["input"], example["expected"]
    for tier in given["tiers"]:
        for target in (*tier[1], *tier[2]):
            if target[0] != "$" and world.tables.accounts.find(target) is None:
                world.create(target)
    before = {name: world[name].balance for name in ("fred", "george")}
    symbol = start_sale(world, given)
    contributors = {contributor for contributor, _ in given["contributions"]}
    left = {contributor: world[contributor].balance for contributor in contributors}
    world.recount()
    events = world.pass_time(TEN_MINUTES)
    world.recount()
    payouts = len(given["contributions"])
    assert names_of(events) == [
        "smt_ico_evaluation",
        "smt_token_launch",
        *["smt_contributor_payout"] * payouts,
        "smt_founder_payout",
    ]
    token = world.token(symbol)
    assert token.phase == Phase.LAUNCH_SUCCESS
    assert token.current_supply == expected["supply"]
    assert token.total_vesting_fund_ballast == expected["ballast_fund"]
    assert token.total_vesting_shares_ballast == expected["ballast_shares"]
    for part in expected["contributors"]:
        contributor = part["contributor"]
        tokens, vested, back = part["tokens"], part["tokens_vested"], part["steem_back"]
        assert world[contributor].balance == left[contributor] + back
        held = world.tables.token_balances.find((contributor, symbol))
        assert (held.liquid if held else 0) == tokens
        assert (held.vesting_shares if held else 0) == vested * 1_000_000, "the first price, the ballast comes after"
    market_maker_steem = expected["founders_steem"].get("$market_maker", 0)
    assert token.market_maker_steem == market_maker_steem
    assert token.market_maker_tokens == expected["founders_tokens"].get("$market_maker", 0)
    assert token.reward_balance == expected["founders_tokens"].get("$rewards", 0)
    for founder in ("fred", "george"):
        assert world[founder].balance == before[founder] + expected["founders_steem"].get(founder, 0)
        held = world.tables.token_balances.find((founder, symbol))
        assert (held.liquid if held else 0) == expected["founders_tokens"].get(founder, 0)
    for table in ("token_sales", "token_tiers", "token_contributions", "pending_required_actions"):
        assert list(getattr(world.tables, table).scan()) == []


def test_smt_ico_payouts_special_destinations(world: TokenWorld) -> None:
    given = get_example("ico_special_targets")["input"]
    vests = compute_shares(world.ctx.gpo, 10_000_000)
    symbol = start_sale(world, given)
    events = world.pass_time(TEN_MINUTES)
    assert world["george"].vesting_shares == vests
    assert world.balance("george", symbol).vesting_shares == 600_000_000_000_000
    token = world.token(symbol)
    assert (token.market_maker_steem, token.market_maker_tokens) == (75_000_000, 1_500_000_000)
    assert token.reward_balance == 3_000_000_000
    founders = events[-1]
    assert isinstance(founders, SmtFounderPayout)
    assert founders.impacted() == {"george"}
    assert [[show(p) for p in payouts] for _, payouts in founders.account_payouts] == [
        [(600_000_000, symbol, True), (40_000_000, STEEM, False), (10_000_000, STEEM, True)]
    ]
    payout = events[2]
    assert isinstance(payout, SmtContributorPayout)
    assert [show(p) for p in payout.payouts] == [(420_000_000, symbol, False)]


def show(payout: Any) -> tuple[int, int, bool]:
    """A payout in plain values."""
    return payout.payout.amount, payout.payout.symbol, payout.to_vesting


def test_unit_ratio() -> None:
    example = get_example("unit_ratio")
    sales = {"ALPHA": (166_666_666_666, 1000, 1000), "BETA": (150_000_000, 50, 100)}
    sales |= {"GAMMA": (150_000_000, 50, 300_000), "DELTA": (10_000_000, 1000, 100_000_000)}
    assert sales.keys() == example["expected"].keys()
    for name, ratios in example["expected"].items():
        for contributed, ratio in ratios.items():
            assert compute_unit_ratio(*sales[name], int(contributed)) == ratio


TWO_TIERS: list[Any] = [
    [1_000, {"fred": 3, "george": 2}, {"$from": 7, "george": 1}],
    [100_000, {"fred": 5}, {"$from": 5}],
]


def test_smt_contribute_apply(world: TokenWorld) -> None:
    symbol = world.make_token()
    begin = world.now + 60
    op = SmtContribute("alice", symbol, 0, steem(1000), ())
    for name in ("alice", "bob", "charlie"):
        world.refuse(changed(op, contributor=name), "SMT has not begun accepting contributions")
    world.refuse(changed(op, symbol=world.pool[0] | 3), "Cannot contribute to an unknown SMT")
    world.refuse(changed(op, symbol=symbol + 1), "Cannot contribute to an unknown SMT")
    for cap, steem_unit, token_unit in TWO_TIERS:
        world.add_tier(symbol, cap, steem_unit, token_unit)
    world.setup(symbol, contribution_begin_time=begin, contribution_end_time=begin + 60, launch_time=begin + 120)
    world.refuse(op, "SMT has not begun accepting contributions")
    assert names_of(world.pass_time(60)) == ["smt_ico_launch"]
    world.refuse(changed(op, contributor="dan"), "Account dan does not have sufficient funds for balance adjustment.")
    world.push(op)
    world.refuse(op, "The provided contribution ID must be unique. Current: 0")
    number, contributed = 0, 1000
    for _ in range(15):
        for amount, name in ((1000, "alice"), (2000, "bob"), (3000, "charlie")):
            number += 1
            world.contribute(name, symbol, amount, number)
            contributed += amount
    world.contribute("bob", symbol, 8_000, 0)
    text = "The proposed contribution would exceed the ICO hard cap, maximum possible contribution: "
    text += '{"amount":"1000","precision":3,"nai":"@@000000021"}'
    world.refuse(SmtContribute("bob", symbol, 99, steem(1001), ()), text)
    world.contribute("bob", symbol, 1000, 99)
    full = "SMT ICO has reached its hard cap and no longer accepts contributions"
    world.refuse(SmtContribute("bob", symbol, 100, steem(1), ()), full)
    sale = world.tables.token_sales.get(symbol)
    assert (sale.contributed, sale.steem, sale.processed_contributions) == (100_000, 100_000, 0)
    rows = list(world.tables.token_contributions.scan((symbol,)))
    assert len(rows) == 48
    assert sum(row.contribution for row in rows) == 100_000
    world.pass_time(60)
    assert world.token(symbol).phase == Phase.ICO_COMPLETED
    world.refuse(op, "SMT is no longer accepting contributions")
    world.pass_time(60)
    assert world.token(symbol).phase == Phase.LAUNCH_SUCCESS


def test_contributions_need_a_tier(world: TokenWorld) -> None:
    symbol = world.make_token()
    world.setup(symbol)
    world.pass_time(0)
    world.refuse(SmtContribute("alice", symbol, 0, steem(1), ()), "The specified token does not feature an ICO")


def test_smt_refunds(world: TokenWorld) -> None:
    """A sale that misses its minimum by a satoshi: all STEEM goes back, and nothing of the sale is left."""
    symbol = world.make_token()
    for cap in (2_400_001, 4_000_000):
        world.add_tier(symbol, cap, {"fred": 3}, {"$from": 7})
    world.setup(symbol, steem_satoshi_min=2_400_001)
    world.pass_time(0)
    before = {name: world[name].balance for name in ("alice", "bob", "charlie")}
    for number in range(10):
        for name, amount in (("alice", 60_000), ("bob", 80_000), ("charlie", 100_000)):
            world.contribute(name, symbol, amount, number)
    world.recount()
    events = world.pass_time(TEN_MINUTES)
    assert names_of(events) == ["smt_ico_evaluation", *["smt_refund"] * 30]
    first = events[1]
    assert isinstance(first, SmtRefund)
    assert (first.contributor, first.refund, first.impacted()) == ("alice", steem(60_000), {"alice"})
    assert {name: world[name].balance for name in before} == before
    assert world.token(symbol).phase == Phase.LAUNCH_FAILED
    for table in ("token_sales", "token_tiers", "token_contributions"):
        assert list(getattr(world.tables, table).scan()) == []


def test_a_failed_sale_without_contributions_leaves_nothing(world: TokenWorld) -> None:
    """F27: the reference keeps its tiers, and the token can neither be reset nor created again."""
    symbol = world.make_token()
    world.add_tier(symbol, 1000, {"fred": 1}, {"$from": 1})
    world.push(emissions_of(symbol, world.now + TEN_MINUTES, {"alice": 1}))
    world.setup(symbol, steem_satoshi_min=1)
    assert names_of(world.pass_time(TEN_MINUTES)) == ["smt_ico_launch", "smt_ico_evaluation"]
    assert list(world.tables.token_tiers.scan()) == []
    assert list(world.tables.token_sales.scan()) == []
    former = world.token(symbol)
    again = SmtCreate("alice", symbol & ~0xF | 5, "AGAIN", sbd(1000), 5, ())
    world.refuse(changed(again, control_account="bob"), "has already been created.")
    world.push(again)
    assert world.tables.tokens.find(symbol) is None
    made = world.token(again.symbol)
    assert (made.phase, made.desired_ticker) == (Phase.SETUP, "AGAIN")
    assert list(world.tables.token_emissions.scan()) == []
    assert former.id != made.id


def test_a_token_cannot_be_made_again_before_all_is_paid_back(world: TokenWorld) -> None:
    symbol = world.make_token()
    world.add_tier(symbol, 1000, {"fred": 1}, {"$from": 1})
    world.setup(symbol, steem_satoshi_min=1000)
    world.pass_time(0)
    world.contribute("bob", symbol, 999)
    tokens = world.tables.tokens
    tokens.update(tokens.get(symbol), phase=Phase.LAUNCH_FAILED)
    world.refuse(SmtCreate("alice", symbol, "", sbd(1000), 3, ()), "has already been created.")
    tokens.update(tokens.get(symbol), phase=Phase.ICO)


def test_two_sales_at_once(world: TokenWorld) -> None:
    """F1: the reference pays the founders of whichever token comes first."""
    first, second = world.make_token(), world.make_token("bob")
    world.add_tier(first, 1_000_000, {"fred": 1}, {"$from": 1})
    world.add_tier(second, 1_000_000, {"george": 1}, {"$from": 2}, "bob")
    world.setup(first, min_unit_ratio=1, max_unit_ratio=1)
    world.setup(second, control_account="bob", min_unit_ratio=1, max_unit_ratio=1)
    world.pass_time(0)
    world.contribute("alice", first, 1000)
    world.contribute("bob", second, 500)
    events = world.pass_time(TEN_MINUTES)
    assert names_of(events).count("smt_founder_payout") == 2
    assert (world["fred"].balance, world["george"].balance) == (1000, 500)
    assert world.balance("alice", first).liquid == 1000
    assert world.balance("bob", second).liquid == 1000


def test_null_is_no_receiver(world: TokenWorld) -> None:
    """F6: tokens for it are not created, its STEEM is burned."""
    symbol = world.make_token()
    world.add_tier(symbol, 1_000_000, {NULL: 1, "fred": 1}, {"$from": 1, NULL: 3, f"$!{NULL}.vesting": 2})
    world.setup(symbol, min_unit_ratio=1, max_unit_ratio=1)
    world.pass_time(0)
    world.contribute("alice", symbol, 2000)
    world.pass_time(TEN_MINUTES)
    assert world.token(symbol).current_supply == 1000
    assert world[NULL].balance == world["fred"].balance == 1000
    assert world.tables.token_balances.find((NULL, symbol)) is None


def test_shares_that_do_not_fit_are_paid_liquid(world: TokenWorld) -> None:
    """F14: an overflow in a payout would halt the reference."""
    example = get_example("vesting_limit")
    limit = example["expected"]["satoshis"]
    symbol = world.make_token()
    world.add_tier(symbol, 3, {"fred": 1}, {"$from.vesting": 1})
    world.setup(symbol, min_unit_ratio=1, max_unit_ratio=1)
    world.pass_time(0)
    world.contribute("alice", symbol, 1)
    tiers = world.tables.token_tiers
    tiers.update(tiers.get((symbol, 3)), token_unit=(("$from.vesting", 1),))
    sales = world.tables.token_sales
    sales.update(sales.get(symbol), min_unit_ratio=limit + 1, max_unit_ratio=limit + 1)
    world.pass_time(TEN_MINUTES)
    held = world.balance("alice", symbol)
    assert (held.liquid, held.vesting_shares) == (limit + 1, 0)


def test_founders_get_what_the_market_maker_has_already(world: TokenWorld) -> None:
    """F13: what is there is added to, not replaced."""
    symbol = start_sale(world, get_example("ico_special_targets")["input"])
    issue(world.ctx, symbol, (5, (MARKET_MAKER, symbol)), (7, (TOKEN_REWARD_FUND, symbol)))
    world.pass_time(TEN_MINUTES)
    token = world.token(symbol)
    assert (token.market_maker_tokens, token.reward_balance) == (1_500_000_005, 3_000_000_007)


def test_a_sale_of_nothing_but_a_donation(world: TokenWorld) -> None:
    """No token unit at all: the ratios do not matter, the STEEM goes to the founders."""
    symbol = world.make_token()
    world.add_tier(symbol, 10_000, {"fred": 3}, {})
    world.setup(symbol, min_unit_ratio=0, max_unit_ratio=0)
    world.pass_time(0)
    before = world["alice"].balance
    world.contribute("alice", symbol, 10_000)
    world.pass_time(TEN_MINUTES)
    assert world["fred"].balance == 9_999
    assert world["alice"].balance == before - 9_999
    assert world.token(symbol).current_supply == 0


def test_the_events_of_a_launch(world: TokenWorld) -> None:
    symbol = world.make_token()
    world.setup(symbol)
    events = world.pass_time(TEN_MINUTES)
    assert events == [SmtIcoLaunch("alice", symbol), SmtIcoEvaluation("alice", symbol), SmtTokenLaunch("alice", symbol)]
    assert all(event.impacted() == {"alice"} for event in events)


def test_steem_that_would_be_too_many_shares_is_paid_liquid(world: TokenWorld) -> None:
    """Where each satoshi is worth a great many shares, a power up of a founder may not fit into 64 bits."""
    assert choose_place(world.ctx, "alice", STEEM, 1000, True) == (STAKE, "alice")
    assert choose_place(world.ctx, "alice", STEEM, 1000, False) == (LIQUID, "alice")
    world.vest("bob", 1000)
    gpo = world.ctx.gpo
    world.ctx.update_gpo(total_vesting_shares=2**62, total_vesting_fund_steem=2)
    assert choose_place(world.ctx, "alice", STEEM, 1, True) == (STAKE, "alice")
    assert choose_place(world.ctx, "alice", STEEM, 3, True) == (LIQUID, "alice")
    world.ctx.update_gpo(total_vesting_shares=5, total_vesting_fund_steem=2**60)
    assert choose_place(world.ctx, "alice", STEEM, 1000, True) == (STAKE, "alice")
    sums = gpo.total_vesting_shares, gpo.total_vesting_fund_steem
    world.ctx.update_gpo(total_vesting_shares=sums[0], total_vesting_fund_steem=sums[1])
