"""Commands that convert SBD to STEEM."""

from __future__ import annotations

from client.render import Columns, utc
from operations.convert import Convert
from protocol.assets import SBD
from protocol.times import parse_time
from wallet.app import App
from wallet.commands.common import choose_number, command


@command()
def convert(app: App, account: str, amount: str) -> None:
    """Convert SBD to STEEM: paid after 3.5 days at the median price of these days. It cannot be taken back."""
    sbd = app.session.payment(amount, SBD)
    taken = (int(row["requestid"]) for row in _list(app, account))
    number = choose_number(taken, parse_time(app.session.properties()["time"]))
    app.send(Convert(owner=account, requestid=number, amount=sbd), extra={"request_id": number})


@command()
def conversions(app: App, account: str) -> None:
    """List an account's conversions that are on their way."""
    columns: Columns = {"number": "requestid", "amount": "amount", "paid": utc("conversion_date")}
    app.output.list("conversions", _list(app, account), columns, 0, 1)


def _list(app: App, account: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = app.session.client.call("condenser_api.get_conversion_requests", [account])
    return found
