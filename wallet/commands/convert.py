"""Commands that convert SBD to STEEM."""

from __future__ import annotations

import click
from rich.console import RenderableType

from client.errors import UsageError
from client.render import moment, table
from operations.convert import Convert
from protocol.assets import SBD
from protocol.times import parse_time
from wallet.app import App
from wallet.commands.common import WalletCommand, choose_number, pass_app


@click.command(cls=WalletCommand)
@click.argument("account")
@click.argument("amount")
@pass_app
def convert(app: App, account: str, amount: str) -> None:
    """Convert SBD to STEEM: paid after 3.5 days at the median price of these days. It cannot be taken back."""
    sbd = app.session.amount(amount, SBD)
    if not sbd.amount:
        raise UsageError("the amount is 0")
    taken = (int(row["requestid"]) for row in _list(app, account))
    number = choose_number(taken, parse_time(app.session.properties()["time"]))
    app.send(Convert(owner=account, requestid=number, amount=sbd), extra={"request_id": number})


@click.command(cls=WalletCommand)
@click.argument("account")
@pass_app
def conversions(app: App, account: str) -> None:
    """List an account's conversions that are on their way."""
    found = _list(app, account)

    def draw() -> RenderableType:
        rows = [(row["requestid"], row["amount"], f"{moment(row['conversion_date'])} UTC") for row in found]
        return table(("number", "amount", "paid"), rows, right=(0, 1))

    app.output.show({"conversions": found}, draw)


def _list(app: App, account: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = app.session.client.call("condenser_api.get_conversion_requests", [account])
    return found
