"""Balances go up and down but never below nothing. Counterpart of the reference's adjust_balance_test.

What leaves a place enters another, whatever holds it meanwhile.
"""

from typing import Any

import pytest

from protocol.assets import SBD, STEEM, VESTS, Asset, Price
from protocol.errors import Rejected
from state.balances import LIQUID, SAVINGS, Clearing, hold, move, pay_out, release
from state.engine.table import Table
from state.issuance import burn, issue
from state.stake import STAKE
from state.tables.kinds import TIME_MAX
from state.tables.market import LimitOrder
from tests.operations.world import World, sbd, steem, vests

NAI_SYMBOL = 320000019
"""A token's symbol."""


@pytest.mark.parametrize(
    ("symbol", "added", "taken"),
    [(STEEM, 50_000, (30_000, 20_000)), (SBD, 100_000, (50_000, 25_000, 25_000))],
    ids=["STEEM", "SBD"],
)
def test_adjust_balance(symbol: int, added: int, taken: tuple[int, ...]) -> None:
    world = World()
    world.create("alice")
    LIQUID.change(world.ctx, "alice", symbol, added)
    assert LIQUID.read(world.ctx, "alice", symbol) == added
    with pytest.raises(Rejected, match="Account alice does not have sufficient funds for balance adjustment"):
        LIQUID.change(world.ctx, "alice", symbol, -added - 1)
    left = added
    for amount in taken:
        LIQUID.change(world.ctx, "alice", symbol, -amount)
        left -= amount
        assert LIQUID.read(world.ctx, "alice", symbol) == left
    assert left == 0
    LIQUID.change(world.ctx, "alice", symbol, 0)
    assert LIQUID.read(world.ctx, "alice", symbol) == 0
    world.recount()


@pytest.fixture
def world() -> World:
    """Two accounts, one of which has STEEM and SBD."""
    world = World()
    world.create("alice", "bob")
    world.fund("alice", steem(1000))
    world.fund("alice", sbd(1000))
    return world


def count_changes(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables whose rows are updated from now on, one entry for each update."""
    changed: list[str] = []
    update = Table.update

    def counted(table: Any, row: Any, /, **changes: Any) -> Any:
        changed.append(table.name)
        return update(table, row, **changes)

    monkeypatch.setattr(Table, "update", counted)
    return changed


@pytest.mark.parametrize("amount", [steem(5), sbd(5)], ids=["STEEM", "SBD"])
def test_a_transfer_is_two_updates_of_rows(world: World, amount: Asset, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = count_changes(world, monkeypatch)
    assert move(world.ctx, amount, (LIQUID, "alice"), (LIQUID, "bob")) == 5
    assert changed == ["accounts", "accounts"]
    assert LIQUID.read(world.ctx, "bob", amount.symbol) == 5
    world.recount()


def test_what_is_not_there_cannot_be_moved(world: World) -> None:
    for symbol in (VESTS, NAI_SYMBOL):
        with pytest.raises(Rejected, match="Invalid symbol"):
            move(world.ctx, Asset(1, symbol), (LIQUID, "alice"), (LIQUID, "bob"))
    with pytest.raises(AssertionError):
        move(world.ctx, steem(-1), (LIQUID, "alice"), (LIQUID, "bob"))
    with pytest.raises(Rejected, match="sufficient funds"):
        move(world.ctx, steem(1), (SAVINGS, "alice"), (LIQUID, "bob"))


def test_shares_are_bought_by_a_move_and_burned_with_what_they_are_worth(world: World) -> None:
    shares = move(world.ctx, steem(400), (LIQUID, "alice"), (STAKE, "bob"))
    assert world["bob"].vesting_shares == shares > 0
    assert LIQUID.read(world.ctx, "alice", STEEM) == 600
    world.recount()
    before = world.ctx.gpo.current_supply
    burn(world.ctx, vests(shares), (STAKE, "bob"))
    assert world["bob"].vesting_shares == 0
    assert 399 <= before - world.ctx.gpo.current_supply <= 400
    world.recount()


def test_a_row_holds_what_left_the_place_and_gives_it_back(world: World) -> None:
    orders, ctx = world.tables.limit_orders, world.ctx
    order = LimitOrder(orders.next_id(), 0, TIME_MAX, "alice", 1, 300, Price(sbd(300), steem(100)))
    hold(ctx, (LIQUID, "alice"), orders, order)
    assert LIQUID.read(ctx, "alice", SBD) == 700
    world.recount()
    order = pay_out(ctx, orders, order, (LIQUID, "bob"), for_sale=200)
    assert LIQUID.read(ctx, "bob", SBD) == 100
    world.recount()
    release(ctx, orders, order, (LIQUID, "alice"))
    assert LIQUID.read(ctx, "alice", SBD) == 900 and orders.find(("alice", 1)) is None
    world.recount()


def test_a_clearing_must_be_empty_at_the_end(world: World) -> None:
    clearing = Clearing()
    move(world.ctx, steem(5), (clearing, None), (LIQUID, "bob"))
    with pytest.raises(AssertionError, match="goes nowhere"):
        clearing.finish()
    move(world.ctx, steem(5), (LIQUID, "alice"), (clearing, None))
    clearing.finish()


def test_issue_returns_what_arrived_in_each_place(world: World) -> None:
    before = world.ctx.gpo
    arrived = issue(world.ctx, STEEM, (7, (LIQUID, "alice")), (2000, (STAKE, "bob")))
    assert arrived == [7, world["bob"].vesting_shares]
    after = world.ctx.gpo
    assert after.current_supply - before.current_supply == after.virtual_supply - before.virtual_supply == 2007
    world.recount()
