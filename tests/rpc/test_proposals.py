"""The lists of proposals and of votes for them: every order, both directions, every status, page by page."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from operations.content import Comment
from operations.proposal import CreateProposal, RemoveProposal, UpdateProposalVotes
from protocol.assets import SBD
from protocol.times import time_text
from state.balances import LIQUID
from state.context import Context
from state.issuance import issue
from tests.harness import Harness, config_with, sbd
from tests.rpc.service import Service

HOUR = 3600
DAY = 86_400
LIMITED = 3


def _proposals(world: Harness) -> None:
    """0 active, 1 active, 2 inactive, 3 expired (for an hour), 4 active and marked as removed with a vote left."""
    for name in ("alice", "bob", "carol"):
        world.create_account(name)
        world.vest(name, 10_000_000 if name != "bob" else 20_000_000)
    world.set_price(1000, 1000)
    world.edit(_fund)
    world.push(Comment("", "test", "alice", "plan", "title", "body", ""))
    world.push(Comment("", "test", "bob", "plan", "title", "body", ""))
    world.generate_block()
    now = world.now
    dates = ((-1, 9), (-2, 5), (7, 8), (-3, 1), (-4, 6))
    for number, (start, end) in enumerate(dates):
        creator = "alice" if number != 1 else "bob"
        start_date, end_date = now + start * DAY, now + end * HOUR * (1 if number == 3 else 24)
        world.push(CreateProposal(creator, "carol", start_date, end_date, sbd(1000), f"s{number}", "plan", ()))
    world.generate_block()
    world.push(UpdateProposalVotes("alice", (0, 1, 2, 3, 4), True, ()))
    world.push(UpdateProposalVotes("bob", (1, 4), True, ()))
    world.push(UpdateProposalVotes("carol", (0, 4), True, ()))
    world.push(UpdateProposalVotes("initminer", (4,), True, ()))
    world.generate_block()
    world.generate_until(now + 2 * HOUR)


def _fund(ctx: Context) -> None:
    issue(ctx, SBD, (1_000_000, (LIQUID, "steem.dao")))
    for name in ("alice", "bob"):
        issue(ctx, SBD, (100_000, (LIQUID, name)))


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    world = Harness(config_with("testnet", proposal_removals_max=LIMITED))
    _proposals(world)
    # The removal stays pending, so that the proposal is still there with the mark and its last vote.
    world.push(RemoveProposal("alice", (4,), ()))
    assert world.tables.proposals.get(4).removed
    yield Service(world)
    world.recount()


async def ask(service: Service, **params: Any) -> list[int]:
    """The numbers of the proposals in a list."""
    asked = {"start": [], "limit": 100, "order": "by_creator", "order_direction": "ascending", "status": "all"} | params
    found = (await service.result("database_api.list_proposals", asked))["proposals"]
    positional = [asked[name] for name in ("start", "limit", "order", "order_direction", "status")]
    legacy = await service.result("condenser_api.list_proposals", positional)
    assert [row["id"] for row in legacy] == [row["id"] for row in found]
    return [row["id"] for row in found]


ORDERS = {
    "by_creator": [0, 2, 3, 1],
    "by_start_date": [3, 1, 0, 2],
    "by_end_date": [3, 1, 2, 0],
    "by_total_votes": [2, 0, 1],
}


@pytest.mark.parametrize("order", ["by_creator", "by_start_date", "by_end_date"])
async def test_orders_and_directions(service: Service, order: str) -> None:
    assert await ask(service, order=order) == ORDERS[order]
    assert await ask(service, start=None, order=order, order_direction="descending") == ORDERS[order][::-1]
    assert await ask(service, start=None, order=order, order_direction="descending", limit=2) == ORDERS[order][:1:-1]
    assert await ask(service, order=order, limit=2) == ORDERS[order][:2]


async def test_order_of_votes(service: Service) -> None:
    """Proposal 3 ended within the hour, after one round of payments."""
    assert [number for number in await ask(service, order="by_total_votes") if number != 3] == [2, 0, 1]
    votes = {row.proposal_id: row.total_votes for row in service.world.tables.proposals.scan()}
    assert votes[1] > votes[0] > votes[2] == 0
    asked = {"order": "by_total_votes", "order_direction": "descending"}
    assert await ask(service, start=[votes[1], 1], **asked) == await ask(service, start=[votes[1]], **asked)
    assert (await ask(service, start=[votes[1] + 1], **asked))[0] == 1


@pytest.mark.parametrize(
    ("order", "start", "ascending", "descending"),
    [
        ("by_creator", [], [0, 2, 3, 1], []),
        ("by_creator", [""], [0, 2, 3, 1], []),
        ("by_creator", ["alice"], [0, 2, 3, 1], []),
        ("by_creator", ["alice", 2], [2, 3, 1], [0]),
        ("by_creator", ["alicf"], [1], [3, 2, 0]),
        ("by_creator", ["bob", 1], [1], [3, 2, 0]),
        ("by_creator", ["zoe", 0], [], [1, 3, 2, 0]),
    ],
)
async def test_start(service: Service, order: str, start: Any, ascending: list[int], descending: list[int]) -> None:
    """Ascending begins at the place, descending before it."""
    assert await ask(service, order=order, start=start) == ascending
    assert await ask(service, order=order, start=start, order_direction="descending") == descending


async def test_start_at_a_time(service: Service) -> None:
    """The order of ends is that of the times from which they may be removed, a day later."""
    rows = service.world.tables.proposals
    begins = [time_text(rows.get(0).start_date)]
    assert await ask(service, order="by_start_date", start=begins) == [0, 2]
    assert await ask(service, order="by_start_date", start=begins, order_direction="descending") == [1, 3]
    removable = [time_text(rows.get(1).end_date + DAY), 1]
    assert await ask(service, order="by_end_date", start=removable) == [1, 2, 0]
    assert await ask(service, order="by_end_date", start=removable, order_direction="descending") == [3]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("all", [0, 2, 3, 1]),
        ("active", [0, 1]),
        ("inactive", [2]),
        ("expired", [3]),
        ("votable", [0, 2, 1]),
        (0, [0, 2, 3, 1]),
        (3, [3]),
    ],
)
async def test_status(service: Service, status: Any, expected: list[int]) -> None:
    assert await ask(service, status=status) == expected
    assert await ask(service, status=status, limit=1) == expected[:1]
    assert await ask(service, status=status, start=None, order_direction=1) == expected[::-1]


async def test_status_is_shown_by_database_api_alone(service: Service) -> None:
    shown = await service.result("database_api.find_proposals", {"proposal_ids": [0, 2, 3]})
    assert [row["status"] for row in shown["proposals"]] == ["active", "inactive", "expired"]
    assert shown["proposals"][0]["daily_pay"] == {"amount": "1000", "precision": 3, "nai": "@@000000013"}
    (legacy,) = await service.result("condenser_api.find_proposals", [[0]])
    assert "status" not in legacy
    assert legacy["daily_pay"] == "1.000 TBD"


async def test_find(service: Service) -> None:
    """In the order asked for, without what is not there or marked as removed."""
    shown = await service.result("database_api.find_proposals", {"proposal_ids": [3, 4, 99, 1]})
    assert [row["id"] for row in shown["proposals"]] == [3, 1]


async def ask_votes(service: Service, **params: Any) -> list[tuple[str, int]]:
    """Voters and numbers in a list of votes."""
    asked = {"start": [], "limit": 100, "order": "by_voter_proposal"} | params
    rows = (await service.result("database_api.list_proposal_votes", asked))["proposal_votes"]
    positional = [asked[name] for name in ("start", "limit", "order", "order_direction") if name in asked]
    assert await service.result("condenser_api.list_proposal_votes", positional) == rows
    return [(row["voter"], row["proposal"]["id"]) for row in rows]


BY_VOTER = [("alice", 0), ("alice", 1), ("alice", 2), ("alice", 3), ("bob", 1), ("carol", 0)]
BY_PROPOSAL = [("alice", 0), ("carol", 0), ("alice", 1), ("bob", 1), ("alice", 2), ("alice", 3)]


async def test_votes(service: Service) -> None:
    """Votes for a proposal that is marked as removed are not shown; the status asked for makes no difference."""
    assert service.world.tables.proposal_votes.find(("initminer", 4)) is not None
    assert await ask_votes(service) == BY_VOTER
    assert await ask_votes(service, status="expired") == BY_VOTER
    assert await ask_votes(service, order="by_proposal_voter") == BY_PROPOSAL
    assert await ask_votes(service, limit=2) == BY_VOTER[:2]
    descending = {"order_direction": "descending"}
    assert await ask_votes(service, start=None, **descending) == BY_VOTER[::-1]
    assert await ask_votes(service, start=None, order="by_proposal_voter", **descending) == BY_PROPOSAL[::-1]
    assert await ask_votes(service, start=["bob", 1]) == BY_VOTER[4:]
    assert await ask_votes(service, start=["bob", 1], **descending) == BY_VOTER[3::-1]
    assert await ask_votes(service, start=[1, "bob"], order="by_proposal_voter") == BY_PROPOSAL[3:]
    assert await ask_votes(service, start=[1], order="by_proposal_voter", **descending) == BY_PROPOSAL[1::-1]
    assert await ask_votes(service, **descending) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"limit": 1001}, "args.limit <= DATABASE_API_SINGLE_QUERY_LIMIT"),
        ({"order": "by_price"}, "Unknown or unsupported sort order"),
        ({"order_direction": "sideways"}, "invalid name 'sideways' in enum"),
        ({"order_direction": 2}, "invalid index '2' in enum"),
        ({"status": "late"}, "invalid name 'late' in enum 'steem::plugins::database_api::proposal_status'"),
    ],
)
async def test_refusals(service: Service, changes: dict[str, Any], expected: str) -> None:
    asked = {"start": [], "limit": 100, "order": "by_creator"} | changes
    error = await service.error("database_api.list_proposals", asked)
    assert expected in error["message"]
    if "order" not in changes:
        asked["order"] = "by_voter_proposal"
    error = await service.error("database_api.list_proposal_votes", asked)
    assert expected in error["message"]


async def test_too_many_are_looked_for(service: Service) -> None:
    error = await service.error("database_api.find_proposals", {"proposal_ids": list(range(1001))})
    assert "DATABASE_API_SINGLE_QUERY_LIMIT" in error["message"]
