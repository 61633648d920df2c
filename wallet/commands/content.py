"""Commands for posts, replies and votes."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import click
from rich.console import Group, RenderableType

from client.errors import UsageError
from client.render import NEVER, fields, moment, table, text
from operations.content import Comment, CommentOptions, CommentPayoutBeneficiaries, DeleteComment
from operations.vote import Vote
from protocol.assets import SBD, Asset
from protocol.operation import Operation
from protocol.times import parse_time
from protocol.types import Beneficiary
from protocol.units import BASIS_POINTS
from wallet.amounts import format_percent, parse_percent
from wallet.app import App
from wallet.commands.common import POST_NAME, PostName, WalletCommand, pass_app, read_text
from wallet.session import Session

APP = "plaudit/0.1"
PAYOUT_UNLIMITED = Asset(1_000_000_000, SBD)
PERMLINK_BYTES_MAX = 255
_TAG = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")

_BODY = click.option(
    "--body-file", "body_path", default="-", show_default=True, help='File with the text; "-" reads standard input.'
)
_TAGS = click.option("--tags", default="", help="Tags, separated by commas; the first is the category.")
_BENEFICIARY = click.option(
    "--beneficiary",
    "beneficiaries",
    multiple=True,
    metavar="NAME:PERCENT",
    help="Account that gets a share, as bob:10%. May be repeated.",
)
_DECLINE = click.option("--decline-payout", is_flag=True, help="Take no rewards.")
_MAX_PAYOUT = click.option("--max-payout", default=None, help='Greatest payout, as "10.000 SBD".')
_PERCENT_SBD = click.option(
    "--percent-sbd", default="100%", show_default=True, help="Part of the SBD half that is paid in SBD."
)
_NO_CURATION = click.option("--no-curation", is_flag=True, help="Give nothing to curators.")
_NO_VOTES = click.option("--no-votes", is_flag=True, help="Allow no votes.")


@click.command(cls=WalletCommand)
@click.argument("author")
@click.option("--title", required=True, help="Title.")
@_BODY
@_TAGS
@click.option("--permlink", default=None, help="Name of the post in its URL.  [default: made from the title]")
@_BENEFICIARY
@_DECLINE
@_MAX_PAYOUT
@_PERCENT_SBD
@_NO_CURATION
@_NO_VOTES
@pass_app
def post(
    app: App,
    author: str,
    title: str,
    body_path: str,
    tags: str,
    permlink: str | None,
    beneficiaries: tuple[str, ...],
    decline_payout: bool,
    max_payout: str | None,
    percent_sbd: str,
    no_curation: bool,
    no_votes: bool,
) -> None:
    """Publish a post, from a file or standard input."""
    names = _split_tags(tags)
    if not names:
        raise UsageError("a post needs a tag", "Add --tags with at least one; the first becomes the category.")
    body = read_text(app, body_path)
    if permlink is None:
        permlink = make_free_permlink(app.session, author, make_permlink(title) or "post")
    operations: list[Operation] = [
        Comment(
            parent_author="",
            parent_permlink=names[0],
            author=author,
            permlink=permlink,
            title=title,
            body=body,
            json_metadata=_metadata({"tags": names}),
        )
    ]
    options = make_options(
        app.session, author, permlink, beneficiaries, decline_payout, max_payout, percent_sbd, no_curation, no_votes
    )
    if options is not None:
        operations.append(options)
    app.send(*operations, extra={"post": f"@{author}/{permlink}"})


@click.command(cls=WalletCommand)
@click.argument("author")
@click.argument("parent", type=POST_NAME)
@_BODY
@click.option("--permlink", default=None, help="Name of the reply.  [default: made from the parent's]")
@_BENEFICIARY
@_DECLINE
@_MAX_PAYOUT
@_PERCENT_SBD
@_NO_CURATION
@_NO_VOTES
@pass_app
def reply(
    app: App,
    author: str,
    parent: PostName,
    body_path: str,
    permlink: str | None,
    beneficiaries: tuple[str, ...],
    decline_payout: bool,
    max_payout: str | None,
    percent_sbd: str,
    no_curation: bool,
    no_votes: bool,
) -> None:
    """Reply to a post or another reply."""
    app.session.get_content(parent.author, parent.permlink)
    body = read_text(app, body_path)
    if permlink is None:
        stem = f"re-{parent.author.replace('.', '-')}-{parent.permlink}"
        permlink = make_free_permlink(app.session, author, stem)
    operations: list[Operation] = [
        Comment(
            parent_author=parent.author,
            parent_permlink=parent.permlink,
            author=author,
            permlink=permlink,
            title="",
            body=body,
            json_metadata=_metadata({}),
        )
    ]
    options = make_options(
        app.session, author, permlink, beneficiaries, decline_payout, max_payout, percent_sbd, no_curation, no_votes
    )
    if options is not None:
        operations.append(options)
    app.send(*operations, extra={"post": f"@{author}/{permlink}"})


@click.command(cls=WalletCommand)
@click.argument("target", type=POST_NAME)
@click.option("--title", default=None, help="New title.  [default: unchanged]")
@click.option("--body-file", "body_path", default=None, help='File with the whole new text; "-" reads standard input.')
@_TAGS
@pass_app
def edit(app: App, target: PostName, title: str | None, body_path: str | None, tags: str) -> None:
    """Change a post: give the parts that change."""
    if title is None and body_path is None and not tags:
        raise UsageError("nothing to change was given", "Use --title, --body-file or --tags.")
    found = app.session.get_content(target.author, target.permlink)
    metadata = str(found["json_metadata"])
    names = _split_tags(tags)
    if names:
        metadata = _metadata({"tags": names}, metadata)
    app.send(
        Comment(
            parent_author=found["parent_author"],
            parent_permlink=found["parent_permlink"],
            author=target.author,
            permlink=target.permlink,
            title=found["title"] if title is None else title,
            body=found["body"] if body_path is None else read_text(app, body_path),
            json_metadata=metadata,
        ),
        extra={"post": str(target)},
    )


@click.command("delete-post", cls=WalletCommand)
@click.argument("target", type=POST_NAME)
@pass_app
def delete_post(app: App, target: PostName) -> None:
    """Delete a post that has no replies and no positive votes."""
    app.send(DeleteComment(author=target.author, permlink=target.permlink))


@click.command(cls=WalletCommand)
@click.argument("voter")
@click.argument("target", type=POST_NAME)
@click.argument("weight", default="100%")
@pass_app
def vote(app: App, voter: str, target: PostName, weight: str) -> None:
    """Vote on a post: WEIGHT is from -100% to 100%; 0% takes a vote back."""
    points = parse_percent(weight, negative=True)
    app.send(Vote(voter=voter, author=target.author, permlink=target.permlink, weight=points))


@click.command(cls=WalletCommand)
@click.argument("target", type=POST_NAME)
@pass_app
def show(app: App, target: PostName) -> None:
    """Show a post with its votes and replies."""
    found = app.session.get_content(target.author, target.permlink)
    replies = app.session.client.call("condenser_api.get_content_replies", [target.author, target.permlink])

    def draw() -> RenderableType:
        facts = {
            "author": found["author"],
            "category": found["category"],
            "created": f"{moment(found['created'])} UTC",
            "payout at": f"{moment(found['cashout_time'])} UTC" if found["cashout_time"] != NEVER else "paid",
            "pending": found["pending_payout_value"],
            "paid": f"{found['total_payout_value']} author, {found['curator_payout_value']} curators",
            "replies": ", ".join(f"@{row['author']}/{row['permlink']}" for row in replies) or "-",
        }
        votes = [(row["voter"], format_percent(int(row["percent"])), row["rshares"]) for row in found["active_votes"]]
        return Group(
            text(found["title"] or str(target), "bold"),
            fields(facts),
            table(("voter", "weight", "rshares"), votes, right=(1, 2)),
            text(found["body"]),
        )

    app.output.show(found | {"replies": replies}, draw)


# --- parts -----------------------------------------------------------------------------------------------------


def make_permlink(title: str) -> str:
    """A title as small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:PERMLINK_BYTES_MAX].strip("-")


def make_free_permlink(session: Session, author: str, stem: str) -> str:
    """The stem, or if the author has a post of this name, the stem with the chain's time behind it."""
    room = PERMLINK_BYTES_MAX - len("-4294967295")
    stem = stem[:room]
    found = session.client.call("condenser_api.get_content", [author, stem])
    if not (isinstance(found, dict) and found.get("author")):
        return stem
    return f"{stem}-{parse_time(session.properties()['time'])}"


def make_options(
    session: Session,
    author: str,
    permlink: str,
    beneficiaries: tuple[str, ...],
    decline_payout: bool,
    max_payout: str | None,
    percent_sbd: str,
    no_curation: bool,
    no_votes: bool,
) -> CommentOptions | None:
    """The comment_options that were asked for, or None where all is as usual. Raises UsageError."""
    if decline_payout and max_payout is not None:
        raise UsageError("--decline-payout and --max-payout exclude each other")
    greatest = PAYOUT_UNLIMITED
    if decline_payout:
        greatest = Asset(0, SBD)
    elif max_payout is not None:
        greatest = session.amount(max_payout, SBD)
    shares = tuple(sorted(_parse_beneficiary(given) for given in beneficiaries))
    options = CommentOptions(
        author=author,
        permlink=permlink,
        max_accepted_payout=greatest,
        percent_steem_dollars=parse_percent(percent_sbd),
        allow_votes=not no_votes,
        allow_curation_rewards=not no_curation,
        extensions=(CommentPayoutBeneficiaries(shares),) if shares else (),
    )
    usual = CommentOptions(author, permlink, PAYOUT_UNLIMITED, BASIS_POINTS, True, True, ())
    return None if options == usual else options


def _parse_beneficiary(given: str) -> Beneficiary:
    name, colon, percent = given.rpartition(":")
    if not name or not colon:
        raise UsageError(f"{given!r} is not a beneficiary", "Write it as NAME:PERCENT, as in bob:10%.")
    return Beneficiary(name, parse_percent(percent))


def _split_tags(tags: str) -> list[str]:
    names = [name.strip().lstrip("#").lower() for name in tags.split(",") if name.strip()]
    for name in names:
        if not _TAG.fullmatch(name):
            raise UsageError(f"{name!r} is not a tag", "A tag has up to 24 small letters, digits and hyphens.")
    return list(dict.fromkeys(names))


def _metadata(values: dict[str, Any], old: str = "") -> str:
    """The JSON metadata of a post: `values` over what was there."""
    try:
        before = json.loads(old) if old else {}
    except ValueError:
        before = {}
    base = before if isinstance(before, dict) else {}
    return json.dumps(base | values | {"app": APP, "format": "markdown"}, ensure_ascii=False, separators=(",", ":"))
