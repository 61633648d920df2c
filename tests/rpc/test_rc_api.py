"""rc_api through the dispatcher: the ways clients ask, and the answer to a broadcast without credits."""

from __future__ import annotations

from typing import Any

from operations.transfer import Transfer
from protocol.resources import RESOURCE_NAMES
from tests.harness import Harness, steem
from tests.rpc.service import Service


async def test_accounts_are_found_by_name_and_others_left_out() -> None:
    service = Service(Harness())
    answer = await service.result("rc_api.find_rc_accounts", {"accounts": ["null", "nobody", "initminer"]})
    now, bonus = service.world.now, 2_020_748_973
    assert answer["rc_accounts"][0] == {
        "account": "null",
        "rc_manabar": {"current_mana": bonus, "last_update_time": now},
        "max_rc_creation_adjustment": {"amount": str(bonus), "precision": 6, "nai": "@@000000037"},
        "max_rc": bonus,
    }
    assert [row["account"] for row in answer["rc_accounts"]] == ["null", "initminer"]


async def test_the_call_form_of_dsteem_is_understood() -> None:
    service = Service(Harness())
    plain = await service.result("rc_api.find_rc_accounts", {"accounts": ["initminer"]})
    assert await service.result("call", ["rc_api", "find_rc_accounts", {"accounts": ["initminer"]}]) == plain


async def test_at_most_a_thousand_accounts_are_looked_up() -> None:
    error = await Service(Harness()).error("rc_api.find_rc_accounts", {"accounts": ["x"] * 1001})
    assert "RC_API_SINGLE_QUERY_LIMIT" in error["message"]


async def test_pools_have_the_names_of_the_resources_and_begin_with_the_first_block() -> None:
    pool = (await Service(Harness()).result("rc_api.get_resource_pool", {}))["resource_pool"]
    assert list(pool) == list(RESOURCE_NAMES)
    assert pool["resource_history_bytes"] == {"pool": "27050539252"}
    before = Service(Harness(first_block=False))
    await before.error("rc_api.get_resource_pool", {})
    await before.error("rc_api.get_resource_params", {})
    assert await before.result("rc_api.find_rc_accounts", {"accounts": ["null"]}) == {"rc_accounts": []}


async def test_a_refused_broadcast_says_what_to_do_beside_the_answer_of_the_reference() -> None:
    world = Harness()
    world.create_account("alice")
    world.fund("alice", 1_000)
    world.chain.refuses_without_credits = True
    transaction = world.sign(world.build(Transfer("alice", "null", steem(1), "")), world.key("alice"))
    shown = transaction.to_json(world.codec, True)
    error: dict[str, Any] = await Service(world).error("condenser_api.broadcast_transaction", [shown])
    data = error["data"]
    assert (error["code"], data["code"], data["name"]) == (-32000, 4_100_000, "plugin_exception")
    assert data["stack"][0]["data"] == {"account": "alice", "rc_needed": 4, "rc_current": 0}
    assert data["advice"] == {
        "rc_missing": 4,
        "max_rc": 0,
        "seconds_until_enough": None,
        "remedy": "alice can never hold this many credits: power up TESTS or be delegated 4 VESTS satoshis more.",
        "rule": "credits_missing",
    }
