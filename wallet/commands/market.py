"""Commands for the internal market of STEEM and SBD."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from rich.console import RenderableType

from client.errors import UsageError
from client.render import fields, moment, table
from operations.market import LimitOrderCancel, LimitOrderCreate
from protocol.assets import SBD, STEEM, Asset
from protocol.units import HOUR_SECONDS
from wallet.amounts import format_amount
from wallet.app import App
from wallet.commands.common import SubGroup, choose_number, pass_app

HOURS_MAX = 28 * 24
NUMBER_MAX = 0xFFFFFFFF
WHOLE = 1000
"""Smallest units of one STEEM."""


@click.group(cls=SubGroup)
def market() -> None:
    """Trade STEEM for SBD on the chain's own market. Prices are SBD for one STEEM."""


def _placing(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments that buying and selling share."""
    for decorate in (
        click.option("--fill-or-kill", is_flag=True, help="Refuse it unless it is filled whole at once."),
        click.option(
            "--hours", type=click.IntRange(1, HOURS_MAX), default=HOURS_MAX - 1, show_default=True, help="Lifetime."
        ),
        click.option(
            "--id",
            "number",
            type=click.IntRange(0, NUMBER_MAX),
            default=None,
            help="Order number.  [default: a new one]",
        ),
        click.option("--price", default=None, help='Price of one STEEM, as "0.250 SBD".'),
        click.option("--for", "total", default=None, help='SBD for all of it, as "2.500 SBD".'),
        click.argument("amount", metavar="STEEM"),
        click.argument("owner"),
    ):
        command = decorate(command)
    return command


@market.command()
@_placing
@pass_app
def buy(app: App, /, owner: str, amount: str, **options: Any) -> None:
    """Offer SBD for STEEM: market buy alice "10.000 STEEM" --price "0.250 SBD"."""
    steem, sbd = _read_offer(app, amount, options["total"], options["price"], round_up=False)
    _place(app, owner, sbd, steem, options)


@market.command()
@_placing
@pass_app
def sell(app: App, /, owner: str, amount: str, **options: Any) -> None:
    """Offer STEEM for SBD: market sell alice "10.000 STEEM" --for "2.500 SBD"."""
    steem, sbd = _read_offer(app, amount, options["total"], options["price"], round_up=True)
    _place(app, owner, steem, sbd, options)


def _read_offer(app: App, amount: str, total: str | None, price: str | None, *, round_up: bool) -> tuple[Asset, Asset]:
    """The STEEM and the SBD of an order. A price that gives no whole amount is rounded in the owner's favour."""
    if (total is None) == (price is None):
        raise UsageError("give either --for or --price")
    steem = app.session.amount(amount, STEEM)
    sbd = app.session.amount(total or price or "", SBD)
    if total is None:
        scaled = steem.amount * sbd.amount
        sbd = Asset(-(-scaled // WHOLE) if round_up else scaled // WHOLE, SBD)
    if not steem.amount or not sbd.amount:
        raise UsageError("an order has no 0 in it")
    return steem, sbd


def _place(app: App, owner: str, selling: Asset, wanted: Asset, options: dict[str, Any]) -> None:
    now = app.session.now()
    number = options["number"]
    if number is None:
        found = app.session.client.call("condenser_api.get_open_orders", [owner])
        number = choose_number((int(row["orderid"]) for row in found), now)
    operation = LimitOrderCreate(
        owner=owner,
        orderid=number,
        amount_to_sell=selling,
        min_to_receive=wanted,
        fill_or_kill=options["fill_or_kill"],
        expiration=now + options["hours"] * HOUR_SECONDS,
    )
    app.send(operation, extra={"order_id": number})


@market.command()
@click.argument("owner")
@click.argument("number", type=click.IntRange(0, NUMBER_MAX))
@pass_app
def cancel(app: App, owner: str, number: int) -> None:
    """Take an order back."""
    app.send(LimitOrderCancel(owner=owner, orderid=number))


@market.command()
@click.argument("owner")
@pass_app
def orders(app: App, owner: str) -> None:
    """List an account's open orders."""
    found = app.session.client.call("condenser_api.get_open_orders", [owner])
    identity = app.session.identity

    def draw() -> RenderableType:
        rows = []
        for row in found:
            base = app.session.amount(row["sell_price"]["base"], STEEM, SBD)
            left = format_amount(Asset(int(row["for_sale"]), base.symbol), identity)
            price = f"{row['sell_price']['base']} for {row['sell_price']['quote']}"
            rows.append((row["orderid"], left, price, f"{moment(row['expiration'])} UTC"))
        return table(("number", "for sale", "price", "ends"), rows, right=(0, 1))

    app.output.show({"orders": found}, draw)


@market.command()
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
                rows.append((name, steem, sbd, _round(row["real_price"])))
        return table(("", identity.steem_symbol, identity.sbd_symbol, "price"), rows, right=(1, 2, 3))

    app.output.show(found, draw)


@market.command()
@pass_app
def ticker(app: App) -> None:
    """Show last price, best offers and volume."""
    found = app.session.client.call("condenser_api.get_ticker", [])

    def draw() -> RenderableType:
        facts = {
            "latest price": _round(found["latest"]),
            "change": f"{float(found['percent_change']):+.2f}%",
            "highest bid": _round(found["highest_bid"]),
            "lowest ask": _round(found["lowest_ask"]),
            "volume": f"{found['steem_volume']} for {found['sbd_volume']}",
        }
        return fields(facts)

    app.output.show(found, draw)


@market.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@pass_app
def trades(app: App, limit: int) -> None:
    """List the last trades, newest first."""
    found = app.session.client.call("condenser_api.get_recent_trades", [limit])
    symbol = app.session.identity.steem_symbol

    def draw() -> RenderableType:
        rows = []
        for row in found:
            pays = [row["current_pays"], row["open_pays"]]
            is_sale = pays[0].endswith(f" {symbol}")
            steem, sbd = (app.session.amount(text) for text in (pays if is_sale else pays[::-1]))
            price = f"{sbd.amount / steem.amount:.6f}"
            rows.append(
                (
                    f"{moment(row['date'])} UTC",
                    "sold" if is_sale else "bought",
                    *(pays if is_sale else pays[::-1]),
                    price,
                )
            )
        return table(("time", "", symbol, app.session.identity.sbd_symbol, "price"), rows, right=(2, 3, 4))

    app.output.show({"trades": found}, draw)


def _round(price: str) -> str:
    return f"{float(price):.6f}"


_SIDES = (("steem", STEEM), ("sbd", SBD))
