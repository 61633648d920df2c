"""Savings: deposits, withdrawals with their delay and limit, and taking them back.

Counterparts of the reference's transfer_to_savings_apply, transfer_from_savings_apply and
cancel_transfer_from_savings_apply; the *_validate and *_authorities cases are in test_validate and test_authorities.
"""

import pytest

from chain.delayed_payments import process_savings_withdrawals
from operations.savings import CancelTransferFromSavings, TransferFromSavings, TransferToSavings
from protocol.assets import Asset
from protocol.errors import NotUnique, Rejected, UnknownKey
from protocol.virtual_operations import FillTransferFromSavings, Interest
from state.tables.payments import SavingsWithdraw
from tests.chains import TREASURY
from tests.harness import Harness, sbd, steem
from tests.operations.world import World

BLOCK = 3
YEAR = 365 * 86_400


def save(amount: Asset, to: str = "alice") -> TransferToSavings:
    return TransferToSavings("alice", to, amount, "")


def withdraw(number: int, amount: Asset, to: str = "alice") -> TransferFromSavings:
    return TransferFromSavings("alice", number, to, amount, f"memo {number}")


def cancel(number: int) -> CancelTransferFromSavings:
    return CancelTransferFromSavings("alice", number)


@pytest.fixture
def world(world: World) -> World:
    """Alice has 10 STEEM and 10 SBD; bob only exists."""
    world.create("alice", "bob")
    world.fund("alice", steem(10_000))
    world.fund("alice", sbd(10_000))
    return world


@pytest.fixture
def saved(world: World) -> World:
    """As `world`, with all of it in alice's savings."""
    world.push(save(steem(10_000)))
    world.push(save(sbd(10_000)))
    return world


# Deposits


def test_deposits(world: World) -> None:
    """Counterpart of transfer_to_savings_apply."""
    world.push(save(steem(1_000)))
    assert (world["alice"].balance, world["alice"].savings_balance) == (9_000, 1_000)
    world.push(save(sbd(1_000)))
    assert (world["alice"].sbd_balance, world["alice"].savings_sbd_balance) == (9_000, 1_000)
    world.push(save(steem(1_000), "bob"))
    assert (world["alice"].balance, world["bob"].savings_balance, world["bob"].balance) == (8_000, 1_000, 0)
    world.push(save(sbd(1_000), "bob"))
    assert (world["alice"].sbd_balance, world["bob"].savings_sbd_balance) == (8_000, 1_000)
    world.recount()


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (save(steem(20_000)), "available >= -delta: Account alice does not have sufficient funds"),
        (save(sbd(20_000)), "available >= -delta: Account alice does not have sufficient funds"),
        (save(steem(1_000), "sam"), "no row with key 'sam'"),
        (TransferToSavings("sam", "alice", steem(1_000), ""), "no row with key 'sam'"),
        (save(steem(1_000), TREASURY), f"op.to != STEEM_TREASURY_ACCOUNT: Cannot transfer savings to {TREASURY}"),
        (save(sbd(1_000), TREASURY), f"op.to != STEEM_TREASURY_ACCOUNT: Cannot transfer savings to {TREASURY}"),
    ],
)
def test_a_deposit_is_refused(world: World, op: TransferToSavings, message: str) -> None:
    world.refuse(op, message)


# Withdrawals


def test_withdrawals(saved: World) -> None:
    """Counterpart of transfer_from_savings_apply, up to its requests."""
    delay = saved.ctx.rules.savings_withdraw_seconds
    requests = [
        withdraw(0, sbd(1_000), TREASURY),
        withdraw(1, steem(1_000)),
        withdraw(2, sbd(1_000)),
        withdraw(3, steem(1_000), "bob"),
        withdraw(4, sbd(1_000), "bob"),
    ]
    for number, op in enumerate(requests):
        saved.push(op)
        assert saved["alice"].savings_withdraw_requests == number + 1
        row = saved.tables.savings_withdraws.get(("alice", number))
        assert row == SavingsWithdraw(number, "alice", op.to, f"memo {number}", number, op.amount, saved.now + delay)
    alice = saved["alice"]
    assert (alice.balance, alice.sbd_balance) == (0, 0)
    assert (alice.savings_balance, alice.savings_sbd_balance) == (8_000, 7_000)
    saved.refuse(withdraw(2, steem(2_000)), "savings_withdraws")
    saved.recount()


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (withdraw(0, steem(10_001)), "_db.get_savings_balance( from, op.amount.symbol ) >= op.amount"),
        (withdraw(0, sbd(10_001)), "_db.get_savings_balance( from, op.amount.symbol ) >= op.amount"),
        (withdraw(0, steem(1), "sam"), "no row with key 'sam'"),
        (TransferFromSavings("sam", 0, "alice", steem(1), ""), "no row with key 'sam'"),
        (
            withdraw(0, steem(1), TREASURY),
            f"op.amount.symbol == SBD_SYMBOL || op.to != STEEM_TREASURY_ACCOUNT: Can only transfer SBD to {TREASURY}",
        ),
    ],
)
def test_a_withdrawal_is_refused(saved: World, op: TransferFromSavings, message: str) -> None:
    saved.refuse(op, message)


def test_the_number_of_withdrawals_is_limited(saved: World) -> None:
    limit = saved.ctx.rules.savings_withdraw_request_limit
    assert limit == 100
    for number in range(limit):
        saved.push(withdraw(number, steem(1)))
    saved.refuse(
        withdraw(limit, steem(1)),
        "from.savings_withdraw_requests < STEEM_SAVINGS_WITHDRAW_REQUEST_LIMIT: "
        "Account has reached limit for pending withdraw requests.",
    )
    assert saved["alice"].savings_withdraw_requests == limit
    saved.push(cancel(7))
    saved.push(withdraw(limit, steem(1)))
    saved.recount()


def test_what_is_due_is_paid_by_time_name_and_number(saved: World) -> None:
    delay = saved.ctx.rules.savings_withdraw_seconds
    saved.fund("bob", steem(1_000))
    saved.push(TransferToSavings("bob", "bob", steem(1_000), ""))
    saved.push(TransferFromSavings("bob", 0, "alice", steem(300), "b"))
    saved.push(withdraw(9, steem(200), "bob"))
    saved.push(withdraw(8, steem(100)))
    saved.forward(1)
    saved.push(withdraw(1, steem(400)))
    saved.forward(delay - 2)
    assert saved.run(process_savings_withdrawals) == []
    saved.forward(1)
    assert saved.run(process_savings_withdrawals) == [
        FillTransferFromSavings("alice", "alice", steem(100), 8, "memo 8"),
        FillTransferFromSavings("alice", "bob", steem(200), 9, "memo 9"),
        FillTransferFromSavings("bob", "alice", steem(300), 0, "b"),
    ]
    assert (saved["alice"].balance, saved["bob"].balance) == (400, 200)
    assert (saved["alice"].savings_withdraw_requests, saved["bob"].savings_withdraw_requests) == (1, 0)
    saved.forward(1)
    assert saved.run(process_savings_withdrawals) == [
        FillTransferFromSavings("alice", "alice", steem(400), 1, "memo 1")
    ]
    assert list(saved.tables.savings_withdraws.scan()) == []
    saved.recount()


# Taking back


def test_cancel(saved: World) -> None:
    """Counterpart of cancel_transfer_from_savings_apply."""
    saved.push(withdraw(1, steem(3_000), "bob"))
    saved.push(withdraw(2, sbd(4_000), "bob"))
    saved.refuse(cancel(0), "unknown key")
    saved.refuse(CancelTransferFromSavings("bob", 1), "unknown key")
    saved.push(cancel(1))
    assert (saved["alice"].savings_balance, saved["alice"].savings_sbd_balance) == (10_000, 6_000)
    assert saved["alice"].savings_withdraw_requests == 1
    saved.push(cancel(2))
    assert (saved["alice"].savings_sbd_balance, saved["alice"].savings_withdraw_requests) == (10_000, 0)
    assert (saved["alice"].balance, saved["bob"].balance, saved["bob"].savings_balance) == (0, 0, 0)
    assert list(saved.tables.savings_withdraws.scan()) == []
    saved.recount()


# Interest


def test_sbd_in_savings_earns_interest(world: World) -> None:
    """10.000 SBD for a year at 10 %: 1.000 SBD; what a withdrawal takes away earns nothing."""
    world.ctx.update_gpo(sbd_interest_rate=1_000)
    world.push(save(sbd(10_000)))
    world.forward(YEAR)
    before = world.ctx.gpo.current_sbd_supply
    events = world.push(withdraw(0, sbd(10_000)))
    assert Interest("alice", sbd(1_000)) in events
    alice = world["alice"]
    assert (alice.savings_sbd_balance, alice.savings_sbd_seconds) == (1_000, 0)
    assert alice.savings_sbd_last_interest_payment == world.now
    assert world.ctx.gpo.current_sbd_supply == before + 1_000
    world.forward(YEAR)
    events = world.push(cancel(0))
    assert Interest("alice", sbd(100)) in events
    assert world["alice"].savings_sbd_balance == 11_100
    world.recount()


# In blocks


def test_withdrawals_over_blocks() -> None:
    """The rest of transfer_from_savings_apply: nothing comes a block too early, everything in the block it is due."""
    chain = Harness()
    chain.create_accounts("alice", "bob")
    chain.vest("alice", 10_000)
    chain.fund("alice", 10_000, 10_000)
    chain.push(save(steem(10_000)), save(sbd(10_000)))
    for number, (amount, to) in enumerate(
        ((steem(1_000), "alice"), (sbd(1_000), "alice"), (steem(1_000), "bob"), (sbd(1_000), "bob"))
    ):
        chain.push(withdraw(number, amount, to))
    with pytest.raises(NotUnique):
        chain.push(withdraw(2, steem(2_000)))
    with pytest.raises(UnknownKey):
        chain.push(cancel(44))
    with pytest.raises(Rejected):
        chain.push(withdraw(5, steem(10_001)))
    due = chain.now + chain.config.rules.savings_withdraw_seconds
    chain.generate_block()
    chain.generate_until(due - BLOCK)
    assert chain.now == due - BLOCK
    for name in ("alice", "bob"):
        assert (chain.account(name).balance, chain.account(name).sbd_balance) == (0, 0)
    assert chain.account("alice").savings_withdraw_requests == 4
    chain.recount()
    chain.generate_block()
    for name in ("alice", "bob"):
        assert (chain.account(name).balance, chain.account(name).sbd_balance) == (1_000, 1_000)
    assert chain.account("alice").savings_withdraw_requests == 0
    operations = chain.history.get_operations_in_block(chain.chain.head_number)
    fills = [applied.op for applied in operations if isinstance(applied.op, FillTransferFromSavings)]
    assert [(op.to, op.amount, op.request_id) for op in fills] == [
        ("alice", steem(1_000), 0),
        ("alice", sbd(1_000), 1),
        ("bob", steem(1_000), 2),
        ("bob", sbd(1_000), 3),
    ]
    chain.recount()
