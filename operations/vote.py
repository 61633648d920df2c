"""Voting on posts and replies."""

from typing import Annotated, ClassVar

from operations.checks import check_account_names, check_permlink
from protocol.errors import Invalid
from protocol.operation import Operation, operation
from protocol.resources import UNCOUNTED, Resources, state_size
from protocol.rules import Rules
from protocol.types import I16, I64, AccountName, FutureExtensions, Permlink, SortedMap, Symbol
from protocol.units import BASIS_POINTS
from rewards.token_voting import cast_votes
from rewards.voting import cast_vote
from state.context import Context
from tokens.operation import TokenOperation

_VOTE = state_size("comment_vote_object_base_size", 47, 525)


@operation(
    number=0,
    takes=Resources(26_500, _VOTE),
    posting="voter",
    impacts=("voter", "author"),
)
class Vote(Operation):
    """Votes for (or, with a negative weight, against) the reward of a post.

    Source: steem_operations.hpp, vote_operation; steem_operations.cpp, vote_operation::validate;
    steem_evaluator.cpp, vote_evaluator.
    """

    voter: Annotated[AccountName, "Account that votes; its posting authority signs."]
    author: Annotated[AccountName, "Author of the post."]
    permlink: Annotated[Permlink, "Permlink of the post."]
    weight: Annotated[I16, "Strength and direction, in basis points from -10,000 to 10,000; 0 withdraws a vote."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.voter, self.author)
        if not abs(self.weight) <= BASIS_POINTS:
            raise Invalid("abs(weight) <= STEEM_100_PERCENT", "Weight is not a STEEMIT percentage")
        check_permlink(self.permlink, rules)

    def apply(self, ctx: Context) -> None:
        cast_vote(ctx, self.voter, self.author, self.permlink, self.weight)


@operation(number=48, takes=UNCOUNTED, posting="voter")
class Vote2(TokenOperation):
    """Votes with separate rshares for each token and STEEM.

    Source: steem_operations.hpp and steem_operations.cpp of master, vote2_operation; steem_evaluator.cpp of master,
    vote2_evaluator.
    """

    live: ClassVar[Resources] = Resources(26_500)

    voter: Annotated[AccountName, "Account that votes; its posting authority signs."]
    author: Annotated[AccountName, "Author of the post."]
    permlink: Annotated[Permlink, "Permlink of the post."]
    rshares: Annotated[SortedMap[Symbol, I64], "Reward shares by symbol, negative ones against; ascending."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.voter, self.author)
        check_permlink(self.permlink, rules)
        if not self.rshares:
            raise Invalid("rshares.size() > 0", "Must specify some rshares to vote with")
        if not len(self.rshares) <= rules.max_votable_assets + 1:
            raise Invalid(
                "rshares.size() <= SMT_MAX_VOTABLE_ASSETS + 1",
                "Cannot vote with more than ${n} SMTs and STEEM",
                n=rules.max_votable_assets,
            )

    def count_resources(self) -> Resources:
        count = len(self.rshares)
        return Resources(count * self.live.execution_time, count * _VOTE)

    def apply_live(self, ctx: Context) -> None:
        cast_votes(ctx, self.voter, self.author, self.permlink, self.rshares)
