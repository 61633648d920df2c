"""Commands for savings: balances that can be taken out only after three days."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Group, RenderableType

from client.errors import UsageError
from client.render import fields, moment, table
from operations.savings import CancelTransferFromSavings, TransferFromSavings, TransferToSavings
from protocol.assets import SBD, STEEM, Asset
from protocol.times import date_text, parse_time
from wallet.amounts import format_amount, format_percent
from wallet.app import App
from wallet.commands.common import SubGroup, choose_number, pass_app

NUMBER_MAX = 0xFFFFFFFF
_MEMO = click.option("--memo", default="", help="Note to the receiver; everybody can read it.")


@click.group(cls=SubGroup)
def savings() -> None:
    """Put tokens aside; taking them out takes three days and can be cancelled until then."""


@savings.command()
@click.argument("account")
@click.argument("amount")
@click.option("--to", "receiver", default="", help="Account whose savings grow.  [default: the same]")
@_MEMO
@pass_app
def deposit(app: App, account: str, amount: str, receiver: str, memo: str) -> None:
    """Move STEEM or SBD into savings."""
    asset = _read_amount(app, amount)
    app.send(TransferToSavings(from_=account, to=receiver or account, amount=asset, memo=memo))


@savings.command()
@click.argument("account")
@click.argument("amount")
@click.option("--to", "receiver", default="", help="Account that is paid.  [default: the same]")
@_MEMO
@pass_app
def withdraw(app: App, account: str, amount: str, receiver: str, memo: str) -> None:
    """Take STEEM or SBD out of savings; paid after three days on the main network."""
    asset = _read_amount(app, amount)
    taken = (int(row["request_id"]) for row in _list(app, account))
    number = choose_number(taken, parse_time(app.session.properties()["time"]))
    operation = TransferFromSavings(from_=account, request_id=number, to=receiver or account, amount=asset, memo=memo)
    app.send(operation, extra={"request_id": number})


@savings.command()
@click.argument("account")
@click.argument("number", type=click.IntRange(0, NUMBER_MAX))
@pass_app
def cancel(app: App, account: str, number: int) -> None:
    """Stop a withdrawal; the tokens stay in savings."""
    app.send(CancelTransferFromSavings(from_=account, request_id=number))


@savings.command("list")
@click.argument("account")
@pass_app
def list_withdrawals(app: App, account: str) -> None:
    """List the withdrawals from an account's savings that are on their way."""
    found = _list(app, account)

    def draw() -> RenderableType:
        rows = [
            (row["request_id"], row["amount"], row["to"], f"{moment(row['complete'])} UTC", row["memo"])
            for row in found
        ]
        return table(("number", "amount", "to", "paid", "memo"), rows, right=(0, 1))

    app.output.show({"withdrawals": found}, draw)


@savings.command()
@click.argument("account")
@pass_app
def interest(app: App, account: str) -> None:
    """Show the interest on an account's SBD, liquid and in savings, and when it is due."""
    found: dict[str, Any] = app.session.client.call("plaudit_api.explain_interest", {"account": account})["explanation"]

    def draw() -> RenderableType:
        rate = f"{format_percent(int(found['sbd_interest_rate_bp']))} a year"
        symbol = app.session.identity.sbd_symbol
        parts = (fields(_describe(app, found[kind]), f"\n{symbol} {where}") for kind, where in _PLACES)
        return Group(fields({"account": account, "interest rate": rate}), *parts)

    app.output.show(found, draw)


_PLACES = (("liquid", "outside of savings"), ("savings", "in savings"))


def _describe(app: App, part: dict[str, Any]) -> dict[str, str]:
    paid = int(part["last_payment"])
    return {
        "balance": _sbd(app, part["balance"]),
        "last payment": f"{date_text(paid)} UTC" if paid else "none yet",
        "next one due": "now" if part["is_due"] else f"after {date_text(int(part['due_after']))} UTC",
        "paid if touched now": _sbd(app, part["interest"]),
    }


def _sbd(app: App, amount: Any) -> str:
    return format_amount(Asset(int(amount), SBD), app.session.identity)


def _read_amount(app: App, text: str) -> Asset:
    asset = app.session.amount(text, STEEM, SBD)
    if not asset.amount:
        raise UsageError("the amount is 0")
    return asset


def _list(app: App, account: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = app.session.client.call("condenser_api.get_savings_withdraw_from", [account])
    return found
