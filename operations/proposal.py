"""Proposals: payments from the treasury, decided by votes."""

from typing import Annotated

from operations.checks import byte_size, check_account_name, check_account_names, check_permlink, is_utf8
from protocol.assets import SBD, Asset
from protocol.errors import Invalid, Rejected
from protocol.operation import Operation, operation
from protocol.resources import Resources, state_size
from protocol.rules import Rules
from protocol.types import I64, AccountName, Bool, FutureExtensions, Permlink, SortedSetStrict, String, Time
from rewards.proposals import RemovalLimit, remove_proposal
from state.balances import LIQUID, move
from state.context import Context
from state.tables.proposals import Proposal, ProposalVote


def _check_ids(ids: tuple[int, ...], rules: Rules) -> None:
    if not ids:
        raise Invalid("proposal_ids.empty() == false")
    if not len(ids) <= rules.proposal_max_ids:
        raise Invalid("proposal_ids.size() <= STEEM_PROPOSAL_MAX_IDS_NUMBER")


def _until_zero(text: str) -> str:
    """The text up to its first zero byte, where the reference truncates stored strings."""
    return text.partition("\0")[0]


STRING_OBJECT_BYTES = 32
"""Size of a string object in the reference's memory; a proposal is charged for two, unweighted, of any length."""


@operation(
    number=44,
    takes=Resources(31_700, state_size("proposal_object_base_size", 68) + 2 * STRING_OBJECT_BYTES),
    active="creator",
    impacts=("creator", "receiver"),
)
class CreateProposal(Operation):
    """Proposes daily payments from the treasury to an account, for a fee.

    Source: sps_operations.hpp and sps_operations.cpp, create_proposal_operation; sps_evaluator.cpp,
    create_proposal_evaluator.
    """

    creator: Annotated[AccountName, "Account that proposes and pays the fee; its active authority signs."]
    receiver: Annotated[AccountName, "Account that is paid."]
    start_date: Annotated[Time, "From when it may be paid."]
    end_date: Annotated[Time, "Until when it may be paid; after start_date."]
    daily_pay: Annotated[Asset, "SBD a day, in thousandths."]
    subject: Annotated[String, "Title in UTF-8, 1 to 80 bytes."]
    permlink: Annotated[Permlink, "Post of the creator or receiver that explains it."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.creator, self.receiver)
        if not self.end_date > self.start_date:
            raise Invalid("end_date > start_date", "end date must be greater than start date").named(
                "proposal_dates_past"
            )
        if not self.daily_pay.amount >= 0:
            raise Invalid("daily_pay.amount >= 0", "Daily pay can't be negative value")
        if self.daily_pay.symbol != SBD:
            raise Invalid("daily_pay.symbol.asset_num == STEEM_ASSET_NUM_SBD", "Daily pay should be expressed in SBD")
        if not self.subject:
            raise Invalid("!subject.empty()", "subject is required")
        if not byte_size(self.subject) <= rules.proposal_subject_max_bytes:
            raise Invalid("subject.size() <= STEEM_PROPOSAL_SUBJECT_MAX_LENGTH", "Subject is too long")
        if not is_utf8(self.subject):
            raise Invalid("fc::is_utf8( subject )", "Subject is not valid UTF8")
        if not self.permlink:
            raise Invalid("!permlink.empty()", "permlink is required")
        check_permlink(self.permlink, rules)

    def stake_accounts(self) -> tuple[str, ...]:
        return (self.creator, self.receiver)

    def apply(self, ctx: Context) -> None:
        accounts, comments, proposals = ctx.tables.accounts, ctx.tables.comments, ctx.tables.proposals
        if not self.end_date > ctx.time:
            raise Rejected("o.end_date > _db.head_block_time()", "Can't create inactive proposals...").named(
                "proposal_dates_past"
            )
        if accounts.find(self.receiver) is None:
            raise Rejected(
                "receiver_account != nullptr",
                "Specified receiver account: ${r} must exist in the blockchain",
                r=self.receiver,
            ).named("proposal_receiver_unknown")
        posts = comments.index("by_permlink")
        if all(posts.find((author, self.permlink)) is None for author in (self.creator, self.receiver)):
            raise Rejected(
                "commentObject != nullptr",
                "Proposal permlink must point to the article posted by creator or receiver",
            ).named("proposal_post_foreign")
        number = proposals.next_id()
        proposals.insert(
            Proposal(
                id=number,
                proposal_id=number,
                creator=self.creator,
                receiver=self.receiver,
                start_date=self.start_date,
                end_date=self.end_date,
                daily_pay=self.daily_pay,
                subject=_until_zero(self.subject),
                permlink=_until_zero(self.permlink),
                total_votes=0,
                removed=False,
            )
        )
        fee = Asset(ctx.rules.treasury_fee, SBD)
        move(ctx, fee, (LIQUID, self.creator), (LIQUID, ctx.rules.treasury_account))


_VOTED_ID = state_size("proposal_vote_object_member_size", 8)


@operation(number=45, takes=Resources(12_000, state_size("proposal_vote_object_base_size", 24)), active="voter")
class UpdateProposalVotes(Operation):
    """Votes for proposals, or withdraws such votes.

    Source: sps_operations.hpp and sps_operations.cpp, update_proposal_votes_operation; sps_evaluator.cpp,
    update_proposal_votes_evaluator.
    """

    voter: Annotated[AccountName, "Account that votes; its active authority signs."]
    proposal_ids: Annotated[SortedSetStrict[I64], "Numbers of 1 to 5 proposals, ascending."]
    approve: Annotated[Bool, "Whether to vote for them or to withdraw the votes."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.voter)
        _check_ids(self.proposal_ids, rules)

    def stake_accounts(self) -> tuple[str, ...]:
        return (self.voter,)

    def count_resources(self) -> Resources:
        return self.resources.more(state_bytes=_VOTED_ID * len(self.proposal_ids))

    def apply(self, ctx: Context) -> None:
        """Unknown proposals, repeated votes and withdrawals of absent votes have no effect."""
        proposals, votes = ctx.tables.proposals, ctx.tables.proposal_votes
        for number in self.proposal_ids:
            proposal = proposals.find(number)
            if proposal is None or proposal.removed:
                continue
            vote = votes.find((self.voter, number))
            if self.approve and vote is None:
                votes.insert(ProposalVote(votes.next_id(), self.voter, number))
            elif not self.approve and vote is not None:
                votes.delete(vote)


@operation(number=46, takes=Resources(12_000), active="proposal_owner")
class RemoveProposal(Operation):
    """Removes proposals of an account before their end.

    Source: sps_operations.hpp and sps_operations.cpp, remove_proposal_operation; sps_evaluator.cpp,
    remove_proposal_evaluator.
    """

    proposal_owner: Annotated[AccountName, "Account that made them; its active authority signs."]
    proposal_ids: Annotated[SortedSetStrict[I64], "Numbers of 1 to 5 proposals, ascending."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.proposal_owner)
        _check_ids(self.proposal_ids, rules)

    def stake_accounts(self) -> tuple[str, ...]:
        return (self.proposal_owner,)

    def apply(self, ctx: Context) -> None:
        """Removes the proposals with their votes up to the limit, and marks the rest as removed.

        The end date of the rest is set into the past, so that following blocks remove it. As in the reference, the
        owner is not checked once the limit is reached.
        """
        proposals = ctx.tables.proposals
        limit = RemovalLimit(ctx.rules.proposal_removals_max)
        for number in self.proposal_ids:
            proposal = proposals.find(number)
            if proposal is None:
                continue
            if proposal.creator != self.proposal_owner:
                raise Rejected("foundPosI->creator == proposal_owner", "Only proposal owner can remove it...")
            remove_proposal(ctx, proposal, limit)
            if limit.is_used_up:
                break
        finished = ctx.time - ctx.rules.proposal_maintenance_cleanup_seconds
        for number in self.proposal_ids:
            proposal = proposals.find(number)
            if proposal is not None and not proposal.removed:
                proposals.update(proposal, removed=True, end_date=finished)
