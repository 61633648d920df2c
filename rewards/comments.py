"""Lookup of posts and their votes."""

from protocol.errors import UnknownKey
from state.context import Context
from state.tables.content import Comment, CommentVote


def find_comment(ctx: Context, author: str, permlink: str) -> Comment | None:
    """The post of an author with this permlink, or None."""
    return ctx.tables.comments.unique("by_permlink").find((author, permlink))


def get_comment(ctx: Context, author: str, permlink: str) -> Comment:
    """The post of an author with this permlink; raises UnknownKey. Source: database::get_comment."""
    comment = find_comment(ctx, author, permlink)
    if comment is None:
        raise UnknownKey(author=author, permlink=permlink)
    return comment


def get_votes(ctx: Context, comment: Comment) -> list[CommentVote]:
    """All votes on a post, in the order of the voters' ids."""
    return list(ctx.tables.comment_votes.scan((comment.id,)))
