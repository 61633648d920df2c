"""Transfers of liquid tokens."""

import pytest

from operations.transfer import Transfer
from protocol.assets import Asset
from protocol.virtual_operations import Interest
from tests.chains import NULL, TREASURY
from tests.operations.world import World, sbd, steem, vests


def test_moves_tokens(world: World) -> None:
    world.create("alice", "bob")
    world.fund("alice", steem(10_000))
    world.push(Transfer("alice", "bob", steem(5_000), ""))
    assert (world["alice"].balance, world["bob"].balance) == (5_000, 5_000)
    world.push(Transfer("alice", "bob", steem(5_000), ""))
    assert (world["alice"].balance, world["bob"].balance) == (0, 10_000)


def test_refuses_what_is_not_there(world: World) -> None:
    world.create("alice", "bob")
    world.fund("alice", steem(999))
    message = world.refuse(Transfer("alice", "bob", steem(1_000), ""), "available >= -delta")
    assert message == (
        "Assert Exception:available >= -delta: Account alice does not have sufficient funds for balance adjustment. "
        'Required: {"amount":"-1000","precision":3,"nai":"@@000000021"}, '
        'Available: {"amount":"999","precision":3,"nai":"@@000000021"}'
    )


@pytest.mark.parametrize(("source", "destination"), [("alice", "nobody"), ("nobody", "alice")])
def test_refuses_missing_accounts(world: World, source: str, destination: str) -> None:
    world.create("alice")
    world.fund("alice", steem(1_000))
    world.refuse(Transfer(source, destination, steem(1), ""), "no row with key 'nobody'")


def test_treasury_takes_only_sbd(world: World) -> None:
    world.create("bob")
    world.fund("bob", steem(1_000))
    world.fund("bob", sbd(1_000))
    message = world.refuse(Transfer("bob", TREASURY, steem(1_000), ""), "o.to != STEEM_TREASURY_ACCOUNT")
    assert message.endswith(f": Can only transfer SBD to {TREASURY}")
    world.push(Transfer("bob", TREASURY, sbd(1_000), ""))
    assert world[TREASURY].sbd_balance == 1_000
    assert world["bob"].sbd_balance == 0


def test_null_account_can_receive(world: World) -> None:
    world.create("alice")
    world.fund("alice", steem(1_000))
    world.push(Transfer("alice", NULL, steem(1_000), ""))
    assert world[NULL].balance == 1_000


@pytest.mark.parametrize(
    ("amount", "assertion"),
    [
        (vests(1), "amount.symbol.is_vesting() == false"),
        (steem(0), "amount.amount > 0"),
        (steem(-1), "amount.amount > 0"),
    ],
)
def test_refuses_bad_amounts(world: World, amount: Asset, assertion: str) -> None:
    world.create("alice", "bob")
    world.refuse(Transfer("alice", "bob", amount, ""), assertion)


def test_memo_is_limited(world: World) -> None:
    world.create("alice", "bob")
    world.fund("alice", steem(10))
    world.push(Transfer("alice", "bob", steem(1), "x" * 2047))
    world.refuse(Transfer("alice", "bob", steem(1), "x" * 2048), "memo.size() < STEEM_MAX_MEMO_SIZE")


def test_sbd_transfer_pays_interest(world: World) -> None:
    world.create("alice", "bob")
    world.ctx.update_gpo(sbd_interest_rate=1_000)
    world.fund("alice", sbd(1_000_000))
    world.forward(31 * 86_400)
    events = world.push(Transfer("alice", "bob", sbd(1), ""))
    paid = 1_000_000 * 31 * 86_400 // (365 * 86_400) // 10
    assert world["alice"].sbd_balance == 999_999 + paid
    assert [event.wire_name for event in events] == ["interest"]


def test_sbd_interest(world: World) -> None:
    """Counterpart of sbd_interest: after the shortest interval, before it, and after a long one."""
    day, year = 86_400, 365 * 86_400
    world.create("alice", "bob")
    world.ctx.update_gpo(sbd_interest_rate=1_000)
    world.fund("alice", sbd(31_903))

    def transfer() -> list[Interest]:
        events = world.push(Transfer("alice", "bob", sbd(1_000), ""))
        return [event for event in events if isinstance(event, Interest) and event.owner == "alice"]

    world.forward(30 * day)
    paid = 31_903 * 30 * day // year * 1_000 // 10_000
    assert paid == 262
    assert transfer() == [Interest("alice", sbd(paid))]
    first = 31_903 - 1_000 + paid
    assert world["alice"].sbd_balance == first
    world.recount()

    world.forward(15 * day)
    assert transfer() == []
    second = first - 1_000
    assert world["alice"].sbd_balance == second
    world.recount()

    world.forward(70 * day)
    paid = (second * 70 * day + first * 15 * day) // year * 1_000 // 10_000
    assert paid == 706
    assert transfer() == [Interest("alice", sbd(paid))]
    assert world["alice"].sbd_balance == second - 1_000 + paid
