"""A context over the genesis of a reference testnet, for tests of single functions."""

from protocol.assets import STEEM, Asset
from state.balances import LIQUID, move
from state.context import Context
from state.stake import STAKE
from state.tables.accounts import Account
from state.tables.content import Comment, CommentContent
from tests.chains import FIRST
from tests.consensus import worlds
from tests.rewards.rows import CREATED, make_comment


def make_context(now: int = CREATED) -> Context:
    """A context whose checkpoint is open, at time `now`."""
    ctx = worlds.make_context()
    ctx.update_gpo(time=now)
    return ctx


def add_account(ctx: Context, name: str, vested_steem: int = 0) -> Account:
    """Creates an account and powers up for it from initminer's STEEM; its mana is full afterwards."""
    accounts = ctx.tables.accounts
    accounts.insert(Account(id=accounts.next_id(), name=name, created=ctx.time, mined=False))
    if vested_steem:
        move(ctx, Asset(vested_steem, STEEM), (LIQUID, FIRST), (STAKE, name))
    return accounts.get(name)


def add_post(ctx: Context, author: str = "alice", permlink: str = "post") -> Comment:
    """Creates a root post that is paid in a week."""
    comments = ctx.tables.comments
    number = comments.next_id()
    ctx.tables.comment_contents.insert(CommentContent(number, number, "", "body", ""))
    return comments.insert(
        make_comment(id=number, root_comment=number, author=author, permlink=permlink, created=ctx.time)
    )
