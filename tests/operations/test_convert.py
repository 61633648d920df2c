"""Conversions of SBD to STEEM. Counterparts of the reference's convert_* cases and of convert_delay."""

import pytest

from chain.delayed_payments import process_conversions
from operations.convert import Convert
from protocol.assets import Price
from protocol.errors import DuplicateSignature, IrrelevantSignature, MissingActiveAuthority, NotUnique
from protocol.virtual_operations import FillConvertRequest
from state.context import SINGLETON
from state.tables.market import ConvertRequest
from tests.harness import Harness, sbd, steem
from tests.operations.world import World

BLOCK = 3
NULL_PRICE = Price(steem(0), steem(0))


def set_median(world: World, price: Price) -> None:
    """Sets the median price and values the SBD by it."""
    table = world.tables.feed_history
    table.update(table.get(SINGLETON), current_median_history=price)
    gpo = world.ctx.gpo
    debt = 0 if price.is_null() else gpo.current_sbd_supply * price.quote.amount // price.base.amount
    world.ctx.update_gpo(virtual_supply=gpo.current_supply + debt)


@pytest.fixture
def world(world: World) -> World:
    """Alice has 7.500 STEEM and 2.500 SBD, bob 3.000 and 7.000; both are worth the same."""
    world.create("alice", "bob")
    for name, of_steem, of_sbd in (("alice", 7_500, 2_500), ("bob", 3_000, 7_000)):
        world.fund(name, steem(of_steem))
        world.fund(name, sbd(of_sbd))
    set_median(world, Price(sbd(1_000), steem(1_000)))
    return world


@pytest.mark.windows
def test_convert(world: World) -> None:
    """Counterpart of convert_apply."""
    world.refuse(Convert("bob", 0, steem(5_000)), "is_asset_type( amount, SBD_SYMBOL ): Can only convert SBD to STEEM")
    world.refuse(Convert("alice", 0, sbd(5_000)), "available >= -delta: Account alice does not have sufficient funds")
    world.refuse(Convert("sam", 0, sbd(5_000)), "no row with key 'sam'")
    world.push(Convert("bob", 0, sbd(3_000)))
    assert (world["bob"].balance, world["bob"].sbd_balance) == (3_000, 4_000)
    delay = world.ctx.rules.conversion_delay_seconds
    assert delay == 84 * 3_600
    request = ConvertRequest(0, "bob", 0, sbd(3_000), world.now + delay)
    assert list(world.tables.convert_requests.scan()) == [request]
    world.refuse(Convert("bob", 0, sbd(2_000)), "convert_requests")
    world.push(Convert("bob", 1, sbd(2_000)))
    world.push(Convert("alice", 0, sbd(2_000)))
    world.recount()


def test_a_conversion_needs_a_price(world: World) -> None:
    set_median(world, NULL_PRICE)
    world.refuse(
        Convert("bob", 0, sbd(3_000)),
        "!fhistory.current_median_history.is_null(): Cannot convert SBD because there is no price feed.",
    )


def test_conversions_wait_while_there_is_no_price(world: World) -> None:
    world.push(Convert("bob", 0, sbd(3_000)))
    set_median(world, NULL_PRICE)
    world.forward(world.ctx.rules.conversion_delay_seconds)
    assert world.run(process_conversions) == []
    assert len(list(world.tables.convert_requests.scan())) == 1
    set_median(world, Price(sbd(1_000), steem(2_000)))
    assert world.run(process_conversions) == [FillConvertRequest("bob", 0, sbd(3_000), steem(6_000))]
    world.recount()


def test_conversions_are_paid_by_age_at_the_price_of_their_day(world: World) -> None:
    """0.333 SBD per STEEM: each payment is rounded down by itself, the virtual supply by their sum."""
    world.push(Convert("bob", 7, sbd(100)))
    world.push(Convert("alice", 1, sbd(200)))
    world.push(Convert("bob", 3, sbd(500)))
    world.forward(1)
    world.push(Convert("alice", 2, sbd(1_000)))
    set_median(world, Price(sbd(333), steem(1_000)))
    gpo = world.ctx.gpo
    world.forward(world.ctx.rules.conversion_delay_seconds - 2)
    assert world.run(process_conversions) == []
    world.forward(1)
    assert world.run(process_conversions) == [
        FillConvertRequest("bob", 7, sbd(100), steem(300)),
        FillConvertRequest("alice", 1, sbd(200), steem(600)),
        FillConvertRequest("bob", 3, sbd(500), steem(1_501)),
    ]
    assert (world["alice"].balance, world["bob"].balance) == (8_100, 4_801)
    after = world.ctx.gpo
    assert after.current_supply - gpo.current_supply == 2_401
    assert after.current_sbd_supply - gpo.current_sbd_supply == -800
    assert after.virtual_supply - gpo.virtual_supply == 2_401 - 2_402
    world.forward(1)
    assert world.run(process_conversions) == [FillConvertRequest("alice", 2, sbd(1_000), steem(3_003))]
    assert list(world.tables.convert_requests.scan()) == []
    set_median(world, Price(sbd(333), steem(1_000)))
    world.recount()


# In blocks


@pytest.fixture
def chain() -> Harness:
    """Alice has 25 SBD at 1.250 STEEM each."""
    chain = Harness()
    chain.create_accounts("alice", "bob")
    chain.vest("alice", 10_000)
    chain.fund("alice", 0, 25_000)
    chain.set_price(1_000, 1_250)
    return chain


def test_convert_authorities(chain: Harness) -> None:
    """Counterpart of convert_authorities."""
    op = Convert("alice", 0, sbd(2_500))
    active = chain.key("alice")
    for keys in ([], [chain.key("alice", "posting")]):
        with pytest.raises(MissingActiveAuthority):
            chain.push(op, keys=keys)
    with pytest.raises(DuplicateSignature):
        chain.push(op, keys=[active, active])
    with pytest.raises(IrrelevantSignature):
        chain.push(op, keys=[active, chain.key("bob")])
    chain.apply(op, keys=[active])
    with pytest.raises(NotUnique):
        chain.push(op)
    chain.recount()


def test_convert_delay(chain: Harness) -> None:
    """Counterpart of convert_delay."""
    chain.push(Convert("alice", 2, sbd(2_000)))
    due = chain.now + chain.config.rules.conversion_delay_seconds
    chain.generate_block()
    chain.generate_until(due - BLOCK)
    assert chain.now == due - BLOCK
    assert chain.tables.convert_requests.find(("alice", 2)) is not None
    assert (chain.account("alice").balance, chain.account("alice").sbd_balance) == (0, 23_000)
    chain.recount()
    chain.generate_block()
    assert chain.tables.convert_requests.find(("alice", 2)) is None
    assert (chain.account("alice").balance, chain.account("alice").sbd_balance) == (2_500, 23_000)
    operations = chain.history.get_operations_in_block(chain.chain.head_number)
    assert FillConvertRequest("alice", 2, sbd(2_000), steem(2_500)) in [applied.op for applied in operations]
    chain.recount()
