"""What plaudit_api explains is what then really happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from operations.proposal import CreateProposal, UpdateProposalVotes
from operations.savings import TransferFromSavings, TransferToSavings
from operations.transfer import Transfer
from protocol.assets import Price
from protocol.operation import Operation
from protocol.virtual_operations import Interest, ProposalPay
from rewards.virtual_supply import process_virtual_supply
from state.context import SINGLETON, Context
from tests.harness import Harness, config_with, dev_config, sbd, steem
from tests.rpc.service import Service

HOUR = 3600
DAY = 86_400
TREASURY = "steem.dao"


async def explain(world: Harness, what: str, **params: Any) -> Any:
    """The explanation of the state as it is."""
    return (await Service(world).result(f"plaudit_api.explain_{what}", params))["explanation"]


@contextmanager
def undone(world: Harness) -> Iterator[None]:
    """Lets a test change rows without a block; the changes are taken back."""
    world.chain.store.begin()
    yield
    world.chain.store.rollback()


def find_events(world: Harness, kind: type[Operation]) -> list[Any]:
    """The virtual operations of one kind in the head block."""
    applied = world.history.get_operations_in_block(world.chain.head_number)
    return [one.op for one in applied if isinstance(one.op, kind)]


@pytest.mark.parametrize("debt_part", ["below the start", "between", "above the stop"])
async def test_the_print_rate(debt_part: str) -> None:
    """The figures are those the block left behind; the rate on the line is between all and nothing."""
    world = Harness(dev_config())
    gpo, debt = world.gpo, (await explain(world, "sbd"))["debt_bp"]
    limits = {"below the start": (debt, debt + 100), "between": (debt - 30, debt + 70), "above the stop": (0, debt)}
    start, stop = limits[debt_part]
    world.edit(lambda ctx: ctx.update_gpo(sbd_start_percent=start, sbd_stop_percent=stop))
    found, gpo = await explain(world, "sbd"), world.gpo
    assert (found["sbd_start_bp"], found["sbd_stop_bp"], found["debt_bp"]) == (start, stop, debt)
    assert found["sbd_print_rate_bp"] == gpo.sbd_print_rate
    assert gpo.sbd_print_rate == {"below the start": 10_000, "between": 7_000, "above the stop": 0}[debt_part]
    assert int(found["virtual_supply"]) == gpo.virtual_supply
    assert int(found["current_supply"]) + int(found["debt"]) == gpo.virtual_supply
    assert int(found["current_sbd_supply"]) == gpo.current_sbd_supply
    assert found["sbd_interest_rate_bp"] == gpo.sbd_interest_rate
    assert found["median_price"]["base"]["amount"] == "250"


async def test_without_a_price_the_print_rate_stays() -> None:
    world = Harness(dev_config())
    with undone(world):
        _take_the_price_away(world.ctx)
        found = await explain(world, "sbd")
        process_virtual_supply(world.ctx)
        assert (found["debt"], found["debt_bp"]) == (0, 0)
        assert found["sbd_print_rate_bp"] == world.gpo.sbd_print_rate == 1_234
        assert int(found["virtual_supply"]) == world.gpo.virtual_supply == world.gpo.current_supply


def _take_the_price_away(ctx: Context) -> None:
    feeds = ctx.tables.feed_history
    feeds.update(feeds.get(SINGLETON), current_median_history=Price())
    ctx.update_gpo(sbd_print_rate=1_234)


def _let_interest_grow() -> Harness:
    """Alice has SBD and savings that were touched lately and last got interest 40 days ago."""
    world = Harness(dev_config())
    world.apply(TransferToSavings("alice", "alice", sbd(12_345_678), ""))
    world.pass_time(40 * DAY)
    world.edit(lambda ctx: ctx.update_gpo(sbd_interest_rate=1_000))
    return world


@pytest.mark.parametrize("kind", ["liquid", "savings"])
async def test_interest(kind: str) -> None:
    """The payment is the explained one; afterwards nothing is due for 30 days."""
    world = _let_interest_grow()
    explained = await explain(world, "interest", account="alice")
    found = explained[kind]
    interest = int(found["interest"])
    assert found["is_due"] and interest > 0
    assert found["seconds_held"] == world.now - found["last_payment"]
    touches = {
        "liquid": Transfer("alice", "bob", sbd(1), ""),
        "savings": TransferFromSavings("alice", 1, "alice", sbd(1), ""),
    }
    world.apply(touches[kind])
    paid = [event.interest.amount for event in find_events(world, Interest) if event.owner == "alice"]
    assert paid == [interest]
    after = (await explain(world, "interest", account="alice"))[kind]
    assert int(after["balance"]) == int(found["balance"]) + interest - 1
    assert after["last_payment"] == found["time"]
    assert after["due_after"] == found["time"] + 30 * DAY
    assert (after["is_due"], after["interest"]) == (False, 0)
    assert int(after["sbd_seconds"]) == int(after["balance"]) * (after["time"] - found["time"])


async def test_interest_is_due_after_the_shown_second() -> None:
    world = Harness(dev_config())
    due_after = (await explain(world, "interest", account="alice"))["liquid"]["due_after"]
    world.generate_until(due_after)
    while world.now <= due_after:
        assert not (await explain(world, "interest", account="alice"))["liquid"]["is_due"]
        world.generate_block()
    assert (await explain(world, "interest", account="alice"))["liquid"]["is_due"]


async def test_interest_of_nobody() -> None:
    error = await Service().error("plaudit_api.explain_interest", {"account": "nobody"})
    assert "Could not find account nobody" in error["message"]


def _make_proposals(treasury: int) -> Harness:
    """Four proposals at once and a later one; the first voted for by most; the treasury gets no inflation."""
    world = Harness(dev_config(proposal_fund_percent_bp=0, treasury_fee=1))
    world.fund(TREASURY, sbd_amount=treasury)
    for name in ("alice", "bob"):
        world.post(name, "plan")
    world.generate_block()
    now = world.now
    for number, days in enumerate((0, 0, 0, 0, 3)):
        start, end = now + days * DAY + 60, now + 30 * DAY
        world.push(CreateProposal("alice", "carol", start, end, sbd(24_000 + number), f"s{number}", "plan", ()))
    world.generate_block()
    world.push(UpdateProposalVotes("alice", (0, 1, 4), True, ()))
    world.push(UpdateProposalVotes("bob", (0, 1, 2), True, ()))
    world.push(UpdateProposalVotes("dave", (1,), True, ()))
    world.generate_block()
    return world


@pytest.mark.parametrize(
    ("treasury", "outcomes"),
    [
        (100_000_000, ["paid", "paid", "paid", "no votes"]),
        (3_600_000, ["paid", "paid", "budget used up", "no votes"]),
        (100, ["budget used up", "budget used up", "budget used up", "no votes"]),
    ],
)
async def test_proposals(treasury: int, outcomes: list[str]) -> None:
    """The payments of the next hour are the explained ones, in their order."""
    world = _make_proposals(treasury)
    found = await explain(world, "proposals")
    parts = found["proposals"]
    assert [part["proposal_id"] for part in parts] == [1, 0, 2, 3, 4]
    assert [part["outcome"] for part in parts] == [*outcomes, "not started"]
    assert found["treasury_balance"] == world.account(TREASURY).sbd_balance == treasury + 5
    assert found["daily_budget"] == world.account(TREASURY).sbd_balance // 100
    world.generate_until(found["time"])
    assert world.now == found["time"]
    payments = [event.payment.amount for event in find_events(world, ProposalPay)]
    assert payments == [part["payment"] for part in parts if part["outcome"] == "paid"]
    assert sum(payments) <= found["budget"]
    for part in parts[:4]:
        assert world.tables.proposals.get(part["proposal_id"]).total_votes == int(part["total_votes"])
    assert world.gpo.last_budget_time == found["time"]
    assert world.gpo.next_maintenance_time == (await explain(world, "proposals"))["time"]


async def test_a_period_that_is_no_number_of_blocks() -> None:
    """The maintenance is in the first block at its time or later."""
    world = Harness(dev_config(proposal_maintenance_period_seconds=100))
    for _ in range(3):
        found = await explain(world, "proposals")
        before = world.gpo.last_budget_time
        world.generate_until(found["time"] - 3, sparse=False)
        assert world.gpo.last_budget_time == before
        world.generate_block()
        assert world.gpo.last_budget_time == found["time"] == before + found["passed_seconds"]


async def test_credits() -> None:
    """What the payer has afterwards is less by the explained cost."""
    world = Harness(dev_config(), needs_credits=True)
    transaction = world.sign(world.build(Transfer("alice", "bob", steem(1), "memo")), world.key("alice"))
    for legacy in (True, False):
        found = await explain(world, "credits", trx=transaction.to_json(world.codec, legacy))
        cost = int(found["cost"])
        assert (found["payer"], found["is_enough"], found["seconds_until_enough"]) == ("alice", True, 0)
        assert cost == sum(int(resource["cost"]) for resource in found["resources"]) > 0
        assert found["resources"][0]["usage"] == transaction.size
    for resource in found["resources"]:
        unit, factor, divisor = (int(resource[f"price_{part}"]) for part in ("unit", "factor", "divisor"))
        usage = resource["usage"]
        assert int(resource["cost"]) == (factor * unit * usage // divisor + 1 if usage else 0)
    world.chain.push_transaction(transaction)
    left = world.tables.rc_accounts.get("alice").rc_manabar
    assert left.current_mana == int(found["current"]) - cost
    assert left.last_update_time == found["time"]


async def test_credits_that_are_missing() -> None:
    """The figures are those of the refusal, and after the time shown there are enough."""
    world = Harness(dev_config(), needs_credits=True)
    row = world.tables.rc_accounts.get("alice")
    world.edit(lambda ctx: _empty(ctx, "alice"))
    transaction = world.sign(world.build(Transfer("alice", "bob", steem(1), "")), world.key("alice"))
    shown = transaction.to_json(world.codec, False)
    found = await explain(world, "credits", trx=shown)
    assert not found["is_enough"]
    assert int(found["maximum"]) == row.last_max_rc
    refusal = await Service(world).error("condenser_api.broadcast_transaction", [shown])
    values = refusal["data"]["stack"][0]["data"]
    assert (int(values["rc_needed"]), int(values["rc_current"])) == (int(found["cost"]), int(found["current"]))
    assert refusal["data"]["advice"]["seconds_until_enough"] == found["seconds_until_enough"] > 0
    world.pass_time(found["seconds_until_enough"] + 3)
    assert (await explain(world, "credits", trx=shown))["is_enough"]


def _empty(ctx: Context, name: str) -> None:
    """Leaves an account far below 0."""
    table = ctx.tables.rc_accounts
    row = table.get(name)
    table.update(row, rc_manabar=row.rc_manabar._replace(current_mana=-row.last_max_rc // 10))


async def test_credits_of_nobody() -> None:
    """Before there are pools, without a payer, and for a payer that does not exist."""
    world = Harness(config_with("dev"), first_block=False)
    shown = world.build(Transfer("nobody", "bob", steem(1), "")).to_json(world.codec, False)
    assert world.tables.rc_pools.find(SINGLETON) is None
    error = await Service(world).error("plaudit_api.explain_credits", {"trx": shown})
    assert "from the first block on" in error["message"]
    world.generate_block()
    error = await Service(world).error("plaudit_api.explain_credits", {"trx": shown})
    assert "Could not find account nobody" in error["message"]
    found = await explain(world, "credits", trx=world.build().to_json(world.codec, False))
    assert (found["payer"], found["current"], found["is_enough"]) == (None, None, False)


async def test_where_stake_gives_no_credits_all_is_free() -> None:
    """An account below 0 may act, too: what is free is not refused."""
    world = Harness(dev_config())
    shown = world.build(Transfer("alice", "null", steem(1), "")).to_json(world.codec, False)
    with undone(world):
        _empty(world.ctx, "alice")
        assert not (await explain(world, "credits", trx=shown))["is_enough"]
        world.ctx.update_gpo(total_vesting_shares=143_999)
        found = await explain(world, "credits", trx=shown)
    assert (found["cost"], found["is_enough"], found["seconds_until_enough"]) == (0, True, 0)
    assert int(found["current"]) < 0
