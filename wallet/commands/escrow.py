"""Commands for escrow: payments that a third account, the agent, watches over."""

from __future__ import annotations

from typing import Any

import click
from rich.console import RenderableType

from client.errors import ClientError, UsageError
from client.render import fields, moment, table
from operations.escrow import EscrowApprove, EscrowDispute, EscrowRelease, EscrowTransfer
from protocol.assets import SBD, STEEM, Asset
from protocol.units import DAY_SECONDS
from wallet.amounts import format_amount
from wallet.app import App
from wallet.commands.common import MOMENT, SubGroup, pass_app
from wallet.session import Json

NUMBER_MAX = 0xFFFFFFFF
APPROVAL_DAYS = 3
EXPIRATION_DAYS = 30
_NUMBER = click.IntRange(0, NUMBER_MAX)


@click.group(cls=SubGroup)
def escrow() -> None:
    """Pay through a third account that decides if there is a dispute. Amounts are "1.000 STEEM" or "1.000 SBD"."""


@escrow.command()
@click.argument("sender", metavar="FROM")
@click.argument("receiver", metavar="TO")
@click.argument("agent")
@click.argument("amounts", metavar="AMOUNT...", nargs=-1, required=True)
@click.option("--fee", default=None, help="What the agent gets when all have approved.  [default: nothing]")
@click.option("--approve-until", "deadline", type=MOMENT, default=None, help="Deadline (UTC).  [default: 3 days]")
@click.option("--expires", type=MOMENT, default=None, help="From when each side may release.  [default: 30 days]")
@click.option("--terms", default="", help="Terms as JSON text.")
@click.option("--id", "number", type=_NUMBER, default=None, help="Number of the escrow.  [default: a new one]")
@pass_app
def transfer(
    app: App,
    sender: str,
    receiver: str,
    agent: str,
    amounts: tuple[str, ...],
    fee: str | None,
    deadline: int | None,
    expires: int | None,
    terms: str,
    number: int | None,
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
@click.argument("sender", metavar="FROM")
@click.argument("number", type=_NUMBER)
@click.option("--as", "who", required=True, help="The receiver or the agent, whoever approves.")
@click.option("--refuse", is_flag=True, help="Refuse it instead; everything goes back.")
@pass_app
def approve(app: App, sender: str, number: int, who: str, refuse: bool) -> None:
    """Approve an escrow, as its receiver or its agent."""
    found = _get(app, sender, number)
    operation = EscrowApprove(
        from_=sender, to=found["to"], agent=found["agent"], who=who, escrow_id=number, approve=not refuse
    )
    app.send(operation)


@escrow.command()
@click.argument("sender", metavar="FROM")
@click.argument("number", type=_NUMBER)
@click.option("--as", "who", required=True, help="The payer or the receiver, whoever disputes.")
@pass_app
def dispute(app: App, sender: str, number: int, who: str) -> None:
    """Let the agent decide about an escrow."""
    found = _get(app, sender, number)
    app.send(EscrowDispute(from_=sender, to=found["to"], agent=found["agent"], who=who, escrow_id=number))


@escrow.command()
@click.argument("sender", metavar="FROM")
@click.argument("number", type=_NUMBER)
@click.argument("amounts", metavar="[AMOUNT...]", nargs=-1)
@click.option("--as", "who", required=True, help="Who releases: the payer, the receiver or the agent.")
@click.option("--to", "receiver", required=True, help="Who is paid: the payer or the receiver.")
@pass_app
def release(app: App, sender: str, number: int, amounts: tuple[str, ...], who: str, receiver: str) -> None:
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
@click.argument("sender", metavar="FROM")
@click.argument("number", type=_NUMBER)
@pass_app
def show(app: App, sender: str, number: int) -> None:
    """Show an escrow."""
    found = _get(app, sender, number)

    def draw() -> RenderableType:
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
        return fields(facts)

    app.output.show(found, draw)


@escrow.command("list")
@click.argument("sender", metavar="FROM")
@pass_app
def list_escrows(app: App, sender: str) -> None:
    """List the escrows that an account has made and that are not over."""
    found: list[Json] = app.session.client.call("database_api.find_escrows", {"from": sender})["escrows"]

    def draw() -> RenderableType:
        rows = [
            (
                row["escrow_id"],
                row["to"],
                row["agent"],
                _amount(app, row["steem_balance"]),
                _amount(app, row["sbd_balance"]),
                _describe_state(row),
                f"{moment(row['escrow_expiration'])} UTC",
            )
            for row in found
        ]
        return table(("number", "to", "agent", "holds", "and", "state", "expires"), rows, right=(0, 3, 4))

    app.output.show({"escrows": found}, draw)


def _amount(app: App, shown: Any) -> str:
    asset: Asset = app.session.codec.from_json(Asset, shown)
    return format_amount(asset, app.session.identity)


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
