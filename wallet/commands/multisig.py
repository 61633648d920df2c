"""Commands for transactions that several people sign."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.console import Group, RenderableType

from client.declare import argument, option
from client.errors import ClientError
from client.render import fields, moment, table
from protocol.errors import ProtocolError
from protocol.keys import encode_public_key, sign_digest
from protocol.times import date_text, time_text
from protocol.transaction import Transaction
from protocol.units import MINUTE_SECONDS
from wallet.app import App
from wallet.commands.common import group, read_operations
from wallet.multisig import Requirement, Signers, read_file, write_file
from wallet.session import EXPIRATION_SECONDS_MAX, Json

MINUTES_MAX = 60
_FILE = click.Path(dir_okay=False, path_type=Path)


@group()
def multisig() -> None:
    """Sign a transaction together with others: build, sign (each), combine, broadcast."""


@multisig.command()
def build(
    app: App,
    file: Path,
    data: str = argument("JSON"),
    minutes: int = option("Time to sign.", type=click.IntRange(1, MINUTES_MAX), default=MINUTES_MAX),
) -> None:
    """Write a transaction without signatures into FILE. JSON is as for `send`: an operation or a list of them."""
    operations = read_operations(app, data)
    transaction = app.session.build(operations, min(minutes * MINUTE_SECONDS, EXPIRATION_SECONDS_MAX))
    write_file(file, app.session.codec, transaction, is_new=True)
    _show(app, transaction)
    app.output.note(f"Next: everybody who has to sign runs `plaudit wallet multisig sign {file}`.")


@multisig.command()
def sign(app: App, file: Path) -> None:
    """Add the signatures of this wallet's keys to FILE, as far as they are needed."""
    session = app.session
    transaction = read_file(file, session.codec)
    signers, signed = _signers(app, transaction), _signed_keys(app, transaction)
    if signers.is_complete(signed):
        raise ClientError("the transaction has all signatures it needs", f"Send it: multisig broadcast {file}.")
    chosen = signers.choose(signed, [stored.key.public_key for stored in app.keystore.list()])
    if not chosen:
        raise ClientError(
            "this wallet holds no key that is needed", f"`plaudit wallet multisig show {file}` lists who is missing."
        )
    app.check_chain()
    expires = fields({"expires": f"{date_text(transaction.expiration)} UTC"})
    app.confirm("Sign it?", Group(_draw_operations(app, transaction), expires))
    app.remember()
    digest = transaction.digest(session.identity.chain_id)
    keys = [app.keystore.find(public_key) for public_key in chosen]
    added = [sign_digest(digest, key) for key in keys if key is not None]
    transaction = transaction.with_signatures([*transaction.signatures, *added])
    write_file(file, session.codec, transaction)
    _show(app, transaction)


@multisig.command()
def combine(app: App, file: Path, others: tuple[Path, ...] = argument("OTHER...")) -> None:
    """Put the signatures of all files into FILE; those that are not needed are left out."""
    codec = app.session.codec
    transaction = read_file(file, codec)
    signatures = list(transaction.signatures)
    for other in others:
        found = read_file(other, codec)
        if found.id != transaction.id:
            raise ClientError(f"{other} holds another transaction than {file}")
        signatures += found.signatures
    combined = _without_surplus(app, transaction.with_signatures(dict.fromkeys(signatures)))
    write_file(file, codec, combined)
    _show(app, combined)


@multisig.command()
def show(app: App, file: Path) -> None:
    """Show what FILE does, who has signed it and what is missing."""
    _show(app, read_file(file, app.session.codec))


@multisig.command()
def broadcast(app: App, file: Path) -> None:
    """Send a transaction that everybody has signed."""
    transaction = read_file(file, app.session.codec)
    if not _signers(app, transaction).is_complete(_signed_keys(app, transaction)):
        raise ClientError(
            "signatures are missing", f"`plaudit wallet multisig show {file}` lists who has not signed yet."
        )
    transaction = _without_surplus(app, transaction)
    app.confirm("Send it?", _draw_operations(app, transaction))
    receipt = app.session.broadcast(transaction)
    shown = {
        "transaction_id": transaction.id.hex(),
        "block_num": receipt.block_num,
        "trx_num": receipt.trx_num,
        "operations": _operations_json(app, transaction),
    }
    app.output.show(shown, lambda: fields({"transaction": transaction.id.hex(), "block": receipt.block_num}))


def _signers(app: App, transaction: Transaction) -> Signers:
    return Signers(transaction.required_authorities(), app.session)


def _signed_keys(app: App, transaction: Transaction) -> list[bytes]:
    try:
        return list(transaction.signers(app.session.identity.chain_id))
    except ProtocolError as error:
        raise ClientError(
            f"the file holds a signature that is none: {error.message.partition(':')[2]}", "Build the file again."
        ) from None


def _without_surplus(app: App, transaction: Transaction) -> Transaction:
    """The transaction with each signature once and without those that are not needed."""
    by_key = dict(zip(_signed_keys(app, transaction), transaction.signatures, strict=True))
    surplus = _signers(app, transaction).find_surplus(by_key)
    prefix = app.session.identity.address_prefix
    for key in surplus:
        app.output.note(f"Left out, as it is not needed: the signature of {encode_public_key(key, prefix)}.")
    return transaction.with_signatures(signature for key, signature in by_key.items() if key not in surplus)


def _operations_json(app: App, transaction: Transaction) -> list[Any]:
    return [app.session.codec.operation_to_json(operation, True) for operation in transaction.operations]


def _draw_operations(app: App, transaction: Transaction) -> RenderableType:
    return Group(*(fields(values, name) for name, values in _operations_json(app, transaction)))


def _show(app: App, transaction: Transaction) -> None:
    signers, signed = _signers(app, transaction), _signed_keys(app, transaction)
    needed = [_requirement_json(app, signers, requirement, signed) for requirement in signers.requirements]
    shown: Json = {
        "transaction_id": transaction.id.hex(),
        "expiration": time_text(transaction.expiration),
        "complete": signers.is_complete(signed),
        "needed": needed,
        "operations": _operations_json(app, transaction),
    }
    app.output.show(shown, lambda: _draw(app, transaction, shown))


def _requirement_json(app: App, signers: Signers, requirement: Requirement, signed: list[bytes]) -> Json:
    """The authority that is met, or else the weakest one, with its members."""
    authority = requirement.options[0]
    for candidate in requirement.options:
        if signers.weigh(candidate, signed) >= candidate.weight_threshold:
            authority = candidate
            break
    prefix = app.session.identity.address_prefix
    return {
        "account": requirement.account,
        "role": requirement.role,
        "threshold": authority.weight_threshold,
        "reached": signers.weigh(authority, signed),
        "met": signers.is_met(requirement, signed),
        "members": [
            {
                "depth": member.depth,
                "key": None if member.key is None else encode_public_key(member.key, prefix),
                "account": member.account or None,
                "weight": member.weight,
                "signed": member.has_signed,
            }
            for member in signers.list_members(authority, signed)
        ],
    }


def _draw(app: App, transaction: Transaction, shown: Json) -> RenderableType:
    parts: list[RenderableType] = [_draw_operations(app, transaction)]
    for part in shown["needed"]:
        who = f"{part['role']} authority of {part['account']}" if part["account"] else "authority written out"
        rows = [
            ("  " * member["depth"] + (member["key"] or member["account"]), member["weight"], _MARKS[member["signed"]])
            for member in part["members"]
        ]
        title = f"{who}: {part['reached']} of {part['threshold']}"
        parts.append(table(("key or account", "weight", "signed"), rows, title, right=(1,)))
    state = "complete, it can be sent" if shown["complete"] else "signatures are missing"
    facts = {"transaction": shown["transaction_id"], "expires": f"{moment(shown['expiration'])} UTC", "state": state}
    return Group(*parts, fields(facts))


_MARKS = {True: "yes", False: "-"}
