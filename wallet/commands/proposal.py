"""Commands for proposals: payments by the day out of the chain's treasury."""

from __future__ import annotations

from functools import partial

import click
from rich.console import Group

from client.declare import argument, option
from client.errors import UsageError
from client.render import Columns, fields, moment, table_of
from operations.proposal import CreateProposal, RemoveProposal, UpdateProposalVotes
from protocol.assets import SBD
from protocol.integers import INT64_MAX
from protocol.times import date_text
from wallet.app import App
from wallet.commands.common import Moment, Post, group
from wallet.session import Json

LIST_MAX = 1000
_IDS = argument("NUMBER...", type=click.IntRange(0))


@group()
def proposal() -> None:
    """Propose work that the treasury pays by the day, and vote for it."""


@proposal.command()
def create(
    app: App,
    creator: str,
    subject: str,
    pay: str = option('Pay for a day, as "10.000 SBD".', required=True),
    start: Moment = option("First day (UTC), as 2026-01-31.", required=True),
    end: Moment = option("Day after the last (UTC).", required=True),
    post: Post = option("Post by the creator or the receiver that explains it.", required=True),
    receiver: str = option("Account that is paid.  [default: the creator]", default=""),
) -> None:
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
def vote(app: App, voter: str, numbers: tuple[int, ...] = _IDS) -> None:
    """Vote for proposals."""
    _send_votes(app, voter, numbers, approve=True)


@proposal.command()
def unvote(app: App, voter: str, numbers: tuple[int, ...] = _IDS) -> None:
    """Take votes for proposals back."""
    _send_votes(app, voter, numbers, approve=False)


def _send_votes(app: App, voter: str, numbers: tuple[int, ...], *, approve: bool) -> None:
    ids = tuple(sorted(set(numbers)))
    app.send(UpdateProposalVotes(voter=voter, proposal_ids=ids, approve=approve, extensions=()))


@proposal.command()
def remove(app: App, creator: str, numbers: tuple[int, ...] = _IDS) -> None:
    """Remove one's own proposals, with their votes."""
    ids = tuple(sorted(set(numbers)))
    app.send(RemoveProposal(proposal_owner=creator, proposal_ids=ids, extensions=()))


@proposal.command("list")
def list_proposals(
    app: App,
    status: str = option(
        "Which ones.", type=click.Choice(("all", "inactive", "active", "expired", "votable")), default="all"
    ),
    limit: int = option("How many.", type=click.IntRange(1, LIST_MAX), default=50),
) -> None:
    """List proposals, those with most votes first."""
    params = {
        "start": [INT64_MAX, INT64_MAX],
        "limit": limit,
        "order": "by_total_votes",
        "order_direction": "descending",
        "status": status,
    }
    columns: Columns = {
        "#": "proposal_id",
        "subject": "subject",
        "creator": "creator",
        "a day": lambda row: app.session.format_json(row["daily_pay"]),
        "paid": lambda row: f"{moment(row['start_date'])[:10]} to {moment(row['end_date'])[:10]}",
        "status": "status",
        "votes": "total_votes",
    }
    found = app.session.client.call("database_api.list_proposals", params)["proposals"]
    app.output.list("proposals", found, columns, 0, 3, 6)


@proposal.command()
def explain(app: App) -> None:
    """Explain the next payment: the budget, who is paid how much, and why others are not."""
    found: Json = app.session.client.call("plaudit_api.explain_proposals", {})["explanation"]
    sbd = partial(app.session.format, SBD)
    budget = {
        "payment at": f"{date_text(int(found['time']))} UTC",
        "treasury": sbd(found["treasury_balance"]),
        "budget of a day": sbd(found["daily_budget"]),
        "budget": f"{sbd(found['budget'])} for {found['passed_seconds']} seconds",
    }
    columns: Columns = {
        "#": "proposal_id",
        "receiver": "receiver",
        "votes": "total_votes",
        "asked": lambda row: sbd(row["wanted"]),
        "paid": lambda row: sbd(row["payment"]),
        "outcome": "outcome",
    }
    app.output.show(found, lambda: Group(fields(budget), table_of(found["proposals"], columns, right=(0, 2, 3, 4))))
