"""Commands about accounts: what they have, and making new ones."""

from __future__ import annotations

import os
from typing import Any

import click
from rich.console import Group, RenderableType

from client.errors import ClientError, UsageError
from client.render import NEVER, fields, moment, table
from operations.account import AccountCreate, ClaimAccount, CreateClaimedAccount
from protocol.assets import STEEM, VESTS, Asset
from protocol.keys import PrivateKey, encode_public_key
from protocol.names import is_valid_account_name
from protocol.times import parse_time
from protocol.types import Authority
from protocol.units import BASIS_POINTS
from wallet.amounts import format_amount, format_percent, group_digits, parse_amount
from wallet.app import App
from wallet.commands.common import SubGroup, WalletCommand, pass_app
from wallet.commands.keys import ROLES
from wallet.keystore import StoredKey
from wallet.session import Json, Session

REGENERATION_SECONDS = 432_000


@click.command(cls=WalletCommand)
@click.argument("name")
@pass_app
def balance(app: App, name: str) -> None:
    """Show everything an account has: liquid, savings, power, rewards, mana."""
    session = app.session
    account = session.get_account(name)
    shown = summarize_balance(session, account)
    app.output.show(shown, lambda: _draw_balance(shown))


def summarize_balance(session: Session, account: Json) -> Json:
    """The balances of an account, with power in both units and mana as percentages."""
    properties = session.properties()
    power = session.power()

    def vests(name: str) -> int:
        return parse_amount(account[name], session.identity, VESTS).amount

    def both(amount: int) -> Json:
        steem = Asset(abs(power.to_steem(amount)) * (1 if amount >= 0 else -1), STEEM)
        return {
            "vests": format_amount(Asset(amount, VESTS), session.identity),
            "steem_power": format_amount(steem, session.identity),
        }

    own, lent, borrowed = vests("vesting_shares"), vests("delegated_vesting_shares"), vests("received_vesting_shares")
    leaving = _leaving(account, vests("vesting_withdraw_rate"))
    effective = own - lent + borrowed - leaving
    shown = {
        "name": account["name"],
        "liquid": {"steem": account["balance"], "sbd": account["sbd_balance"]},
        "savings": {"steem": account["savings_balance"], "sbd": account["savings_sbd_balance"]},
        "rewards": {
            "steem": account["reward_steem_balance"],
            "sbd": account["reward_sbd_balance"],
            "vests": account["reward_vesting_balance"],
            "steem_power": account["reward_vesting_steem"],
        },
        "power": {
            "own": both(own),
            "delegated_out": both(lent),
            "delegated_in": both(borrowed),
            "effective": both(effective),
        },
        "mana": _mana(session, account, properties, effective),
    }
    if account["next_vesting_withdrawal"] != NEVER:
        shown["power_down"] = {
            "next": account["next_vesting_withdrawal"],
            "each": both(vests("vesting_withdraw_rate")),
            "left": both(int(account["to_withdraw"]) - int(account["withdrawn"])),
        }
    return shown


def _leaving(account: Json, rate: int) -> int:
    """The VESTS that the next payment of a power-down takes; they carry no mana any more."""
    if account["next_vesting_withdrawal"] == NEVER:
        return 0
    return min(rate, int(account["to_withdraw"]) - int(account["withdrawn"]))


def _mana(session: Session, account: Json, properties: Json, effective: int) -> Json:
    seconds = int(session.config.get("STEEM_VOTING_MANA_REGENERATION_SECONDS", REGENERATION_SECONDS))
    now = parse_time(properties["time"])
    pool = int(properties.get("downvote_pool_percent", 0))

    def percent(bar: Json, maximum: int) -> str:
        if maximum <= 0:
            return format_percent(0)
        elapsed = max(0, now - int(bar["last_update_time"]))
        current = min(maximum, int(bar["current_mana"]) + maximum * min(elapsed, seconds) // seconds)
        return format_percent(max(0, current) * BASIS_POINTS // maximum)

    return {
        "vote": percent(account["voting_manabar"], effective),
        "downvote": percent(account["downvote_manabar"], effective * pool // BASIS_POINTS),
    }


def _draw_balance(shown: Json) -> RenderableType:
    rows = [
        ("liquid", group_digits(shown["liquid"]["steem"]), group_digits(shown["liquid"]["sbd"])),
        ("savings", group_digits(shown["savings"]["steem"]), group_digits(shown["savings"]["sbd"])),
        ("rewards to claim", group_digits(shown["rewards"]["steem"]), group_digits(shown["rewards"]["sbd"])),
        ("", group_digits(shown["rewards"]["steem_power"]) + " as power", group_digits(shown["rewards"]["vests"])),
    ]
    power = [
        (name.replace("_", " "), group_digits(part["steem_power"]), group_digits(part["vests"]))
        for name, part in shown["power"].items()
    ]
    parts: list[RenderableType] = [
        table(("tokens", "", ""), rows, shown["name"], right=(1, 2)),
        table(("power", "worth", "shares"), power, right=(1, 2)),
        fields({"vote mana": shown["mana"]["vote"], "downvote mana": shown["mana"]["downvote"]}),
    ]
    if "power_down" in shown:
        down = shown["power_down"]
        each, left = down["each"]["steem_power"], down["left"]["steem_power"]
        parts.append(fields({"power-down": f"{each} next at {moment(down['next'])} UTC, {left} left"}))
    return Group(*parts)


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


COMMANDS: tuple[click.Command, ...] = (balance, account)
