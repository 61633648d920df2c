"""Proposals: who is paid from the treasury, decided by votes."""

from dataclasses import dataclass
from typing import Annotated

from operations.checks import byte_size, check_account_name, check_account_names, check_permlink, is_utf8
from protocol.assets import SBD, Asset
from protocol.errors import Invalid
from protocol.operation import Operation, RequiredAuthorities, operation
from protocol.rules import Rules
from protocol.types import I64, AccountName, Bool, FutureExtensions, Permlink, SortedSetStrict, String, Time


def _check_ids(ids: tuple[int, ...], rules: Rules) -> None:
    if not ids:
        raise Invalid("proposal_ids.empty() == false")
    if not len(ids) <= rules.proposal_max_ids:
        raise Invalid("proposal_ids.size() <= STEEM_PROPOSAL_MAX_IDS_NUMBER")


@operation(number=44)
@dataclass(slots=True)
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
            raise Invalid("end_date > start_date", "end date must be greater than start date")
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

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.creator)

    def impacted(self) -> set[str]:
        return {self.creator, self.receiver}


@operation(number=45)
@dataclass(slots=True)
class UpdateProposalVotes(Operation):
    """Votes for proposals, or takes such votes back.

    Source: sps_operations.hpp and sps_operations.cpp, update_proposal_votes_operation; sps_evaluator.cpp,
    update_proposal_votes_evaluator.
    """

    voter: Annotated[AccountName, "Account that votes; its active authority signs."]
    proposal_ids: Annotated[SortedSetStrict[I64], "Numbers of 1 to 5 proposals, ascending."]
    approve: Annotated[Bool, "Whether to vote for them or to take the votes back."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.voter)
        _check_ids(self.proposal_ids, rules)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.voter)


@operation(number=46)
@dataclass(slots=True)
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

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.proposal_owner)
