"""smt_create: making a token, and beginning again."""

from __future__ import annotations

from typing import Any

import pytest

from operations.token import SmtCreate, SmtSetRuntimeParameters, SmtSetSetupParameters
from operations.token_parameters import SmtParamAllowDownvotes, SmtParamAllowVoting, SmtParamWindowsV1
from protocol.assets import SBD, STEEM, Asset, Price, symbol_to_nai
from rewards.null_account import process_null_account
from state.context import SINGLETON
from tests.chains import NULL
from tests.harness import sbd, steem
from tests.operations.world import World, changed
from tests.tokens.examples import get_example
from tests.tokens.world import INTERVAL, TokenWorld, emissions_of, tier
from tokens.creation import compute_least_steem

FEE = sbd(1000)
FEE_REFUSED = "Fee of"


def create(
    world: TokenWorld, control: str = "alice", decimals: int = 3, fee: Asset = FEE, ticker: str = ""
) -> SmtCreate:
    """A creation with the first identifier on offer."""
    return SmtCreate(control, world.pool[0] | decimals, ticker, fee, decimals, ())


def set_price(world: TokenWorld, sbd_amount: int, steem_amount: int) -> None:
    """Sets the median price."""
    feeds = world.tables.feed_history
    feeds.update(feeds.get(SINGLETON), current_median_history=Price(sbd(sbd_amount), steem(steem_amount)))
    world.ctx.update_gpo(virtual_supply=count_virtual_supply(world, sbd_amount, steem_amount))


def count_virtual_supply(world: TokenWorld, sbd_amount: int, steem_amount: int) -> int:
    gpo = world.ctx.gpo
    return gpo.current_supply + gpo.current_sbd_supply * steem_amount // sbd_amount


def test_smt_create_apply(world: TokenWorld) -> None:
    set_price(world, 1000, 1000)
    poor = create(world, "dan")
    world.refuse(poor, "Account dan does not have sufficient funds for balance adjustment. Required: ")
    world.refuse(changed(poor, smt_creation_fee=steem(1000)), "does not have sufficient funds")
    before = world["alice"].sbd_balance
    op = create(world)
    world.push(op)
    token = world.token(op.symbol)
    assert (token.control_account, token.phase, token.current_supply) == ("alice", 0, 0)
    assert (token.allow_voting, token.allow_downvotes, token.content_constant) == (True, True, 2 * 10**12)
    assert (token.votes_per_regeneration_period, token.percent_curation_rewards) == (50, 2500)
    assert (token.vote_regeneration_period_seconds, token.reverse_auction_window_seconds) == (432_000, 900)
    assert token.cashout_window_seconds == world.ctx.rules.cashout_window_seconds
    assert world["alice"].sbd_balance == before - 1000
    nai = symbol_to_nai(op.symbol)
    for control in ("alice", "bob"):
        other = SmtCreate(control, op.symbol & ~0xF | 4, "", FEE, 4, ())
        world.refuse(other, f"SMT {nai} has already been created.")
    for fee in (sbd(999), steem(999)):
        world.refuse(create(world, fee=fee), FEE_REFUSED)
    world.refuse(create(world, decimals=9), "A token has 8 decimals at most. Was 9")


def test_the_fee_is_burned(world: TokenWorld) -> None:
    supply = world.ctx.gpo.current_sbd_supply
    world.make_token()
    assert world[NULL].sbd_balance == 1000
    world.run(process_null_account)
    assert world.ctx.gpo.current_sbd_supply == supply - 1000


@pytest.mark.parametrize("decimals", [3, 4])
@pytest.mark.parametrize("control", ["alice", "bob"])
def test_smt_create_duplicate(world: TokenWorld, control: str, decimals: int) -> None:
    """Also an identifier that is in the pool once more, with other decimals or for another account."""
    symbol = world.make_token()
    pools = world.tables.identifier_pool
    pools.update(pools.get(SINGLETON), nais=(symbol & ~0xF,))
    again = SmtCreate(control, symbol & ~0xF | decimals, "", FEE, decimals, ())
    world.refuse(again, "has already been created.")


def test_smt_create_with_invalid_nai(world: TokenWorld) -> None:
    outside = SmtCreate("alice", 320_000_019, "", FEE, 3, ())
    world.refuse(outside, "Cannot create an SMT that didn't come from the NAI pool.")


def test_smt_create_with_steem_funds(world: TokenWorld) -> None:
    set_price(world, 1000, 1000)
    world.refuse(create(world, fee=steem(999)), FEE_REFUSED)
    world.push(create(world, fee=steem(1000)))


def test_smt_create_with_sbd_funds(world: TokenWorld) -> None:
    world.refuse(create(world, fee=sbd(999)), FEE_REFUSED)
    world.push(create(world))


def test_smt_creation_fee_test(world: TokenWorld) -> None:
    set_price(world, 1000, 2000)
    for refused in (steem(1999), sbd(999)):
        world.refuse(create(world, fee=refused), FEE_REFUSED)
    world.push(create(world, fee=steem(2000)))
    world.push(create(world, fee=sbd(1000)))


def test_without_a_price_the_fee_is_paid_in_sbd(world: TokenWorld) -> None:
    feeds = world.tables.feed_history
    feeds.update(feeds.get(SINGLETON), current_median_history=Price(steem(0), steem(0)))
    world.ctx.update_gpo(virtual_supply=world.ctx.gpo.current_supply)
    text = "Cannot pay the fee using different asset symbol because there is no price feed."
    world.refuse(create(world, fee=steem(1000)), text)
    world.push(create(world))


def test_creation_fee_in_steem(world: TokenWorld) -> None:
    """F5: at any price there is exactly one amount that is taken."""
    example = get_example("creation_fee_in_steem")
    prices = example["input"]["median_base_sbd_quote_steem"]
    for (base, quote), expected in zip(prices, example["expected"].values(), strict=True):
        least = compute_least_steem(example["input"]["fee_sbd"], base, quote)
        assert least == expected["steem"]
        assert least * base // quote == expected["worth_sbd"]
        set_price(world, base, quote)
        for wrong in (least - 1, least + 1):
            world.refuse(create(world, fee=steem(wrong)), FEE_REFUSED)
        world.push(create(world, fee=steem(least)))


@pytest.mark.parametrize("name", ["steem_symbol", "sbd_symbol", "vests_symbol"])
def test_a_ticker_is_no_core_symbol(world: TokenWorld, name: str) -> None:
    ticker = getattr(world.ctx.config.identity, name)
    op = create(world, ticker=ticker)
    if len(ticker) >= 3:
        world.refuse(op, f"SMT Ticker Symbol cannot be {ticker}")


def test_smt_create_reset(world: TokenWorld) -> None:
    symbol = world.make_token(ticker="COIN")
    reset = SmtCreate("alice", symbol & ~0xF | 4, "OTHER", sbd(0), 4, ())
    world.refuse(changed(reset, smt_creation_fee=FEE), "has already been created.")
    world.refuse(changed(reset, symbol=world.pool[0] | 4), "Cannot reset a non-existent SMT. Did you forget to specify")
    world.refuse(changed(reset, control_account="bob"), "You do not control this SMT. Control Account: alice")
    now = world.now
    first, second = (
        emissions_of(symbol, now + 10, {"alice": 1}),
        emissions_of(symbol, now + 10 + INTERVAL, {"alice": 1}),
    )
    world.push(first)
    world.push(second)
    world.refuse(reset, "Cannot reset an SMT that has existing token emissions.")
    world.refuse(changed(first, remove=True), "SMT emissions must be removed from latest to earliest, last emission:")
    world.push(changed(second, remove=True))
    world.push(changed(first, remove=True))
    world.add_tier(symbol, 1000, {"alice": 1}, {"$from": 1})
    world.refuse(reset, "Cannot reset an SMT that has existing ICO tiers.")
    world.push(tier(symbol, 1000, {"alice": 1}, {}, remove=True))
    world.push(SmtSetSetupParameters("alice", symbol, (SmtParamAllowVoting(False),), ()))
    parameters: Any = (SmtParamWindowsV1(86_400, 300), SmtParamAllowDownvotes(False))
    world.push(SmtSetRuntimeParameters("alice", symbol, parameters, ()))
    world.push(reset)
    assert world.tables.tokens.find(symbol) is None
    token = world.token(reset.symbol)
    assert (token.desired_ticker, token.allow_voting, token.allow_downvotes) == ("OTHER", True, True)
    assert token.reverse_auction_window_seconds == 900
    world.setup(reset.symbol)
    world.refuse(changed(reset, desired_ticker=""), "SMT cannot be reset if setup is completed. Phase: setup_completed")


def test_where_tokens_are_not_live_the_operations_answer_as_before() -> None:
    world = World()
    world.create("alice")
    op = SmtCreate("alice", 320_000_019, "", FEE, 3, ())
    text = world.refuse(op, "smt_create_operation is not enabled on this chain.")
    assert text == "Assert Exception:false: smt_create_operation is not enabled on this chain."
    assert {SBD, STEEM}.isdisjoint({op.symbol})
