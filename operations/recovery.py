"""Recovery of stolen accounts, and waiver of voting rights."""

from typing import Annotated

from operations.authority_change import refuse_owner_update, store_authorities
from operations.checks import (
    check_account_name,
    check_account_names,
    check_authority,
    check_authority_size,
    is_impossible,
)
from protocol.errors import Invalid, Rejected
from protocol.operation import Operation, RequiredAuthorities, operation
from protocol.resources import UNCOUNTED, Resources, state_size
from protocol.rules import Rules
from protocol.types import AccountName, Authority, Bool, Default, FutureExtensions
from state.context import Context
from state.tables.accounts import (
    Account,
    AccountRecoveryRequest,
    ChangeRecoveryAccountRequest,
    DeclineVotingRightsRequest,
)


def _check_usable(authority: Authority) -> None:
    """Refuses a new owner authority that is impossible or trivial to satisfy."""
    if is_impossible(authority):
        raise Invalid("!new_owner_authority.is_impossible()", "new owner authority cannot be impossible")
    if not authority.weight_threshold:
        raise Invalid("new_owner_authority.weight_threshold", "new owner authority cannot be trivial")


@operation(
    number=24,
    takes=Resources(54_400, state_size("account_recovery_request_object_base_size", 32)),
    active="recovery_account",
    impacts=("account_to_recover", "recovery_account"),
)
class RequestAccountRecovery(Operation):
    """Requests a new owner authority for an account, by its recovery account; the account's holder must confirm.

    Source: steem_operations.hpp, request_account_recovery_operation; steem_operations.cpp,
    request_account_recovery_operation::validate; steem_evaluator.cpp, request_account_recovery_evaluator.
    """

    recovery_account: Annotated[AccountName, "Recovery account of the account; its active authority signs."]
    account_to_recover: Annotated[AccountName, "Account to recover."]
    new_owner_authority: Annotated[Authority, "Owner authority to set; a threshold of 0 cancels the request."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.recovery_account, self.account_to_recover)
        check_authority(self.new_owner_authority)

    def apply(self, ctx: Context) -> None:
        self._check_partner(ctx, ctx.tables.accounts.get(self.account_to_recover))
        requests = ctx.tables.account_recovery_requests
        request = requests.find(self.account_to_recover)
        expires = ctx.time + ctx.rules.account_recovery_request_expiration_seconds
        if request is None:
            self._check_new(ctx)
            requests.insert(
                AccountRecoveryRequest(
                    id=requests.next_id(),
                    account_to_recover=self.account_to_recover,
                    new_owner_authority=self.new_owner_authority,
                    expires=expires,
                )
            )
        elif not self.new_owner_authority.weight_threshold:
            requests.delete(request)
        else:
            self._check_possible()
            self._check_members(ctx)
            requests.update(request, new_owner_authority=self.new_owner_authority, expires=expires)

    def _check_partner(self, ctx: Context, account: Account) -> None:
        """Refuses all but the recovery account, or the top witness for an account without a recovery account."""
        if account.recovery_account:
            if account.recovery_account != self.recovery_account:
                raise Rejected(
                    "account_to_recover.recovery_account == o.recovery_account",
                    "Cannot recover an account that does not have you as there recovery partner.",
                ).named("recovery_partner_differs")
            return
        top = ctx.tables.witnesses.index("by_vote_name").first()
        if top is None or top.owner != self.recovery_account:
            raise Rejected(
                "_db.get_index< witness_index >().indices().get< by_vote_name >().begin()->owner == o.recovery_account",
                "Top witness must recover an account with no recovery partner.",
            ).named("recovery_partner_differs")

    def _check_new(self, ctx: Context) -> None:
        self._check_possible()
        if not self.new_owner_authority.weight_threshold:
            raise Rejected("o.new_owner_authority.weight_threshold", "Cannot recover using an open authority.")
        check_authority_size(self.new_owner_authority, ctx.rules)
        self._check_members(ctx)

    def _check_possible(self) -> None:
        if is_impossible(self.new_owner_authority):
            raise Rejected("!o.new_owner_authority.is_impossible()", "Cannot recover using an impossible authority.")

    def _check_members(self, ctx: Context) -> None:
        for name, _weight in self.new_owner_authority.account_auths:
            ctx.tables.accounts.get(name)


@operation(number=25, takes=UNCOUNTED, impacts=("account_to_recover",))
class RecoverAccount(Operation):
    """Confirms a recovery, signed with the new and a recent owner authority.

    Source: steem_operations.hpp, recover_account_operation; steem_operations.cpp,
    recover_account_operation::validate; steem_evaluator.cpp, recover_account_evaluator.
    """

    account_to_recover: Annotated[AccountName, "Account that is recovered."]
    new_owner_authority: Annotated[Authority, "Owner authority of the request; it signs."]
    recent_owner_authority: Annotated[Authority, "A recent owner authority of the account; it signs too."]
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

    def payer(self) -> str:
        for authority in (self.new_owner_authority, self.recent_owner_authority):
            if authority.account_auths:
                return authority.account_auths[0][0]
        return self.account_to_recover

    def authorities(self, required: RequiredAuthorities) -> None:
        required.other(self.new_owner_authority)
        required.other(self.recent_owner_authority)

    def apply(self, ctx: Context) -> None:
        tables = ctx.tables
        account = tables.accounts.get(self.account_to_recover)
        limit = ctx.rules.owner_update_limit_seconds
        if not ctx.time - account.last_account_recovery > limit:
            raise refuse_owner_update(
                "_db.head_block_time() - account.last_account_recovery > STEEM_OWNER_UPDATE_LIMIT", limit
            )
        request = tables.account_recovery_requests.find(account.name)
        if request is None:
            raise Rejected(
                "request != recovery_request_idx.end()", "There are no active recovery requests for this account."
            ).named("recovery_request_missing")
        if request.new_owner_authority != self.new_owner_authority:
            raise Rejected(
                "request->new_owner_authority == o.new_owner_authority",
                "New owner authority does not match recovery request.",
            ).named("recovery_owner_differs")
        histories = tables.owner_histories.index("by_account").scan((account.name,))
        if not any(history.previous_owner_authority == self.recent_owner_authority for history in histories):
            raise Rejected("found", "Recent authority not found in authority history.").named(
                "recovery_owner_not_recent"
            )
        tables.account_recovery_requests.delete(request)
        store_authorities(ctx, account.name, owner=self.new_owner_authority)
        tables.accounts.update(account, last_account_recovery=ctx.time)


@operation(number=26, takes=Resources(12_000), owner="account_to_recover")
class ChangeRecoveryAccount(Operation):
    """Changes the recovery account, with effect after the recovery period.

    Source: steem_operations.hpp, change_recovery_account_operation; steem_operations.cpp,
    change_recovery_account_operation::validate; steem_evaluator.cpp, change_recovery_account_evaluator.
    """

    account_to_recover: Annotated[AccountName, "Account that changes; its owner authority signs."]
    new_recovery_account: Annotated[AccountName, "New recovery account."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.account_to_recover, self.new_recovery_account)

    def apply(self, ctx: Context) -> None:
        accounts = ctx.tables.accounts
        accounts.get(self.new_recovery_account)
        account = accounts.get(self.account_to_recover)
        requests = ctx.tables.change_recovery_requests
        request = requests.find(account.name)
        effective_on = ctx.time + ctx.rules.owner_auth_recovery_period_seconds
        if request is None:
            requests.insert(
                ChangeRecoveryAccountRequest(
                    id=requests.next_id(),
                    account_to_recover=account.name,
                    recovery_account=self.new_recovery_account,
                    effective_on=effective_on,
                )
            )
        elif account.recovery_account != self.new_recovery_account:
            requests.update(request, recovery_account=self.new_recovery_account, effective_on=effective_on)
        else:
            requests.delete(request)


@operation(
    number=36, takes=Resources(5300, state_size("decline_voting_rights_request_object_base_size", 28)), owner="account"
)
class DeclineVotingRights(Operation):
    """Waives all voting rights for good after the recovery period, or cancels a pending waiver.

    Source: steem_operations.hpp, decline_voting_rights_operation; steem_operations.cpp,
    decline_voting_rights_operation::validate; steem_evaluator.cpp, decline_voting_rights_evaluator.
    """

    account: Annotated[AccountName, "Account that declines; its owner authority signs."]
    decline: Annotated[Bool, "Whether to decline or to cancel a pending waiver.", Default(True)]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.account)

    def apply(self, ctx: Context) -> None:
        account = ctx.tables.accounts.get(self.account)
        requests = ctx.tables.decline_voting_requests
        request = requests.find(account.name)
        if not self.decline:
            if request is None:
                raise Rejected("itr != request_idx.end()", "Cannot cancel the request because it does not exist.")
            requests.delete(request)
            return
        if request is not None:
            raise Rejected("itr == request_idx.end()", "Cannot create new request because one already exists.")
        requests.insert(
            DeclineVotingRightsRequest(
                id=requests.next_id(),
                account=account.name,
                effective_date=ctx.time + ctx.rules.owner_auth_recovery_period_seconds,
            )
        )


@operation(number=37, takes=UNCOUNTED, active="reset_account")
class ResetAccount(Operation):
    """Resets the owner authority of an idle account. Disabled for good.

    Source: steem_operations.hpp, reset_account_operation; steem_operations.cpp, reset_account_operation::validate;
    steem_evaluator.cpp, reset_account_evaluator.
    """

    refused = ("false", "Reset Account Operation is currently disabled.")

    reset_account: Annotated[AccountName, "Account that resets; its active authority signs."]
    account_to_reset: Annotated[AccountName, "Account whose owner authority is replaced."]
    new_owner_authority: Annotated[Authority, "Owner authority to set."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.reset_account, self.account_to_reset)
        _check_usable(self.new_owner_authority)
        check_authority(self.new_owner_authority)


@operation(number=38, takes=UNCOUNTED)
class SetResetAccount(Operation):
    """Sets the account that may reset this one. Disabled for good.

    Source: steem_operations.hpp, set_reset_account_operation; steem_operations.cpp,
    set_reset_account_operation::validate; steem_evaluator.cpp, set_reset_account_evaluator.
    """

    refused = ("false", "Set Reset Account Operation is currently disabled.")

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
