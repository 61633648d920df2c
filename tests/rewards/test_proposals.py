"""Proposals are paid and removed by the blocks; counterparts of the reference's proposal_tests.cpp."""

import pytest

from operations.proposal import CreateProposal, UpdateProposalVotes
from operations.vesting import TransferToVesting
from operations.witness import AccountWitnessProxy
from protocol.assets import SBD
from protocol.operation import Operation
from protocol.virtual_operations import ProposalPay, SpsFund
from rewards.proposals import compute_budget, compute_period_pay
from rewards.treasury import start_maintenance_period
from state.balances import LIQUID
from state.context import Context
from state.issuance import issue
from tests.chains import TREASURY
from tests.harness import Harness
from tests.operations.proposing import DAY, FEE, HOUR, MINUTE, Proposals, make_proposals
from tests.operations.world import sbd, steem

NO_TRANSACTION = bytes(20)


def paid(events: list[Operation]) -> list[tuple[str, int]]:
    """Who was paid how much, in order."""
    pays = [event for event in events if isinstance(event, ProposalPay)]
    assert all((pay.trx_id, pay.op_in_trx) == (NO_TRANSACTION, 0) for pay in pays)
    return [(pay.receiver, pay.payment.amount) for pay in pays]


def start_period(proposals: Proposals) -> None:
    """Lets the next period begin now, whatever the hour."""
    start_maintenance_period(proposals.world.ctx)


def next_period(proposals: Proposals) -> list[tuple[str, int]]:
    """Lets an hour pass; returns who was paid how much."""
    return paid(proposals.until(proposals.world.ctx.gpo.next_maintenance_time))


# --- figures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("daily_pay", "seconds", "expected"),
    [
        (48_000, HOUR, 1_996),
        (24_000, HOUR, 998),
        (24_000, HOUR + 3, 1_000),
        (24_000, DAY, 24_000),
        (24_000, 3 * DAY + 93, 72_024),
        (24_000, 429_496, 119_304),
        (24_000, 429_497, 0),
        (24_000, 7 * DAY, 48_693),
        (240_123, HOUR + 3, 10_013),
        (1, HOUR, 0),
        (0, DAY, 0),
    ],
)
def test_pay_for_a_period(daily_pay: int, seconds: int, expected: int) -> None:
    """The share of a day is cut to 1/10,000, so an hour is 416/10,000; beyond 2**32 / 10,000 seconds it wraps round.

    48.693 after seven days is what reference_chain_b was paid.
    """
    assert compute_period_pay(daily_pay, seconds) == expected


@pytest.mark.parametrize(
    ("treasury", "seconds", "expected"),
    [
        (5_000_000_000, HOUR, 2_083_333),
        (5_000_000_000, DAY, 50_000_000),
        (99, DAY, 0),
        (100, DAY - 1, 0),
        (100, DAY, 1),
        (2**62, 10 * 365 * DAY, 2**62 // 100 * 3650),
    ],
)
def test_budget(treasury: int, seconds: int, expected: int) -> None:
    assert compute_budget(treasury, 100, seconds) == expected


# --- payments -----------------------------------------------------------------------------------------------------


@pytest.mark.windows
def test_generating_payments() -> None:
    """One proposal of 48 SBD a day is paid 1.996 SBD for an hour."""
    proposals = make_proposals("alice", "bob", "carol")
    world = proposals.world
    world.fund(TREASURY, sbd(5_000_000))
    number = proposals.create(start=world.now, end=world.now + 2 * DAY, pay=48_000)
    proposals.vote("carol", number)
    world.vest("carol", 1_000)
    start_period(proposals)
    before = {name: world[name].sbd_balance for name in ("alice", "bob", "carol", TREASURY)}
    assert next_period(proposals) == [("bob", 1_996)]
    after = {name: world[name].sbd_balance for name in before}
    assert after == before | {"bob": before["bob"] + 1_996, TREASURY: before[TREASURY] - 1_996}
    row = proposals.row(number)
    assert row is not None and row.total_votes == world["carol"].vesting_shares
    world.recount()


@pytest.mark.windows
def test_five_proposals_over_five_hours() -> None:
    """generating_payments_01: 24 SBD a day is 4.990 SBD in five hours."""
    names = [f"tester00{number}" for number in range(1, 6)]
    proposals = make_proposals(*names, sbd_each=400_000)
    world = proposals.world
    world.fund(TREASURY, sbd(5_000_000_000))
    for name in names:
        world.vest(name, 300_000)
    end = world.now + 7 * HOUR
    made = [proposals.create(name, name, world.now, end, 24_000) for name in names]
    for name in names:
        proposals.vote(name, *made)
    start_period(proposals)
    before = {name: world[name].sbd_balance for name in names}
    for _ in range(5):
        assert next_period(proposals) == [(name, 998) for name in names]
    assert {name: world[name].sbd_balance for name in names} == {name: before[name] + 4_990 for name in names}
    world.recount()


def test_a_proposal_that_is_removed_before_the_payment() -> None:
    """generating_payments_02: 50 votes are removed 20 at a time, nobody is paid."""
    names = [f"a{number:02}" for number in range(50)]
    proposals = make_proposals(*names, sbd_each=400_000, proposal_removals_max=20)
    world = proposals.world
    world.fund(TREASURY, sbd(5_000_000_000))
    for name in names:
        world.vest(name, 300_000)
    start = world.now + 2 * HOUR
    proposals.create("a00", "a00", start, start + 15 * DAY, 24_000)
    for name in names:
        proposals.vote(name, 0)
    before = {name: world[name].sbd_balance for name in names}
    world.forward(start - world.now)
    start_period(proposals)
    assert proposals.until(world.ctx.gpo.next_maintenance_time - 3) == []
    proposals.remove("a00", 0)
    assert (proposals.numbers(), proposals.vote_count()) == ([0], 30)
    assert next_period(proposals) == []
    assert (proposals.numbers(), proposals.vote_count()) == ([0], 10)
    assert {name: world[name].sbd_balance for name in names} == before
    world.recount()


@pytest.mark.windows
def test_proxies_and_a_proposal_that_takes_all() -> None:
    """generating_payments_03: the order of votes decides, and votes of an account with a proxy do not count."""
    names = ("tester00", "tester01", "tester02")
    proposals = make_proposals(*names, sbd_each=41_000)
    world = proposals.world
    world.fund(TREASURY, sbd(5_000_000_000))
    for name, stake in zip(names, (30_000, 30_000, 31_000), strict=True):
        world.vest(name, stake)
    start, end = world.now, world.now + 8 * HOUR
    for name, pay in zip(names, (24_000, 24_000, 50_000_001_000), strict=True):
        number = proposals.create(name, name, start, end, pay)
        if name != "tester02":
            proposals.vote(name, number)
    assert world[TREASURY].sbd_balance == 5_000_000_000 + 3 * FEE
    start_period(proposals)
    assert next_period(proposals) == [("tester00", 998), ("tester01", 998)]
    world.push(AccountWitnessProxy("tester01", "tester00"))
    assert next_period(proposals) == [("tester00", 998)]
    proposals.vote("tester02", 2)
    budget = 3600 * (world[TREASURY].sbd_balance // 100) // DAY
    assert budget == 2_083_344
    assert next_period(proposals) == [("tester00", 998), ("tester02", budget - 998)]
    world.push(AccountWitnessProxy("tester01", ""))
    budget = 3600 * (world[TREASURY].sbd_balance // 100) // DAY
    assert next_period(proposals) == [("tester02", budget)]
    world.recount()


@pytest.mark.windows
def test_equal_votes_are_paid_by_age() -> None:
    proposals = make_proposals("alice", "bob", "carol")
    world = proposals.world
    world.fund(TREASURY, sbd(240_000))
    world.vest("carol", 1_000)
    made = [proposals.create("alice", name, world.now, world.now + DAY, 24_000) for name in ("bob", "carol", "alice")]
    proposals.vote("carol", *reversed(made))
    start_period(proposals)
    assert world[TREASURY].sbd_balance == 240_000 + 3 * FEE
    assert next_period(proposals) == [("bob", 112)]
    world.recount()


@pytest.mark.windows
def test_the_last_one_gets_what_is_left() -> None:
    proposals = make_proposals("alice", "bob", "carol")
    world = proposals.world
    world.fund(TREASURY, sbd(4_770_000))
    world.vest("carol", 1_000)
    for name in ("bob", "alice", "carol"):
        proposals.vote("carol", proposals.create("alice", name, world.now, world.now + DAY, 24_000))
    start_period(proposals)
    assert compute_budget(world[TREASURY].sbd_balance, 100, HOUR) == 2_000
    assert next_period(proposals) == [("bob", 998), ("alice", 998), ("carol", 4)]
    world.recount()


@pytest.mark.windows
def test_pay_that_is_the_budget_to_the_last_unit_ends_the_round() -> None:
    proposals = make_proposals("alice", "bob", "carol")
    world = proposals.world
    world.fund(TREASURY, sbd(2_375_280))
    world.vest("carol", 1_000)
    for name in ("bob", "alice"):
        proposals.vote("carol", proposals.create("alice", name, world.now, world.now + DAY, 24_000))
    start_period(proposals)
    assert compute_budget(world[TREASURY].sbd_balance, 100, HOUR) == 998
    assert next_period(proposals) == [("bob", 998)]
    world.recount()


def test_no_pay_is_reported_too() -> None:
    proposals = make_proposals("alice", "bob", "carol")
    world = proposals.world
    world.fund(TREASURY, sbd(1_000_000))
    world.vest("carol", 1_000)
    proposals.vote("carol", proposals.create(start=world.now, end=world.now + DAY, pay=0))
    start_period(proposals)
    assert next_period(proposals) == [("bob", 0)]
    world.recount()


def test_an_empty_treasury_pays_nobody() -> None:
    proposals = make_proposals("alice", "bob", "carol", treasury_fee=0)
    world = proposals.world
    world.vest("carol", 1_000)
    proposals.vote("carol", proposals.create(start=world.now, end=world.now + DAY, pay=1))
    start_period(proposals)
    assert next_period(proposals) == []
    row = proposals.row(0)
    assert row is not None and row.total_votes == world["carol"].vesting_shares
    world.recount()


@pytest.mark.windows
def test_both_dates_are_included() -> None:
    proposals = make_proposals("alice", "bob", "carol")
    world = proposals.world
    world.fund(TREASURY, sbd(5_000_000_000))
    world.vest("carol", 1_000)
    start_period(proposals)
    first = world.ctx.gpo.next_maintenance_time
    for start, end in ((first, first + HOUR), (first + 1, first + HOUR - 1), (first + HOUR, first + HOUR + 1)):
        proposals.vote("carol", proposals.create("alice", "bob", start, end, 24_000))
    assert next_period(proposals) == [("bob", 998)]
    assert next_period(proposals) == [("bob", 998), ("bob", 998)]
    assert next_period(proposals) == []
    world.recount()


def test_total_votes_stand_still_outside_of_the_dates() -> None:
    proposals = make_proposals("alice", "bob", "carol")
    world = proposals.world
    world.vest("carol", 1_000)
    proposals.vote("carol", proposals.create(start=world.now + 3 * HOUR))
    start_period(proposals)
    next_period(proposals)
    row = proposals.row(0)
    assert row is not None and row.total_votes == 0
    world.recount()


def test_stake_that_came_later_counts() -> None:
    proposals = make_proposals("alice", "bob", "carol", "dan")
    world = proposals.world
    world.fund(TREASURY, sbd(1_000_000))
    world.vest("dan", 7_000)
    proposals.vote("carol", proposals.create(start=world.now, end=world.now + DAY))
    start_period(proposals)
    assert next_period(proposals) == []
    world.fund("carol", steem(5_000))
    world.push(TransferToVesting("carol", "", steem(5_000)))
    world.push(AccountWitnessProxy("dan", "carol"))
    assert [name for name, _ in next_period(proposals)] == ["bob"]
    row = proposals.row(0)
    assert row is not None
    assert row.total_votes == world["carol"].vesting_shares + world["dan"].vesting_shares
    world.recount()


def test_who_declined_to_vote_still_counts() -> None:
    """The reference asks for the stake and the proxy of a voter, for nothing else."""
    proposals = make_proposals("alice", "bob", "carol")
    world = proposals.world
    world.fund(TREASURY, sbd(1_000_000))
    world.vest("carol", 1_000)
    world.tables.accounts.update(world["carol"], can_vote=False)
    proposals.vote("carol", proposals.create(start=world.now, end=world.now + DAY))
    start_period(proposals)
    assert [name for name, _ in next_period(proposals)] == ["bob"]
    world.recount()


@pytest.mark.windows
def test_a_round_sets_the_next() -> None:
    proposals = make_proposals("alice")
    world = proposals.world
    start_period(proposals)
    now = world.now
    assert (world.ctx.gpo.last_budget_time, world.ctx.gpo.next_maintenance_time) == (now, now + HOUR)
    world.ctx.update_gpo(sps_interval_ledger=232)
    assert proposals.until(now + HOUR - 3) == []
    assert proposals.until(now + HOUR + 6) == [SpsFund(sbd(232))]
    gpo = world.ctx.gpo
    assert (gpo.sps_interval_ledger, gpo.last_budget_time) == (0, now + HOUR + 6)
    world.recount()


@pytest.mark.windows
def test_many_voters() -> None:
    """The performance case generating_payments, with 300 accounts in place of 30,000."""
    names = [f"tester{number}" for number in range(300)]
    proposals = make_proposals(*names, sbd_each=11_000)
    world = proposals.world
    world.fund(TREASURY, sbd(5_000_000_000))
    for name in names:
        world.vest(name, 30_000)
    start = world.now + 10 * HOUR
    made = [proposals.create(name, name, start, start + HOUR, 24_000) for name in names[:5]]
    for name in names:
        proposals.vote(name, *made)
    start_period(proposals)
    total = sum(world[name].vesting_shares for name in names)
    while world.ctx.gpo.next_maintenance_time < start:
        assert next_period(proposals) == []
    events = proposals.until(world.ctx.gpo.next_maintenance_time + 3)
    assert paid(events) == [(name, 1_000) for name in names[:5]]
    assert {row.total_votes for row in world.tables.proposals.scan()} == {total}
    world.recount()


# --- removal of finished ones -------------------------------------------------------------------------------------


@pytest.mark.windows
def test_finished_proposals_go_a_day_after_their_end() -> None:
    """proposals_maintenance."""
    proposals = make_proposals("alice", "bob", sbd_each=100_000)
    start = proposals.world.now + 20 * MINUTE
    for end in (10, 30, 20):
        proposals.create("alice", "bob", start + 50, start + end * MINUTE)
    for passed, left in ((0, [0, 1, 2]), (10 * MINUTE - 1, [0, 1, 2]), (10 * MINUTE, [1, 2]), (21 * MINUTE, [1])):
        proposals.until(start + DAY + passed)
        assert proposals.numbers() == left
    proposals.until(start + DAY + 31 * MINUTE)
    assert proposals.numbers() == []
    proposals.world.recount()


@pytest.mark.windows
def test_many_finished_proposals_go_in_portions() -> None:
    """proposals_maintenance_01: 200 proposals, 20 a block."""
    names = [f"a0{number}" for number in range(5)]
    proposals = make_proposals(*names, sbd_each=10_000_000, proposal_removals_max=20)
    start = proposals.world.now + 3 * DAY
    for number in range(200):
        proposals.create(names[number % 5], TREASURY, start, start + 10 * HOUR)
    proposals.until(start + 10 * HOUR + DAY - 3)
    assert len(proposals.numbers()) == 200
    for left in range(180, -20, -20):
        proposals.block()
        assert len(proposals.numbers()) == left
    proposals.world.recount()


@pytest.mark.windows
def test_votes_count_as_removals() -> None:
    """proposals_maintenance_02: 10 proposals with 5 votes each are 60 removals, 20 a block."""
    names = [f"a0{number}" for number in range(5)]
    proposals = make_proposals(*names, sbd_each=10_000_000, proposal_removals_max=20)
    start = proposals.world.now + DAY
    made = [proposals.create(names[number % 5], TREASURY, start, start + 10 * HOUR) for number in range(10)]
    for name in names:
        proposals.vote(name, *made[:5])
        proposals.vote(name, *made[5:])
    proposals.until(start + 10 * HOUR + DAY - 3)
    assert (len(proposals.numbers()), proposals.vote_count()) == (10, 50)
    for left in (40, 20, 0):
        proposals.block()
        assert len(proposals.numbers()) + proposals.vote_count() == left
    proposals.world.recount()


@pytest.mark.windows
def test_a_high_limit_removes_all_at_once() -> None:
    """proposals_removing_with_threshold_03, with 40 accounts and proposals in place of 200."""
    names = [f"tester{number}" for number in range(40)]
    proposals = make_proposals(*names, sbd_each=10_000_000, proposal_removals_max=2**31 - 1)
    start = proposals.world.now + DAY
    made = [proposals.create(name, TREASURY, start, start + 6 * HOUR) for name in names]
    for first in range(0, 40, 5):
        for name in names:
            proposals.vote(name, *made[first : first + 5])
    proposals.until(start + 6 * HOUR + DAY - 3)
    assert (len(proposals.numbers()), proposals.vote_count()) == (40, 1600)
    proposals.block()
    assert (proposals.numbers(), proposals.vote_count()) == ([], 0)
    proposals.world.recount()


@pytest.mark.windows
def test_an_end_at_the_end_of_time_is_finished_at_once() -> None:
    """The day is added in 32 bits, as the reference does."""
    proposals = make_proposals("alice", "bob")
    latest = 2**32 - 1
    kept = proposals.create(start=latest - DAY - 1, end=latest - DAY)
    lost = proposals.create(start=latest - DAY - 1, end=latest - DAY + 1)
    assert proposals.numbers() == [kept, lost]
    proposals.block()
    assert proposals.numbers() == [kept]
    proposals.world.recount()


# --- over blocks --------------------------------------------------------------------------------------------------


def _fund_treasury_and_alice(ctx: Context) -> None:
    issue(ctx, SBD, (5_000_000, (LIQUID, TREASURY)))
    issue(ctx, SBD, (80_000, (LIQUID, "alice")))


@pytest.mark.windows
def test_payments_over_real_blocks() -> None:
    """The whole way: signed transactions, inflation for the treasury, the block with the payment, and its undo."""
    world = Harness()
    world.create_accounts("alice", "bob", "carol")
    for name in ("alice", "carol"):
        world.vest(name, 10_000_000)
    world.set_price(1_000, 1_000)
    world.edit(_fund_treasury_and_alice)
    world.post("alice", "permlink")
    world.apply(CreateProposal("alice", "bob", world.now, world.now + 2 * DAY, sbd(48_000), "subject", "permlink", ()))
    world.apply(UpdateProposalVotes("carol", (0,), True, ()))
    world.generate_until(world.gpo.next_maintenance_time)
    world.generate_until(world.gpo.next_maintenance_time - 3)
    assert world.now == world.gpo.next_maintenance_time - 3
    bob, started = world.account("bob").sbd_balance, world.gpo.last_budget_time
    digest = world.chain.state_digest
    world.generate_block()
    assert world.now - started == HOUR
    assert world.account("bob").sbd_balance - bob == 1_996
    operations = world.history.get_operations_in_block(world.chain.head_number)
    assert [entry.op for entry in operations if isinstance(entry.op, ProposalPay)] == [
        ProposalPay("bob", sbd(1_996), NO_TRANSACTION, 0)
    ]
    world.recount()
    world.chain.ledger.undo_block()
    assert world.chain.state_digest == digest
    world.recount()
