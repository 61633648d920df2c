"""Commands about accounts: making new ones, and changing their keys and metadata."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, TextIO

import click
from rich.console import Group, RenderableType

from client.declare import Options, option
from client.errors import ClientError, UsageError
from client.render import fields, moment, table
from operations.account import AccountCreate, AccountUpdate2, ClaimAccount, CreateClaimedAccount
from protocol.assets import STEEM, Asset
from protocol.keys import PrivateKey, encode_public_key
from protocol.names import is_valid_account_name
from protocol.types import Authority
from wallet.app import App
from wallet.commands.common import group, parse_json, read_text
from wallet.commands.keys import ROLES
from wallet.keystore import StoredKey
from wallet.session import Json, Session

WEIGHT_MAX = 0xFFFF
THRESHOLD_MAX = 0xFFFFFFFF
MEMBER = "KEY|ACCOUNT[=WEIGHT]"


@group()
def account() -> None:
    """Make accounts and look at them."""


@account.command()
def show(app: App, name: str) -> None:
    """Show an account's keys, proxy and recovery account."""
    found = app.session.get_account(name)

    def draw() -> RenderableType:
        rows = []
        for role in ("owner", "active", "posting"):
            authority = found[role]
            for who, weight in [*authority["key_auths"], *authority["account_auths"]]:
                rows.append((role, authority["weight_threshold"], who, weight))
        rows.append(("memo", "", found["memo_key"], ""))
        facts = {
            "created": f"{moment(found['created'])} UTC",
            "recovery account": found["recovery_account"] or "-",
            "proxy": found["proxy"] or "-",
            "witness votes": ", ".join(found.get("witness_votes", [])) or "-",
            "claimed accounts": found["pending_claimed_accounts"],
        }
        return Group(table(("role", "threshold", "key or account", "weight"), rows, name), fields(facts))

    app.output.show(found, draw)


@account.command()
def create(
    app: App,
    new_name: str,
    creator: str = option("Account that pays the fee.", required=True),
    claimed: bool = option("Use an account that the creator has claimed; no fee."),
    fee: str | None = option("Fee to pay.  [default: what the node says]"),
    show_password: bool = option("Print the new account's master password, once."),
    secret_file: TextIO | None = option("Read the master password from a file."),
) -> None:
    """Make an account; its keys come from a new password and are stored in the key file."""
    if not is_valid_account_name(new_name):
        raise UsageError(
            f"{new_name!r} cannot be the name of an account",
            "A name has 3 to 16 characters: small letters, digits, hyphens and dots; every part begins with a letter.",
        )
    session = app.session
    if session.find_account(new_name) is not None:
        raise ClientError(f"there is an account {new_name} already", "Choose another name.")
    keys = _Keys(app, new_name, secret_file)
    named = {"creator": creator, "new_account_name": new_name, "json_metadata": "", **keys.public}
    operation: AccountCreate | CreateClaimedAccount
    if claimed:
        operation = CreateClaimedAccount(extensions=(), **named)
    else:
        operation = AccountCreate(fee=session.amount(fee or _creation_fee(session), STEEM), **named)
    app.send(operation, extra=keys.describe(show_password), new_keys=keys.stored)
    app.output.note(f"The keys of {new_name} are in {app.keystore.path}.")


class _Keys:
    """All keys of an account, made from a master password: the one in a file, or a new one."""

    def __init__(self, app: App, name: str, secret_file: TextIO | None) -> None:
        self._secret = app.read_secret(secret_file) if secret_file is not None else make_password()
        self._prefix = app.session.identity.address_prefix
        self.stored = [StoredKey(PrivateKey.from_password(name, role, self._secret), name, role) for role in ROLES]
        *held, memo = (stored.key.public_key for stored in self.stored)
        self.public: Json = {role: Authority(1, (), ((key, 1),)) for role, key in zip(ROLES, held, strict=False)}
        self.public["memo_key"] = memo

    def describe(self, show_password: bool) -> Json:
        """The public keys as they are shown, and the password if that is wanted."""
        shown = {f"{it.role}_key": encode_public_key(it.key.public_key, self._prefix) for it in self.stored}
        return shown | ({"password": self._secret} if show_password else {})


def make_password() -> str:
    """A master password with 256 bits of chance, in the form that other wallets use too."""
    return "P" + PrivateKey(os.urandom(32)).to_wif()


def _creation_fee(session: Session) -> str:
    return str(session.client.call("condenser_api.get_chain_properties", [])["account_creation_fee"])


@account.command()
def claim(
    app: App, creator: str, pay: bool = option("Pay the account creation fee instead of using mana (free of charge).")
) -> None:
    """Claim the right to make an account later with --claimed."""
    fee = app.session.amount(_creation_fee(app.session), STEEM) if pay else Asset(0, STEEM)
    app.send(ClaimAccount(creator=creator, fee=fee, extensions=()))


def _members(text: str) -> Any:
    return option(text, metavar=MEMBER)


_THRESHOLD = option("Weight that suffices.", type=click.IntRange(1, THRESHOLD_MAX), default=1)


@dataclass
class Authorities(Options):
    """New authorities of an account."""

    owner: tuple[str, ...] = _members(
        "New owner authority: a public key or an account, with its weight; may be repeated."
    )
    owner_threshold: int = _THRESHOLD
    active: tuple[str, ...] = _members("New active authority.")
    active_threshold: int = _THRESHOLD
    posting: tuple[str, ...] = _members("New posting authority.")
    posting_threshold: int = _THRESHOLD

    def read(self, app: App) -> dict[str, Authority | None]:
        """Those that were given, by roles. Raises UsageError."""
        given = {role: (getattr(self, role), getattr(self, f"{role}_threshold")) for role in ROLES[:3]}
        return {role: _read_authority(app, *parts, role) if parts[0] else None for role, parts in given.items()}


@account.command()
def update(
    app: App,
    name: str,
    given: Authorities,
    memo: str | None = option("New memo key.", metavar="KEY"),
    new_password: bool = option("Generate all four keys from a new password and store them."),
    show_password: bool = option("Print the new master password, once."),
    secret_file: TextIO | None = option("Read the new master password from a file."),
    metadata: str | None = option('JSON metadata that the active key guards; may be "@FILE".'),
    profile: str | None = option('JSON metadata that the posting key guards; may be "@FILE".'),
) -> None:
    """Change an account's authorities, memo key or metadata; what is not given stays as it is."""
    public: Json = {**given.read(app), "memo_key": None if memo is None else app.session.public_key(memo)}
    made = None
    if new_password or secret_file is not None:
        if any(public.values()):
            raise UsageError("a new password makes all keys; no other key can be given with it")
        made = _Keys(app, name, secret_file)
        public = made.public
    operation = AccountUpdate2(
        account=name,
        json_metadata=_read_metadata(app, metadata),
        posting_json_metadata=_read_metadata(app, profile),
        extensions=(),
        **public,
    )
    if not any((*public.values(), operation.json_metadata, operation.posting_json_metadata)):
        raise UsageError("there is nothing to change", "Give at least one of the options.")
    if made is None:
        app.send(operation)
    else:
        app.send(operation, extra=made.describe(show_password), new_keys=made.stored)


def _read_authority(app: App, members: tuple[str, ...], threshold: int, role: str) -> Authority:
    """An authority out of "KEY=WEIGHT" and "ACCOUNT=WEIGHT". Raises UsageError if nobody could meet it."""
    accounts: dict[str, int] = {}
    keys: dict[bytes, int] = {}
    for member in members:
        who, _, weight_text = member.partition("=")
        weight = int(weight_text or "1") if (weight_text or "1").isdecimal() else 0
        if not 0 < weight <= WEIGHT_MAX:
            raise UsageError(f"{member!r} has no weight from 1 to {WEIGHT_MAX}", f"Write {MEMBER}.")
        if is_valid_account_name(who):
            app.session.get_account(who)
            accounts[who] = weight
        else:
            keys[app.session.public_key(who)] = weight
    total = sum(accounts.values()) + sum(keys.values())
    if total < threshold:
        raise UsageError(
            f"nobody could meet this {role} authority: all weights together are {total}, the threshold is {threshold}"
        )
    return Authority(threshold, tuple(sorted(accounts.items())), tuple(sorted(keys.items())))


def _read_metadata(app: App, value: str | None) -> str:
    """Metadata as compact JSON, empty if none is given. Raises UsageError when it is not JSON."""
    if value is None:
        return ""
    content = parse_json(read_text(app, value.removeprefix("@")) if value.startswith("@") else value)
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False)
