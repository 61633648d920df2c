"""Getting a stolen account back, and giving voting rights up."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from operations.checks import check_account_name, check_account_names, check_authority, is_impossible
from protocol.errors import Invalid, Rejected
from protocol.operation import Operation, RequiredAuthorities, operation
from protocol.rules import Rules
from protocol.types import AccountName, Authority, Bool, Default, FutureExtensions

if TYPE_CHECKING:
    from state.context import Context


def _check_usable(authority: Authority) -> None:
    """Refuses a new owner authority that nobody, or everybody, could satisfy."""
    if is_impossible(authority):
        raise Invalid("!new_owner_authority.is_impossible()", "new owner authority cannot be impossible")
    if not authority.weight_threshold:
        raise Invalid("new_owner_authority.weight_threshold", "new owner authority cannot be trivial")


@operation(number=24)
@dataclass(slots=True)
class RequestAccountRecovery(Operation):
    """Lets the recovery account ask that an account gets a new owner authority; the holder must confirm.

    Source: steem_operations.hpp, request_account_recovery_operation; steem_operations.cpp,
    request_account_recovery_operation::validate; steem_evaluator.cpp, request_account_recovery_evaluator.
    """

    recovery_account: Annotated[AccountName, "Recovery account of the account; its active authority signs."]
    account_to_recover: Annotated[AccountName, "Account that shall be recovered."]
    new_owner_authority: Annotated[Authority, "Owner authority to set; a threshold of 0 takes the request back."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.recovery_account, self.account_to_recover)
        check_authority(self.new_owner_authority)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.recovery_account)

    def impacted(self) -> set[str]:
        return {self.account_to_recover, self.recovery_account}


@operation(number=25)
@dataclass(slots=True)
class RecoverAccount(Operation):
    """Confirms a recovery with keys of both the new and a recent owner authority.

    Source: steem_operations.hpp, recover_account_operation; steem_operations.cpp,
    recover_account_operation::validate; steem_evaluator.cpp, recover_account_evaluator.
    """

    account_to_recover: Annotated[AccountName, "Account that is recovered."]
    new_owner_authority: Annotated[Authority, "Owner authority of the request; it signs."]
    recent_owner_authority: Annotated[Authority, "An owner authority the account had lately; it signs too."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.account_to_recover)
        if self.new_owner_authority == self.recent_owner_authority:
            raise Invalid(
                "!( new_owner_authority == recent_owner_authority )",
                "Cannot set new owner authority to the recent owner authority",
            )
        if is_impossible(self.new_owner_authority):
            raise Invalid("!new_owner_authority.is_impossible()", "new owner authority cannot be impossible")
        if is_impossible(self.recent_owner_authority):
            raise Invalid("!recent_owner_authority.is_impossible()", "recent owner authority cannot be impossible")
        _check_usable(self.new_owner_authority)
        check_authority(self.new_owner_authority)
        check_authority(self.recent_owner_authority)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.other(self.new_owner_authority)
        required.other(self.recent_owner_authority)

    def impacted(self) -> set[str]:
        return {self.account_to_recover}


@operation(number=26)
@dataclass(slots=True)
class ChangeRecoveryAccount(Operation):
    """Names another recovery account; it counts after the recovery period.

    Source: steem_operations.hpp, change_recovery_account_operation; steem_operations.cpp,
    change_recovery_account_operation::validate; steem_evaluator.cpp, change_recovery_account_evaluator.
    """

    account_to_recover: Annotated[AccountName, "Account that changes; its owner authority signs."]
    new_recovery_account: Annotated[AccountName, "Account that may ask for recovery from then on."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.account_to_recover, self.new_recovery_account)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.owner(self.account_to_recover)


@operation(number=36)
@dataclass(slots=True)
class DeclineVotingRights(Operation):
    """Gives all voting rights up for good after the recovery period, or takes that wish back.

    Source: steem_operations.hpp, decline_voting_rights_operation; steem_operations.cpp,
    decline_voting_rights_operation::validate; steem_evaluator.cpp, decline_voting_rights_evaluator.
    """

    account: Annotated[AccountName, "Account that declines; its owner authority signs."]
    decline: Annotated[Bool, "Whether to decline or to take the wish back.", Default(True)]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.account)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.owner(self.account)


@operation(number=37)
@dataclass(slots=True)
class ResetAccount(Operation):
    """Was meant to reset the owner authority of an idle account. Switched off for good.

    Source: steem_operations.hpp, reset_account_operation; steem_operations.cpp, reset_account_operation::validate;
    steem_evaluator.cpp, reset_account_evaluator.
    """

    reset_account: Annotated[AccountName, "Account that resets; its active authority signs."]
    account_to_reset: Annotated[AccountName, "Account whose owner authority is replaced."]
    new_owner_authority: Annotated[Authority, "Owner authority to set."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.reset_account, self.account_to_reset)
        _check_usable(self.new_owner_authority)
        check_authority(self.new_owner_authority)

    def authorities(self, required: RequiredAuthorities) -> None:
        required.active(self.reset_account)

    def apply(self, ctx: "Context") -> None:
        raise Rejected("false", "Reset Account Operation is currently disabled.")


@operation(number=38)
@dataclass(slots=True)
class SetResetAccount(Operation):
    """Was meant to name the account that may reset. Switched off for good.

    Source: steem_operations.hpp, set_reset_account_operation; steem_operations.cpp,
    set_reset_account_operation::validate; steem_evaluator.cpp, set_reset_account_evaluator.
    """

    account: Annotated[AccountName, "Account that changes; owner authority signs if one was set before, else posting."]
    current_reset_account: Annotated[AccountName, "Reset account until now; may be empty."]
    reset_account: Annotated[AccountName, "Reset account from now on."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.account)
        if self.current_reset_account:
            check_account_name(self.current_reset_account)
        check_account_name(self.reset_account)
        if self.current_reset_account == self.reset_account:
            raise Invalid("current_reset_account != reset_account", "new reset account cannot be current reset account")

    def authorities(self, required: RequiredAuthorities) -> None:
        if self.current_reset_account:
            required.owner(self.account)
        else:
            required.posting(self.account)

    def apply(self, ctx: "Context") -> None:
        raise Rejected("false", "Set Reset Account Operation is currently disabled.")
