"""Commands for the internal market of STEEM and SBD."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import click

from client.declare import Options, option
from client.errors import UsageError
from client.render import Columns, fields, table_of, utc
from operations.market import LimitOrderCancel, LimitOrderCreate
from protocol.assets import SBD, STEEM, Asset
from protocol.units import HOUR_SECONDS
from wallet.app import App
from wallet.commands.common import Number, choose_number, group
from wallet.session import Json

HOURS_MAX = 28 * 24
NUMBER_MAX = 0xFFFFFFFF
WHOLE = 1000
"""Smallest units of one STEEM."""


@group()
def market() -> None:
    """Trade STEEM for SBD on the chain's own market. Prices are SBD for one STEEM."""


@dataclass
class Offer(Options):
    """An order to be placed: what buying and selling share."""

    owner: str
    amount: Annotated[str, "STEEM"]
    total: str | None = option('SBD for all of it, as "2.500 SBD".', "--for")
    price: str | None = option('Price of one STEEM, as "0.250 SBD".')
    number: Number | None = option("Order number.  [default: a new one]", "--id")
    hours: int = option("Lifetime.", type=click.IntRange(1, HOURS_MAX), default=HOURS_MAX - 1)
    fill_or_kill: bool = option("Refuse it unless it is filled whole at once.")

    def read(self, app: App, *, round_up: bool) -> tuple[Asset, Asset]:
        """The STEEM and the SBD of it. A price that gives no whole amount is rounded in the owner's favour."""
        if (self.total is None) == (self.price is None):
            raise UsageError("give either --for or --price")
        steem = app.session.amount(self.amount, STEEM)
        sbd = app.session.amount(self.total or self.price or "", SBD)
        if self.total is None:
            scaled = steem.amount * sbd.amount
            sbd = Asset(-(-scaled // WHOLE) if round_up else scaled // WHOLE, SBD)
        if not steem.amount or not sbd.amount:
            raise UsageError("an order has no 0 in it")
        return steem, sbd

    def place(self, app: App, selling: Asset, wanted: Asset) -> None:
        """Sends it, under a number that is not taken unless one is given."""
        now, number = app.session.now(), self.number
        if number is None:
            found = app.session.client.call("condenser_api.get_open_orders", [self.owner])
            number = choose_number((int(row["orderid"]) for row in found), now)
        expiration = now + self.hours * HOUR_SECONDS
        operation = LimitOrderCreate(self.owner, number, selling, wanted, self.fill_or_kill, expiration)
        app.send(operation, extra={"order_id": number})


@market.command()
def buy(app: App, offer: Offer) -> None:
    """Offer SBD for STEEM: market buy alice "10.000 STEEM" --price "0.250 SBD"."""
    steem, sbd = offer.read(app, round_up=False)
    offer.place(app, sbd, steem)


@market.command()
def sell(app: App, offer: Offer) -> None:
    """Offer STEEM for SBD: market sell alice "10.000 STEEM" --for "2.500 SBD"."""
    steem, sbd = offer.read(app, round_up=True)
    offer.place(app, steem, sbd)


@market.command()
def cancel(app: App, owner: str, number: Number) -> None:
    """Take an order back."""
    app.send(LimitOrderCancel(owner=owner, orderid=number))


@market.command()
def orders(app: App, owner: str) -> None:
    """List an account's open orders."""
    found = app.session.client.call("condenser_api.get_open_orders", [owner])
    columns: Columns = {
        "number": "orderid",
        "for sale": lambda row: app.session.format(
            app.session.amount(row["sell_price"]["base"], STEEM, SBD).symbol, row["for_sale"]
        ),
        "price": lambda row: f"{row['sell_price']['base']} for {row['sell_price']['quote']}",
        "ends": utc("expiration"),
    }
    app.output.list("orders", found, columns, 0, 1)


@market.command()
def book(app: App, limit: int = option("Orders of each side.", type=click.IntRange(1, 500), default=20)) -> None:
    """Show the best offers of both sides."""
    found = app.session.client.call("condenser_api.get_order_book", [limit])
    steem, sbd = app.session.identity.steem_symbol, app.session.identity.sbd_symbol
    rows = [("buys", row) for row in found["bids"]] + [("sells", row) for row in found["asks"]]
    columns: Columns = {
        "": lambda row: f"{row[0]} {steem}",
        steem: lambda row: app.session.format(STEEM, row[1]["steem"]),
        sbd: lambda row: app.session.format(SBD, row[1]["sbd"]),
        "price": lambda row: _round(row[1]["real_price"]),
    }
    app.output.show(found, lambda: table_of(rows, columns, right=(1, 2, 3)))


@market.command()
def ticker(app: App) -> None:
    """Show last price, best offers and volume."""
    found = app.session.client.call("condenser_api.get_ticker", [])
    facts = {
        "latest price": _round(found["latest"]),
        "change": f"{float(found['percent_change']):+.2f}%",
        "highest bid": _round(found["highest_bid"]),
        "lowest ask": _round(found["lowest_ask"]),
        "volume": f"{found['steem_volume']} for {found['sbd_volume']}",
    }
    app.output.show(found, lambda: fields(facts))


@market.command()
def trades(app: App, limit: int = option("How many.", type=click.IntRange(1, 1000), default=20)) -> None:
    """List the last trades, newest first."""
    found = app.session.client.call("condenser_api.get_recent_trades", [limit])
    steem, sbd = app.session.identity.steem_symbol, app.session.identity.sbd_symbol

    def pays(row: Json) -> list[str]:
        return sorted((row["current_pays"], row["open_pays"]), key=lambda shown: not shown.endswith(f" {steem}"))

    def price(row: Json) -> str:
        sold, paid = map(app.session.amount, pays(row))
        return f"{paid.amount / sold.amount:.6f}"

    columns: Columns = {
        "time": utc("date"),
        "": lambda row: "sold" if row["current_pays"] == pays(row)[0] else "bought",
        steem: lambda row: pays(row)[0],
        sbd: lambda row: pays(row)[1],
        "price": price,
    }
    app.output.list("trades", found, columns, 2, 3, 4)


def _round(price: str) -> str:
    return f"{float(price):.6f}"
