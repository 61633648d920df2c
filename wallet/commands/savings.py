"""Commands for savings: balances that can be taken out only after three days."""

from __future__ import annotations

from typing import Any

from rich.console import Group

from client.declare import option
from client.render import Columns, fields, utc
from operations.savings import CancelTransferFromSavings, TransferFromSavings, TransferToSavings
from protocol.assets import SBD, STEEM
from protocol.times import date_text, parse_time
from wallet.amounts import format_percent
from wallet.app import App
from wallet.commands.common import Number, choose_number, group
from wallet.session import Json

NUMBER_MAX = 0xFFFFFFFF
_MEMO = option("Note to the receiver; everybody can read it.", default="")


@group()
def savings() -> None:
    """Put tokens aside; taking them out takes three days and can be cancelled until then."""


@savings.command()
def deposit(
    app: App,
    account: str,
    amount: str,
    receiver: str = option("Account whose savings grow.  [default: the same]", "--to", default=""),
    memo: str = _MEMO,
) -> None:
    """Move STEEM or SBD into savings."""
    asset = app.session.payment(amount, STEEM, SBD)
    app.send(TransferToSavings(from_=account, to=receiver or account, amount=asset, memo=memo))


@savings.command()
def withdraw(
    app: App,
    account: str,
    amount: str,
    receiver: str = option("Account that is paid.  [default: the same]", "--to", default=""),
    memo: str = _MEMO,
) -> None:
    """Take STEEM or SBD out of savings; paid after three days on the main network."""
    asset = app.session.payment(amount, STEEM, SBD)
    taken = (int(row["request_id"]) for row in _list(app, account))
    number = choose_number(taken, parse_time(app.session.properties()["time"]))
    operation = TransferFromSavings(from_=account, request_id=number, to=receiver or account, amount=asset, memo=memo)
    app.send(operation, extra={"request_id": number})


@savings.command()
def cancel(app: App, account: str, number: Number) -> None:
    """Stop a withdrawal; the tokens stay in savings."""
    app.send(CancelTransferFromSavings(from_=account, request_id=number))


@savings.command("list")
def list_withdrawals(app: App, account: str) -> None:
    """List the withdrawals from an account's savings that are on their way."""
    columns: Columns = {"number": "request_id", "amount": "amount", "to": "to", "paid": utc("complete"), "memo": "memo"}
    app.output.list("withdrawals", _list(app, account), columns, 0, 1)


@savings.command()
def interest(app: App, account: str) -> None:
    """Show the interest on an account's SBD, liquid and in savings, and when it is due."""
    found: Json = app.session.client.call("plaudit_api.explain_interest", {"account": account})["explanation"]
    rate = f"{format_percent(int(found['sbd_interest_rate_bp']))} a year"
    symbol = app.session.identity.sbd_symbol
    parts = (fields(_describe(app, found[kind]), f"\n{symbol} {where}") for kind, where in _PLACES)
    app.output.show(found, lambda: Group(fields({"account": account, "interest rate": rate}), *parts))


_PLACES = (("liquid", "outside of savings"), ("savings", "in savings"))


def _describe(app: App, part: Json) -> dict[str, str]:
    paid = int(part["last_payment"])
    return {
        "balance": app.session.format(SBD, part["balance"]),
        "last payment": f"{date_text(paid)} UTC" if paid else "none yet",
        "next one due": "now" if part["is_due"] else f"after {date_text(int(part['due_after']))} UTC",
        "paid if touched now": app.session.format(SBD, part["interest"]),
    }


def _list(app: App, account: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.session.client.call("condenser_api.get_savings_withdraw_from", [account])
    return found
