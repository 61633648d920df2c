"""Balances go up and down but never below nothing. Counterpart of the reference's adjust_balance_test."""

import pytest

from protocol.assets import SBD, STEEM
from protocol.errors import Rejected
from state.balances import LIQUID
from tests.operations.world import World


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
