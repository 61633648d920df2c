"""Commands about witnesses: being one, and voting for them."""

from __future__ import annotations

import os
from typing import Any

import click
from rich.console import RenderableType

from client.errors import ClientError, UsageError
from client.render import fields, moment, table
from operations.witness import AccountWitnessProxy, AccountWitnessVote, FeedPublish, WitnessUpdate
from protocol.assets import SBD, STEEM, Asset, Price
from protocol.keys import NULL_KEY, PrivateKey, encode_public_key
from protocol.types import LegacyChainProperties
from wallet.amounts import format_percent, parse_percent
from wallet.app import App
from wallet.commands.common import SubGroup, pass_app
from wallet.keystore import StoredKey
from wallet.session import Json

LIST_MAX = 1000


@click.group(cls=SubGroup)
def witness() -> None:
    """Be a witness, or vote for witnesses."""


def _find(app: App, name: str) -> Json | None:
    found = app.session.client.call("condenser_api.get_witness_by_account", [name])
    return found if isinstance(found, dict) else None


def _get(app: App, name: str) -> Json:
    found = _find(app, name)
    if found is None:
        raise ClientError(f"{name} is not a witness", f"`plaudit wallet witness register {name}` makes it one.")
    return found


_URL = click.option("--url", default=None, help="Page about the witness.")
_KEY = click.option("--signing-key", default=None, help="Public key that signs blocks.")
_FEE = click.option("--creation-fee", default=None, help='Account creation fee to vote for, as "3.000 STEEM".')
_SIZE = click.option("--block-size", type=int, default=None, help="Greatest block to vote for, in bytes.")
_INTEREST = click.option("--interest", default=None, help='SBD interest rate to vote for, as "10%".')


@witness.command()
@click.argument("owner")
@_URL
@_KEY
@_FEE
@_SIZE
@_INTEREST
@pass_app
def register(
    app: App,
    owner: str,
    url: str | None,
    signing_key: str | None,
    creation_fee: str | None,
    block_size: int | None,
    interest: str | None,
) -> None:
    """Make an account a witness. Without --signing-key a new key is made and stored."""
    if _find(app, owner) is not None:
        raise ClientError(f"{owner} is a witness already", "Use `plaudit wallet witness update`.")
    properties = app.session.client.call("condenser_api.get_chain_properties", [])
    key = PrivateKey(os.urandom(32)) if signing_key is None else app.session.public_key(signing_key)
    _send_update(app, owner, url or "-", key, _properties(app, properties, creation_fee, block_size, interest))


@witness.command()
@click.argument("owner")
@_URL
@_KEY
@_FEE
@_SIZE
@_INTEREST
@click.option("--new-key", is_flag=True, help="Make and store a new signing key.")
@pass_app
def update(
    app: App,
    owner: str,
    url: str | None,
    signing_key: str | None,
    creation_fee: str | None,
    block_size: int | None,
    interest: str | None,
    new_key: bool,
) -> None:
    """Change a witness; what is not given stays as it is."""
    if new_key and signing_key is not None:
        raise UsageError("--new-key and --signing-key exclude each other")
    found = _get(app, owner)
    key = PrivateKey(os.urandom(32)) if new_key else app.session.public_key(signing_key or found["signing_key"])
    if signing_key is None and isinstance(key, bytes) and key != NULL_KEY and app.keystore.find(key) is None:
        app.settle(
            f"the node says that blocks of {owner} are signed by {found['signing_key']}, whose private key is not here",
            "If this key is yours, name it with --signing-key.",
        )
    props = _properties(app, found["props"], creation_fee, block_size, interest)
    _send_update(app, owner, url or found["url"], key, props)


@witness.command()
@click.argument("owner")
@pass_app
def disable(app: App, owner: str) -> None:
    """Retire a witness: it makes no more blocks until it is updated with a key."""
    found = _get(app, owner)
    _send_update(app, owner, found["url"], NULL_KEY, _properties(app, found["props"], None, None, None))


def _properties(
    app: App, base: Json, fee: str | None, block_size: int | None, interest: str | None
) -> LegacyChainProperties:
    """The properties to vote for: what was given over what `base` has."""
    return LegacyChainProperties(
        account_creation_fee=app.session.amount(fee or base["account_creation_fee"], STEEM),
        maximum_block_size=int(base["maximum_block_size"]) if block_size is None else block_size,
        sbd_interest_rate=int(base["sbd_interest_rate"]) if interest is None else parse_percent(interest),
    )


def _send_update(app: App, owner: str, url: str, key: bytes | PrivateKey, props: LegacyChainProperties) -> None:
    """Sends the update; `key` is the public signing key, or a new private one that is to be stored."""
    public_key = key if isinstance(key, bytes) else key.public_key
    new_keys = [] if isinstance(key, bytes) else [StoredKey(key, owner, "signing")]
    update = WitnessUpdate(owner=owner, url=url, block_signing_key=public_key, props=props, fee=Asset(0, STEEM))
    shown = encode_public_key(public_key, app.session.identity.address_prefix)
    app.send(update, extra={"signing_key": shown}, new_keys=new_keys)
    if new_keys:
        app.output.note(f"The witness's node needs the new key: `plaudit wallet keys reveal {shown}` prints it.")


@witness.command("vote")
@click.argument("account")
@click.argument("name", metavar="WITNESS")
@pass_app
def vote_witness(app: App, account: str, name: str) -> None:
    """Vote for a witness."""
    app.send(AccountWitnessVote(account=account, witness=name, approve=True))


@witness.command("unvote")
@click.argument("account")
@click.argument("name", metavar="WITNESS")
@pass_app
def unvote_witness(app: App, account: str, name: str) -> None:
    """Take a vote for a witness back."""
    app.send(AccountWitnessVote(account=account, witness=name, approve=False))


@witness.command()
@click.argument("account")
@click.argument("proxy_account", metavar="PROXY")
@pass_app
def proxy(app: App, account: str, proxy_account: str) -> None:
    """Let another account vote for witnesses in one's place; an empty PROXY ends it."""
    app.send(AccountWitnessProxy(account=account, proxy=proxy_account))


@witness.command()
@click.argument("publisher")
@click.argument("price")
@click.option("--for", "steem", default=None, help="Amount of STEEM that PRICE pays for.  [default: 1]")
@pass_app
def feed(app: App, publisher: str, price: str, steem: str | None) -> None:
    """Publish a price: feed alice "0.250 SBD" says that 1 STEEM is worth that much."""
    session = app.session
    base = session.amount(price, SBD)
    quote = session.amount(steem or f"1 {session.identity.steem_symbol}", STEEM)
    if not base.amount or not quote.amount:
        raise UsageError("a price has no 0 in it")
    app.send(FeedPublish(publisher=publisher, exchange_rate=Price(base, quote)))


@witness.command()
@click.argument("name")
@pass_app
def show(app: App, name: str) -> None:
    """Show a witness."""
    found = _get(app, name)

    def draw() -> RenderableType:
        props, rate = found["props"], found["sbd_exchange_rate"]
        facts = {
            "witness": found["owner"],
            "url": found["url"],
            "signing key": found["signing_key"],
            "votes": found["votes"],
            "missed blocks": found["total_missed"],
            "last block": found["last_confirmed_block_num"],
            "price": f"{rate['base']} for {rate['quote']}, at {moment(found['last_sbd_exchange_update'])} UTC",
            "account creation fee": props["account_creation_fee"],
            "block size": f"{props['maximum_block_size']} bytes",
            f"{app.session.identity.sbd_symbol} interest": format_percent(int(props["sbd_interest_rate"])),
            "version": found["running_version"],
        }
        return fields(facts)

    app.output.show(found, draw)


@witness.command("list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, LIST_MAX), help="How many.")
@pass_app
def list_witnesses(app: App, limit: int) -> None:
    """List witnesses by votes."""
    found: list[Any] = app.session.client.call("condenser_api.get_witnesses_by_vote", ["", limit])

    def draw() -> RenderableType:
        null_key = encode_public_key(NULL_KEY, app.session.identity.address_prefix)
        rows = [
            (
                place,
                row["owner"],
                row["votes"],
                row["total_missed"],
                row["last_confirmed_block_num"],
                "no" if row["signing_key"] == null_key else "yes",
            )
            for place, row in enumerate(found, 1)
        ]
        return table(("#", "witness", "votes", "missed", "last block", "active"), rows, right=(0, 2, 3, 4))

    app.output.show({"witnesses": found}, draw)
