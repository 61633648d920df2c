"""Balances go up and down but never below nothing. Counterpart of the reference's adjust_balance_test."""

import pytest

from protocol.assets import SBD, STEEM, Asset
from protocol.errors import Rejected
from state.money import adjust_balance, get_balance
from tests.operations.world import World


@pytest.mark.parametrize(
    ("symbol", "added", "taken"),
    [(STEEM, 50_000, (30_000, 20_000)), (SBD, 100_000, (50_000, 25_000, 25_000))],
    ids=["STEEM", "SBD"],
)
def test_adjust_balance(symbol: int, added: int, taken: tuple[int, ...]) -> None:
    world = World()
    world.create("alice")
    adjust_balance(world.ctx, "alice", Asset(added, symbol))
    assert get_balance(world["alice"], symbol) == Asset(added, symbol)
    with pytest.raises(Rejected, match="Account alice does not have sufficient funds for balance adjustment"):
        adjust_balance(world.ctx, "alice", Asset(-added - 1, symbol))
    left = added
    for amount in taken:
        adjust_balance(world.ctx, "alice", Asset(-amount, symbol))
        left -= amount
        assert get_balance(world["alice"], symbol) == Asset(left, symbol)
    assert left == 0
    adjust_balance(world.ctx, "alice", Asset(0, symbol))
    assert get_balance(world["alice"], symbol) == Asset(0, symbol)
    world.recount()
