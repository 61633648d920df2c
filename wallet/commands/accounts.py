"""Commands about accounts: making new ones, and changing their keys and metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import click
from rich.console import Group, RenderableType

from client.errors import ClientError, UsageError
from client.render import fields, moment, table
from operations.account import AccountCreate, AccountUpdate2, ClaimAccount, CreateClaimedAccount
from protocol.assets import STEEM, Asset
from protocol.keys import PrivateKey, encode_public_key
from protocol.names import is_valid_account_name
from protocol.types import Authority
from wallet.app import App
from wallet.commands.common import SubGroup, parse_json, pass_app, read_text
from wallet.commands.keys import ROLES
from wallet.keystore import StoredKey
from wallet.session import Json, Session

WEIGHT_MAX = 0xFFFF
THRESHOLD_MAX = 0xFFFFFFFF
Decorator = Callable[[Callable[..., None]], Callable[..., None]]
MEMBER = "KEY|ACCOUNT[=WEIGHT]"


@click.group(cls=SubGroup)
def account() -> None:
    """Make accounts and look at them."""


@account.command()
@click.argument("name")
@pass_app
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
@click.argument("new_name")
@click.option("--creator", required=True, help="Account that pays the fee.")
@click.option("--claimed", is_flag=True, help="Use an account that the creator has claimed; no fee.")
@click.option("--fee", default=None, help="Fee to pay.  [default: what the node says]")
@click.option("--show-password", is_flag=True, help="Print the new account's master password, once.")
@click.option("--secret-file", type=click.File("r"), default=None, help="Read the master password from a file.")
@pass_app
def create(
    app: App, new_name: str, creator: str, claimed: bool, fee: str | None, show_password: bool, secret_file: Any
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
    secret = app.read_secret(secret_file) if secret_file is not None else make_password()
    keys = {role: PrivateKey.from_password(new_name, role, secret) for role in ROLES}
    authorities = {role: Authority(1, (), ((keys[role].public_key, 1),)) for role in ("owner", "active", "posting")}
    operation: AccountCreate | CreateClaimedAccount
    if claimed:
        operation = CreateClaimedAccount(
            creator=creator,
            new_account_name=new_name,
            memo_key=keys["memo"].public_key,
            json_metadata="",
            extensions=(),
            **authorities,
        )
    else:
        operation = AccountCreate(
            fee=session.amount(fee or _creation_fee(session), STEEM),
            creator=creator,
            new_account_name=new_name,
            memo_key=keys["memo"].public_key,
            json_metadata="",
            **authorities,
        )
    prefix = session.identity.address_prefix
    extra: Json = {f"{role}_key": encode_public_key(key.public_key, prefix) for role, key in keys.items()}
    if show_password:
        extra["password"] = secret
    app.send(operation, extra=extra, new_keys=[StoredKey(key, new_name, role) for role, key in keys.items()])
    app.output.note(f"The keys of {new_name} are in {app.keystore.path}.")


def make_password() -> str:
    """A master password with 256 bits of chance, in the form that other wallets use too."""
    return "P" + PrivateKey(os.urandom(32)).to_wif()


def _creation_fee(session: Session) -> str:
    return str(session.client.call("condenser_api.get_chain_properties", [])["account_creation_fee"])


@account.command()
@click.argument("creator")
@click.option("--pay", is_flag=True, help="Pay the account creation fee instead of using mana (free of charge).")
@pass_app
def claim(app: App, creator: str, pay: bool) -> None:
    """Claim the right to make an account later with --claimed."""
    fee = app.session.amount(_creation_fee(app.session), STEEM) if pay else Asset(0, STEEM)
    app.send(ClaimAccount(creator=creator, fee=fee, extensions=()))


def _authority_option(role: str, help_text: str) -> Decorator:
    return click.option(f"--{role}", role, multiple=True, metavar=MEMBER, help=help_text)


def _threshold_option(role: str) -> Decorator:
    limits = click.IntRange(1, THRESHOLD_MAX)
    return click.option(f"--{role}-threshold", type=limits, default=1, show_default=True, help="Weight that suffices.")


@account.command()
@click.argument("name")
@_authority_option("owner", "New owner authority: a public key or an account, with its weight; may be repeated.")
@_threshold_option("owner")
@_authority_option("active", "New active authority.")
@_threshold_option("active")
@_authority_option("posting", "New posting authority.")
@_threshold_option("posting")
@click.option("--memo", default=None, metavar="KEY", help="New memo key.")
@click.option("--new-password", is_flag=True, help="Make all four keys anew from a new password; they are stored.")
@click.option("--show-password", is_flag=True, help="Print the new master password, once.")
@click.option("--secret-file", type=click.File("r"), default=None, help="Read the new master password from a file.")
@click.option("--metadata", default=None, help='JSON metadata that the active key guards; may be "@FILE".')
@click.option("--profile", default=None, help='JSON metadata that the posting key guards; may be "@FILE".')
@pass_app
def update(
    app: App,
    /,
    name: str,
    memo: str | None,
    new_password: bool,
    show_password: bool,
    secret_file: Any,
    metadata: str | None,
    profile: str | None,
    **members: Any,
) -> None:
    """Change an account's authorities, memo key or metadata; what is not given stays as it is."""
    session = app.session
    authorities = {
        role: _read_authority(app, members[role], members[f"{role}_threshold"], role) if members[role] else None
        for role in ("owner", "active", "posting")
    }
    memo_key = None if memo is None else session.public_key(memo)
    new_keys: list[StoredKey] = []
    extra: Json = {}
    if new_password or secret_file is not None:
        if memo is not None or any(authorities.values()):
            raise UsageError("a new password makes all keys; no other key can be given with it")
        secret = app.read_secret(secret_file) if secret_file is not None else make_password()
        new_keys = [StoredKey(PrivateKey.from_password(name, role, secret), name, role) for role in ROLES]
        public = {stored.role: stored.key.public_key for stored in new_keys}
        authorities = {role: Authority(1, (), ((public[role], 1),)) for role in authorities}
        memo_key = public["memo"]
        prefix = session.identity.address_prefix
        extra = {f"{role}_key": encode_public_key(key, prefix) for role, key in public.items()}
        extra |= {"password": secret} if show_password else {}
    operation = AccountUpdate2(
        account=name,
        memo_key=memo_key,
        json_metadata=_read_metadata(app, metadata),
        posting_json_metadata=_read_metadata(app, profile),
        extensions=(),
        **authorities,
    )
    if not any((*authorities.values(), memo_key, operation.json_metadata, operation.posting_json_metadata)):
        raise UsageError("there is nothing to change", "Give at least one of the options.")
    app.send(operation, extra=extra, new_keys=new_keys)


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
