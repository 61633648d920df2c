"""What the methods answer: which there are, the members of their objects, and values of a chain that is known."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
import pytest

from chain.block_log import MemoryBlockLog
from chain.chain import Chain
from chain.pending import Dropped
from chain.reversible import ReversibleBlocks
from operations.transfer import Transfer
from protocol.block import Block
from protocol.codec import codec_for
from protocol.errors import Rejected
from protocol.keys import encode_public_key, sign_digest
from protocol.times import time_text
from rpc.account_json import ACCOUNTS_KEPT, AccountJson
from state.engine.kv import MemoryBackend
from tests.harness import Harness, config_with, dev_config, sbd, steem
from tests.rpc.service import Service
from tests.vectors import clients_path

EXTENDED = "condenser_api::extended_account"
POST = ["alice", "first"]

OBJECTS: list[tuple[str, Any, tuple[Any, ...], str]] = [
    ("condenser_api.get_accounts", [["alice"]], (0,), EXTENDED),
    ("condenser_api.lookup_account_names", [["alice"]], (0,), "condenser_api::api_account_object"),
    (
        "condenser_api.get_dynamic_global_properties",
        [],
        (),
        "condenser_api::extended_dynamic_global_properties",
    ),
    ("condenser_api.get_content", POST, (), "condenser_api::discussion"),
    ("condenser_api.get_content", ["nobody", "none"], (), "condenser_api::discussion"),
    ("condenser_api.get_content_replies", POST, (0,), "condenser_api::discussion"),
    ("condenser_api.get_active_votes", POST, (0,), "tags::vote_state"),
    ("condenser_api.get_account_votes", ["bob"], (0,), "condenser_api::account_vote"),
    ("condenser_api.get_witness_by_account", ["initminer"], (), "condenser_api::api_witness_object"),
    ("condenser_api.get_witnesses_by_vote", ["", 10], (0,), "condenser_api::api_witness_object"),
    ("condenser_api.get_witness_schedule", [], (), "condenser_api::api_witness_schedule_object"),
    ("condenser_api.get_chain_properties", [], (), "condenser_api::api_chain_properties"),
    ("condenser_api.get_feed_history", [], (), "condenser_api::api_feed_history_object"),
    ("condenser_api.get_current_median_history_price", [], (), "condenser_api::legacy_price"),
    ("condenser_api.get_next_scheduled_hardfork", [], (), "condenser_api::scheduled_hardfork"),
    ("condenser_api.get_reward_fund", ["post"], (), "condenser_api::api_reward_fund_object"),
    ("condenser_api.get_version", [], (), "condenser_api::get_version_return"),
    ("condenser_api.get_block", [2], (), "condenser_api::legacy_signed_block"),
    ("condenser_api.get_block", [2], ("transactions", 0), "condenser_api::legacy_signed_transaction"),
    ("condenser_api.get_block_header", [2], (), "protocol::block_header"),
    ("condenser_api.get_ops_in_block", [2, False], (0,), "condenser_api::api_operation_object"),
    ("condenser_api.get_account_history", ["alice", -1, 3], (0, 1), "condenser_api::api_operation_object"),
    ("condenser_api.get_open_orders", ["alice"], (0,), "condenser_api::api_limit_order_object"),
    ("condenser_api.get_order_book", [10], (), "condenser_api::order_book"),
    ("condenser_api.get_order_book", [10], ("asks", 0), "condenser_api::order"),
    ("condenser_api.get_vesting_delegations", ["alice", "", 10], (0,), "condenser_api::api_vesting_delegation_object"),
    ("condenser_api.get_account_reputations", ["", 10], (0,), "reputation::account_reputation"),
    ("database_api.find_accounts", {"accounts": ["alice"]}, ("accounts", 0), "database_api::api_account_object"),
    ("database_api.list_accounts", {}, ("accounts", 0), "database_api::api_account_object"),
    ("database_api.get_dynamic_global_properties", {}, (), "chain::dynamic_global_property_object"),
    ("database_api.get_witness_schedule", {}, (), "database_api::api_witness_schedule_object"),
    ("database_api.get_hardfork_properties", {}, (), "database_api::api_hardfork_property_object"),
    ("database_api.get_reward_funds", {}, ("funds", 0), "chain::reward_fund_object"),
    ("database_api.get_current_price_feed", {}, (), "protocol::price"),
    ("database_api.get_feed_history", {}, (), "database_api::api_feed_history_object"),
    ("database_api.get_version", {}, (), "database_api::get_version_return"),
    ("database_api.list_witnesses", {}, ("witnesses", 0), "database_api::api_witness_object"),
    ("database_api.find_witnesses", {"owners": ["initminer"]}, ("witnesses", 0), "database_api::api_witness_object"),
    ("database_api.list_witness_votes", {}, ("votes", 0), "chain::witness_vote_object"),
    ("database_api.find_comments", {"comments": [POST]}, ("comments", 0), "database_api::api_comment_object"),
    ("database_api.list_comments", {"start": POST, "limit": 1}, ("comments", 0), "database_api::api_comment_object"),
    (
        "database_api.find_votes",
        {"author": "alice", "permlink": "first"},
        ("votes", 0),
        "database_api::api_comment_vote_object",
    ),
    ("database_api.list_votes", {"start": ["", "", ""]}, ("votes", 0), "database_api::api_comment_vote_object"),
    ("database_api.find_limit_orders", {"account": "bob"}, ("orders", 0), "chain::limit_order_object"),
    ("database_api.get_order_book", {"limit": 5}, (), "database_api::order_book"),
    ("database_api.list_vesting_delegations", {}, ("delegations", 0), "chain::vesting_delegation_object"),
    (
        "database_api.find_withdraw_vesting_routes",
        {"account": "carol"},
        ("routes", 0),
        "chain::withdraw_vesting_route_object",
    ),
    ("block_api.get_block", {"block_num": 2}, ("block",), "block_api::api_signed_block_object"),
    ("block_api.get_block_header", {"block_num": 2}, ("header",), "protocol::block_header"),
    (
        "account_history_api.get_ops_in_block",
        {"block_num": 2, "only_virtual": False},
        ("ops", 0),
        "account_history::api_operation_object",
    ),
    (
        "account_history_api.get_account_history",
        {"account": "alice"},
        ("history", 0, 1),
        "account_history::api_operation_object",
    ),
    (
        "account_history_api.enum_virtual_ops",
        {"block_range_begin": 1, "block_range_end": 9},
        (),
        "account_history::enum_virtual_ops_return",
    ),
]
"""Method, parameters, where the object lies in the result, and its name in the reference."""

OPTIONAL = {
    EXTENDED: {"open_orders", "comments", "feed", "blog", "recent_replies", "recommended"},
    "condenser_api::discussion": {"first_reblogged_by", "first_reblogged_on"},
}
"""Members that the reference leaves out when they hold nothing."""


@cache
def read_objects() -> dict[str, list[str]]:
    """Members of the reference's objects in their order, by the last two parts of their names."""
    declared: dict[str, tuple[str, list[str]]] = {}
    pattern = re.compile(r"- `([\w:]+)`(?: EXTENDS `([\w:]+)`)?: (.*?)(?:  \*.*)?$")
    for line in clients_path("objects.md").read_text().splitlines():
        if match := pattern.match(line):
            declared[match[1]] = (match[2] or "", match[3].split(", "))

    def members(name: str) -> list[str]:
        base, own = declared[name]
        return (members(base) if base else []) + own

    return {"::".join(name.split("::")[-2:]): members(name) for name in declared}


@pytest.mark.parametrize(("method", "params", "path", "name"), OBJECTS)
async def test_objects_have_the_members_of_the_reference_in_order(
    busy: Service, method: str, params: Any, path: tuple[Any, ...], name: str
) -> None:
    shown = await busy.result(method, params)
    for step in path:
        shown = shown[step]
    members = [member for member in read_objects()[name] if member not in OPTIONAL.get(name, ())]
    assert list(shown) == members


async def test_every_method_clients_need_exists(busy: Service) -> None:
    methods = await busy.result("jsonrpc.get_methods", {})
    assert methods == sorted(methods)
    missing = []
    for line in clients_path("methods.tsv").read_text().splitlines()[1:]:
        fields = line.split("\t")
        api, method, priority = fields[0], fields[1], fields[11]
        if priority == "A" and api != "legacy-call" and f"{api}.{method}" not in methods:
            missing.append(f"{api}.{method}")
    assert missing == []


async def test_every_method_has_a_signature(busy: Service) -> None:
    for method in await busy.result("jsonrpc.get_methods", {}):
        signature = await busy.result("jsonrpc.get_signature", {"method": method})
        assert set(signature) == {"args", "ret"}
    assert "Invalid method name" in (await busy.error("jsonrpc.get_signature", {"method": "x"}))["message"]
    assert "does not exist" in (await busy.error("jsonrpc.get_signature", {"method": "x.y"}))["message"]


# Values


async def test_config_tells_clients_which_chain_it_is(busy: Service) -> None:
    config = await busy.result("database_api.get_config", {})
    assert config == await busy.result("condenser_api.get_config", [])
    assert config["IS_TEST_NET"] is False
    assert config["STEEM_CHAIN_ID"] == busy.world.config.chain_id.hex()
    assert config["STEEM_ADDRESS_PREFIX"] == "STM"
    assert config["STEEM_BLOCK_INTERVAL"] == 3
    assert config["STEEM_SYMBOL"] == {"nai": "@@000000021", "decimals": 3}
    assert config["SBD_SYMBOL"] == {"nai": "@@000000013", "decimals": 3}
    assert config["VESTS_SYMBOL"] == {"nai": "@@000000037", "decimals": 6}
    named = [key for key in config if key.startswith("STEEM_")]
    assert len(named) * 2 > len(config)
    version = await busy.result("database_api.get_version", {})
    assert version["blockchain_version"] == config["STEEM_BLOCKCHAIN_VERSION"]
    assert "chain_id" not in await busy.result("condenser_api.get_version", [])


async def test_properties_in_both_forms(busy: Service) -> None:
    legacy = await busy.result("condenser_api.get_dynamic_global_properties", [])
    numeric = await busy.result("database_api.get_dynamic_global_properties", {})
    gpo = busy.world.gpo
    assert legacy["head_block_number"] == numeric["head_block_number"] == gpo.head_block_number
    assert legacy["head_block_id"] == gpo.head_block_id.hex()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", legacy["time"])
    assert legacy["current_supply"] == f"{gpo.current_supply // 1000}.{gpo.current_supply % 1000:03} STEEM"
    assert numeric["current_supply"] == {"amount": str(gpo.current_supply), "precision": 3, "nai": "@@000000021"}


async def test_kept_properties_follow_the_chain(service: Service) -> None:
    for _ in range(3):
        service.world.generate_block()
        shown = await service.result("condenser_api.get_dynamic_global_properties", [])
        assert shown["head_block_number"] == service.world.chain.head_number
    service.world.push(Transfer("alice", "bob", steem(1), ""))
    shown = await service.result("condenser_api.get_dynamic_global_properties", [])
    assert shown["head_block_id"] == service.world.chain.head_id.hex()


async def test_missing_things(busy: Service) -> None:
    assert await busy.result("condenser_api.get_accounts", [["nobody", "alice"]]) != []
    assert len(await busy.result("condenser_api.get_accounts", [["nobody", "alice"]])) == 1
    assert [bool(row) for row in await busy.result("condenser_api.lookup_account_names", [["nobody", "bob"]])] == [
        False,
        True,
    ]
    assert await busy.result("condenser_api.get_block", [10**6]) is None
    assert await busy.result("condenser_api.get_block_header", [-1]) is None
    assert await busy.result("block_api.get_block", {"block_num": 10**6}) == {}
    assert await busy.result("block_api.get_block_header", {"block_num": 10**6}) == {}
    content = await busy.result("condenser_api.get_content", ["nobody", "none"])
    assert (content["author"], content["permlink"]) == ("", "")
    for method in ("get_witness_by_account", "get_recovery_request"):
        assert await busy.result(f"condenser_api.{method}", ["nobody"]) is None
    assert await busy.result("condenser_api.get_escrow", ["nobody", 1]) is None
    error = await busy.error("condenser_api.get_transaction", ["00" * 20])
    assert error["message"].endswith("Unknown Transaction " + "00" * 20)
    assert await busy.result("database_api.find_accounts", {"accounts": ["nobody"]}) == {"accounts": []}
    assert await busy.result("database_api.find_account_recovery_requests", {"account": "alice"}) == {"requests": []}
    assert (
        "Could not find comment a/b"
        in (await busy.error("database_api.find_votes", {"author": "a", "permlink": "b"}))["message"]
    )
    assert (await busy.error("bridge.get_post", {"author": "a", "permlink": "b"}))["message"].startswith(
        "Invalid parameters"
    )
    assert "" not in (await busy.result("database_api.get_active_witnesses", {}))["witnesses"]


async def test_lists_start_anywhere_and_take_what_beem_sends(busy: Service) -> None:
    everybody = await busy.result("database_api.list_accounts", {"start": None, "limit": 1000.0, "order": "by_name"})
    names = [account["name"] for account in everybody["accounts"]]
    assert names == sorted(names)
    assert await busy.result("condenser_api.lookup_accounts", ["", 1000]) == names
    assert await busy.result("condenser_api.lookup_accounts", ["bob", "2"]) == names[names.index("bob") :][:2]
    assert len(names) == await busy.result("condenser_api.get_account_count", [])
    votes = await busy.result(
        "database_api.list_votes", {"start": ["carol", "", ""], "limit": 1, "order": "by_voter_comment"}
    )
    assert votes["votes"][0]["voter"] == "carol"
    delegations = await busy.result("database_api.list_vesting_delegations", {"start": ["alice", ""], "limit": 1})
    assert delegations["delegations"][0]["delegatee"] == "bob"
    assert "sort_order_type" in (await busy.error("database_api.list_accounts", {"order": "by_magic"}))["message"]
    assert (await busy.error("condenser_api.lookup_accounts", ["", 1001]))["code"] == -32003
    assert (await busy.error("condenser_api.get_accounts", [["a"] * 1001]))["code"] == -32003


async def test_history_counts_from_its_end(busy: Service) -> None:
    newest = await busy.result("condenser_api.get_account_history", ["alice", -1, 0])
    assert len(newest) == 1
    last = newest[0][0]
    entries = await busy.result("condenser_api.get_account_history", ["alice", -1, 2])
    assert [entry[0] for entry in entries] == [last - 2, last - 1, last]
    named = await busy.result(
        "account_history_api.get_account_history", {"account": "alice", "start": last, "limit": 2}
    )
    assert [entry[0] for entry in named["history"]] == [last - 2, last - 1, last]
    assert named["history"][0][1]["op"]["type"].endswith("_operation")
    assert entries[0][1]["op"][0] + "_operation" == named["history"][0][1]["op"]["type"]
    error = await busy.error("condenser_api.get_account_history", ["alice", 1, 5])
    assert "start must be greater than limit" in error["message"]


async def test_what_was_irreversible_stays_so_without_the_blocks_behind_it() -> None:
    """The state after the last irreversible block counts fewer as irreversible: it was made before that was known."""
    config = config_with("dev", irreversible_by_witness_from_block=1_000_000)
    backend, log = MemoryBackend(), MemoryBlockLog()

    def open_chain() -> Chain:
        return Chain(config, backend, log, codec_for(config.identity))

    world = Harness(config, chain=open_chain())
    for _ in range(50):
        world.generate_block()
    known = world.chain.irreversible_number
    world.chain.close()
    ReversibleBlocks(backend).replace_all({})
    chain = open_chain()
    assert chain.head_number == known > chain.ctx.gpo.last_irreversible_block_num
    for method in ("condenser_api", "database_api"):
        found = await Service(Harness(chain=chain)).result(f"{method}.get_dynamic_global_properties")
        assert found["last_irreversible_block_num"] == known


async def test_the_json_of_blocks_is_kept_within_its_bytes(busy: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    make = Block.to_json

    def to_json(block: Block, *arguments: Any) -> Any:
        made.append(block.number)
        return make(block, *arguments)

    monkeypatch.setattr(Block, "to_json", to_json)
    fresh = Service(busy.world)
    first = [await fresh.result("block_api.get_block", {"block_num": number}) for number in (1, 2, 3, 1, 2, 3)]
    assert made == [1, 2, 3]
    assert first[:3] == first[3:]
    monkeypatch.setattr("rpc.apis.block.JSON_BYTES_MAX", len(orjson.dumps(first[2])))
    small = Service(busy.world)
    made.clear()
    again = [await small.result("block_api.get_block", {"block_num": number}) for number in (1, 1, 2, 2, 3, 3, 1)]
    assert made == [1, 2, 3, 1], "the block made last is always kept, the others as far as they fit"
    assert again == [first[number - 1] for number in (1, 1, 2, 2, 3, 3, 1)]


async def test_a_transaction_can_be_found(busy: Service) -> None:
    block = await busy.result("condenser_api.get_block", [2])
    trx_id = block["transactions"][0]["transaction_id"]
    found = await busy.result("condenser_api.get_transaction", [trx_id])
    assert found == block["transactions"][0]
    status = await busy.result("transaction_status_api.find_transaction", {"transaction_id": trx_id})
    assert status == {"status": "within_irreversible_block", "block_num": 2}
    unknown = {"transaction_id": "11" * 20, "expiration": "2020-01-01T00:00:00"}
    assert (await busy.result("transaction_status_api.find_transaction", unknown))["status"].startswith("expired")


async def test_hex_of_an_unsigned_transaction_ends_with_its_empty_signatures(service: Service) -> None:
    world = service.world
    transaction = world.build(Transfer("alice", "bob", steem(5), "hi"))
    legacy = transaction.to_json(world.codec, True)
    shown = await service.result("condenser_api.get_transaction_hex", [legacy])
    assert shown == transaction.packed.hex() + "00"
    numeric = await service.result("database_api.get_transaction_hex", {"trx": transaction.to_json(world.codec, False)})
    assert numeric == {"hex": shown}


async def test_signatures_needed_possible_and_enough(service: Service) -> None:
    world = service.world
    prefix = world.config.identity.address_prefix
    active, posting = (encode_public_key(world.key("alice", role).public_key, prefix) for role in ("active", "posting"))
    unsigned = world.build(Transfer("alice", "bob", steem(5), "hi"))
    trx = unsigned.to_json(world.codec, True)
    assert await service.result("condenser_api.get_required_signatures", [trx, [posting, active]]) == [active]
    assert active in await service.result("condenser_api.get_potential_signatures", [trx])
    error = await service.error("condenser_api.verify_authority", [trx])
    assert error["message"] == "missing required active authority:Missing Active Authority alice"
    assert error["code"] == -32000
    assert error["data"]["stack"][0]["data"]["auth"]["key_auths"] == [[active, 1]]
    signed = world.sign(unsigned, world.key("alice")).to_json(world.codec, True)
    assert await service.result("condenser_api.verify_authority", [signed]) is True
    assert await service.result("database_api.verify_authority", {"trx": signed}) == {"valid": True}
    assert await service.result("condenser_api.verify_account_authority", ["alice", [active]]) is True
    assert await service.result("condenser_api.verify_account_authority", ["alice", [posting]]) is False
    error = await service.error("condenser_api.verify_account_authority", ["nobody", [active]])
    assert error["message"] == "Assert Exception:account != nullptr: no such account"
    digest = bytes(32)
    signature = sign_digest(digest, world.key("alice", "posting")).hex()
    asked = {"hash": digest.hex(), "signatures": [signature], "required_posting": ["alice"]}
    assert await service.result("database_api.verify_signatures", asked) == {"valid": True}
    asked["required_posting"] = ["bob"]
    assert await service.result("database_api.verify_signatures", asked) == {"valid": False}
    assert await service.result("condenser_api.get_key_references", [[active, posting]]) == [["alice"], ["alice"]]


async def test_a_broadcast_waits_in_the_pool_and_fails_twice(service: Service) -> None:
    world = service.world
    transaction = world.sign(world.build(Transfer("alice", "bob", steem(5), "hi")), world.key("alice"))
    trx = transaction.to_json(world.codec, True)
    assert await service.result("condenser_api.broadcast_transaction", [trx]) == {}
    find = {"transaction_id": transaction.id.hex()}
    assert await service.result("transaction_status_api.find_transaction", find) == {"status": "within_mempool"}
    error = await service.error("condenser_api.broadcast_transaction", [trx])
    assert error["code"] == -32000
    assert "Duplicate transaction check failed" in error["message"]


async def test_a_synchronous_broadcast_tells_the_block(service: Service) -> None:
    world = service.world
    transaction = world.sign(world.build(Transfer("alice", "bob", sbd(5), "hi")), world.key("alice"))
    params = ["network_broadcast_api", "broadcast_transaction_synchronous", [transaction.to_json(world.codec, True)]]
    result = await service.result("call", params)
    assert result == {"id": transaction.id.hex(), "block_num": 2, "trx_num": 0, "expired": False}


async def test_a_stale_head_is_refused_when_the_client_asks_for_it(service: Service) -> None:
    world = service.world
    transaction = world.sign(world.build(Transfer("alice", "bob", steem(5), "hi")), world.key("alice"))
    trx = transaction.to_json(world.codec, False)
    error = await service.error("network_broadcast_api.broadcast_transaction", {"trx": trx, "max_block_age": 5})
    assert "!check_max_block_age" in error["message"]
    assert await service.result("network_broadcast_api.broadcast_transaction", {"trx": trx, "max_block_age": -1}) == {}


async def test_payouts_are_explained_before_and_after(service: Service) -> None:
    world = service.world
    world.post("alice", "first")
    world.generate_block()
    world.vote("bob", "alice", "first")
    world.generate_block()
    asked = {"author": "alice", "permlink": "first"}
    pending = (await service.result("plaudit_api.explain_payout", asked))["explanation"]
    assert pending["pending"] is True
    world.pass_time(3700)
    world.generate_block()
    paid = (await service.result("plaudit_api.explain_payout", asked))["explanation"]
    assert paid["pending"] is False
    assert paid["curation_paid"] == sum(part["steem"] for part in paid["curators"])
    fund_paid, curation, author = (int(paid[name]) for name in ("fund_paid", "curation_paid", "author_steem"))
    assert fund_paid == curation + author
    assert (
        "Could not find comment"
        in (await service.error("plaudit_api.explain_payout", {"author": "x", "permlink": "y"}))["message"]
    )


async def test_the_state_digest_of_head_and_reversible_blocks(busy: Service) -> None:
    shown = await busy.result("plaudit_api.get_state_digest", {})
    assert shown["block_num"] == busy.world.chain.head_number
    assert len(bytes.fromhex(shown["digest"])) == 32
    assert (await busy.error("plaudit_api.get_state_digest", {"block_num": 10**6}))["code"] == -32003


async def test_bridge_answers_what_beem_asks_of_a_post(busy: Service) -> None:
    post = await busy.result("bridge.get_post", {"author": "alice", "permlink": "first", "observer": ""})
    assert post["body"] == "Grüße"
    assert post["json_metadata"] == {}
    assert post["children"] == 1
    assert [vote["voter"] for vote in post["active_votes"]] == ["bob", "carol"]


# Kept JSON of accounts


async def test_kept_accounts_are_never_stale() -> None:
    service = Service(Harness())
    world = service.world
    world.create_accounts("alice", "bob", "carol", "dave")
    for name in ("alice", "bob", "carol", "dave"):
        world.vest(name, 100_000)
    world.fund("alice", 1000, 1000)
    world.post("bob", "re-first")
    world.generate_block()
    dispatcher = service.dispatcher
    extended = dispatcher.methods["condenser_api.get_accounts"].handler.__self__  # type: ignore[attr-defined]
    names = [row.name for row in world.tables.accounts.scan()]

    async def compare() -> None:
        for name in names:
            kept = (await service.result("condenser_api.get_accounts", [[name]]))[0]
            assert kept == extended._extended_account(world.account(name))

    await compare()
    changes: list[Callable[[], object]] = [
        lambda: world.push(Transfer("alice", "bob", steem(5), "hi")),
        lambda: world.vote_witness("bob", "initminer"),
        lambda: world.vote_witness("bob", "initminer", approve=False),
        lambda: world.vote("dave", "bob", "re-first"),
        world.chain.undo_head,
        lambda: world.vote_witness("carol", "initminer"),
        world.chain.undo_head,
        world.generate_block,
        lambda: world.pass_time(3700),
        world.generate_block,
        world.chain.undo_head,
        world.chain.undo_head,
    ]
    for change in changes:
        change()
        await compare()


def test_the_number_of_kept_accounts_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ACCOUNTS_KEPT > 1000
    monkeypatch.setattr("rpc.account_json.ACCOUNTS_KEPT", 2)
    world = Harness(dev_config())
    kept = AccountJson(world.ctx, lambda row: {"name": row.name})
    for name in ("alice", "bob", "carol", "alice"):
        assert kept.find(name) is not None
    assert len(kept._kept) == 2
    assert kept.find("nobody") is None


async def test_a_transaction_that_waits_can_be_found_with_its_place(service: Service) -> None:
    world = service.world
    transaction = world.push(Transfer("alice", "bob", steem(1), ""))
    asked = {"transaction_id": transaction.id.hex()}
    place = await service.result("plaudit_api.get_pending_transaction", asked)
    assert float(place.pop("rc_per_byte")) * transaction.size == pytest.approx(int(place.pop("rc")), abs=1)
    assert place == {
        "transaction_id": transaction.id.hex(),
        "position": 0,
        "bytes_ahead": 0,
        "size": transaction.size,
        "expiration": time_text(transaction.expiration),
        "expected_block": world.chain.head_number + 1,
        "reason": None,
    }
    world.generate_block()
    assert "waits here" in (await service.error("plaudit_api.get_pending_transaction", asked))["message"]


async def test_who_waits_for_a_transaction_that_is_dropped_is_told(service: Service) -> None:
    transaction = service.world.sign(
        service.world.build(Transfer("alice", "bob", steem(1), "")), service.world.key("alice")
    )
    waiting = service.shell.broadcast_and_wait(transaction)
    service.shell.tell_dropped([Dropped(transaction.id, Rejected("", "the pool is full"))])
    with pytest.raises(Rejected, match="the pool is full"):
        await waiting
