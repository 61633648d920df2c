"""Power up, power down with its routes and weekly payments, and delegation."""

from typing import Any

import pytest

from chain.expiries import process_expired_delegations
from chain.withdrawals import process_vesting_withdrawals
from operations.vesting import (
    DelegateVestingShares,
    SetWithdrawVestingRoute,
    TransferToVesting,
    WithdrawVesting,
    compute_withdraw_rate,
)
from protocol.assets import multiply
from protocol.operation import Operation
from protocol.virtual_operations import FillVestingWithdraw, ReturnVestingDelegation
from state.mana import compute_effective_vesting_shares, regenerate_mana
from state.prices import get_vesting_share_price
from state.tables.accounts import Account, Manabar
from state.tables.kinds import TIME_MAX
from state.tables.witnesses import WitnessVote
from state.witness_votes import adjust_witness_vote
from tests.chains import FIRST, NULL, TREASURY
from tests.operations.blog import find_post, find_vote, post, vote
from tests.operations.world import World, sbd, steem, vests

WEEK = 7 * 86_400
INTERVALS = 4


def worth(world: World, amount: int) -> int:
    """STEEM that VESTS are worth now."""
    return multiply(vests(amount), get_vesting_share_price(world.ctx.gpo)).amount


def vote_for_initminer(world: World, name: str) -> None:
    """Puts the account's stake behind the witness."""
    votes = world.tables.witness_votes
    votes.insert(WitnessVote(votes.next_id(), FIRST, name))
    adjust_witness_vote(world.ctx, world.tables.witnesses.get(FIRST), world[name].witness_vote_weight)
    world.tables.accounts.update(world[name], witnesses_voted_for=1)


# transfer_to_vesting


def test_power_up(world: World) -> None:
    world.create("alice", "bob")
    world.vest("bob", 1_000)
    world.fund("alice", steem(10_000))
    gpo = world.ctx.gpo
    before_bob = world["bob"].vesting_shares
    new = 7_500 * gpo.total_vesting_shares // gpo.total_vesting_fund_steem
    world.push(TransferToVesting("alice", "", steem(7_500)))
    assert (world["alice"].balance, world["alice"].vesting_shares) == (2_500, new)
    assert world.ctx.gpo.total_vesting_fund_steem == gpo.total_vesting_fund_steem + 7_500
    assert world.ctx.gpo.total_vesting_shares == gpo.total_vesting_shares + new
    newer = 2_000 * (gpo.total_vesting_shares + new) // (gpo.total_vesting_fund_steem + 7_500)
    world.push(TransferToVesting("alice", "bob", steem(2_000)))
    assert (world["alice"].balance, world["alice"].vesting_shares) == (500, new)
    assert (world["bob"].balance, world["bob"].vesting_shares) == (0, before_bob + newer)
    world.refuse(TransferToVesting("alice", "bob", steem(2_000)), "available >= -delta")


def test_power_up_refusals(world: World) -> None:
    world.create("alice")
    world.fund("alice", steem(10_000))
    world.fund("alice", sbd(10_000))
    message = world.refuse(TransferToVesting("alice", TREASURY, steem(7_500)), "o.to != STEEM_TREASURY_ACCOUNT")
    assert message.endswith(f"Can only transfer SBD to {TREASURY}")
    world.refuse(TransferToVesting("alice", "nobody", steem(1)), "nobody")
    world.refuse(TransferToVesting("nobody", "", steem(1)), "nobody")
    world.refuse(TransferToVesting("alice", "", sbd(1)), "Amount must be STEEM or SMT liquid")
    world.refuse(TransferToVesting("alice", "", steem(0)), "Must transfer a nonzero amount")


def test_power_up_gives_mana(world: World) -> None:
    world.create("alice")
    world.vest("alice", 10_000)
    alice = world["alice"]
    assert alice.voting_manabar == (alice.vesting_shares, world.now)
    assert alice.downvote_manabar == (alice.vesting_shares // 4, world.now)


def test_power_up_strengthens_witness_votes(world: World) -> None:
    world.create("alice")
    vote_for_initminer(world, "alice")
    world.vest("alice", 10_000)
    assert world.tables.witnesses.get(FIRST).votes == world["alice"].vesting_shares


# withdraw_vesting


@pytest.mark.parametrize(("amount", "rate"), [(1, 1), (3, 1), (4, 1), (5, 2), (7, 2), (8, 2), (10**12, 25 * 10**10)])
def test_rate_is_rounded_up(amount: int, rate: int) -> None:
    assert compute_withdraw_rate(amount, INTERVALS) == rate


@pytest.mark.windows
def test_withdraw_vesting(world: World) -> None:
    world.create("alice")
    world.vest("alice", 10_001)
    total = world["alice"].vesting_shares
    for part in (2, 3):
        world.push(WithdrawVesting("alice", vests(total // part)))
        alice = world["alice"]
        assert alice.vesting_shares == total
        assert alice.vesting_withdraw_rate == -(-(total // part) // INTERVALS), "a quarter, rounded up"
        assert (alice.to_withdraw, alice.withdrawn) == (total // part, 0)
        assert alice.next_vesting_withdrawal == world.now + WEEK
        world.refuse(WithdrawVesting("alice", vests(total // part)), "would not change the vesting withdraw rate.")
        world.forward(3)
    world.refuse(WithdrawVesting("alice", vests(total * 2)), "does not have sufficient Steem Power for withdraw.")
    world.push(WithdrawVesting("alice", vests(0)))
    alice = world["alice"]
    assert (alice.vesting_withdraw_rate, alice.to_withdraw, alice.withdrawn) == (0, 0, 0)
    assert (alice.vesting_shares, alice.next_vesting_withdrawal) == (total, TIME_MAX)


def test_withdraw_vesting_refusals(world: World) -> None:
    world.create("alice")
    world.vest("alice", 10_000)
    message = world.refuse(WithdrawVesting("alice", vests(-1)), "false: Cannot withdraw negative VESTS.")
    assert message.endswith('account: alice, vests:{"amount":"-1","precision":6,"nai":"@@000000037"}')
    world.refuse(WithdrawVesting("alice", vests(0)), "account.vesting_withdraw_rate.amount != 0")
    world.refuse(WithdrawVesting("alice", steem(1)), "Amount must be VESTS")
    world.refuse(WithdrawVesting("nobody", vests(1)), "nobody")


def test_withdraw_vesting_does_not_depend_on_the_creation_fee(world: World) -> None:
    world.create("alice")
    world.vest("alice", 1_000)
    world.set_fee(10_000)
    world.push(WithdrawVesting("alice", vests(world["alice"].vesting_shares)))
    world.push(WithdrawVesting("alice", vests(0)))


# The weekly payments


def fills(events: list[Operation]) -> list[FillVestingWithdraw]:
    """The payments among virtual operations."""
    return [event for event in events if isinstance(event, FillVestingWithdraw)]


@pytest.mark.windows
def test_vesting_withdrawals(world: World) -> None:
    world.create("alice")
    world.vest("alice", 100_003)
    vote_for_initminer(world, "alice")
    total = world["alice"].vesting_shares
    wanted = total // 2
    world.push(WithdrawVesting("alice", vests(wanted)))
    rate = world["alice"].vesting_withdraw_rate
    first = world["alice"].next_vesting_withdrawal
    world.forward(WEEK - 3)
    assert world.run(process_vesting_withdrawals) == []
    world.forward(3)
    for number in range(1, INTERVALS):
        paid = worth(world, rate)
        before = world["alice"].balance
        events = world.run(process_vesting_withdrawals)
        assert events == [FillVestingWithdraw("alice", "alice", vests(rate), steem(paid))]
        alice = world["alice"]
        assert (alice.vesting_shares, alice.withdrawn) == (total - number * rate, number * rate)
        assert alice.balance == before + paid
        assert alice.next_vesting_withdrawal == first + number * WEEK
        assert world.tables.witnesses.get(FIRST).votes == alice.vesting_shares
        world.recount()
        world.forward(WEEK)
    (last,) = fills(world.run(process_vesting_withdrawals))
    assert last.withdrawn == vests(wanted - 3 * rate)
    alice = world["alice"]
    assert (alice.vesting_shares, alice.withdrawn, alice.to_withdraw) == (total - wanted, wanted, wanted)
    assert (alice.vesting_withdraw_rate, alice.next_vesting_withdrawal) == (0, TIME_MAX)
    world.forward(WEEK)
    assert world.run(process_vesting_withdrawals) == []


@pytest.mark.windows
def test_dust_is_paid_as_nothing(world: World) -> None:
    world.create("alice")
    world.vest("alice", 1_000)
    world.push(WithdrawVesting("alice", vests(7)))
    assert world["alice"].vesting_withdraw_rate == 2
    paid = []
    for _ in range(INTERVALS):
        world.forward(WEEK)
        paid += fills(world.run(process_vesting_withdrawals))
    assert [fill.withdrawn.amount for fill in paid] == [2, 2, 2, 1]
    assert [fill.deposited for fill in paid] == [steem(0)] * 4
    assert world["alice"].vesting_withdraw_rate == 0


@pytest.mark.windows
def test_more_than_a_week_late_is_paid_once_a_block(world: World) -> None:
    world.create("alice")
    world.vest("alice", 1_000)
    world.push(WithdrawVesting("alice", vests(1_000)))
    world.forward(3 * WEEK)
    for _ in range(3):
        assert len(fills(world.run(process_vesting_withdrawals))) == 1
        world.forward(3)
    assert fills(world.run(process_vesting_withdrawals)) == []


@pytest.mark.windows
def test_more_than_a_week_late_is_paid_again_behind_another_account(world: World) -> None:
    world.create("alice", "bob")
    world.vest("alice", 1_000)
    world.vest("bob", 1_000)
    world.push(WithdrawVesting("alice", vests(1_000)))
    world.forward(3)
    world.push(WithdrawVesting("bob", vests(1_000)))
    world.forward(2 * WEEK - 3)
    # Bob stands before the place that alice moves to, so she is met again; his own next place is not due yet.
    assert [fill.from_account for fill in fills(world.run(process_vesting_withdrawals))] == ["alice", "bob", "alice"]


@pytest.mark.windows
def test_vesting_withdraw_route(world: World) -> None:
    world.create("alice", "bob", "sam")
    world.vest("alice", 1_040_000)
    vote_for_initminer(world, "bob")
    world.push(WithdrawVesting("alice", vests(world["alice"].vesting_shares // 10)))
    world.push(SetWithdrawVestingRoute("alice", "bob", 5_000, True))
    world.push(SetWithdrawVestingRoute("alice", "sam", 3_000, False))
    rate = world["alice"].vesting_withdraw_rate
    total = world["alice"].vesting_shares
    world.forward(WEEK)
    gpo = world.ctx.gpo
    events = fills(world.run(process_vesting_withdrawals))
    half, third = rate * 5_000 // 10_000, rate * 3_000 // 10_000
    rest = rate - half - third
    assert [(fill.from_account, fill.to_account, fill.withdrawn) for fill in events] == [
        ("alice", "bob", vests(half)),
        ("alice", "sam", vests(third)),
        ("alice", "alice", vests(rest)),
    ]
    assert events[0].deposited == vests(half)
    fund, shares = gpo.total_vesting_fund_steem, gpo.total_vesting_shares
    for paid in events[1:]:  # the price moves by what was paid before
        assert paid.deposited == steem(paid.withdrawn.amount * fund // shares)
        fund, shares = fund - paid.deposited.amount, shares - paid.withdrawn.amount
    assert (world["bob"].vesting_shares, world["bob"].balance) == (half, 0)
    assert world.tables.witnesses.get(FIRST).votes == half
    assert (world["sam"].vesting_shares, world["sam"].balance) == (0, events[1].deposited.amount)
    assert world["alice"].vesting_shares == total - rate
    assert world["alice"].balance == events[2].deposited.amount
    world.recount()

    message = world.refuse(SetWithdrawVestingRoute("alice", "sam", 5_001, False), "total_percent <= STEEM_100_PERCENT")
    assert message.endswith("More than 100% of vesting withdrawals allocated to destinations.")
    world.push(SetWithdrawVestingRoute("alice", "sam", 5_000, False))
    before, sam = world["alice"].balance, world["sam"].balance
    world.forward(WEEK)
    events = fills(world.run(process_vesting_withdrawals))
    assert [fill.withdrawn.amount for fill in events] == [half, half, rate - 2 * half]
    assert world["alice"].vesting_shares == total - 2 * rate
    assert world["alice"].balance == before + events[2].deposited.amount
    assert (world["bob"].vesting_shares, world["bob"].balance) == (2 * half, 0)
    assert events[1].deposited == steem(half * fund // shares)
    assert (world["sam"].vesting_shares, world["sam"].balance) == (0, sam + events[1].deposited.amount)
    world.recount()


def test_withdraw_routes(world: World) -> None:
    names = [f"user{number}" for number in range(11)]
    world.create("alice", *names)
    world.refuse(SetWithdrawVestingRoute("alice", names[0], 0, False), "Cannot create a 0% destination.")
    for name in names[:10]:
        world.push(SetWithdrawVestingRoute("alice", name, 100, False))
    assert world["alice"].withdraw_routes == 10
    world.refuse(SetWithdrawVestingRoute("alice", names[10], 100, False), "already has the maximum number of routes.")
    world.push(SetWithdrawVestingRoute("alice", names[3], 200, True))
    route = world.tables.withdraw_vesting_routes.get(("alice", names[3]))
    assert (route.percent, route.auto_vest) == (200, True)
    world.push(SetWithdrawVestingRoute("alice", names[3], 0, False))
    assert world["alice"].withdraw_routes == 9
    assert world.tables.withdraw_vesting_routes.find(("alice", names[3])) is None


def test_withdraw_route_refusals(world: World) -> None:
    world.create("alice")
    message = world.refuse(SetWithdrawVestingRoute("alice", TREASURY, 100, False), "o.to_account != STEEM_TREASURY")
    assert message.endswith(f"Cannot withdraw vesting to {TREASURY}")
    world.refuse(SetWithdrawVestingRoute("alice", "nobody", 100, False), "nobody")
    world.refuse(SetWithdrawVestingRoute("alice", NULL, 10_001, False), "Percent must be valid steem percent")


# delegate_vesting_shares


class Mana:
    """The mana of an account as it would be at a later time without any operation."""

    def __init__(self, world: World, account: Account) -> None:
        most = compute_effective_vesting_shares(account)
        seconds = world.ctx.rules.voting_mana_regeneration_seconds
        self.voting = regenerate_mana(account.voting_manabar, most, seconds, world.now).current_mana
        self.downvote = regenerate_mana(account.downvote_manabar, most // 4, seconds, world.now).current_mana


def assert_mana(account: Account, before: Mana, delta: int) -> None:
    """Checks that both mana bars have moved by `delta` VESTS."""
    assert account.voting_manabar.current_mana == before.voting + delta
    down = delta // 4 if delta >= 0 else -(-delta // 4)
    assert account.downvote_manabar.current_mana == before.downvote + down


@pytest.fixture
def lenders(world: World) -> World:
    """Alice has 1,000 STEEM worth of VESTS; the creation fee is 1 STEEM."""
    world.create("alice", "bob", "charlie")
    world.vest("alice", 1_000_000)
    world.set_fee(1_000)
    world.forward(3)
    return world


def test_delegation(lenders: World) -> None:
    world = lenders
    amount = 100_000_000
    for step in (1, 2):
        alice, bob = Mana(world, world["alice"]), Mana(world, world["bob"])
        world.push(DelegateVestingShares("alice", "bob", vests(amount * step)))
        assert world["alice"].delegated_vesting_shares == amount * step
        assert world["bob"].received_vesting_shares == amount * step
        assert_mana(world["alice"], alice, -amount)
        assert_mana(world["bob"], bob, amount)
        delegation = world.tables.vesting_delegations.get(("alice", "bob"))
        assert delegation.vesting_shares == amount * step
        assert delegation.min_delegation_time == world.now - 3 * (step - 1)
        world.forward(3)
    world.refuse(DelegateVestingShares("bob", "charlie", vests(amount)), "enough mana to delegate. required:")


def test_delegation_minimum(lenders: World) -> None:
    world = lenders
    price = get_vesting_share_price(world.ctx.gpo)
    least, least_change = multiply(steem(333), price).amount, multiply(steem(33), price).amount
    message = world.refuse(DelegateVestingShares("alice", "bob", vests(least - 1)), "op.vesting_shares >= min_deleg")
    assert message.endswith(
        f'Account must delegate a minimum of {{"amount":"{least}","precision":6,"nai":"@@000000037"}}'
    )
    world.refuse(DelegateVestingShares("alice", "bob", vests(0)), "Account must delegate a minimum of")
    world.push(DelegateVestingShares("alice", "bob", vests(least)))
    for amount in (least, least + least_change - 1):
        world.refuse(DelegateVestingShares("alice", "bob", vests(amount)), "Steem Power increase is not enough of a")
    world.push(DelegateVestingShares("alice", "bob", vests(least + least_change)))
    world.refuse(
        DelegateVestingShares("alice", "bob", vests(least + 1)), "Steem Power decrease is not enough of a difference."
    )
    world.refuse(
        DelegateVestingShares("alice", "bob", vests(least - 1)),
        "Delegation must be removed or leave minimum delegation amount of",
    )
    world.push(DelegateVestingShares("alice", "bob", vests(least)))
    world.push(DelegateVestingShares("alice", "bob", vests(0)))


def test_delegation_refusals(lenders: World) -> None:
    world = lenders
    world.refuse(DelegateVestingShares("alice", "alice", vests(1)), "You cannot delegate VESTS to yourself")
    world.refuse(DelegateVestingShares("alice", "bob", steem(1)), "Delegation must be VESTS")
    world.refuse(DelegateVestingShares("alice", "bob", vests(-1)), "Delegation cannot be negative")
    world.refuse(DelegateVestingShares("alice", "nobody", vests(10**8)), "nobody")
    total = world["alice"].vesting_shares
    message = world.refuse(DelegateVestingShares("alice", "bob", vests(total + 1)), "available_shares >= op.vesting")
    assert message.endswith(f'available: {{"amount":"{total}","precision":6,"nai":"@@000000037"}}')
    world.push(DelegateVestingShares("alice", TREASURY, vests(10**8)))


def set_mana(world: World, **parts: Any) -> None:
    """Sets the mana bars of alice to parts in four of their maximum."""
    alice = world["alice"]
    most = compute_effective_vesting_shares(alice)
    world.tables.accounts.update(
        alice,
        voting_manabar=Manabar(most * parts.get("voting", 4) // 4, world.now),
        downvote_manabar=Manabar(most // 4 * parts.get("downvote", 4) // 4, world.now),
    )


def test_delegation_needs_mana(lenders: World) -> None:
    world = lenders
    whole = DelegateVestingShares("alice", "bob", vests(world["alice"].vesting_shares))
    set_mana(world, voting=3)
    world.refuse(whole, "available_shares >= op.vesting_shares: Account alice does not have enough mana")
    set_mana(world, downvote=3)
    world.refuse(whole, "available_downvote_shares >= op.vesting_shares: Account alice does not have enough downvote")
    set_mana(world)
    world.push(whole)


def test_delegation_without_a_downvote_pool(lenders: World) -> None:
    world = lenders
    world.ctx.update_gpo(downvote_pool_percent=0)
    world.push(DelegateVestingShares("alice", "bob", vests(world["alice"].vesting_shares)))
    assert world["alice"].downvote_manabar.current_mana == 0


def test_vests_are_not_lent_and_powered_down_at_once(lenders: World) -> None:
    world = lenders
    total = world["alice"].vesting_shares
    half = total // 2
    world.push(WithdrawVesting("alice", vests(half)))
    world.refuse(DelegateVestingShares("alice", "bob", vests(total - half + 1)), "enough mana to delegate")
    world.push(DelegateVestingShares("alice", "bob", vests(total - half)))
    world.push(WithdrawVesting("alice", vests(0)))
    world.refuse(WithdrawVesting("alice", vests(half + 1)), "account.vesting_shares - account.delegated_vesting_shares")
    world.push(WithdrawVesting("alice", vests(half)))


@pytest.mark.windows
def test_delegation_returns_after_its_period(lenders: World) -> None:
    world = lenders
    amount = world["alice"].vesting_shares // 2
    world.push(DelegateVestingShares("alice", "bob", vests(amount)))
    world.forward(3)
    alice, bob = Mana(world, world["alice"]), Mana(world, world["bob"])
    world.push(DelegateVestingShares("alice", "bob", vests(0)))
    assert world.tables.vesting_delegations.find(("alice", "bob")) is None
    (returning,) = world.tables.vesting_delegation_expirations.scan()
    assert (returning.delegator, returning.vesting_shares) == ("alice", amount)
    assert returning.expiration == world.now + world.ctx.gpo.delegation_return_period == world.now + 5 * 86_400
    assert world["alice"].delegated_vesting_shares == amount
    assert world["bob"].received_vesting_shares == 0
    assert_mana(world["alice"], alice, 0)
    assert world["bob"].voting_manabar.current_mana == max(bob.voting - amount, 0)
    assert world["bob"].downvote_manabar.current_mana == max(bob.downvote - amount // 4, 0)

    world.forward(5 * 86_400)
    assert world.run(process_expired_delegations) == []
    world.forward(3)
    before, bob_before = Mana(world, world["alice"]), world["bob"]
    assert world.run(process_expired_delegations) == [ReturnVestingDelegation("alice", vests(amount))]
    assert world["alice"].delegated_vesting_shares == 0
    assert_mana(world["alice"], before, amount)
    assert world["bob"] == bob_before
    assert list(world.tables.vesting_delegation_expirations.scan()) == []


def test_delegation_is_not_returned_before_its_least_time(lenders: World) -> None:
    world = lenders
    world.push(DelegateVestingShares("alice", "bob", vests(10**8)))
    delegations = world.tables.vesting_delegations
    later = world.now + 30 * 86_400
    delegations.update(delegations.get(("alice", "bob")), min_delegation_time=later)
    world.push(DelegateVestingShares("alice", "bob", vests(0)))
    (returning,) = world.tables.vesting_delegation_expirations.scan()
    assert returning.expiration == later


def test_delegation_can_be_ended_whatever_the_fee_became(lenders: World) -> None:
    world = lenders
    world.push(DelegateVestingShares("alice", "bob", vests(10**8)))
    world.set_fee(100_000_000)
    world.push(DelegateVestingShares("alice", "bob", vests(0)))
    assert world["alice"].delegated_vesting_shares == 10**8
    assert world["bob"].received_vesting_shares == 0


@pytest.mark.windows
def test_received_vests_vote(lenders: World) -> None:
    """The vote in delegate_vesting_shares_apply: bob, who owns nothing, votes with what alice lent him."""
    world = lenders
    world.vest("alice", 100_000_000)
    amount = world["alice"].vesting_shares // 2
    world.push(DelegateVestingShares("alice", "bob", vests(amount)))
    world.forward(600)
    world.push(post("alice"))
    world.push(vote("bob", "alice"))
    used = (amount * 86_400 + 4_319_999) // 4_320_000
    dust = world.ctx.rules.vote_dust_threshold
    assert dust == 50_000_000
    assert world["bob"].voting_manabar.current_mana == amount - used
    assert find_post(world, "alice").net_rshares == used - dust > 0
    assert find_vote(world, "bob", "alice").rshares == used - dust


def test_powering_down_what_is_lent(lenders: World) -> None:
    """In delegate_vesting_shares_apply: after half and 1,000 more are lent, as many can not be withdrawn."""
    world = lenders
    lent = world["alice"].vesting_shares // 2 + 1_000
    world.push(DelegateVestingShares("alice", "bob", vests(lent)))
    world.refuse(WithdrawVesting("alice", vests(lent)), "does not have sufficient Steem Power for withdraw.")
