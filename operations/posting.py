"""Posts and replies in the state: creating, editing and removing them.

Source: libraries/chain/steem_evaluator.cpp, comment_evaluator and delete_comment_evaluator.
"""

from collections.abc import Iterator

from operations.checks import byte_size
from operations.patch_budget import STEPS_MAX, Budget
from operations.text_patch import compute_edited_body
from protocol.errors import Rejected
from protocol.measures import duration_text
from protocol.rules import Rules
from protocol.times import time_text
from protocol.units import BASIS_POINTS
from rewards.comments import get_comment
from state.context import Context
from state.tables.accounts import Account
from state.tables.content import Comment, CommentContent
from state.tables.kinds import TIME_MAX

MAX_ACCEPTED_PAYOUT_DEFAULT = 1_000_000_000
"""Default maximum payout of a post, in SBD satoshis. Source: comment_object.hpp."""

_PERMLINK_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def create_post(ctx: Context, author: Account, parent: Comment | None, parent_permlink: str, permlink: str) -> Comment:
    """Inserts a post or reply with its cashout one window ahead, and updates the counters of ancestors and author."""
    _check_may_post(ctx, author, parent)
    check_new_permlink(parent_permlink, ctx.rules)
    check_new_permlink(permlink, ctx.rules)
    now = ctx.time
    accounts = ctx.tables.accounts
    accounts.update(
        author,
        last_post=now,
        last_post_edit=now,
        last_root_post=now if parent is None else author.last_root_post,
        post_count=author.post_count + 1,
    )
    comments = ctx.tables.comments
    number = comments.next_id()
    comment = comments.insert(
        Comment(
            id=number,
            author=author.name,
            permlink=permlink,
            category=parent_permlink if parent is None else parent.category,
            parent_author="" if parent is None else parent.author,
            parent_permlink=parent_permlink if parent is None else parent.permlink,
            last_update=now,
            created=now,
            active=now,
            last_payout=0,
            depth=0 if parent is None else parent.depth + 1,
            children=0,
            net_rshares=0,
            abs_rshares=0,
            vote_rshares=0,
            children_abs_rshares=0,
            cashout_time=now + ctx.rules.cashout_window_seconds,
            max_cashout_time=TIME_MAX,
            total_vote_weight=0,
            reward_weight=BASIS_POINTS,
            total_payout_value=0,
            curator_payout_value=0,
            beneficiary_payout_value=0,
            author_rewards=0,
            net_votes=0,
            root_comment=number if parent is None else parent.root_comment,
            max_accepted_payout=MAX_ACCEPTED_PAYOUT_DEFAULT,
            percent_steem_dollars=BASIS_POINTS,
            allow_replies=True,
            allow_votes=True,
            allow_curation_rewards=True,
            beneficiaries=(),
        )
    )
    _count_child(ctx, comment, 1)
    return comment


def add_content(ctx: Context, comment: Comment, title: str, body: str, json_metadata: str) -> None:
    """Stores the texts of a new post."""
    contents = ctx.tables.comment_contents
    contents.insert(
        CommentContent(id=contents.next_id(), comment=comment.id, title=title, body=body, json_metadata=json_metadata)
    )


def edit_content(ctx: Context, comment: Comment, title: str, body: str, json_metadata: str) -> None:
    """Changes the texts of a post; empty ones stay unchanged, and the body may be a patch."""
    contents = ctx.tables.comment_contents
    content = contents.get(comment.id)
    contents.update(
        content,
        title=title or content.title,
        json_metadata=json_metadata or content.json_metadata,
        body=_edit_body(ctx, content.body, body) if body else content.body,
    )


def _edit_body(ctx: Context, body: str, edit: str) -> str:
    """The edited body. Raises PluginRefused if the edit exceeds the work budget of an arriving transaction."""
    if ctx.arrival is None:
        return compute_edited_body(body, edit, Budget())
    budget = Budget(min(STEPS_MAX, ctx.arrival.left))
    allowed = budget.left
    edited = compute_edited_body(body, edit, budget)
    ctx.arrival.spend(allowed - budget.left)
    return edited


def remove_post(ctx: Context, comment: Comment) -> None:
    """Removes a post with its votes and texts, and decrements the counters of its ancestors."""
    tables = ctx.tables
    for vote in list(tables.comment_votes.scan((comment.id,))):
        tables.comment_votes.delete(vote)
    _count_child(ctx, comment, -1)
    tables.comment_contents.delete(tables.comment_contents.get(comment.id))
    tables.comments.delete(comment)


def get_parent(ctx: Context, parent_author: str, parent_permlink: str) -> Comment | None:
    """The parent of a reply, or None for a root post; raises Rejected if replies are not allowed."""
    if parent_author == ctx.rules.root_post_parent:
        return None
    parent = get_comment(ctx, parent_author, parent_permlink)
    if not parent.depth < ctx.rules.max_comment_depth:
        raise Rejected(
            "parent->depth < STEEM_MAX_COMMENT_DEPTH",
            "Comment is nested ${x} posts deep, maximum depth is ${y}.",
            x=parent.depth,
            y=ctx.rules.max_comment_depth,
        )
    return parent


def check_new_permlink(permlink: str, rules: Rules) -> None:
    """Refuses a permlink for a new post unless it has 1 to 255 small letters, digits and hyphens."""
    if not rules.min_permlink_length < byte_size(permlink) < rules.max_permlink_length:
        raise Rejected(
            "permlink.size() > STEEM_MIN_PERMLINK_LENGTH && permlink.size() < STEEM_MAX_PERMLINK_LENGTH",
            "Permlink is not a valid size.",
        )
    for character in permlink:
        if character not in _PERMLINK_CHARACTERS:
            raise Rejected("false", "Invalid permlink character: ${s}", s=character)


def _check_may_post(ctx: Context, author: Account, parent: Comment | None) -> None:
    now = ctx.time
    if parent is None:
        interval = ctx.rules.min_root_comment_interval_seconds
        if not now - author.last_root_post > interval:
            raise Rejected(
                "( now - auth.last_root_post ) > STEEM_MIN_ROOT_COMMENT_INTERVAL",
                f"You may only post once every {duration_text(interval)}.",
                now=time_text(now),
                last_root_post=time_text(author.last_root_post),
            ).named("posts_too_close", every=duration_text(interval))
        return
    if not ctx.tables.comments.get(parent.root_comment).allow_replies:
        raise Rejected(
            "_db.get( parent->root_comment ).allow_replies", "The parent comment has disabled replies."
        ).named("replies_not_allowed")
    interval = ctx.rules.min_reply_interval_seconds
    if not now - author.last_post >= interval:
        raise Rejected(
            "(now - auth.last_post) >= STEEM_MIN_REPLY_INTERVAL_HF20",
            f"You may only comment once every {duration_text(interval)}.",
            **{"now": time_text(now), "auth.last_post": time_text(author.last_post)},
        ).named("replies_too_close", every=duration_text(interval))


def _get_ancestors(ctx: Context, comment: Comment) -> Iterator[Comment]:
    while comment.parent_author != ctx.rules.root_post_parent:
        comment = get_comment(ctx, comment.parent_author, comment.parent_permlink)
        yield comment


def _count_child(ctx: Context, comment: Comment, change: int) -> None:
    """Adds `change` to the number of descendants of all ancestors, and sets their time of last activity."""
    now = ctx.time
    for ancestor in _get_ancestors(ctx, comment):
        ctx.tables.comments.update(ancestor, children=ancestor.children + change, active=now)
