"""Creating accounts and changing their keys and metadata."""

from typing import Annotated, ClassVar

from operations.account_creation import check_new_authorities, count_new_account, create_account, use_account_subsidy
from operations.authority_change import check_authority_accounts, check_owner_update_limit, store_authorities
from operations.checks import (
    check_account_creation_fee,
    check_account_name,
    check_account_names,
    check_authority,
    check_authority_size,
    check_optional_json,
)
from operations.delegation import DELEGATION_BYTES
from protocol.assets import STEEM, VESTS, Asset
from protocol.errors import Invalid, Rejected
from protocol.integers import check_int64
from protocol.operation import Operation, RequiredAuthorities, operation
from protocol.resources import Resources, state_size
from protocol.rules import Rules
from protocol.types import NULL_PUBLIC_KEY, AccountName, Authority, FutureExtensions, PublicKey, String
from state.balances import LIQUID, move
from state.context import SINGLETON, Context
from state.resource_credits import open_rc_account


def _check_fee_not_negative(fee: Asset) -> None:
    if not fee.amount >= 0:
        raise Invalid("fee >= asset( 0, STEEM_SYMBOL )", "Account creation fee cannot be negative")


def _get_median_fee(ctx: Context) -> Asset:
    return ctx.tables.witness_schedule.get(SINGLETON).median_props.account_creation_fee


def _change_account(
    ctx: Context,
    name: str,
    owner: Authority | None,
    active: Authority | None,
    posting: Authority | None,
    memo_key: bytes,
) -> None:
    """Changes the given authorities, and the memo key unless it is the null key."""
    if name == ctx.rules.temp_account:
        raise Rejected("o.account != STEEM_TEMP_ACCOUNT", "Cannot update temp account.")
    if posting is not None:
        check_authority(posting)
    account = ctx.tables.accounts.get(name)
    authorities = ctx.tables.account_authorities.get(name)
    for authority in (owner, active, posting):
        if authority is not None:
            check_authority_size(authority, ctx.rules)
    if owner is not None:
        check_owner_update_limit(ctx, authorities)
    for authority, kind in ((owner, "owner"), (active, "active"), (posting, "posting")):
        if authority is not None:
            check_authority_accounts(ctx, authority, name, kind)
    if owner is not None or active is not None or posting is not None:
        store_authorities(ctx, name, owner, active, posting)
    ctx.tables.accounts.update(
        account,
        memo_key=account.memo_key if memo_key == NULL_PUBLIC_KEY else memo_key,
        last_account_update=ctx.time,
    )


def _change_metadata(ctx: Context, name: str, json_metadata: str, posting_json_metadata: str) -> None:
    """Replaces each of the two JSON texts unless the new one is empty."""
    if json_metadata or posting_json_metadata:
        metadata = ctx.tables.account_metadata.get(name)
        ctx.tables.account_metadata.update(
            metadata,
            json_metadata=json_metadata or metadata.json_metadata,
            posting_json_metadata=posting_json_metadata or metadata.posting_json_metadata,
        )


_NEW_ACCOUNT = state_size("account_object_base_size", 480) + state_size("account_authority_object_base_size", 40)


@operation(number=9, takes=Resources(57_700, _NEW_ACCOUNT), active="creator", impacts=("new_account_name", "creator"))
class AccountCreate(Operation):
    """Creates an account for the exact fee that the witnesses have set.

    Source: steem_operations.hpp, account_create_operation; steem_operations.cpp, account_create_operation::validate;
    steem_evaluator.cpp, account_create_evaluator.
    """

    fee: Annotated[Asset, "STEEM paid, in thousandths; must equal the median creation fee."]
    creator: Annotated[AccountName, "Account that pays; its active authority signs."]
    new_account_name: Annotated[AccountName, "Name of the new account."]
    owner: Annotated[Authority, "Who may change keys and recover."]
    active: Annotated[Authority, "Who may move tokens."]
    posting: Annotated[Authority, "Who may post and vote."]
    memo_key: Annotated[PublicKey, "Key to which memos for the account are encrypted."]
    json_metadata: Annotated[String, "Free JSON text; may be empty."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.new_account_name)
        check_account_creation_fee(self.fee)
        check_authority(self.owner)
        check_authority(self.active)
        check_optional_json(self.json_metadata)
        _check_fee_not_negative(self.fee)

    def count_resources(self) -> Resources:
        return count_new_account(self, self.resources)

    def apply(self, ctx: Context) -> None:
        ctx.tables.accounts.get(self.creator)
        if not self.fee.amount <= ctx.rules.max_account_creation_fee:
            raise Rejected(
                "o.fee <= asset( STEEM_MAX_ACCOUNT_CREATION_FEE, STEEM_SYMBOL )",
                "Account creation fee cannot be too large",
            )
        median_fee = _get_median_fee(ctx)
        if self.fee != median_fee:
            raise Rejected(
                "o.fee == wso.median_props.account_creation_fee",
                "Must pay the exact account creation fee. paid: ${p} fee: ${f}",
                p=self.fee.nai_json,
                f=median_fee.nai_json,
            ).named("creation_fee_differs")
        for authority in (self.owner, self.active, self.posting):
            check_authority_size(authority, ctx.rules)
        check_new_authorities(ctx, self)
        move(ctx, self.fee, (LIQUID, self.creator), (LIQUID, ctx.rules.null_account))
        create_account(ctx, self)
        open_rc_account(ctx, self.new_account_name, self.fee)


@operation(number=10, takes=Resources(14_000))
class AccountUpdate(Operation):
    """Changes an account's authorities, memo key and metadata.

    Source: steem_operations.hpp, account_update_operation; steem_operations.cpp, account_update_operation::validate;
    steem_evaluator.cpp, account_update_evaluator.
    """

    account: Annotated[AccountName, "Account that changes; its owner authority signs if owner is given, else active."]
    owner: Annotated[Authority | None, "New owner authority, if it changes."]
    active: Annotated[Authority | None, "New active authority, if it changes."]
    posting: Annotated[Authority | None, "New posting authority, if it changes."]
    memo_key: Annotated[PublicKey, "New memo key; the null key leaves it as it is."]
    json_metadata: Annotated[String, "New JSON metadata; empty leaves it as it is."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.account)
        check_optional_json(self.json_metadata)

    def authorities(self, required: RequiredAuthorities) -> None:
        if self.owner is not None:
            required.owner(self.account)
        else:
            required.active(self.account)

    def apply(self, ctx: Context) -> None:
        _change_account(ctx, self.account, self.owner, self.active, self.posting, self.memo_key)
        _change_metadata(ctx, self.account, self.json_metadata, "")


@operation(number=43, takes=Resources(14_000))
class AccountUpdate2(Operation):
    """Changes an account's authorities, memo key and both kinds of metadata, each only if given.

    Source: steem_operations.hpp, account_update2_operation; steem_operations.cpp,
    account_update2_operation::validate; steem_evaluator.cpp, account_update2_evaluator.
    """

    account: Annotated[AccountName, "Account that changes; the least authority that may change what is given signs."]
    owner: Annotated[Authority | None, "New owner authority, if it changes; then the owner authority signs."]
    active: Annotated[Authority | None, "New active authority, if it changes."]
    posting: Annotated[Authority | None, "New posting authority, if it changes."]
    memo_key: Annotated[PublicKey | None, "New memo key, if it changes."]
    json_metadata: Annotated[String, "New JSON metadata that the active authority guards; empty leaves it."]
    posting_json_metadata: Annotated[String, "New JSON metadata that the posting authority guards; empty leaves it."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.account)
        check_optional_json(self.json_metadata)
        check_optional_json(self.posting_json_metadata, "posting_json_metadata")

    def authorities(self, required: RequiredAuthorities) -> None:
        if self.owner is not None:
            required.owner(self.account)
        elif self.active is not None or self.posting is not None or self.memo_key is not None or self.json_metadata:
            required.active(self.account)
        else:
            required.posting(self.account)

    def apply(self, ctx: Context) -> None:
        memo_key = NULL_PUBLIC_KEY if self.memo_key is None else self.memo_key
        _change_account(ctx, self.account, self.owner, self.active, self.posting, memo_key)
        _change_metadata(ctx, self.account, self.json_metadata, self.posting_json_metadata)


@operation(number=22, takes=Resources(10_000), active="creator")
class ClaimAccount(Operation):
    """Buys the right to create one account later, for the fee or (with fee 0) from the subsidised pool.

    Source: steem_operations.hpp, claim_account_operation; steem_operations.cpp, claim_account_operation::validate;
    steem_evaluator.cpp, claim_account_evaluator.
    """

    depends_on_producer: ClassVar[bool] = True

    creator: Annotated[AccountName, "Account that claims; its active authority signs."]
    fee: Annotated[Asset, "STEEM paid, in thousandths: the median creation fee, or 0 for a subsidised claim."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_name(self.creator)
        check_account_creation_fee(self.fee)
        _check_fee_not_negative(self.fee)
        if not self.fee.amount <= rules.max_account_creation_fee:
            raise Invalid(
                "fee <= asset( STEEM_MAX_ACCOUNT_CREATION_FEE, STEEM_SYMBOL )",
                "Account creation fee cannot be too large",
            )
        if self.extensions:
            raise Invalid("extensions.size() == 0", "There are no extensions for claim_account_operation.")

    def count_resources(self) -> Resources:
        return self.resources.more(new_accounts=1 if self.fee.amount == 0 else 0)

    def apply(self, ctx: Context) -> None:
        creator = ctx.tables.accounts.get(self.creator)
        if not creator.balance >= self.fee.amount:
            raise Rejected(
                "creator.balance >= o.fee",
                "Insufficient balance to create account.",
                **{"creator.balance": Asset(creator.balance, STEEM).nai_json, "required": self.fee.nai_json},
            ).named("creation_fee_unpayable")
        median_fee = _get_median_fee(ctx)
        if self.fee.amount == 0:
            use_account_subsidy(ctx)
        elif self.fee != median_fee:
            raise Rejected(
                "o.fee == wso.median_props.account_creation_fee",
                "Cannot pay more than account creation fee. paid: ${p} fee: ${f}",
                p=self.fee.amount,
                f=median_fee.nai_json,
            )
        move(ctx, self.fee, (LIQUID, self.creator), (LIQUID, ctx.rules.null_account))
        creator = ctx.tables.accounts.get(self.creator)
        claims = check_int64(creator.pending_claimed_accounts + 1)
        ctx.tables.accounts.update(creator, pending_claimed_accounts=claims)


@operation(number=23, takes=Resources(57_700, _NEW_ACCOUNT), active="creator", impacts=("creator", "new_account_name"))
class CreateClaimedAccount(Operation):
    """Creates an account with a right that claim_account gave.

    Source: steem_operations.hpp, create_claimed_account_operation; steem_operations.cpp,
    create_claimed_account_operation::validate; steem_evaluator.cpp, create_claimed_account_evaluator.
    """

    creator: Annotated[AccountName, "Account that holds the right; its active authority signs."]
    new_account_name: Annotated[AccountName, "Name of the new account."]
    owner: Annotated[Authority, "Who may change keys and recover."]
    active: Annotated[Authority, "Who may move tokens."]
    posting: Annotated[Authority, "Who may post and vote."]
    memo_key: Annotated[PublicKey, "Key to which memos for the account are encrypted."]
    json_metadata: Annotated[String, "Free JSON text; may be empty."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.creator, self.new_account_name)
        authorities = (self.owner, self.active, self.posting)
        for authority in authorities:
            check_authority(authority)
        for authority in authorities:
            check_authority_size(authority, rules)
        check_optional_json(self.json_metadata)
        if self.extensions:
            raise Invalid("extensions.size() == 0", "There are no extensions for create_claimed_account_operation.")

    def count_resources(self) -> Resources:
        return count_new_account(self, self.resources)

    def apply(self, ctx: Context) -> None:
        creator = ctx.tables.accounts.get(self.creator)
        if not creator.pending_claimed_accounts > 0:
            raise Rejected(
                "creator.pending_claimed_accounts > 0",
                "${creator} has no claimed accounts to create",
                creator=self.creator,
            ).named("claimed_accounts_missing")
        check_new_authorities(ctx, self)
        ctx.tables.accounts.update(creator, pending_claimed_accounts=creator.pending_claimed_accounts - 1)
        create_account(ctx, self)
        open_rc_account(ctx, self.new_account_name, _get_median_fee(ctx))


@operation(
    number=41,
    takes=Resources(57_700, _NEW_ACCOUNT + DELEGATION_BYTES),
    active="creator",
    impacts=("new_account_name", "creator"),
)
class AccountCreateWithDelegation(Operation):
    """Created an account for a fee and a delegation. Disabled since hard fork 20.

    Source: steem_operations.hpp, account_create_with_delegation_operation; steem_operations.cpp,
    account_create_with_delegation_operation::validate; steem_evaluator.cpp,
    account_create_with_delegation_evaluator.
    """

    refused = (
        "!_db.has_hardfork( STEEM_HARDFORK_0_20__1760 )",
        "Account creation with delegation is deprecated as of Hardfork 20",
    )

    fee: Annotated[Asset, "STEEM paid, in thousandths."]
    delegation: Annotated[Asset, "VESTS lent to the new account, in millionths."]
    creator: Annotated[AccountName, "Account that pays and lends; its active authority signs."]
    new_account_name: Annotated[AccountName, "Name of the new account."]
    owner: Annotated[Authority, "Who may change keys and recover."]
    active: Annotated[Authority, "Who may move tokens."]
    posting: Annotated[Authority, "Who may post and vote."]
    memo_key: Annotated[PublicKey, "Key to which memos for the account are encrypted."]
    json_metadata: Annotated[String, "Free JSON text; may be empty."]
    extensions: Annotated[FutureExtensions, "Unused; empty."]

    def validate(self, rules: Rules) -> None:
        check_account_names(self.new_account_name, self.creator)
        check_account_creation_fee(self.fee)
        if self.delegation.symbol != VESTS:
            raise Invalid("is_asset_type( delegation, VESTS_SYMBOL )", "Delegation must be VESTS")
        for authority in (self.owner, self.active, self.posting):
            check_authority(authority)
        check_optional_json(self.json_metadata)
        _check_fee_not_negative(self.fee)
        if not self.delegation.amount >= 0:
            raise Invalid("delegation >= asset( 0, VESTS_SYMBOL )", "Delegation cannot be negative")

    def count_resources(self) -> Resources:
        return count_new_account(self, self.resources)
