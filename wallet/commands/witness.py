"""Commands about witnesses: being one, and voting for them."""

from __future__ import annotations

import os
from dataclasses import dataclass

import click

from client.declare import Options, argument, option
from client.errors import ClientError, UsageError
from client.render import Columns, fields, moment, table_of
from operations.witness import AccountWitnessProxy, AccountWitnessVote, FeedPublish, WitnessUpdate
from protocol.assets import SBD, STEEM, Asset, Price
from protocol.keys import NULL_KEY, PrivateKey, encode_public_key
from protocol.types import LegacyChainProperties
from wallet.amounts import format_percent, parse_percent
from wallet.app import App
from wallet.commands.common import group
from wallet.keystore import StoredKey
from wallet.session import Json

LIST_MAX = 1000


@group()
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


@dataclass
class Wishes(Options):
    """What a witness says of itself and votes for."""

    url: str | None = option("Page about the witness.")
    signing_key: str | None = option("Public key that signs blocks.")
    creation_fee: str | None = option('Account creation fee to vote for, as "3.000 STEEM".')
    block_size: int | None = option("Greatest block to vote for, in bytes.")
    interest: str | None = option('SBD interest rate to vote for, as "10%".')

    def make_properties(self, app: App, base: Json) -> LegacyChainProperties:
        """The properties to vote for: what was given over what `base` has."""
        interest = int(base["sbd_interest_rate"]) if self.interest is None else parse_percent(self.interest)
        fee = app.session.amount(self.creation_fee or base["account_creation_fee"], STEEM)
        size = int(base["maximum_block_size"]) if self.block_size is None else self.block_size
        return LegacyChainProperties(fee, size, interest)


@witness.command()
def register(app: App, owner: str, wishes: Wishes) -> None:
    """Make an account a witness. Without --signing-key a new key is made and stored."""
    if _find(app, owner) is not None:
        raise ClientError(f"{owner} is a witness already", "Use `plaudit wallet witness update`.")
    properties = app.session.client.call("condenser_api.get_chain_properties", [])
    key = PrivateKey(os.urandom(32)) if wishes.signing_key is None else app.session.public_key(wishes.signing_key)
    _send_update(app, owner, wishes.url or "-", key, wishes.make_properties(app, properties))


@witness.command()
def update(app: App, owner: str, wishes: Wishes, new_key: bool = option("Make and store a new signing key.")) -> None:
    """Change a witness; what is not given stays as it is."""
    given = wishes.signing_key
    if new_key and given is not None:
        raise UsageError("--new-key and --signing-key exclude each other")
    found = _get(app, owner)
    key = PrivateKey(os.urandom(32)) if new_key else app.session.public_key(given or found["signing_key"])
    if given is None and isinstance(key, bytes) and key != NULL_KEY and app.keystore.find(key) is None:
        app.settle(
            f"the node says that blocks of {owner} are signed by {found['signing_key']}, whose private key is not here",
            "If this key is yours, name it with --signing-key.",
        )
    _send_update(app, owner, wishes.url or found["url"], key, wishes.make_properties(app, found["props"]))


@witness.command()
def disable(app: App, owner: str) -> None:
    """Retire a witness: it makes no more blocks until it is updated with a key."""
    found = _get(app, owner)
    props = Wishes(None, None, None, None, None).make_properties(app, found["props"])
    _send_update(app, owner, found["url"], NULL_KEY, props)


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
def vote_witness(app: App, account: str, name: str = argument("WITNESS")) -> None:
    """Vote for a witness."""
    app.send(AccountWitnessVote(account=account, witness=name, approve=True))


@witness.command("unvote")
def unvote_witness(app: App, account: str, name: str = argument("WITNESS")) -> None:
    """Take a vote for a witness back."""
    app.send(AccountWitnessVote(account=account, witness=name, approve=False))


@witness.command()
def proxy(app: App, account: str, proxy_account: str = argument("PROXY")) -> None:
    """Set another account as proxy for witness votes; an empty PROXY removes it."""
    app.send(AccountWitnessProxy(account=account, proxy=proxy_account))


@witness.command()
def feed(
    app: App,
    publisher: str,
    price: str,
    steem: str | None = option("Amount of STEEM that PRICE pays for.  [default: 1]", "--for"),
) -> None:
    """Publish a price: feed alice "0.250 SBD" says that 1 STEEM is worth that much."""
    session = app.session
    base = session.amount(price, SBD)
    quote = session.amount(steem or f"1 {session.identity.steem_symbol}", STEEM)
    if not base.amount or not quote.amount:
        raise UsageError("a price has no 0 in it")
    app.send(FeedPublish(publisher=publisher, exchange_rate=Price(base, quote)))


@witness.command()
def show(app: App, name: str) -> None:
    """Show a witness."""
    found = _get(app, name)
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
    app.output.show(found, lambda: fields(facts))


@witness.command("list")
def list_witnesses(app: App, limit: int = option("How many.", type=click.IntRange(1, LIST_MAX), default=50)) -> None:
    """List witnesses by votes."""
    found = app.session.client.call("condenser_api.get_witnesses_by_vote", ["", limit])
    null_key = encode_public_key(NULL_KEY, app.session.identity.address_prefix)
    rows = [{"place": place} | row for place, row in enumerate(found, 1)]
    columns: Columns = {
        "#": "place",
        "witness": "owner",
        "votes": "votes",
        "missed": "total_missed",
        "last block": "last_confirmed_block_num",
        "active": lambda row: "no" if row["signing_key"] == null_key else "yes",
    }
    app.output.show({"witnesses": found}, lambda: table_of(rows, columns, right=(0, 2, 3, 4)))
