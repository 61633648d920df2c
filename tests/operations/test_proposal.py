"""Proposals are made, voted for and removed; counterparts of the reference's proposal_tests.cpp."""

import pytest

from operations.proposal import CreateProposal, RemoveProposal, UpdateProposalVotes
from protocol.errors import ProtocolError
from protocol.operation import Operation, RequiredAuthorities
from state.tables.proposals import Proposal, ProposalVote
from tests.chains import TREASURY
from tests.harness import Harness
from tests.operations.blog import post
from tests.operations.proposing import DAY, FEE, Proposals, make_proposals
from tests.operations.world import changed, sbd, steem

THRESHOLD = 20
"""What the reference's fixture sets; the node's own is 200."""


@pytest.fixture
def proposals() -> Proposals:
    return make_proposals("alice", "bob", "carol", "dan")


# --- creating -----------------------------------------------------------------------------------------------------


def test_create_proposal(proposals: Proposals) -> None:
    world = proposals.world
    world.forward(600)
    world.push(post("alice", "somethingpermlink"))
    op = changed(proposals.build(), permlink="somethingpermlink")
    world.push(op)
    row = proposals.row(0)
    assert row is not None
    assert row == Proposal(
        0, 0, "alice", "bob", op.start_date, op.end_date, sbd(100), "hello", "somethingpermlink", 0, False,
    )  # fmt: skip
    assert world["alice"].sbd_balance == 80_000 - FEE
    assert world["bob"].sbd_balance == 80_000
    assert world[TREASURY].sbd_balance == FEE
    world.recount()


def test_numbers_count_on_after_a_removal(proposals: Proposals) -> None:
    assert [proposals.create(), proposals.create()] == [0, 1]
    proposals.remove("alice", 1)
    assert proposals.create() == 2
    proposals.world.recount()


def test_the_post_may_be_the_receivers(proposals: Proposals) -> None:
    proposals.world.forward(600)
    proposals.world.push(post("bob", "permlink"))
    proposals.world.push(proposals.build())
    assert proposals.numbers() == [0]
    proposals.world.recount()


def test_the_start_may_be_in_the_past(proposals: Proposals) -> None:
    world = proposals.world
    proposals.create(start=world.now - DAY, end=world.now + DAY)
    assert proposals.numbers() == [0]
    world.recount()


def test_texts_end_at_a_zero_byte(proposals: Proposals) -> None:
    proposals.world.forward(600)
    proposals.world.push(post("alice", "permlink"))
    proposals.world.push(changed(proposals.build(), subject="hel\0lo"))
    row = proposals.row(0)
    assert row is not None and row.subject == "hel"
    proposals.world.recount()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"creator": ""}, "is_valid_account_name( name ): Account name  is invalid"),
        ({"receiver": ""}, "is_valid_account_name( name ): Account name  is invalid"),
        ({"start_date": 4_000_000_000}, "end_date > start_date: end date must be greater than start date"),
        ({"end_date": 1}, "end_date > start_date: end date must be greater than start date"),
        ({"subject": ""}, "!subject.empty(): subject is required"),
        ({"subject": "s" * 81}, "subject.size() <= STEEM_PROPOSAL_SUBJECT_MAX_LENGTH: Subject is too long"),
        ({"daily_pay": sbd(-10)}, "daily_pay.amount >= 0: Daily pay can't be negative value"),
        (
            {"daily_pay": steem(10)},
            "daily_pay.symbol.asset_num == STEEM_ASSET_NUM_SBD: Daily pay should be expressed in SBD",
        ),
        (
            {"start_date": 1, "end_date": 2},
            "o.end_date > _db.head_block_time(): Can't create inactive proposals...",
        ),
        (
            {"receiver": "nobody"},
            "receiver_account != nullptr: Specified receiver account: nobody must exist in the blockchain",
        ),
        (
            {"permlink": "no-such"},
            "commentObject != nullptr: Proposal permlink must point to the article posted by creator or receiver",
        ),
    ],
)
def test_create_proposal_refusals(proposals: Proposals, changes: dict[str, object], expected: str) -> None:
    world = proposals.world
    world.forward(600)
    world.push(post("alice", "permlink"))
    world.refuse(changed(proposals.build(), **changes), expected)
    world.recount()


def test_the_end_must_be_after_the_head_block(proposals: Proposals) -> None:
    world = proposals.world
    world.forward(600)
    world.push(post("alice", "permlink"))
    op = proposals.build(start=world.now - DAY, end=world.now)
    world.refuse(op, "o.end_date > _db.head_block_time(): Can't create inactive proposals...")
    world.push(changed(op, end_date=world.now + 1))
    world.recount()


def test_the_fee_must_be_there() -> None:
    proposals = make_proposals("alice", "bob", sbd_each=FEE - 1)
    world = proposals.world
    world.forward(600)
    world.push(post("alice", "permlink"))
    world.refuse(
        proposals.build(),
        "available >= -delta: Account alice does not have sufficient funds for balance adjustment. "
        'Required: {"amount":"-10000","precision":3,"nai":"@@000000013"}, '
        'Available: {"amount":"9999","precision":3,"nai":"@@000000013"}',
    )
    world.recount()


@pytest.mark.parametrize(
    "op",
    [
        CreateProposal("alice", "bob", 1, 2, sbd(100), "subject", "http:://something.html", ()),
        UpdateProposalVotes("alice", (0,), True, ()),
        RemoveProposal("alice", (1, 2, 3), ()),
    ],
)
def test_the_active_authority_signs(op: Operation) -> None:
    required = RequiredAuthorities()
    op.authorities(required)
    assert (required.actives, required.owners, required.postings, required.others) == ({"alice"}, set(), set(), [])


# --- voting -------------------------------------------------------------------------------------------------------


def test_vote_and_take_it_back(proposals: Proposals) -> None:
    number = proposals.create()
    proposals.vote("carol", number)
    assert proposals.world.tables.proposal_votes.get(("carol", number)) == ProposalVote(0, "carol", number)
    proposals.vote("carol", number, approve=False)
    assert proposals.vote_count() == 0
    proposals.world.recount()


def test_votes_of_two_accounts(proposals: Proposals) -> None:
    proposals.create()
    proposals.create(pay=101)
    proposals.vote("carol", 0, 1)
    assert proposals.votes_of("carol") == [0, 1]
    proposals.create(pay=102)
    proposals.vote("dan", 0, 1, 2)
    assert proposals.votes_of("dan") == [0, 1, 2]
    proposals.vote("dan", 0)
    assert proposals.votes_of("dan") == [0, 1, 2]
    proposals.vote("carol", 2, approve=False)
    assert proposals.votes_of("carol") == [0, 1]
    proposals.vote("carol", 0, approve=False)
    assert proposals.votes_of("carol") == [1]
    proposals.vote("dan", 0, 1, 2, approve=False)
    assert proposals.votes_of("dan") == []
    proposals.vote("carol", 1, approve=False)
    assert proposals.votes_of("carol") == []
    for approve in (True, False):
        proposals.world.refuse(UpdateProposalVotes("carol", (), approve, ()), "proposal_ids.empty() == false")
    proposals.world.recount()


def test_taking_back_what_was_not_given(proposals: Proposals) -> None:
    number = proposals.create()
    proposals.vote("carol", number, approve=False)
    assert proposals.vote_count() == 0
    proposals.world.recount()


def test_numbers_of_no_proposal_are_passed_over(proposals: Proposals) -> None:
    number = proposals.create()
    proposals.vote("carol", -5, -4, -3, -2, -1)
    proposals.vote("carol", -1, number, 99)
    assert proposals.votes_of("carol") == [number]
    proposals.remove("alice", number)
    proposals.remove("alice", number, 99)
    proposals.world.recount()


@pytest.mark.parametrize("op", [UpdateProposalVotes("carol", (), True, ()), RemoveProposal("alice", (), ())])
def test_numbers_are_needed(proposals: Proposals, op: Operation) -> None:
    proposals.create()
    proposals.world.refuse(op, "proposal_ids.empty() == false: ")
    proposals.world.recount()


@pytest.mark.parametrize(
    "op", [UpdateProposalVotes("carol", tuple(range(6)), True, ()), RemoveProposal("alice", tuple(range(6)), ())]
)
def test_at_most_five_numbers(proposals: Proposals, op: Operation) -> None:
    for _ in range(6):
        proposals.create()
    proposals.world.refuse(op, "proposal_ids.size() <= STEEM_PROPOSAL_MAX_IDS_NUMBER: ")
    proposals.world.recount()


def test_the_voter_must_exist_and_sign() -> None:
    world = Harness()
    world.create_account("carol")
    world.vest("carol", 10_000_000)
    for voter in ("urp", "carol"):
        with pytest.raises(ProtocolError):
            world.push(UpdateProposalVotes(voter, (0,), False, ()), keys=[world.key("carol", "posting")])
    world.push(UpdateProposalVotes("carol", (0,), False, ()))
    world.generate_block()
    world.recount()


# --- removing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "rounds"),
    [
        (1, [(0,)]),
        (3, [(0,), (1,), (2,)]),
        (6, [(0, 1, 2, 3), (4, 5)]),
        (2, [(0,), (1,)]),
        (6, [(0, 5), (1, 4), (2, 3)]),
    ],
    ids=["one", "one of many", "many in two steps", "one at a time", "two at a time"],
)
def test_remove_proposals(proposals: Proposals, count: int, rounds: list[tuple[int, ...]]) -> None:
    left = [proposals.create() for _ in range(count)]
    for numbers in rounds:
        proposals.remove("alice", *numbers)
        left = [number for number in left if number not in numbers]
        assert proposals.numbers() == left
    assert left == []
    proposals.world.recount()


@pytest.mark.parametrize("voters", [{0: "bob"}, {0: "bob", 1: "carol"}], ids=["one with a vote", "both with votes"])
@pytest.mark.parametrize("count", [1, 2])
def test_removal_takes_the_votes_along(proposals: Proposals, voters: dict[int, str], count: int) -> None:
    made = [proposals.create() for _ in range(count)]
    for number, voter in voters.items():
        if number in made:
            proposals.vote(voter, number)
            assert proposals.votes_of(voter) == [number]
    proposals.remove("alice", *made)
    assert proposals.numbers() == []
    assert proposals.vote_count() == 0
    proposals.world.recount()


def test_only_the_owner_removes(proposals: Proposals) -> None:
    number = proposals.create()
    expected = "foundPosI->creator == proposal_owner: Only proposal owner can remove it..."
    proposals.world.refuse(RemoveProposal("bob", (number,), ()), expected)
    proposals.world.refuse(RemoveProposal("nobody", (number,), ()), expected)
    proposals.world.push(RemoveProposal("alice", (0,), ()))
    proposals.world.recount()


def test_nobody_asks_whose_they_are_after_the_limit() -> None:
    """As in the reference: a proposal behind the one that used up the limit is marked, whoever made it."""
    proposals = make_proposals("alice", "bob", proposal_removals_max=1)
    proposals.create("alice")
    proposals.create("alice")
    proposals.create("bob", "alice")
    proposals.remove("alice", 0, 1, 2)
    assert [(row.proposal_id, row.removed) for row in proposals.world.tables.proposals.scan()] == [(1, True), (2, True)]
    proposals.world.recount()


def test_limit_of_one_operation() -> None:
    """proposals_removing_with_threshold: 5 proposals with 5 votes each, 20 removals an operation."""
    names = ("a00", "a01", "a02", "a03", "a04")
    proposals = make_proposals(*names, proposal_removals_max=THRESHOLD)
    start = proposals.world.now + 100 * DAY
    made = [proposals.create("a00", TREASURY, start, start + 101 * DAY) for _ in range(5)]
    for name in names:
        proposals.vote(name, *made)
    assert (len(proposals.numbers()), proposals.vote_count()) == (5, 25)
    proposals.remove("a00", *made)
    assert (len(proposals.numbers()), proposals.vote_count()) == (2, 8)
    proposals.remove("a00", *made)
    assert (len(proposals.numbers()), proposals.vote_count()) == (0, 0)
    proposals.block()
    proposals.world.recount()


@pytest.mark.windows
def test_marked_proposals_go_with_the_next_blocks() -> None:
    """proposals_removing_with_threshold_01: 10 proposals with 6 votes each."""
    names = tuple(f"a0{number}" for number in range(6))
    proposals = make_proposals(*names, sbd_each=10_000_000, proposal_removals_max=THRESHOLD)
    world = proposals.world
    start = world.now + 100 * DAY
    made = [proposals.create("a00", TREASURY, start, start + 101 * DAY) for _ in range(10)]
    for name in names:
        proposals.vote(name, *made[:5])
        proposals.vote(name, *made[5:])
    assert proposals.vote_count() == 60

    def counts() -> tuple[int, int]:
        return len(proposals.numbers()), proposals.vote_count()

    proposals.remove("a00", 3)
    proposals.block()
    assert counts() == (9, 54)
    assert proposals.vote_count(3) == 0
    proposals.remove("a00", 1, 2, 7)
    marked = proposals.row(7)
    assert marked is not None and marked.removed
    assert marked.end_date == world.now - DAY
    assert counts() == (7, 36)
    proposals.block()
    assert proposals.row(7) is None
    assert counts() == (6, 36)
    proposals.remove("a00", 5, 6, 7, 8, 9)
    assert [number for number in proposals.numbers() if (row := proposals.row(number)) and row.removed] == [8, 9]
    assert counts() == (4, 18)
    assert sum(proposals.vote_count(number) for number in (0, 4, 8, 9)) == 18
    proposals.remove("a00", 0, 4, 8, 9)
    assert proposals.numbers() == [9]
    assert counts() == (1, 1)
    proposals.block()
    assert counts() == (0, 0)
    world.recount()


def test_a_marked_proposal_takes_no_votes() -> None:
    """proposals_removing_with_threshold_02: 5 proposals with 50 votes each."""
    names = tuple(f"a{number:02}" for number in range(50))
    proposals = make_proposals(*names, proposal_removals_max=THRESHOLD)
    start = proposals.world.now + 100 * DAY
    made = [proposals.create("a00", TREASURY, start, start + 101 * DAY) for _ in range(5)]
    for name in names:
        proposals.vote(name, *made)

    def state() -> tuple[list[int], list[int], int]:
        rows = list(proposals.world.tables.proposals.scan())
        return (
            [row.proposal_id for row in rows],
            [row.proposal_id for row in rows if row.removed],
            (proposals.vote_count()),
        )

    assert state() == ([0, 1, 2, 3, 4], [], 250)
    proposals.remove("a00", 0, 3)
    assert state() == ([0, 1, 2, 3, 4], [0, 3], 230)
    proposals.block()
    assert state() == ([0, 1, 2, 3, 4], [0, 3], 210)
    proposals.block()
    assert state() == ([1, 2, 3, 4], [3], 191)
    proposals.block()
    proposals.block()
    assert state() == ([1, 2, 3, 4], [3], 151)
    proposals.block()
    assert state() == ([1, 2, 4], [], 150)
    proposals.remove("a00", 1)
    assert state() == ([1, 2, 4], [1], 130)
    proposals.remove("a00", 2)
    assert state() == ([1, 2, 4], [1, 2], 110)
    for _ in range(3):
        proposals.block()
    assert state() == ([2, 4], [2], 51)
    proposals.block()
    assert state() == ([4], [], 50)
    proposals.remove("a00", 4)
    assert state() == ([4], [4], 30)
    for name in names:
        proposals.vote(name, 4)
    assert proposals.vote_count() == 30
    proposals.block()
    proposals.block()
    assert state() == ([], [], 0)
    for name in names:
        proposals.vote(name, 4)
    assert proposals.vote_count() == 0
    proposals.world.recount()
