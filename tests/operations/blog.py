"""Short ways to post, vote and be paid in a World."""

from operations.content import Comment
from operations.vote import Vote
from protocol.operation import Operation
from rewards.cashout import process_comment_cashout
from rewards.comments import get_comment
from rewards.fund import process_claims_decay
from rewards.inflation import process_funds
from rewards.payout import PayoutExplanation
from rewards.virtual_supply import process_virtual_supply
from state.tables.content import Comment as CommentRow
from state.tables.content import CommentVote
from tests.operations.world import World


def post(author: str, permlink: str = "post", body: str = "body", parent: tuple[str, str] = ("", "test")) -> Comment:
    """The operation that writes a post, or a reply to `parent`."""
    return Comment(parent[0], parent[1], author, permlink, "", body, "")


def vote(voter: str, author: str, weight: int = 10_000, permlink: str = "post") -> Vote:
    """The operation that votes on a post."""
    return Vote(voter, author, permlink, weight)


def find_post(world: World, author: str, permlink: str = "post") -> CommentRow:
    """The row of a post."""
    return get_comment(world.ctx, author, permlink)


def find_vote(world: World, voter: str, author: str, permlink: str = "post") -> CommentVote:
    """The row of a vote."""
    return world.tables.comment_votes.get((find_post(world, author, permlink).id, world[voter].id))


def fill_fund(world: World, blocks: int = 100) -> None:
    """Lets inflation flow for some blocks at one moment."""
    for _ in range(blocks):
        world.run(process_funds)
        world.run(process_virtual_supply)


def pay_due(world: World) -> tuple[list[Operation], list[PayoutExplanation]]:
    """Pays the posts that are due; returns the virtual operations and the explanations."""
    world.ctx.reports.clear()
    world.run(process_claims_decay)
    events = world.run(process_comment_cashout)
    reports = list(world.ctx.reports)
    world.ctx.reports.clear()
    return events, reports


def forward_to_payout(world: World, author: str, permlink: str = "post") -> None:
    """Lets time pass until a post is due."""
    world.forward(find_post(world, author, permlink).cashout_time - world.now)
