"""Reputation: a score of authors derived from the votes of others. It does not affect payouts.

The reference keeps it in a plugin; here it is part of the state. Two rules: votes of accounts with a negative
reputation do not count, and a downvote counts only if the voter's reputation is above the author's.
Source: libraries/plugins/reputation/reputation_plugin.cpp, pre_operation_visitor and post_operation_visitor.
"""

from typing import Final

from state.context import Context
from state.tables.content import CommentVote, Reputation

NOISE_BITS: Final = 6
"""Low bits of rshares that are dropped. Rshares have the precision of VESTS, 6 decimals."""


def withdraw_vote(ctx: Context, author: str, vote: CommentVote) -> None:
    """Reverts the effect of the voter's earlier vote on the same post, before the vote changes."""
    reputations = ctx.tables.reputations
    of_author = reputations.find(author)
    if of_author is None:
        return
    of_voter = reputations.find(vote.voter)
    if of_voter is not None and of_voter.reputation < 0:
        return
    delta = vote.rshares >> NOISE_BITS
    if vote.rshares < 0 and not (of_voter is not None and of_voter.reputation > of_author.reputation - delta):
        return
    if delta == of_author.reputation:
        reputations.delete(of_author)
    else:
        reputations.update(of_author, reputation=of_author.reputation - delta)


def count_vote(ctx: Context, author: str, voter: str, rshares: int) -> None:
    """Adds a vote to the author's reputation, which starts at 0."""
    reputations = ctx.tables.reputations
    of_voter = reputations.find(voter)
    if of_voter is not None and of_voter.reputation < 0:
        return
    of_author = reputations.find(author)
    start = 0 if of_author is None else of_author.reputation
    if rshares < 0 and not (of_voter is not None and of_voter.reputation > start):
        return
    delta = rshares >> NOISE_BITS
    if of_author is None:
        reputations.insert(Reputation(account=author, reputation=delta))
    else:
        reputations.update(of_author, reputation=start + delta)
