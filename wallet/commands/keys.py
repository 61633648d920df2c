"""Commands for the key file: making it, and putting keys in and taking them out."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TextIO

import click
from rich.console import RenderableType

from client.declare import option
from client.errors import ClientError
from client.render import fields, table
from protocol.identity import STEEM_MAINNET
from protocol.keys import PrivateKey, encode_public_key, suggest_brain_key
from wallet.app import App
from wallet.commands.common import command, group
from wallet.key_forms import read_private_key
from wallet.keystore import Keystore, StoredKey

ROLES = ("owner", "active", "posting", "memo")
PREFIX_OFFLINE = STEEM_MAINNET.address_prefix
_ROLE = click.Choice((*ROLES, "signing"))


@command()
def init(app: App) -> None:
    """Make a new, empty key file (asks for its password)."""
    store = app.create_keystore()
    app.output.show({"keystore": str(store.path)}, lambda: fields({"key file": store.path}))
    app.output.note("Next: `plaudit wallet keys import`, or `plaudit wallet keys password ACCOUNT`.")


@group()
def keys() -> None:
    """Put keys into the key file, list them, take them out."""


@keys.command("import")
def import_key(
    app: App,
    account: str = option("Account that the key is for (only a label).", default=""),
    role: str | None = option("What the key is for (only a label).", type=_ROLE),
    key_file: TextIO | None = option("Read the key from a file instead of asking."),
) -> None:
    """Store a private key (WIF: 5..., K... or L...). It is asked for, so that it stays out of the shell's history."""
    store = app.keystore
    wif = app.read_secret(key_file) if key_file is not None else app.ask_secret("Private key (WIF)")
    _store(app, store, [StoredKey(read_private_key(wif), account, role or "")])


@keys.command()
def password(
    app: App,
    account: str,
    roles: tuple[str, ...] = option("Only these roles.", "--role", type=click.Choice(ROLES)),
    secret_file: TextIO | None = option("Read the password from a file."),
    check: bool = option("Ask the node whether the account has these keys.", "--check/--no-check", default=True),
) -> None:
    """Derive an account's keys from its master password and store them."""
    store = app.keystore
    secret = app.read_secret(secret_file) if secret_file is not None else app.ask_secret(f"Password of {account}")
    found = [StoredKey(PrivateKey.from_password(account, role, secret), account, role) for role in roles or ROLES]
    if check:
        found = _only_valid(app, account, found)
    _store(app, store, found)


def _only_valid(app: App, account: str, candidates: list[StoredKey]) -> list[StoredKey]:
    """Those keys that the account really has. Raises ClientError if there is none."""
    shown = app.session.get_account(account)
    held = {role: {pair[0] for pair in shown[role]["key_auths"]} for role in ("owner", "active", "posting")}
    held["memo"] = {shown["memo_key"]}
    prefix = app.session.identity.address_prefix
    valid = [key for key in candidates if encode_public_key(key.key.public_key, prefix) in held[key.role]]
    if not valid:
        raise ClientError(
            f"none of the keys made from this password belongs to {account}",
            "Check the password; --no-check stores the keys all the same.",
        )
    for key in candidates:
        if key not in valid:
            app.output.note(f"The {key.role} key of {account} is another one: not stored.")
    return valid


@keys.command()
def brain(
    app: App,
    account: str = option("Account that the key is for (only a label).", default=""),
    role: str | None = option("What the key is for (only a label).", type=_ROLE),
    sequence: int = option("Number of the key under the brain key.", default=0),
    secret_file: TextIO | None = option("Read the brain key from a file."),
) -> None:
    """Derive a key from a brain key (a list of words) and store it."""
    store = app.keystore
    words = app.read_secret(secret_file) if secret_file is not None else app.ask_secret("Brain key")
    _store(app, store, [StoredKey(PrivateKey.from_brain_key(words, sequence), account, role or "")])


@keys.command()
def generate(
    app: App,
    account: str = option("Account that the key is for (only a label).", default=""),
    role: str | None = option("What the key is for (only a label).", type=_ROLE),
    show_brain: bool = option("Make it from a new brain key, which is printed once.", "--brain"),
) -> None:
    """Make a new random key and store it."""
    extra: dict[str, Any] = {}
    store = app.keystore
    if show_brain:
        words = suggest_brain_key(os.urandom(32))
        key = PrivateKey.from_brain_key(words)
        extra = {"brain_key": words}
    else:
        key = PrivateKey(os.urandom(32))
    _store(app, store, [StoredKey(key, account, role or "")], extra)


@keys.command("list")
def list_keys(
    app: App, offline: bool = option(f"Do not ask the node for the chain's key prefix; show {PREFIX_OFFLINE}.")
) -> None:
    """List the public keys of the key file with their labels."""
    found = app.keystore.list()
    prefix = PREFIX_OFFLINE if offline else _prefix(app)
    app.output.show({"keys": [_key_json(key, prefix) for key in found]}, lambda: _draw_keys(found, prefix))


@keys.command()
def remove(app: App, public_key: str) -> None:
    """Take a key out of the key file, for good."""
    store = app.keystore
    key = _find(app, store, public_key)
    prefix = public_key[: -len(encode_public_key(key.key.public_key, ""))]
    app.confirm("Remove this key for good?", _draw_keys([key], prefix))
    with store.changing():
        store.remove(key.key.public_key)
    app.output.show({"removed": _key_json(key, prefix)}, lambda: fields({"removed": public_key}))


@keys.command()
def reveal(app: App, public_key: str) -> None:
    """Print a private key (WIF): for a node that signs blocks, or for a copy on paper."""
    key = _find(app, app.keystore, public_key)
    app.confirm(f"Print the private key of {public_key}? Whoever sees it can use it.")
    wif = key.key.to_wif()
    app.output.show({"public_key": public_key, "private_key": wif}, lambda: fields({"private key": wif}))


@keys.command("change-password")
def change_password(app: App, new_password_file: TextIO | None = option("Read the new password from a file.")) -> None:
    """Encrypt the key file under a new password."""
    store = app.keystore
    if new_password_file is not None:
        new = app.read_secret(new_password_file)
    else:
        new = app.ask_secret("New wallet password", twice=True)
    app.check_new_password(new)
    store.change_password(new)
    app.output.show({"keystore": str(store.path)}, lambda: fields({"password changed": store.path}))


def _find(app: App, store: Keystore, public_key: str) -> StoredKey:
    """The stored key of a public key in text form, whatever chain's prefix it has."""
    for key in store.list():
        if public_key.endswith(encode_public_key(key.key.public_key, "")):
            return key
    raise ClientError(
        f"the key file holds no key {public_key}", "`plaudit wallet keys list` shows which keys there are."
    )


def _store(app: App, store: Keystore, found: Iterable[StoredKey], extra: dict[str, Any] | None = None) -> None:
    with store.changing():
        stored = [store.add(*key) for key in found]
    prefix = _prefix(app)
    shown = {"keys": [_key_json(key, prefix) for key in stored]} | (extra or {})

    def draw() -> RenderableType:
        return _draw_keys(stored, prefix)

    app.output.show(shown, draw)
    if extra and not app.is_json:
        app.output.note(f"Brain key, shown only now: {extra['brain_key']}")


def _prefix(app: App) -> str:
    """The key prefix of the node's chain; the main network's where no node answers."""
    try:
        return app.session.identity.address_prefix
    except ClientError:
        app.output.note(f"No node answers: public keys are shown with the prefix {PREFIX_OFFLINE}.")
        return PREFIX_OFFLINE


def _key_json(key: StoredKey, prefix: str) -> dict[str, str]:
    return {
        "public_key": encode_public_key(key.key.public_key, prefix),
        "account": key.account,
        "role": key.role,
    }


def _draw_keys(found: Iterable[StoredKey], prefix: str) -> RenderableType:
    rows = [(key.account or "-", key.role or "-", encode_public_key(key.key.public_key, prefix)) for key in found]
    return table(("account", "role", "public key"), rows)
