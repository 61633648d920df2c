"""What each step gives in each client: the values of the chain, and the errors as the client shows them."""

from typing import Any, Final

from tests.clients.flow import Begins, Raises

MISSING: Final = "missing required {role} authority:Missing {Role} Authority alice"
FUNDS: Final = (
    "available >= -delta: Account alice does not have sufficient funds for balance adjustment. "
    'Required: {"amount":"-9000000000","precision":3,"nai":"@@000000021"}, '
    'Available: {"amount":"...","precision":3,"nai":"@@000000021"}'
)
FEE: Final = (
    "o.fee == wso.median_props.account_creation_fee: Must pay the exact account creation fee. "
    'paid: {"amount":"2345","precision":3,"nai":"@@000000021"} '
    'fee: {"amount":"...","precision":3,"nai":"@@000000021"}'
)
DUPLICATE: Final = (
    "(skip & skip_transaction_dupe_check) || trx_idx.indices().get<by_trx_id>().find(trx_id) == "
    "trx_idx.indices().get<by_trx_id>().end(): Duplicate transaction check failed"
)
TOO_FAST: Final = (
    "( now - voter.last_vote_time ).to_seconds() >= STEEM_MIN_VOTE_INTERVAL_SEC: Can only vote once every 3 seconds."
)
NO_METHOD: Final = "method_itr != api_itr->second.end(): Could not find method get_nothing"
NO_API: Final = "api_itr != _registered_apis.end(): Could not find API nowhere_api"


def _rpc(message: str) -> Raises:
    return Raises("RPCError", message)


def _assertion(message: str) -> Raises:
    return _rpc(f"Assert Exception:{message}")


HISTORY: Final = [
    "account_create",
    "claim_account",
    "create_claimed_account",
    "transfer",
    "transfer",
    "transfer_to_vesting",
    "withdraw_vesting",
    "delegate_vesting_shares",
    "limit_order_create",
    "comment",
    "comment_options",
    "vote",
    "comment",
    "custom_json",
    "account_witness_vote",
]
TRANSFERRED: Final[dict[str, Any]] = {
    "balance": 1000,
    "sbd": 2500,
    "expired": False,
    "operation": ["transfer", {"from": "alice", "to": "bob", "amount": "1.000 STEEM", "memo": "thanks"}],
    "in_block": True,
}
STREAMED: Final = ["transfer", {"from": "alice", "to": "bob", "amount": "0.001 STEEM", "memo": "streamed"}]
POST: Final[dict[str, Any]] = {"title": "Hello", "body": "The body, öäü.", "author": "alice", "permlink": "hello"}
BENEFICIARIES: Final = [{"account": "bob", "weight": 2500}]
CLAIMED: Final = {"rewarded": True, "left": ["0.000 STEEM", "0.000 SBD", "0.000000 VESTS"], "sbd": True}

COMMON: Final[dict[str, Any]] = {
    "connect": True,
    "balances": {
        "balance": "1000000.000 STEEM",
        "sbd": "100000.000 SBD",
        "vests": "20000000000.000000 VESTS",
    },
    "unknown_account": 0,
    "config": "STM",
    "create_account": {"name": "newcomer", "active": True, "recovery": "alice"},
    "claimed_account": [1, 0, "claimed"],
    "key_references": ["alice"],
    "transfer": TRANSFERRED,
    "power_up": {"balance": -500_000, "vests": True},
    "power_down_and_delegate": {
        "rate": "3250.000000 VESTS",
        "delegated": "1000000.000000 VESTS",
        "delegations": 1,
    },
    "limit_order": [7],
    "vote_reply_and_custom_json": {"voters": [["bob", 10_000]], "replies": ["carol"], "in_block": True},
    "witness_vote": ["initminer"],
    "stream": [0, 1, 2],
    "stream_operations": STREAMED,
    "payout": {"author": True, "curators": True, "time": "1969-12-31T23:59:59"},
    "claim": CLAIMED,
    "reward_history": ["curation_reward", "comment_benefactor_reward"],
}

STEEM: Final[dict[str, Any]] = COMMON | {
    "call_by_full_name": "bob",
    "post": POST,
    "comment_options": BENEFICIARIES,
    "error_missing_posting": _rpc(MISSING.format(role="posting", Role="Posting")),
    "error_missing_active": _rpc(MISSING.format(role="active", Role="Active")),
    "error_missing_owner": _rpc(MISSING.format(role="owner", Role="Owner")),
    "error_irrelevant_signature": _rpc("irrelevant signature included:Unnecessary signature(s) detected"),
    "error_funds": _assertion(FUNDS),
    "error_unknown_receiver": _rpc("unknown key:unknown key: "),
    "error_unknown_sender": _rpc("unknown key:unknown key: "),
    "error_fee": _assertion(FEE),
    "error_mixed_authorities": _assertion("required_active.size() == 0: "),
    "error_duplicate": _assertion(DUPLICATE),
    "error_expired": _rpc("transaction expiration exception:"),
    "error_expiration_too_far": _rpc("transaction expiration exception:"),
    "error_tapos": _rpc("transaction tapos exception:"),
    "error_vote_too_fast": _assertion(TOO_FAST),
    "error_unknown_method": _assertion(NO_METHOD),
    "error_unknown_api": _assertion(NO_API),
    "history": Begins(HISTORY),
}
"""steem: its RPCError has the node's message unchanged."""

WEBSOCKET_HAS_NOT: Final = ("call_by_full_name", "error_unknown_api")
"""Steps that steem refuses over a websocket."""


def in_websocket(value: Any) -> Any:
    """An expectation of steem as it is over a websocket, where the client raises plain errors with a hint."""
    if isinstance(value, Raises):
        return Raises("Error", f"{value.message} (see err.payload for the full error payload)")
    return value


_AUTHORITY: Final = '{"weight_threshold":1,"account_auths":[],"key_auths":[["STM...",1]]}'

DSTEEM: Final[dict[str, Any]] = COMMON | {
    "chain_properties": 131072,
    "price": "0.250 SBD",
    "verify_authority": True,
    "post": POST | {"beneficiaries": BENEFICIARIES},
    "error_missing_posting": _rpc(
        f"Missing Posting Authority alice posting={_AUTHORITY} active={_AUTHORITY} owner={_AUTHORITY}"
    ),
    "error_missing_active": _rpc(f"Missing Active Authority alice auth={_AUTHORITY} owner={_AUTHORITY}"),
    "error_missing_owner": _rpc(f"Missing Owner Authority alice auth={_AUTHORITY}"),
    "error_irrelevant_signature": _rpc("Unnecessary signature(s) detected..."),
    "error_funds": _rpc(FUNDS),
    "error_unknown_receiver": _rpc("unknown key:  name=nobody"),
    "error_unknown_sender": _rpc("unknown key:  auth_containers=... sigs=..."),
    "error_fee": _rpc(FEE),
    "error_mixed_authorities": _rpc("required_active.size() == 0: "),
    "error_duplicate": _rpc(f"{DUPLICATE} trx_ix=..."),
    "error_expired": _rpc(" now=... trx.exp=..."),
    "error_expiration_too_far": _rpc(" trx.expiration=... now=... max_til_exp=3600"),
    "error_tapos": _rpc(" trx.ref_block_prefix=12345 tapos_block_summary=..."),
    "error_vote_too_fast": _rpc(TOO_FAST),
    "error_unknown_method": _rpc(NO_METHOD),
    "error_unknown_api": _rpc(NO_API),
    "history": Begins(HISTORY),
}
"""dsteem and dhive: their RPCError has the first line of the node's stack, and the data that the line does not use."""


def _unhandled(message: str) -> Raises:
    return Raises("UnhandledRPCError", message)


BEEM: Final[dict[str, Any]] = {
    "connect": True,
    "balances": COMMON["balances"],
    "unknown_account": Raises("AccountDoesNotExistsException", "nobody"),
    "config": "STM",
    "chain_id": "00" * 32,
    "create_account": COMMON["create_account"],
    "claimed_account": [1, 0, "claimed"],
    "key_references": ["alice"],
    "account_update": "plaudit",
    "transfer": {"balance": 1000, "sbd": 2500, "operation": "transfer_operation", "in_block": True},
    "power_up": COMMON["power_up"],
    "power_down_and_delegate": COMMON["power_down_and_delegate"],
    "limit_order": [7],
    "post": POST | {"beneficiaries": BENEFICIARIES},
    "vote_reply_and_custom_json": {"voters": [["bob", 10_000]], "replies": [["carol", "Welcome"]]},
    "content_by_condenser": "Hello",
    "witness_vote": 1,
    "error_missing_posting": _unhandled(MISSING.format(role="posting", Role="Posting")),
    "error_missing_active": Raises("MissingRequiredActiveAuthority", ""),
    "error_missing_owner": _unhandled(MISSING.format(role="owner", Role="Owner")),
    "error_irrelevant_signature": Raises(
        "UnnecessarySignatureDetected", "irrelevant signature included:Unnecessary signature(s) detected"
    ),
    "error_funds": _unhandled(f"Assert Exception:{FUNDS}"),
    "error_receiver_checked_by_client": Raises("AccountDoesNotExistsException", "nobody"),
    "error_unknown_receiver": Raises("UnkownKey", "unknown key:unknown key:"),
    "error_unknown_sender": Raises("UnkownKey", "unknown key:unknown key:"),
    "error_fee": _unhandled(f"Assert Exception:{FEE}"),
    "error_account_exists": Raises("AccountExistsException", ""),
    "error_mixed_authorities": _unhandled("Assert Exception:required_active.size() == 0:"),
    "error_duplicate": _unhandled(f"Assert Exception:{DUPLICATE}"),
    "error_expired": _unhandled("transaction expiration exception:"),
    "error_expiration_too_far": _unhandled("transaction expiration exception:"),
    "error_tapos": _unhandled("transaction tapos exception:"),
    "error_vote_too_fast": Raises("VotedBeforeWaitTimeReached", f"Assert Exception:{TOO_FAST}"),
    "error_unknown_method": Raises("NoMethodWithName", f"Assert Exception:{NO_METHOD}"),
    "error_unknown_api": Raises("NoApiWithName", f"Assert Exception:{NO_API}"),
    "error_unknown_transaction": Raises(
        "UnknownTransaction", f"Assert Exception:false: Unknown Transaction {'ab' * 20}"
    ),
    "history": Begins(["account_update", *HISTORY]),
    "history_reverse": True,
    "stream": [-1, 0, 1, 2],
    "stream_operations": [["alice", "bob", "streamed"]],
    "stream_batches": [1, 2, 3, 4, 5, 6, 7],
    "stream_virtual": ["producer_reward"],
    "payout": {"author": True, "curators": True},
    "claim": CLAIMED,
    "reward_history": ["comment_benefactor_reward", "curation_reward"],
}
"""beem: an exception of its own for what it knows by its text, UnhandledRPCError for the rest."""
