"""Every method is called over HTTP by a test that bears its name, and answers what this chain must give."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, NamedTuple

import aiohttp
import pytest

from operations.market import LimitOrderCreate
from operations.proposal import CreateProposal, UpdateProposalVotes
from operations.transfer import Transfer
from protocol.keys import encode_public_key
from protocol.transaction import Transaction
from rpc.errors import ERROR_DURING_CALL
from tests.harness import Harness, sbd, steem
from tests.rpc.port import Port
from tests.rpc.service import Service
from tests.rpc.test_listing import full_world

DAY = 86_400
EVER = ("2016-01-01T00:00:00", "2036-01-01T00:00:00")
POST = {"author": "alice", "permlink": "first"}
PRICE = {"base": "0.250 SBD", "quote": "1.000 STEEM"}
ZERO_ID = 64 * "0"
BUCKETS = [15, 60, 300, 3600, 86400]
ONE = {"limit": 1}


class Refusal(NamedTuple):
    """An answer that is an error."""

    code: int
    words: str


class First(NamedTuple):
    """A list that begins with this."""

    member: Any


class Stage:
    """A chain with rows in every list, a trade and a proposal, and what requests say of it."""

    def __init__(self) -> None:
        self.world = world = full_world()
        world.push(LimitOrderCreate("judy", 1, sbd(9000), steem(1000), False, world.now + 3600))
        dates = world.now + 9, world.now + DAY
        world.generate_block()
        world.push(CreateProposal("alice", "carol", *dates, sbd(1000), "a plan", "first", ()))
        world.generate_block()
        world.push(UpdateProposalVotes("erin", (0,), True, ()))
        world.generate_block()
        self.service = Service(world)
        self.key = encode_public_key(world.key("judy").public_key, "STM")
        block = world.chain.reader.get_block(2)
        assert block is not None
        self.block = block
        self.known = self.block.transactions[0]
        self._amount = 0

    def make(self) -> Transaction:
        """A signed transfer of judy that nobody has seen."""
        self._amount += 1
        transfer = Transfer("judy", "ivan", steem(self._amount), "")
        return self.world.sign(self.world.build(transfer, expires_in=60), self.world.key("judy"))

    @property
    def trx(self) -> dict[str, Any]:
        """One as JSON."""
        return self.make().to_json(self.world.codec, True)

    @property
    def next_block(self) -> dict[str, Any]:
        """The next block, made by another node."""
        other: Harness = self.world.twin()
        return other.generate_block().to_json(other.codec, False)

    @property
    def waiting(self) -> str:
        """The id of a transaction that waits for a block."""
        transaction = self.make()
        self.world.chain.push_transaction(transaction)
        return transaction.id.hex()

    @property
    def signed(self) -> dict[str, Any]:
        """What judy has signed."""
        transaction = self.make()
        signatures = transaction.to_json(self.world.codec, False)["signatures"]
        digest = transaction.digest(self.world.config.chain_id).hex()
        return {"hash": digest, "signatures": signatures, "required_active": ["judy"]}


Given = Callable[[Stage], Any]

CALLS: dict[str, tuple[Any | Given, Any | Given]] = {
    "account_by_key_api.get_key_references": (lambda on: {"keys": [on.key]}, {"accounts": [["judy"]]}),
    "account_history_api.enum_virtual_ops": (
        {"block_range_begin": 1, "block_range_end": 2},
        {"ops": First({"block": 1, "op": {"type": str}}), "next_block_range_begin": 2},
    ),
    "account_history_api.get_account_history": (
        {"account": "alice", "start": 0, "limit": 0},
        {"history": [[0, {"block": int, "op": {"type": str, "value": dict}}]]},
    ),
    "account_history_api.get_ops_in_block": (
        {"block_num": 2},
        lambda on: {"ops": First({"trx_id": on.known.id.hex(), "op": {"type": "witness_update_operation"}})},
    ),
    "account_history_api.get_transaction": (
        lambda on: {"id": on.known.id.hex()},
        {"block_num": 2, "transaction_num": 0, "operations": [{"type": "witness_update_operation"}]},
    ),
    "block_api.get_block": (
        {"block_num": 2},
        lambda on: {"block": {"block_id": on.block.id.hex(), "witness": "initminer", "transactions": list}},
    ),
    "block_api.get_block_header": (
        {"block_num": 2},
        lambda on: {"header": {"previous": on.block.previous.hex(), "witness": "initminer"}},
    ),
    "block_api.get_block_range": (
        {"starting_block_num": 2, "count": 1},
        lambda on: {"blocks": [{"block_id": on.block.id.hex()}]},
    ),
    "bridge.get_post": (POST, {**POST, "title": "title", "children": 1}),
    "condenser_api.broadcast_block": (lambda on: [on.next_block], {}),
    "condenser_api.broadcast_transaction": (lambda on: [on.trx], {}),
    "condenser_api.broadcast_transaction_synchronous": (
        lambda on: [on.trx],
        {"id": str, "block_num": int, "trx_num": int, "expired": False},
    ),
    "condenser_api.find_proposals": ([[0]], [{"creator": "alice", "daily_pay": "1.000 SBD"}]),
    "condenser_api.get_account_count": ([], 18),
    "condenser_api.get_account_history": (["alice", 0, 0], [[0, {"block": int, "op": [str, dict]}]]),
    "condenser_api.get_account_references": ([0], Refusal(ERROR_DURING_CALL, "Needs to be refactored for Steem")),
    "condenser_api.get_account_reputations": (["alice", 1], [{"account": "alice", "reputation": str}]),
    "condenser_api.get_account_votes": (["erin"], First({"authorperm": "alice/first", "percent": 100})),
    "condenser_api.get_accounts": ([["alice"]], [{"name": "alice", "balance": str, "proxy": "heidi"}]),
    "condenser_api.get_active_votes": (["alice", "first"], [{"voter": "erin"}, {"voter": "frank"}]),
    "condenser_api.get_active_witnesses": ([], ["initminer", "carol", "alice", "bob", *[""] * 17]),
    "condenser_api.get_block": ([2], lambda on: {"block_id": on.block.id.hex(), "witness": "initminer"}),
    "condenser_api.get_block_header": ([2], lambda on: {"previous": on.block.previous.hex()}),
    "condenser_api.get_chain_properties": ([], {"account_creation_fee": "3.000 STEEM", "maximum_block_size": 131072}),
    "condenser_api.get_config": ([], {"STEEM_ADDRESS_PREFIX": "STM", "STEEM_BLOCK_INTERVAL": 3}),
    "condenser_api.get_content": (["alice", "first"], {**POST, "body": "body", "children": 1}),
    "condenser_api.get_content_replies": (["alice", "first"], [{"author": "bob", "permlink": "re-alice"}]),
    "condenser_api.get_conversion_requests": (["alice"], [{"requestid": 0, "amount": "1.000 SBD"}]),
    "condenser_api.get_current_median_history_price": ([], PRICE),
    "condenser_api.get_dynamic_global_properties": ([], {"head_block_number": int, "current_supply": str}),
    "condenser_api.get_escrow": (["bob", 1], {"to": "carol", "agent": "erin", "steem_balance": "0.010 STEEM"}),
    "condenser_api.get_expiring_vesting_delegations": (
        ["alice", EVER[0]],
        [{"delegator": "alice", "vesting_shares": "1000000.000000 VESTS"}],
    ),
    "condenser_api.get_feed_history": ([], {"current_median_history": PRICE, "price_history": []}),
    "condenser_api.get_hardfork_version": ([], "0.24.0"),
    "condenser_api.get_key_references": (lambda on: [[on.key]], [["judy"]]),
    "condenser_api.get_market_history": ([15, *EVER], [{"seconds": 15, "steem": {"volume": 1000}}]),
    "condenser_api.get_market_history_buckets": ([], BUCKETS),
    "condenser_api.get_next_scheduled_hardfork": ([], {"hf_version": "0.24.0"}),
    "condenser_api.get_open_orders": (["bob"], [{"orderid": 1}, {"orderid": 2}]),
    "condenser_api.get_ops_in_block": ([2], First({"op": ["witness_update", {"owner": "alice"}]})),
    "condenser_api.get_order_book": ([1], {"bids": [{"steem": 9000, "sbd": 1000}], "asks": [{"steem": 1000}]}),
    "condenser_api.get_owner_history": (["alice"], [{"account": "alice", "previous_owner_authority": dict}]),
    "condenser_api.get_potential_signatures": (lambda on: [on.trx], lambda on: [on.key]),
    "condenser_api.get_recent_trades": ([], [{"current_pays": "9.000 SBD", "open_pays": "1.000 STEEM"}]),
    "condenser_api.get_recovery_request": (["lost0"], {"account_to_recover": "lost0"}),
    "condenser_api.get_required_signatures": (lambda on: [on.trx, [on.key]], lambda on: [on.key]),
    "condenser_api.get_reward_fund": (["post"], {"name": "post", "percent_curation_rewards": 5000}),
    "condenser_api.get_savings_withdraw_from": (["alice"], [{"request_id": 0}, {"request_id": 7}]),
    "condenser_api.get_savings_withdraw_to": (["alice"], [{"from": "dave", "amount": "0.010 STEEM"}]),
    "condenser_api.get_ticker": ([], {"latest": "9.00000000000000000", "steem_volume": "1.000 STEEM"}),
    "condenser_api.get_trade_history": ([*EVER], [{"current_pays": "9.000 SBD", "open_pays": "1.000 STEEM"}]),
    "condenser_api.get_transaction": (lambda on: [on.known.id.hex()], {"block_num": 2, "transaction_num": 0}),
    "condenser_api.get_transaction_hex": (lambda on: [on.trx], str),
    "condenser_api.get_version": ([], {"blockchain_version": "0.24.0"}),
    "condenser_api.get_vesting_delegations": (["alice", ""], [{"delegatee": "bob"}, {"delegatee": "erin"}]),
    "condenser_api.get_volume": ([], {"steem_volume": "1.000 STEEM", "sbd_volume": "9.000 SBD"}),
    "condenser_api.get_withdraw_routes": (["alice"], [{"to_account": "bob"}, {"to_account": "erin"}]),
    "condenser_api.get_witness_by_account": (["alice"], {"owner": "alice", "url": "https://example.com"}),
    "condenser_api.get_witness_count": ([], 4),
    "condenser_api.get_witness_schedule": ([], {"num_scheduled_witnesses": 4, "median_props": dict}),
    "condenser_api.get_witnesses": ([[0]], [{"owner": "initminer"}]),
    "condenser_api.get_witnesses_by_vote": (["", 1], [{"owner": "alice"}]),
    "condenser_api.list_proposal_votes": (
        [["erin"], 1, "by_voter_proposal"],
        [{"voter": "erin", "proposal": {"creator": "alice"}}],
    ),
    "condenser_api.list_proposals": ([["alice"], 1, "by_creator"], [{"creator": "alice", "receiver": "carol"}]),
    "condenser_api.lookup_account_names": ([["alice"]], [{"name": "alice"}]),
    "condenser_api.lookup_accounts": (["alice", 1], ["alice"]),
    "condenser_api.lookup_witness_accounts": (["alice", 1], ["alice"]),
    "condenser_api.verify_account_authority": (lambda on: ["judy", [on.key]], True),
    "condenser_api.verify_authority": (lambda on: [on.trx], True),
    "database_api.find_account_recovery_requests": (
        {"accounts": ["lost0"]},
        {"requests": [{"account_to_recover": "lost0"}]},
    ),
    "database_api.find_accounts": ({"accounts": ["alice"]}, {"accounts": [{"name": "alice", "proxy": "heidi"}]}),
    "database_api.find_change_recovery_account_requests": (
        {"accounts": ["alice"]},
        {"requests": [{"recovery_account": "bob"}]},
    ),
    "database_api.find_comments": ({"comments": [["alice", "first"]]}, {"comments": [{**POST, "children": 1}]}),
    "database_api.find_decline_voting_rights_requests": (
        {"accounts": ["alice"]},
        {"requests": [{"account": "alice", "effective_date": str}]},
    ),
    "database_api.find_escrows": ({"from": "bob"}, {"escrows": [{"to": "carol", "agent": "erin"}]}),
    "database_api.find_limit_orders": ({"account": "bob"}, {"orders": [{"orderid": 1}, {"orderid": 2}]}),
    "database_api.find_owner_histories": ({"owner": "alice"}, {"owner_auths": [{"account": "alice"}]}),
    "database_api.find_proposals": ({"proposal_ids": [0]}, {"proposals": [{"creator": "alice", "subject": "a plan"}]}),
    "database_api.find_savings_withdrawals": (
        {"account": "alice"},
        {"withdrawals": [{"request_id": 0, "amount": {"amount": "10"}}, {"request_id": 7}]},
    ),
    "database_api.find_sbd_conversion_requests": ({"account": "alice"}, {"requests": [{"requestid": 0}]}),
    "database_api.find_vesting_delegation_expirations": (
        {"account": "alice"},
        {"delegations": [{"vesting_shares": {"amount": "1000000000000", "precision": 6}}]},
    ),
    "database_api.find_vesting_delegations": (
        {"account": "alice"},
        {"delegations": [{"delegatee": "bob"}, {"delegatee": "erin"}]},
    ),
    "database_api.find_votes": (POST, {"votes": [{"voter": "erin", "vote_percent": 100}, {"voter": "frank"}]}),
    "database_api.find_withdraw_vesting_routes": (
        {"account": "alice"},
        {"routes": [{"to_account": "bob", "percent": 2000}, {"to_account": "erin"}]},
    ),
    "database_api.find_witnesses": ({"owners": ["alice"]}, {"witnesses": [{"owner": "alice"}]}),
    "database_api.get_active_witnesses": ({}, {"witnesses": ["initminer", "carol", "alice", "bob"]}),
    "database_api.get_config": ({}, {"STEEM_CHAIN_ID": ZERO_ID, "STEEM_BLOCK_INTERVAL": 3}),
    "database_api.get_current_price_feed": ({}, {"base": {"amount": "250"}, "quote": {"amount": "1000"}}),
    "database_api.get_dynamic_global_properties": ({}, {"head_block_id": str, "current_supply": {"precision": 3}}),
    "database_api.get_feed_history": ({}, {"current_median_history": {"base": {"amount": "250"}}}),
    "database_api.get_hardfork_properties": ({}, {"last_hardfork": 24, "current_hardfork_version": "0.24.0"}),
    "database_api.get_order_book": (ONE, {"asks": [{"steem": 1000}], "bids": [{"sbd": 1000}]}),
    "database_api.get_potential_signatures": (lambda on: {"trx": on.trx}, lambda on: {"keys": [on.key]}),
    "database_api.get_required_signatures": (
        lambda on: {"trx": on.trx, "available_keys": [on.key]},
        lambda on: {"keys": [on.key]},
    ),
    "database_api.get_reward_funds": ({}, {"funds": [{"name": "post", "content_constant": "2000000000000"}]}),
    "database_api.get_transaction_hex": (lambda on: {"trx": on.trx}, {"hex": str}),
    "database_api.get_version": ({}, {"blockchain_version": "0.24.0", "chain_id": ZERO_ID}),
    "database_api.get_witness_schedule": ({}, {"num_scheduled_witnesses": 4, "median_props": dict}),
    "database_api.list_account_recovery_requests": (ONE, {"requests": [{"account_to_recover": "lost0"}]}),
    "database_api.list_accounts": ({"start": "alice", **ONE}, {"accounts": [{"name": "alice"}]}),
    "database_api.list_change_recovery_account_requests": (ONE, {"requests": [{"account_to_recover": "alice"}]}),
    "database_api.list_comments": (ONE, {"comments": [POST]}),
    "database_api.list_decline_voting_rights_requests": (ONE, {"requests": [{"account": "alice"}]}),
    "database_api.list_escrows": (ONE, {"escrows": [{"from": "alice", "to": "bob", "escrow_id": 0}]}),
    "database_api.list_limit_orders": (ONE, {"orders": [{"seller": str, "for_sale": 1000}]}),
    "database_api.list_owner_histories": (ONE, {"owner_auths": [{"account": "alice"}]}),
    "database_api.list_proposal_votes": ({"start": ["erin"], **ONE}, {"proposal_votes": [{"voter": "erin"}]}),
    "database_api.list_proposals": ({"start": ["alice"], **ONE}, {"proposals": [{"creator": "alice"}]}),
    "database_api.list_savings_withdrawals": (ONE, {"withdrawals": [{"from": "alice", "request_id": 0}]}),
    "database_api.list_sbd_conversion_requests": (ONE, {"requests": [{"owner": "alice", "requestid": 0}]}),
    "database_api.list_vesting_delegation_expirations": (ONE, {"delegations": [{"delegator": "alice"}]}),
    "database_api.list_vesting_delegations": (ONE, {"delegations": [{"delegator": "alice", "delegatee": "bob"}]}),
    "database_api.list_votes": ({"start": ["", "", ""], **ONE}, {"votes": [{**POST, "voter": "erin"}]}),
    "database_api.list_withdraw_vesting_routes": (ONE, {"routes": [{"from_account": "alice", "to_account": "bob"}]}),
    "database_api.list_witness_votes": (ONE, {"votes": [{"account": "ivan", "witness": "alice"}]}),
    "database_api.list_witnesses": (ONE, {"witnesses": [{"owner": "alice"}]}),
    "database_api.verify_account_authority": (lambda on: {"account": "judy", "signers": [on.key]}, {"valid": True}),
    "database_api.verify_authority": (lambda on: {"trx": on.trx}, {"valid": True}),
    "database_api.verify_signatures": (lambda on: on.signed, {"valid": True}),
    "dev_api.advance_time": ({"seconds": 60}, {"block_nums": [int]}),
    "dev_api.mine": ({"count": 2}, {"block_nums": [int, int]}),
    "jsonrpc.get_methods": ({}, lambda on: sorted(on.service.dispatcher.methods)),
    "jsonrpc.get_signature": ({"method": "block_api.get_block"}, {"args": {"block_num": None}, "ret": {}}),
    "market_history_api.get_market_history": (
        {"bucket_seconds": 15, "start": EVER[0], "end": EVER[1]},
        {"buckets": [{"seconds": 15, "steem": {"volume": 1000}, "non_steem": {"volume": 9000}}]},
    ),
    "market_history_api.get_market_history_buckets": ({}, {"bucket_sizes": BUCKETS}),
    "market_history_api.get_order_book": (ONE, {"bids": [{"steem": 9000}], "asks": [{"steem": 1000}]}),
    "market_history_api.get_recent_trades": ({}, {"trades": [{"current_pays": {"amount": "9000"}}]}),
    "market_history_api.get_ticker": ({}, {"latest": "9.00000000000000000", "sbd_volume": {"amount": "9000"}}),
    "market_history_api.get_trade_history": (
        {"start": EVER[0], "end": EVER[1]},
        {"trades": [{"current_pays": {"amount": "9000"}, "open_pays": {"amount": "1000"}}]},
    ),
    "market_history_api.get_volume": ({}, {"steem_volume": {"amount": "1000"}, "sbd_volume": {"amount": "9000"}}),
    "network_broadcast_api.broadcast_block": (lambda on: {"block": on.next_block}, {}),
    "network_broadcast_api.broadcast_transaction": (lambda on: {"trx": on.trx}, {}),
    "plaudit_api.explain_credits": (
        lambda on: {"trx": on.trx},
        {"explanation": {"payer": "judy", "resources": list}},
    ),
    "plaudit_api.explain_interest": ({"account": "alice"}, {"explanation": {"account": "alice", "liquid": dict}}),
    "plaudit_api.explain_payout": (POST, {"explanation": {**POST, "pending": True}}),
    "plaudit_api.explain_proposals": (
        {},
        {"explanation": {"proposals": [{"proposal_id": 0, "receiver": "carol", "daily_pay": 1000}]}},
    ),
    "plaudit_api.explain_sbd": ({}, {"explanation": {"median_price": {"base": {"amount": "250"}}}}),
    "plaudit_api.get_operation_schema": ({"name": "transfer"}, {"schema": {"title": "transfer", "type": "object"}}),
    "plaudit_api.get_pending_transaction": (
        lambda on: {"transaction_id": on.waiting},
        {"transaction_id": str, "position": int, "rc_per_byte": str},
    ),
    "plaudit_api.get_state_digest": (
        {},
        lambda on: {"block_id": on.world.chain.head_id.hex(), "digest": on.world.chain.state_digest.hex()},
    ),
    "plaudit_api.get_status": ({}, {"name": "plaudit", "chain": "dev", "can_write": True}),
    "plaudit_api.get_ticker": ({}, {"latest": "9.00000000000000000"}),
    "plaudit_api.get_volume": ({}, {"steem_volume": {"amount": "1000"}}),
    "plaudit_api.get_wire_layout": ({}, {"layout": {"chain_id": ZERO_ID, "operations": list}}),
    "rc_api.find_rc_accounts": ({"accounts": ["alice"]}, {"rc_accounts": [{"account": "alice", "max_rc": str}]}),
    "rc_api.get_resource_params": ({}, {"resource_names": First("resource_history_bytes"), "size_info": dict}),
    "rc_api.get_resource_pool": ({}, {"resource_pool": {"resource_market_bytes": {"pool": int}}}),
    "reputation_api.get_account_reputations": (
        {"account_lower_bound": "alice", "limit": 1},
        {"reputations": [{"account": "alice", "reputation": str}]},
    ),
    "rpc.discover": ({}, {"openrpc": "1.3.2", "methods": list}),
    "transaction_status_api.find_transaction": (
        lambda on: {"transaction_id": on.known.id.hex()},
        {"status": "within_irreversible_block", "block_num": 2},
    ),
}
"""Every method: its parameters, and its answer as far as it must be so; functions are called with the stage."""


def fits(found: Any, wanted: Any) -> bool:
    """Whether an answer has at least these members: values, or their types."""
    if isinstance(wanted, First):
        return isinstance(found, list) and bool(found) and fits(found[0], wanted.member)
    if isinstance(wanted, type):
        return type(found) is wanted
    if isinstance(wanted, dict) and wanted:
        return isinstance(found, dict) and all(name in found and fits(found[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(fits, found, wanted))
    return bool(found == wanted)


@pytest.fixture(scope="module")
def stage() -> Stage:
    return Stage()


async def ask(port: Port, method: str, params: Any) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
    async with aiohttp.ClientSession() as session, session.post(port.url, json=message) as response:
        assert response.status == 200
        answer: dict[str, Any] = await response.json()
        return answer


@pytest.mark.parametrize("method", CALLS)
async def test_a_method_answers_over_http(stage: Stage, method: str) -> None:
    params, wanted = (part(stage) if isinstance(part, FunctionType) else part for part in CALLS[method])
    port = Port(stage.service)
    await port.open()
    try:
        answer = await ask(port, method, params)
    finally:
        await port.server.stop()
    if isinstance(wanted, Refusal):
        assert answer["error"]["code"] == wanted.code and wanted.words in answer["error"]["message"]
    else:
        assert fits(answer["result"], wanted), answer


def test_every_method_is_called(stage: Stage) -> None:
    assert list(CALLS) == sorted(stage.service.dispatcher.methods)


def test_an_answer_that_lacks_something_does_not_fit() -> None:
    assert fits({"a": [1, "x"], "b": 2}, {"a": [int, "x"]})
    wanted: Any
    for wanted in ({"c": int}, {"a": [int]}, {"a": [str, "x"]}, {"b": 3}, {}, [], {"a": First("x")}):
        assert not fits({"a": [1, "x"], "b": 2}, wanted)
