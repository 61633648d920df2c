"""Commands for escrow: payments that a third account, the agent, watches over."""

from __future__ import annotations

from typing import Any

import click

from client.declare import argument, option
from client.errors import ClientError, UsageError
from client.render import Columns, fields, moment, utc
from operations.escrow import EscrowApprove, EscrowDispute, EscrowRelease, EscrowTransfer
from protocol.assets import SBD, STEEM, Asset
from protocol.units import DAY_SECONDS
from wallet.app import App
from wallet.commands.common import From, Moment, Number, To, group
from wallet.session import Json

NUMBER_MAX = 0xFFFFFFFF
APPROVAL_DAYS = 3
EXPIRATION_DAYS = 30
_NUMBER = click.IntRange(0, NUMBER_MAX)


@group()
def escrow() -> None:
    """Pay through a third account that decides if there is a dispute. Amounts are "1.000 STEEM" or "1.000 SBD"."""


@escrow.command()
def transfer(
    app: App,
    sender: From,
    receiver: To,
    agent: str,
    amounts: tuple[str, ...] = argument("AMOUNT..."),
    fee: str | None = option("What the agent gets when all have approved.  [default: nothing]"),
    deadline: Moment | None = option("Deadline (UTC).  [default: 3 days]", "--approve-until"),
    expires: Moment | None = option("From when each side may release.  [default: 30 days]"),
    terms: str = option("Terms as JSON text.", default=""),
    number: Number | None = option("Number of the escrow.  [default: a new one]", "--id"),
) -> None:
    """Put STEEM and SBD aside for TO; TO and the agent have to approve it."""
    steem, sbd = _read_amounts(app, amounts)
    now = app.session.now()
    operation = EscrowTransfer(
        from_=sender,
        to=receiver,
        sbd_amount=sbd,
        steem_amount=steem,
        escrow_id=now if number is None else number,
        agent=agent,
        fee=Asset(0, STEEM) if fee is None else app.session.amount(fee, STEEM, SBD),
        json_meta=terms,
        ratification_deadline=now + APPROVAL_DAYS * DAY_SECONDS if deadline is None else deadline,
        escrow_expiration=now + EXPIRATION_DAYS * DAY_SECONDS if expires is None else expires,
    )
    app.send(operation, extra={"escrow_id": operation.escrow_id})


@escrow.command()
def approve(
    app: App,
    sender: From,
    number: Number,
    who: str = option("The receiver or the agent, whoever approves.", "--as", required=True),
    refuse: bool = option("Refuse it instead; everything goes back."),
) -> None:
    """Approve an escrow, as its receiver or its agent."""
    found = _get(app, sender, number)
    operation = EscrowApprove(
        from_=sender, to=found["to"], agent=found["agent"], who=who, escrow_id=number, approve=not refuse
    )
    app.send(operation)


@escrow.command()
def dispute(
    app: App,
    sender: From,
    number: Number,
    who: str = option("The payer or the receiver, whoever disputes.", "--as", required=True),
) -> None:
    """Raise a dispute about an escrow, which its agent then decides."""
    found = _get(app, sender, number)
    app.send(EscrowDispute(from_=sender, to=found["to"], agent=found["agent"], who=who, escrow_id=number))


@escrow.command()
def release(
    app: App,
    sender: From,
    number: Number,
    amounts: tuple[str, ...] = argument("[AMOUNT...]", required=False),
    who: str = option("Who releases: the payer, the receiver or the agent.", "--as", required=True),
    receiver: str = option("Who is paid: the payer or the receiver.", "--to", required=True),
) -> None:
    """Pay money out of an escrow; without an amount all that is left."""
    found = _get(app, sender, number)
    steem, sbd = _read_amounts(app, amounts or (found["steem_balance"], found["sbd_balance"]))
    operation = EscrowRelease(
        from_=sender,
        to=found["to"],
        agent=found["agent"],
        who=who,
        receiver=receiver,
        escrow_id=number,
        sbd_amount=sbd,
        steem_amount=steem,
    )
    app.send(operation)


@escrow.command()
def show(app: App, sender: From, number: Number) -> None:
    """Show an escrow."""
    found = _get(app, sender, number)

    facts = {
        "escrow": found["escrow_id"],
        "from": found["from"],
        "to": found["to"] + (", approved" if found["to_approved"] else ", has not approved"),
        "agent": found["agent"] + (", approved" if found["agent_approved"] else ", has not approved"),
        "holds": f"{found['steem_balance']} and {found['sbd_balance']}",
        "fee to pay": found["pending_fee"],
        "approval until": f"{moment(found['ratification_deadline'])} UTC",
        "expires": f"{moment(found['escrow_expiration'])} UTC",
        "disputed": "yes" if found["disputed"] else "no",
    }
    app.output.show(found, lambda: fields(facts))


@escrow.command("list")
def list_escrows(app: App, sender: From) -> None:
    """List the escrows that an account has made and that are not over."""
    found = app.session.client.call("database_api.find_escrows", {"from": sender})["escrows"]
    columns: Columns = {
        "number": "escrow_id",
        "to": "to",
        "agent": "agent",
        "holds": lambda row: app.session.format_json(row["steem_balance"]),
        "and": lambda row: app.session.format_json(row["sbd_balance"]),
        "state": _describe_state,
        "expires": utc("escrow_expiration"),
    }
    app.output.list("escrows", found, columns, 0, 3, 4)


def _describe_state(row: Json) -> str:
    if row["disputed"]:
        return "disputed"
    missing = [who for who in ("to", "agent") if not row[f"{who}_approved"]]
    return f"not approved by {' and '.join(row[who] for who in missing)}" if missing else "approved"


def _get(app: App, sender: str, number: int) -> Json:
    found: Any = app.session.client.call("condenser_api.get_escrow", [sender, number])
    if not isinstance(found, dict):
        raise ClientError(f"{sender} has no escrow {number}", "It may be over, or never have been approved in time.")
    return found


def _read_amounts(app: App, amounts: tuple[str, ...]) -> tuple[Asset, Asset]:
    """The STEEM and the SBD among the amounts, each given at most once. Raises UsageError."""
    found = {asset.symbol: asset for asset in (app.session.amount(text, STEEM, SBD) for text in amounts)}
    if len(found) != len(amounts):
        raise UsageError("give each token once")
    if not any(asset.amount for asset in found.values()):
        raise UsageError("the amount is 0")
    return found.get(STEEM, Asset(0, STEEM)), found.get(SBD, Asset(0, SBD))
