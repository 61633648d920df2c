"""When a touch of an SBD balance pays interest: after the interval, not at its last second."""

import pytest

from operations.savings import TransferToSavings
from operations.transfer import Transfer
from protocol.operation import Operation
from protocol.virtual_operations import Interest
from state.interest import LIQUID_CLOCK, SAVINGS_CLOCK, Clock, compute_earned
from tests.harness import sbd
from tests.operations.world import World


@pytest.fixture
def world() -> World:
    """Alice has 10 SBD and as much in her savings, on a chain that pays 10 %; nothing of it was paid for yet."""
    world = World()
    world.create("alice", "bob")
    world.ctx.update_gpo(sbd_interest_rate=1_000)
    world.fund("alice", sbd(20_000))
    world.push(TransferToSavings("alice", "alice", sbd(10_000), ""))
    start = world.now
    world.tables.accounts.update(
        world["alice"], sbd_last_interest_payment=start, savings_sbd_last_interest_payment=start
    )
    return world


TOUCHES: list[tuple[Clock, Operation]] = [
    (LIQUID_CLOCK, Transfer("alice", "bob", sbd(1), "")),
    (SAVINGS_CLOCK, TransferToSavings("bob", "alice", sbd(1), "")),
]


@pytest.mark.parametrize(("later", "is_paid"), [(0, False), (1, True)])
@pytest.mark.parametrize(("clock", "touch"), TOUCHES, ids=["liquid", "savings"])
def test_interest_is_paid_after_the_interval(
    world: World, clock: Clock, touch: Operation, later: int, is_paid: bool
) -> None:
    """Source: database.cpp, adjust_balance: more seconds than the interval must have passed."""
    world.fund("bob", sbd(1))
    world.forward(world.ctx.rules.sbd_interest_compound_interval_seconds + later)
    earned = compute_earned(world.ctx, world["alice"], clock)
    assert earned.is_due is is_paid and (earned.interest > 0) is is_paid
    assert earned.due_after == world.now - later
    paid = [event for event in world.push(touch) if isinstance(event, Interest) and event.owner == "alice"]
    assert paid == [Interest("alice", sbd(earned.interest))] * is_paid
    world.recount()
