"""Requests that are legal and cost as much as they can: lists at their longest, the largest transactions, batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from operations.transfer import Transfer
from protocol.assets import STEEM, Asset
from protocol.codec import codec_for
from protocol.config import ChainConfig
from protocol.keys import encode_public_key
from protocol.transaction import Transaction
from rpc.openrpc import describe_methods
from tests.network.chains import WITNESSES, account_key, block_key
from tests.rpc.service import Service
from tests.siege.target import Target, render_call

NAMES = [f"user{number:04}" for number in range(1000)]
NOT_ASKED = ("dev_api.mine", "dev_api.advance_time")
"""Methods that a witness does not offer."""

VARIANTS = 3
KEY_LENGTH_MAX = 128
ROWS_MAX = 10_000
NO_DIGEST = "00" * 32
NO_SIGNATURE = "1f" + "01" * 64


def list_requests(target: Target) -> list[bytes]:
    """All of them, as bodies."""
    config = ChainConfig.load(Path(target.chain_file))
    prefix = config.chain.address_prefix
    keys = [encode_public_key(account_key(name).public_key, prefix) for name in NAMES[:20]]
    keys += [encode_public_key(block_key(name).public_key, prefix) for name in WITNESSES]
    trx = _make_transaction(config)
    calls = [*_ask_much(keys), *_check_much(trx, keys), *_ask_at_maxima(keys[0])]
    bodies = [render_call(method, params) for method, params in calls]
    bodies.append(b"[" + b",".join(bodies[:400]) + b"]")
    one = render_call("condenser_api.get_accounts", [list(WITNESSES)])
    bodies.append(b"[" + b",".join([one] * 500) + b"]")
    return bodies


def _make_transaction(config: ChainConfig) -> dict[str, Any]:
    """A transaction as large as one may be, with signatures of nobody."""
    codec = codec_for(config.identity)
    operations = tuple(Transfer("user0000", "user0001", Asset(1, STEEM), "") for _ in range(1500))
    made = Transaction.make(codec, ref_block_num=0, ref_block_prefix=0, expiration=2_000_000_000, operations=operations)
    shown: dict[str, Any] = made.to_json(codec, True)
    return shown | {"signatures": [NO_SIGNATURE[:-2] + f"{number:02x}" for number in range(100)]}


def _ask_at_maxima(key: str) -> Iterator[tuple[str, Any]]:
    """Each method with the most that its parameters say they may be, and each of the first orders it names."""
    methods = {name: method for name, method in Service().dispatcher.methods.items() if name not in NOT_ASKED}
    for method in describe_methods(methods)["methods"]:
        for variant in range(VARIANTS):
            filled = {
                parameter["name"]: _fill(parameter["schema"], key, variant)
                for parameter in method["params"]
                if parameter["required"] or "maximum" in parameter["schema"]
            }
            by_position = method["paramStructure"] == "by-position"
            yield method["name"], list(filled.values()) if by_position else filled


def _fill(schema: dict[str, Any], key: str, variant: int) -> Any:
    """The largest value that a schema allows, as far as that can be told."""
    if "anyOf" in schema:
        return _fill(schema["anyOf"][0], key, variant)
    if "enum" in schema:
        return schema["enum"][variant % len(schema["enum"])]
    kind = schema.get("type")
    if kind == "array":
        count = schema.get("maxItems", 1)
        items = schema.get("items", {})
        if items.get("type") == "string":
            return [key] * count if items.get("maxLength") == KEY_LENGTH_MAX else NAMES[:count]
        return [_fill(items, key, variant)] * count
    if kind == "integer":
        return schema["maximum"] if schema["maximum"] <= ROWS_MAX else 1
    if kind == "boolean":
        return True
    return NAMES[0] if kind == "string" else schema.get("default")


def _ask_much(keys: list[str]) -> list[tuple[str, Any]]:
    """Lists at their longest."""
    return [
        ("account_by_key_api.get_key_references", {"keys": keys[:1] * 1000}),
        ("condenser_api.get_key_references", [keys[:1] * 1000]),
        ("condenser_api.get_accounts", [NAMES]),
        ("condenser_api.lookup_account_names", [NAMES]),
        ("database_api.find_accounts", {"accounts": NAMES}),
        ("condenser_api.lookup_accounts", ["", 1000]),
        ("database_api.list_accounts", {"start": "", "limit": 1000, "order": "by_name"}),
        ("condenser_api.get_account_history", [WITNESSES[0], -1, 10_000]),
        ("account_history_api.get_account_history", {"account": WITNESSES[0], "start": -1, "limit": 10_000}),
        ("account_history_api.enum_virtual_ops", {"block_range_begin": 1, "block_range_end": 2000}),
        ("condenser_api.get_witnesses", [list(range(1000))]),
        ("condenser_api.get_witnesses_by_vote", ["", 1000]),
        ("condenser_api.get_recent_trades", [1000]),
        ("condenser_api.get_order_book", [500]),
        ("condenser_api.list_proposals", [[""], 1000, "by_creator", "descending", "all"]),
        ("condenser_api.list_proposal_votes", [[""], 1000, "by_voter_proposal", "descending", "all"]),
        ("condenser_api.get_content_replies", ["user0000", "siege"]),
        ("block_api.get_block_range", {"starting_block_num": 1, "count": 1000}),
        ("database_api.get_config", {}),
        ("rpc.discover", {}),
        ("jsonrpc.get_methods", {}),
        ("plaudit_api.explain_proposals", {}),
    ]


def _check_much(trx: dict[str, Any], keys: list[str]) -> list[tuple[str, Any]]:
    """Signatures and transactions."""
    signatures = trx["signatures"]
    return [
        (
            "database_api.verify_signatures",
            {
                "hash": NO_DIGEST,
                "signatures": [NO_SIGNATURE] * 1000,
                "required_owner": [],
                "required_active": NAMES,
                "required_posting": NAMES,
                "required_other": [],
            },
        ),
        ("database_api.verify_account_authority", {"account": "user0000", "signers": keys * 20}),
        ("condenser_api.verify_account_authority", ["user0000", keys * 20]),
        ("condenser_api.get_required_signatures", [trx, keys * 20]),
        ("condenser_api.get_potential_signatures", [trx]),
        ("condenser_api.verify_authority", [trx]),
        ("condenser_api.get_transaction_hex", [trx]),
        ("condenser_api.broadcast_transaction", [trx]),
        ("plaudit_api.explain_credits", {"trx": trx}),
        ("condenser_api.broadcast_transaction", [trx | {"signatures": signatures * 20}]),
    ]
