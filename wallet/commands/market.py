"""Commands for the internal market."""

from __future__ import annotations

import click
from rich.console import RenderableType

from operations.market import LimitOrderCancel, LimitOrderCreate
from protocol.assets import SBD, STEEM, Asset
from protocol.times import parse_time
from wallet.amounts import format_amount
from wallet.app import App
from wallet.commands.common import SubGroup, pass_app
from wallet.errors import UsageError
from wallet.render import table

HOURS_MAX = 28 * 24
NUMBER_MAX = 0xFFFFFFFF


@click.group(cls=SubGroup)
def order() -> None:
    """Trade STEEM and SBD on the chain's own market."""


@order.command()
@click.argument("owner")
@click.option("--sell", required=True, help='What is sold, as "10.000 STEEM".')
@click.option("--for", "receive", required=True, help='What must come in for all of it, as "2.500 SBD".')
@click.option(
    "--id", "number", type=click.IntRange(0, NUMBER_MAX), default=None, help="Order number.  [default: a new one]"
)
@click.option("--hours", type=click.IntRange(1, HOURS_MAX), default=HOURS_MAX - 1, show_default=True, help="Lifetime.")
@click.option("--fill-or-kill", is_flag=True, help="Refuse it unless it is filled whole at once.")
@pass_app
def create(app: App, owner: str, sell: str, receive: str, number: int | None, hours: int, fill_or_kill: bool) -> None:
    """Place an order."""
    session = app.session
    selling, wanted = session.amount(sell, STEEM, SBD), session.amount(receive, STEEM, SBD)
    if selling.symbol == wanted.symbol:
        raise UsageError("an order sells one token for the other")
    if not selling.amount or not wanted.amount:
        raise UsageError("an order has no 0 in it")
    now = parse_time(session.properties()["time"])
    if number is None:
        number = _free_number(app, owner, now)
    operation = LimitOrderCreate(
        owner=owner,
        orderid=number,
        amount_to_sell=selling,
        min_to_receive=wanted,
        fill_or_kill=fill_or_kill,
        expiration=now + hours * 3600,
    )
    app.send(operation, extra={"order_id": number})


def _free_number(app: App, owner: str, now: int) -> int:
    taken = {int(row["orderid"]) for row in app.session.client.call("condenser_api.get_open_orders", [owner])}
    number = now
    while number in taken:
        number += 1
    return number


@order.command()
@click.argument("owner")
@click.argument("number", type=click.IntRange(0, NUMBER_MAX))
@pass_app
def cancel(app: App, owner: str, number: int) -> None:
    """Take an order back."""
    app.send(LimitOrderCancel(owner=owner, orderid=number))


@order.command("list")
@click.argument("owner")
@pass_app
def list_orders(app: App, owner: str) -> None:
    """List an account's open orders."""
    found = app.session.client.call("condenser_api.get_open_orders", [owner])
    identity = app.session.identity

    def draw() -> RenderableType:
        rows = []
        for row in found:
            base = app.session.amount(row["sell_price"]["base"], STEEM, SBD)
            left = format_amount(Asset(int(row["for_sale"]), base.symbol), identity)
            price = f"{row['sell_price']['base']} for {row['sell_price']['quote']}"
            rows.append((row["orderid"], left, price, f"{row['expiration']} UTC"))
        return table(("number", "for sale", "price", "ends"), rows, right=(0, 1))

    app.output.show({"orders": found}, draw)


@order.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500), help="Orders of each side.")
@pass_app
def book(app: App, limit: int) -> None:
    """Show the best offers of both sides."""
    found = app.session.client.call("condenser_api.get_order_book", [limit])
    identity = app.session.identity

    def draw() -> RenderableType:
        rows = []
        for side, name in (("bids", f"buys {identity.steem_symbol}"), ("asks", f"sells {identity.steem_symbol}")):
            for row in found[side]:
                steem, sbd = (format_amount(Asset(int(row[key]), symbol), identity) for key, symbol in _SIDES)
                rows.append((name, steem, sbd, row["real_price"]))
        return table(("", identity.steem_symbol, identity.sbd_symbol, "price"), rows, right=(1, 2, 3))

    app.output.show(found, draw)


_SIDES = (("steem", STEEM), ("sbd", SBD))
COMMANDS: tuple[click.Command, ...] = (order,)
