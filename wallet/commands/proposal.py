"""Commands for proposals: payments by the day out of the chain's treasury."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Group, RenderableType

from client.errors import UsageError
from client.render import fields, moment, table
from operations.proposal import CreateProposal, RemoveProposal, UpdateProposalVotes
from protocol.assets import SBD, Asset
from protocol.integers import INT64_MAX
from protocol.times import date_text
from wallet.amounts import format_amount
from wallet.app import App
from wallet.commands.common import MOMENT, POST_NAME, PostName, SubGroup, pass_app

LIST_MAX = 1000
_IDS = click.argument("numbers", metavar="NUMBER...", type=click.IntRange(0), nargs=-1, required=True)


@click.group(cls=SubGroup)
def proposal() -> None:
    """Propose work that the treasury pays by the day, and vote for it."""


@proposal.command()
@click.argument("creator")
@click.argument("subject")
@click.option("--pay", required=True, help='Pay for a day, as "10.000 SBD".')
@click.option("--start", type=MOMENT, required=True, help="First day (UTC), as 2026-01-31.")
@click.option("--end", type=MOMENT, required=True, help="Day after the last (UTC).")
@click.option("--post", type=POST_NAME, required=True, help="Post by the creator or the receiver that explains it.")
@click.option("--receiver", default="", help="Account that is paid.  [default: the creator]")
@pass_app
def create(app: App, creator: str, subject: str, pay: str, start: int, end: int, post: PostName, receiver: str) -> None:
    """Make a proposal; it costs a fee (10 SBD on the main network)."""
    if post.author not in (creator, receiver or creator):
        raise UsageError(f"{post} is by neither the creator nor the receiver")
    operation = CreateProposal(
        creator=creator,
        receiver=receiver or creator,
        start_date=start,
        end_date=end,
        daily_pay=app.session.amount(pay, SBD),
        subject=subject,
        permlink=post.permlink,
        extensions=(),
    )
    app.send(operation)


@proposal.command()
@click.argument("voter")
@_IDS
@pass_app
def vote(app: App, voter: str, numbers: tuple[int, ...]) -> None:
    """Vote for proposals."""
    _send_votes(app, voter, numbers, approve=True)


@proposal.command()
@click.argument("voter")
@_IDS
@pass_app
def unvote(app: App, voter: str, numbers: tuple[int, ...]) -> None:
    """Take votes for proposals back."""
    _send_votes(app, voter, numbers, approve=False)


def _send_votes(app: App, voter: str, numbers: tuple[int, ...], *, approve: bool) -> None:
    ids = tuple(sorted(set(numbers)))
    app.send(UpdateProposalVotes(voter=voter, proposal_ids=ids, approve=approve, extensions=()))


@proposal.command()
@click.argument("creator")
@_IDS
@pass_app
def remove(app: App, creator: str, numbers: tuple[int, ...]) -> None:
    """Remove one's own proposals, with their votes."""
    ids = tuple(sorted(set(numbers)))
    app.send(RemoveProposal(proposal_owner=creator, proposal_ids=ids, extensions=()))


@proposal.command("list")
@click.option(
    "--status",
    type=click.Choice(("all", "inactive", "active", "expired", "votable")),
    default="all",
    help="Which ones.",
)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, LIST_MAX), help="How many.")
@pass_app
def list_proposals(app: App, status: str, limit: int) -> None:
    """List proposals, those with most votes first."""
    params = {
        "start": [INT64_MAX, INT64_MAX],
        "limit": limit,
        "order": "by_total_votes",
        "order_direction": "descending",
        "status": status,
    }
    found: list[Any] = app.session.client.call("database_api.list_proposals", params)["proposals"]

    def draw() -> RenderableType:
        rows = [
            (
                row["proposal_id"],
                row["subject"],
                row["creator"],
                _amount(app, row["daily_pay"]),
                f"{moment(row['start_date'])[:10]} to {moment(row['end_date'])[:10]}",
                row["status"],
                row["total_votes"],
            )
            for row in found
        ]
        return table(("#", "subject", "creator", "a day", "paid", "status", "votes"), rows, right=(0, 3, 6))

    app.output.show({"proposals": found}, draw)


@proposal.command()
@pass_app
def explain(app: App) -> None:
    """Explain the next payment: the budget, who is paid how much, and why others are not."""
    found: dict[str, Any] = app.session.client.call("plaudit_api.explain_proposals", {})["explanation"]

    def draw() -> RenderableType:
        budget = {
            "payment at": f"{date_text(int(found['time']))} UTC",
            "treasury": _sbd(app, found["treasury_balance"]),
            "budget of a day": _sbd(app, found["daily_budget"]),
            "budget": f"{_sbd(app, found['budget'])} for {found['passed_seconds']} seconds",
        }
        rows = [
            (
                part["proposal_id"],
                part["receiver"],
                part["total_votes"],
                _sbd(app, part["wanted"]),
                _sbd(app, part["payment"]),
                part["outcome"],
            )
            for part in found["proposals"]
        ]
        columns = ("#", "receiver", "votes", "asked", "paid", "outcome")
        return Group(fields(budget), table(columns, rows, right=(0, 2, 3, 4)))

    app.output.show(found, draw)


def _sbd(app: App, amount: Any) -> str:
    return format_amount(Asset(int(amount), SBD), app.session.identity)


def _amount(app: App, shown: Any) -> str:
    asset: Asset = app.session.codec.from_json(Asset, shown)
    return format_amount(asset, app.session.identity)
