"""Commands that only look: the node, blocks, transactions, histories, and why a payout was what it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click
from rich.console import Group, RenderableType
from rich.text import Text

from client.declare import argument, option
from client.errors import ClientError, NodeConfused
from client.render import field_text, fields, moment, table, text
from client.terminal import clean
from protocol.errors import Invalid
from protocol.memo import EncryptedMemo, decrypt_memo
from protocol.transaction import Transaction
from wallet.app import App
from wallet.commands.common import Post, command
from wallet.explain import draw_explanation
from wallet.session import Json

HISTORY_MAX = 10_000
NEWEST = -1


@command()
def status(app: App) -> None:
    """Show the node's head block, the last irreversible one, and the chain."""
    session = app.session
    properties = session.properties()
    identity = session.identity
    version = session.client.call("condenser_api.get_version", [])
    shown = {
        "node": session.client.url,
        "head_block": properties["head_block_number"],
        "head_block_id": properties["head_block_id"],
        "time": properties["time"],
        "current_witness": properties["current_witness"],
        "last_irreversible_block": properties["last_irreversible_block_num"],
        "supply": properties["current_supply"],
        "sbd_supply": properties["current_sbd_supply"],
        "chain_id": identity.chain_id.hex(),
        "address_prefix": identity.address_prefix,
        "version": version.get("blockchain_version", ""),
    }
    names = {name: name.replace("_", " ") for name in shown} | {"time": "head time (UTC)"}
    app.output.show(shown, lambda: fields({names[name]: value for name, value in shown.items()}))


@command()
def block(
    app: App,
    number: int = argument(type=click.IntRange(1)),
    virtual: bool = option("Also show what the chain itself did.", "--virtual/--no-virtual", default=True),
) -> None:
    """Show a block and its operations."""
    found = app.session.client.call("condenser_api.get_block", [number])
    if not isinstance(found, dict):
        head = app.session.properties()["head_block_number"]
        raise ClientError(f"there is no block {number}", f"The node's head is block {head}.")
    operations = app.session.client.call("condenser_api.get_ops_in_block", [number, False]) if virtual else []

    def draw() -> RenderableType:
        facts = {
            "block": number,
            "id": found.get("block_id", ""),
            "time": f"{moment(found['timestamp'])} UTC",
            "witness": found["witness"],
            "previous": found["previous"],
            "transactions": len(found["transactions"]),
        }
        if virtual:
            rows = [
                (*_operation_cells(row["op"]), "virtual" if row["virtual_op"] else row["trx_id"]) for row in operations
            ]
        else:
            pairs = zip(found["transactions"], found["transaction_ids"], strict=True)
            rows = [(*_operation_cells(op), trx_id) for trx, trx_id in pairs for op in trx["operations"]]
        return Group(fields(facts), table(("operation", "what", "transaction"), rows))

    app.output.show(found | {"operations": operations} if virtual else found, draw)


@command()
def transaction(app: App, transaction_id: str) -> None:
    """Show a transaction and the block that holds it."""
    found = app.session.client.call("condenser_api.get_transaction", [transaction_id])
    if Transaction.from_json(app.session.codec, found).id.hex() != transaction_id.lower():
        raise NodeConfused(f"the node answers with another transaction than {transaction_id}", "Ask another node.")

    def draw() -> RenderableType:
        facts = {
            "transaction": found["transaction_id"],
            "block": found["block_num"],
            "expiration": f"{moment(found['expiration'])} UTC",
            "signatures": len(found["signatures"]),
        }
        rows = [_operation_cells(op) for op in found["operations"]]
        return Group(fields(facts), table(("operation", "what"), rows))

    app.output.show(found, draw)


@command()
def history(
    app: App,
    name: str,
    limit: int = option("How many entries.", type=click.IntRange(1, HISTORY_MAX), default=20),
    before: int | None = option("Only entries up to this number.", type=click.IntRange(0)),
    decrypt: bool = option("Show encrypted memos as text, with the memo keys in the key file."),
) -> None:
    """Show what happened to an account, newest last."""
    app.session.get_account(name)
    if before is None:
        start, count = NEWEST, limit - 1
    else:
        start, count = before, min(limit - 1, before)
    entries = app.session.client.call("condenser_api.get_account_history", [name, start, count])
    shown = [_history_json(app, sequence, entry, decrypt) for sequence, entry in entries]

    def draw() -> RenderableType:
        rows = [(row["number"], row["time"], row["block_num"], *_history_cells(row)) for row in shown]
        return table(("#", "time (UTC)", "block", "operation", "what"), rows, name, right=(0, 2))

    app.output.show({"history": shown}, draw)


def _history_json(app: App, sequence: int, entry: Json, decrypt: bool) -> Json:
    operation = entry["op"]
    memo = operation[1].get("memo")
    opened = _decrypt(app, memo) if decrypt and isinstance(memo, str) and memo.startswith("#") else None
    if opened is not None:
        operation = [operation[0], operation[1] | {"memo": opened}]
    return {
        "number": sequence,
        "time": entry["timestamp"],
        "block_num": entry["block"],
        "transaction_id": entry["trx_id"],
        "operation": operation,
    } | ({} if opened is None else {"decrypted": True})


def _history_cells(row: Json) -> tuple[str, str | Text]:
    """The name of an operation and its fields; a memo that was decrypted stands below as it was written."""
    name, values = row["operation"]
    if not row.get("decrypted"):
        return _operation_cells(row["operation"])
    shown = clean(describe_fields({key: value for key, value in values.items() if key != "memo"}))
    return name, text(f"{shown}\n{values['memo']}")


def _decrypt(app: App, memo: str) -> str | None:
    """The text of an encrypted memo as it was written, behind its "#"; None where it is none or the key is not here."""
    try:
        parts = EncryptedMemo.from_text(memo)
        key = app.keystore.find(parts.receiver) or app.keystore.find(parts.sender)
        return None if key is None else f"#{decrypt_memo(memo, key)}"
    except Invalid:
        return None


def _operation_cells(operation: Any) -> tuple[str, str]:
    """The name of an operation, and its fields in one line."""
    name, values = operation
    return name, describe_fields(values)


def describe_fields(values: Mapping[str, Any]) -> str:
    """Fields in one line; empty ones are left out and long ones cut."""
    parts = []
    for key, value in values.items():
        if value in ("", [], None):
            continue
        shown = field_text(key, value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        shown = shown.replace("\n", " ")
        parts.append(f"{key}={shown if len(shown) <= 60 else shown[:57] + '...'}")
    return "  ".join(parts)


@command()
def explain(app: App, target: Post) -> None:
    """Explain a post's payout step by step, paid or pending."""
    params = {"author": target.author, "permlink": target.permlink}
    found: Json = app.session.client.call("plaudit_api.explain_payout", params)["explanation"]
    app.output.show(found, lambda: draw_explanation(found, app.session.identity))
