"""Every list pages with every order that it names, and orders are named or numbered."""

from collections.abc import Callable
from typing import Any

import pytest

from operations.account import AccountUpdate
from operations.convert import Convert
from operations.escrow import EscrowApprove, EscrowTransfer
from operations.market import LimitOrderCreate
from operations.recovery import ChangeRecoveryAccount, DeclineVotingRights, RequestAccountRecovery
from operations.savings import TransferFromSavings, TransferToSavings
from operations.vesting import DelegateVestingShares, SetWithdrawVestingRoute, WithdrawVesting
from operations.witness import AccountWitnessProxy
from protocol.keys import PrivateKey
from protocol.types import Authority
from rpc.apis.listing import SORT_ORDERS
from tests.harness import Harness, dev_config, sbd, steem, vests
from tests.rpc.service import Service

NAMES = ("alice", "bob", "carol", "dave")
PEERS = (*zip(NAMES, (*NAMES[1:], NAMES[0]), strict=True),)
"""Each account with the next one."""

Start = Callable[[dict[str, Any]], Any]


def owned(name: str) -> Authority:
    return Authority(1, (), ((PrivateKey.from_seed(name).public_key, 1),))


def full_world() -> Harness:
    """A chain with at least three rows in each list, several of them with the same first part of their key."""
    world = Harness(dev_config())
    for name in NAMES[:3]:
        world.make_witness(name)
        world.vote_witness("judy", name)
    world.vote_witness("ivan", "alice")
    make_posts(world)
    for number, (name, peer) in enumerate(PEERS):
        later = world.now + 3600 * (2 + number // 2)
        world.push(AccountWitnessProxy(name, "heidi"))
        world.push(WithdrawVesting(name, vests(1_000_000_000_000)))
        world.push(SetWithdrawVestingRoute(name, peer, 2000, False))
        world.push(SetWithdrawVestingRoute(name, "erin", 2000, False))
        world.push(DelegateVestingShares(name, peer, vests(2_000_000_000_000)))
        world.push(DelegateVestingShares(name, "erin", vests(2_000_000_000_000)))
        world.push(TransferToSavings(name, name, steem(1000), ""))
        world.push(TransferFromSavings(name, number, peer, steem(10), ""))
        world.push(TransferFromSavings(name, number + 7, "erin", steem(10), ""))
        world.push(Convert(name, number, sbd(1000)))
        world.push(EscrowTransfer(name, peer, sbd(0), steem(10), number, "erin", steem(0), "", later, later + 3600))
        world.push(ChangeRecoveryAccount(name, peer, ()))
        world.push(DeclineVotingRights(name, True))
        world.push(LimitOrderCreate(name, 1, steem(1000), sbd(9000 + number // 2), False, world.now + 3600))
        world.push(LimitOrderCreate(name, 2, sbd(1000), steem(9000 + number // 2), False, world.now + 3600))
        world.generate_block()
    alter_rows(world)
    return world


def make_posts(world: Harness) -> None:
    for name, peer in PEERS:
        world.post(name, "first")
        world.generate_block()
        world.post(peer, f"re-{name}", parent=(name, "first"))
        for voter in ("erin", "frank"):
            world.vote(voter, name, "first", 100)
        world.pass_time(330)


def alter_rows(world: Harness) -> None:
    """What needs the rows above: shares on their way back, approved escrows, replaced owners, recovery requests."""
    for number, (name, peer) in enumerate(PEERS):
        world.push(DelegateVestingShares(name, peer, vests(1_000_000_000_000)))
        if number % 2:
            world.push(EscrowApprove(name, peer, "erin", peer, number, True))
            world.push(EscrowApprove(name, peer, "erin", "erin", number, True))
        world.push(AccountUpdate(name, owned(f"{name}2"), None, None, bytes(33), ""), keys=[world.key(name, "owner")])
        world.generate_block()
    for number in range(3):
        world.create_account(f"lost{number}", "erin")
        world.push(RequestAccountRecovery("erin", f"lost{number}", owned(f"new{number}"), ()))
        world.generate_block()


def members(*names: str) -> Start:
    return lambda row: [row[name] for name in names]


def member(name: str) -> Start:
    return lambda row: row[name]


LISTS: list[tuple[str, str, Start]] = [
    ("list_witnesses", "by_name", member("owner")),
    ("list_witnesses", "by_vote_name", members("votes", "owner")),
    ("list_witnesses", "by_schedule_time", members("virtual_scheduled_time", "owner")),
    ("list_witness_votes", "by_account_witness", members("account", "witness")),
    ("list_witness_votes", "by_witness_account", members("witness", "account")),
    ("list_accounts", "by_name", member("name")),
    ("list_accounts", "by_proxy", members("proxy", "name")),
    ("list_accounts", "by_next_vesting_withdrawal", members("next_vesting_withdrawal", "name")),
    ("list_owner_histories", "", members("account", "last_valid_time")),
    ("list_account_recovery_requests", "by_account", member("account_to_recover")),
    ("list_account_recovery_requests", "by_expiration", members("expires", "account_to_recover")),
    ("list_change_recovery_account_requests", "by_account", member("account_to_recover")),
    ("list_change_recovery_account_requests", "by_effective_date", members("effective_on", "account_to_recover")),
    ("list_escrows", "by_from_id", members("from", "escrow_id")),
    (
        "list_escrows",
        "by_ratification_deadline",
        lambda row: [row["to_approved"] and row["agent_approved"], row["ratification_deadline"], row["id"]],
    ),
    ("list_withdraw_vesting_routes", "by_withdraw_route", members("from_account", "to_account")),
    ("list_withdraw_vesting_routes", "by_destination", members("to_account", "id")),
    ("list_savings_withdrawals", "by_from_id", members("from", "request_id")),
    ("list_savings_withdrawals", "by_complete_from_id", members("complete", "from", "request_id")),
    ("list_savings_withdrawals", "by_to_complete", members("to", "complete", "id")),
    ("list_vesting_delegations", "by_delegation", members("delegator", "delegatee")),
    ("list_vesting_delegation_expirations", "by_expiration", members("expiration", "id")),
    ("list_vesting_delegation_expirations", "by_account_expiration", members("delegator", "expiration", "id")),
    ("list_sbd_conversion_requests", "by_conversion_date", members("conversion_date", "id")),
    ("list_sbd_conversion_requests", "by_account", members("owner", "requestid")),
    ("list_decline_voting_rights_requests", "by_account", member("account")),
    ("list_decline_voting_rights_requests", "by_effective_date", members("effective_date", "account")),
    ("list_comments", "by_cashout_time", members("cashout_time", "author", "permlink")),
    ("list_comments", "by_permlink", members("author", "permlink")),
    ("list_comments", "by_root", members("root_author", "root_permlink", "author", "permlink")),
    ("list_comments", "by_parent", members("parent_author", "parent_permlink", "author", "permlink")),
    ("list_comments", "by_last_update", members("parent_author", "last_update", "author", "permlink")),
    ("list_comments", "by_author_last_update", members("author", "last_update", "author", "permlink")),
    ("list_votes", "by_comment_voter", members("author", "permlink", "voter")),
    ("list_votes", "by_voter_comment", members("voter", "author", "permlink")),
    ("list_limit_orders", "by_price", members("sell_price", "id")),
    ("list_limit_orders", "by_account", members("seller", "orderid")),
]
"""A list, its order, and the start at which a row of it stands."""


@pytest.fixture(scope="module")
def full() -> Service:
    return Service(full_world())


async def list_rows(service: Service, method: str, start: Any, limit: int, order: str | int) -> list[Any]:
    params = {"start": start, "limit": limit} | ({"order": order} if order != "" else {})
    (rows,) = (await service.result(f"database_api.{method}", params)).values()
    assert isinstance(rows, list)
    return rows


@pytest.mark.parametrize(("method", "order", "find_start"), LISTS)
async def test_pages_make_the_whole_list(full: Service, method: str, order: str, find_start: Start) -> None:
    whole = await list_rows(full, method, None, 1000, order)
    assert len(whole) >= 3
    paged = await list_rows(full, method, None, 2, order)
    while len(page := await list_rows(full, method, find_start(paged[-1]), 3, order)) > 1:
        assert page[0] == paged[-1]
        paged += page[1:]
    assert paged == whole


@pytest.mark.parametrize(("method", "order"), [(method, order) for method, order, _ in LISTS if order])
async def test_orders_may_be_numbers(full: Service, method: str, order: str) -> None:
    named = await list_rows(full, method, None, 1000, order)
    assert await list_rows(full, method, None, 1000, SORT_ORDERS.index(order)) == named
    assert await list_rows(full, method, None, 1000, str(SORT_ORDERS.index(order))) == named


async def test_every_list_and_order_is_tried() -> None:
    tried = {method for method, _, _ in LISTS} | {"list_proposals", "list_proposal_votes"}
    service = Service()
    known = {name.partition(".")[2] for name in service.dispatcher.methods if name.startswith("database_api.list_")}
    assert tried == known


async def test_prices_are_listed_from_the_greatest_of_the_greatest_market(full: Service) -> None:
    rows = await list_rows(full, "list_limit_orders", None, 1000, "by_price")
    markets = [row["sell_price"]["base"]["nai"] for row in rows]
    assert markets == ["@@000000021"] * 4 + ["@@000000013"] * 4
    wanted = [row["sell_price"]["quote"]["amount"] for row in rows]
    assert wanted == ["9000", "9000", "9001", "9001"] * 2
    price = rows[5]["sell_price"]
    assert await list_rows(full, "list_limit_orders", [price], 1000, "by_price") == rows[4:]
    highest = price | {"quote": price["quote"] | {"amount": "0"}}
    assert await list_rows(full, "list_limit_orders", [highest, 0], 1000, "by_price") == rows[4:]


@pytest.mark.parametrize(
    ("method", "params", "number"),
    [
        ("database_api.find_withdraw_vesting_routes", {"account": "erin", "order": "by_destination"}, 13),
        ("condenser_api.get_withdraw_routes", ["alice", "outgoing"], 1),
        ("condenser_api.get_withdraw_routes", ["alice", "all"], "2"),
        ("condenser_api.list_proposals", [[""], 10, "by_creator", "descending", "all"], 32),
    ],
)
async def test_other_enumerations_may_be_numbers(full: Service, method: str, params: Any, number: int | str) -> None:
    named = await full.result(method, params)
    key: Any = "order" if isinstance(params, dict) else len(params) - 1 if len(params) == 2 else 2
    params[key] = number
    assert await full.result(method, params) == named
    params[key] = 99
    assert "invalid index '99' in enum" in (await full.error(method, params))["message"]
    params[key] = "sideways"
    assert "invalid name 'sideways' in enum" in (await full.error(method, params))["message"]


async def test_routes_of_power_downs_begin_with_their_id(full: Service) -> None:
    routes = await full.result("condenser_api.get_withdraw_routes", ["alice", "outgoing"])
    assert [list(route) for route in routes] == [["id", "from_account", "to_account", "percent", "auto_vest"]] * 2
