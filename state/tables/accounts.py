"""Accounts: balances, mana and counters, authorities, metadata, and pending recoveries."""

from typing import NamedTuple

from protocol.types import I64, U8, U16, U32, U128, AccountName, Authority, Bool, PublicKey, Share, String, Time, Vector
from state.engine.declare import Index, table
from state.engine.rows import Row
from state.tables.kinds import TIME_MAX, ObjectId, Sbd, Steem, Vests


class Manabar(NamedTuple):
    """An amount of mana that regenerates linearly. Source: util/manabar.hpp."""

    current_mana: I64
    last_update_time: U32


@table(
    1,
    key="name",
    indexes=(
        Index("by_proxy", "proxy", "name"),
        Index("by_next_vesting_withdrawal", "next_vesting_withdrawal", "name"),
    ),
    is_observable=True,
)
class Account(Row):
    """A name with its balances, mana, vote and post counters. Source: account_object.hpp.

    The defaults are the reference's, except the reset account, which is initially the chain's null account.
    """

    id: ObjectId = 0
    name: AccountName = ""
    memo_key: PublicKey = bytes(33)
    proxy: AccountName = ""
    last_account_update: Time = 0
    created: Time = 0
    mined: Bool = True
    recovery_account: AccountName = ""
    reset_account: AccountName = ""
    last_account_recovery: Time = 0
    comment_count: U32 = 0
    lifetime_vote_count: U32 = 0
    post_count: U32 = 0
    can_vote: Bool = True
    voting_manabar: Manabar = Manabar(0, 0)
    downvote_manabar: Manabar = Manabar(0, 0)
    balance: Steem = 0
    savings_balance: Steem = 0
    sbd_balance: Sbd = 0
    sbd_seconds: U128 = 0
    sbd_seconds_last_update: Time = 0
    sbd_last_interest_payment: Time = 0
    savings_sbd_balance: Sbd = 0
    savings_sbd_seconds: U128 = 0
    savings_sbd_seconds_last_update: Time = 0
    savings_sbd_last_interest_payment: Time = 0
    savings_withdraw_requests: U8 = 0
    reward_sbd_balance: Sbd = 0
    reward_steem_balance: Steem = 0
    reward_vesting_balance: Vests = 0
    reward_vesting_steem: Steem = 0
    curation_rewards: Share = 0
    posting_rewards: Share = 0
    vesting_shares: Vests = 0
    delegated_vesting_shares: Vests = 0
    received_vesting_shares: Vests = 0
    vesting_withdraw_rate: Vests = 0
    next_vesting_withdrawal: Time = TIME_MAX
    withdrawn: Share = 0
    to_withdraw: Share = 0
    withdraw_routes: U16 = 0
    proxied_vsf_votes: Vector[Share] = (0, 0, 0, 0)
    witnesses_voted_for: U16 = 0
    last_post: Time = 0
    last_root_post: Time = 0
    last_post_edit: Time = 0
    last_vote_time: Time = 0
    post_bandwidth: U32 = 0
    pending_claimed_accounts: Share = 0

    @property
    def witness_vote_weight(self) -> int:
        """VESTS behind this account's own witness votes: its stake plus stake proxied to it."""
        return self.vesting_shares + sum(self.proxied_vsf_votes)

    @property
    def proxied_vsf_votes_total(self) -> int:
        """VESTS that others proxied to this account, over all depths."""
        return sum(self.proxied_vsf_votes)


@table(2, key="account", is_observable=True)
class AccountAuthority(Row):
    """Who may sign for an account. Source: account_object.hpp, account_authority_object."""

    id: ObjectId
    account: AccountName
    owner: Authority
    active: Authority
    posting: Authority
    last_owner_update: Time


@table(3, key="account", is_observable=True)
class AccountMetadata(Row):
    """The two JSON texts of an account. Source: account_object.hpp, account_metadata_object."""

    id: ObjectId
    account: AccountName
    json_metadata: String
    posting_json_metadata: String


@table(4, key=("key", "account"))
class KeyReference(Row):
    """An index entry of a public key in an account's authorities. Source: plugins/account_by_key."""

    key: PublicKey
    account: AccountName


@table(
    5,
    key="id",
    indexes=(Index("by_account", "account", "last_valid_time", "id"), Index("by_age", "last_valid_time", "id")),
)
class OwnerAuthorityHistory(Row):
    """An owner authority that was replaced, for account recovery. Source: owner_authority_history_object."""

    id: ObjectId
    account: AccountName
    previous_owner_authority: Authority
    last_valid_time: Time


@table(6, key="account_to_recover", indexes=(Index("by_expiration", "expires", "account_to_recover"),))
class AccountRecoveryRequest(Row):
    """A recovery account's proposal of a new owner authority. Source: account_recovery_request_object."""

    id: ObjectId
    account_to_recover: AccountName
    new_owner_authority: Authority
    expires: Time


@table(7, key="account_to_recover", indexes=(Index("by_effective_date", "effective_on", "account_to_recover"),))
class ChangeRecoveryAccountRequest(Row):
    """A pending change of the recovery account. Source: change_recovery_account_request_object."""

    id: ObjectId
    account_to_recover: AccountName
    recovery_account: AccountName
    effective_on: Time


@table(8, key="account", indexes=(Index("by_effective_date", "effective_date", "account"),))
class DeclineVotingRightsRequest(Row):
    """A pending waiver of voting rights. Source: decline_voting_rights_request_object."""

    id: ObjectId
    account: AccountName
    effective_date: Time
