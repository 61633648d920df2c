"""Commands for posts, replies and votes."""

from __future__ import annotations

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType

from client.declare import Options, argument, option
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
from wallet.commands.common import Post, command, read_text
from wallet.session import Session

APP = "plaudit/0.1"
PAYOUT_UNLIMITED = Asset(1_000_000_000, SBD)
PERMLINK_BYTES_MAX = 255
_TAG = re.compile(r"[a-z0-9][a-z0-9-]{0,23}")

_BODY = option('File with the text; "-" reads standard input.', "--body-file", default="-")
_TAGS = option("Tags, separated by commas; the first is the category.", default="")


@dataclass
class Payout(Options):
    """How a post or reply is paid."""

    beneficiary: tuple[str, ...] = option(
        "Account that gets a share, as bob:10%. May be repeated.", metavar="NAME:PERCENT"
    )
    decline_payout: bool = option("Take no rewards.")
    max_payout: str | None = option('Greatest payout, as "10.000 SBD".')
    percent_sbd: str = option("Part of the SBD half that is paid in SBD.", default="100%")
    no_curation: bool = option("Give nothing to curators.")
    no_votes: bool = option("Allow no votes.")

    def make_options(self, session: Session, author: str, permlink: str) -> list[Operation]:
        """The comment_options that were asked for, nothing where all is as usual. Raises UsageError."""
        if self.decline_payout and self.max_payout is not None:
            raise UsageError("--decline-payout and --max-payout exclude each other")
        greatest = PAYOUT_UNLIMITED
        if self.decline_payout:
            greatest = Asset(0, SBD)
        elif self.max_payout is not None:
            greatest = session.amount(self.max_payout, SBD)
        shares = tuple(sorted(map(_parse_beneficiary, self.beneficiary)))
        extensions = (CommentPayoutBeneficiaries(shares),) if shares else ()
        percent = parse_percent(self.percent_sbd)
        options = CommentOptions(
            author, permlink, greatest, percent, not self.no_votes, not self.no_curation, extensions
        )
        usual = CommentOptions(author, permlink, PAYOUT_UNLIMITED, BASIS_POINTS, True, True, ())
        return [] if options == usual else [options]


@command()
def post(
    app: App,
    author: str,
    payout: Payout,
    title: str = option("Title.", required=True),
    body_path: str = _BODY,
    tags: str = _TAGS,
    permlink: str | None = option("Name of the post in its URL.  [default: made from the title]"),
) -> None:
    """Publish a post, from a file or standard input."""
    names = _split_tags(tags)
    if not names:
        raise UsageError("a post needs a tag", "Add --tags with at least one; the first becomes the category.")
    body = read_text(app, body_path)
    if permlink is None:
        permlink = make_free_permlink(app.session, author, make_permlink(title) or "post")
    _publish(app, Comment("", names[0], author, permlink, title, body, _metadata({"tags": names})), payout)


@command()
def reply(
    app: App,
    author: str,
    parent: Post,
    payout: Payout,
    body_path: str = _BODY,
    permlink: str | None = option("Name of the reply.  [default: made from the parent's]"),
) -> None:
    """Reply to a post or another reply."""
    app.session.get_content(parent.author, parent.permlink)
    body = read_text(app, body_path)
    if permlink is None:
        stem = f"re-{parent.author.replace('.', '-')}-{parent.permlink}"
        permlink = make_free_permlink(app.session, author, stem)
    _publish(app, Comment(parent.author, parent.permlink, author, permlink, "", body, _metadata({})), payout)


def _publish(app: App, comment: Comment, payout: Payout) -> None:
    options = payout.make_options(app.session, comment.author, comment.permlink)
    app.send(comment, *options, extra={"post": f"@{comment.author}/{comment.permlink}"})


@command()
def edit(
    app: App,
    target: Post,
    title: str | None = option("New title.  [default: unchanged]"),
    body_path: str | None = option('File with the whole new text; "-" reads standard input.', "--body-file"),
    tags: str = _TAGS,
) -> None:
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


@command("delete-post")
def delete_post(app: App, target: Post) -> None:
    """Delete a post that has no replies and no positive votes."""
    app.send(DeleteComment(author=target.author, permlink=target.permlink))


@command()
def vote(app: App, voter: str, target: Post, weight: str = argument(default="100%")) -> None:
    """Vote on a post: WEIGHT is from -100% to 100%; 0% takes a vote back."""
    points = parse_percent(weight, negative=True)
    app.send(Vote(voter=voter, author=target.author, permlink=target.permlink, weight=points))


@command()
def show(app: App, target: Post) -> None:
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
