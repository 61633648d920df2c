"""Accounts: balances, mana and counters, authorities, metadata, and pending changes of who owns them."""

from typing import Any, NamedTuple

from protocol.types import Authority
from state.tables.kinds import TIME_MAX


class Manabar(NamedTuple):
    """A charge that refills linearly. Source: util/manabar.hpp."""

    current_mana: int
    last_update_time: int


class Account(NamedTuple):
    """A name with its balances, mana, vote and post counters. Source: account_object.hpp."""

    id: int
    name: str
    memo_key: bytes
    proxy: str
    last_account_update: int
    created: int
    mined: bool
    recovery_account: str
    reset_account: str
    last_account_recovery: int
    comment_count: int
    lifetime_vote_count: int
    post_count: int
    can_vote: bool
    voting_manabar: Manabar
    downvote_manabar: Manabar
    balance: int
    savings_balance: int
    sbd_balance: int
    sbd_seconds: int
    sbd_seconds_last_update: int
    sbd_last_interest_payment: int
    savings_sbd_balance: int
    savings_sbd_seconds: int
    savings_sbd_seconds_last_update: int
    savings_sbd_last_interest_payment: int
    savings_withdraw_requests: int
    reward_sbd_balance: int
    reward_steem_balance: int
    reward_vesting_balance: int
    reward_vesting_steem: int
    curation_rewards: int
    posting_rewards: int
    vesting_shares: int
    delegated_vesting_shares: int
    received_vesting_shares: int
    vesting_withdraw_rate: int
    next_vesting_withdrawal: int
    withdrawn: int
    to_withdraw: int
    withdraw_routes: int
    proxied_vsf_votes: tuple[int, ...]
    witnesses_voted_for: int
    last_post: int
    last_root_post: int
    last_post_edit: int
    last_vote_time: int
    post_bandwidth: int
    pending_claimed_accounts: int

    @property
    def witness_vote_weight(self) -> int:
        """VESTS behind this account's own witness votes: its stake and all that is proxied to it."""
        return self.vesting_shares + sum(self.proxied_vsf_votes)

    @property
    def proxied_vsf_votes_total(self) -> int:
        """VESTS that others proxied to this account, over all depths."""
        return sum(self.proxied_vsf_votes)


def new_account(**fields: Any) -> Account:
    """An account row with the reference's defaults for every field that is not given.

    The reset account (the chain's null account at first) has none here.
    """
    return _ACCOUNT_DEFAULTS._replace(**fields)


_ACCOUNT_DEFAULTS = Account(
    id=0,
    name="",
    memo_key=bytes(33),
    proxy="",
    last_account_update=0,
    created=0,
    mined=True,
    recovery_account="",
    reset_account="",
    last_account_recovery=0,
    comment_count=0,
    lifetime_vote_count=0,
    post_count=0,
    can_vote=True,
    voting_manabar=Manabar(0, 0),
    downvote_manabar=Manabar(0, 0),
    balance=0,
    savings_balance=0,
    sbd_balance=0,
    sbd_seconds=0,
    sbd_seconds_last_update=0,
    sbd_last_interest_payment=0,
    savings_sbd_balance=0,
    savings_sbd_seconds=0,
    savings_sbd_seconds_last_update=0,
    savings_sbd_last_interest_payment=0,
    savings_withdraw_requests=0,
    reward_sbd_balance=0,
    reward_steem_balance=0,
    reward_vesting_balance=0,
    reward_vesting_steem=0,
    curation_rewards=0,
    posting_rewards=0,
    vesting_shares=0,
    delegated_vesting_shares=0,
    received_vesting_shares=0,
    vesting_withdraw_rate=0,
    next_vesting_withdrawal=TIME_MAX,
    withdrawn=0,
    to_withdraw=0,
    withdraw_routes=0,
    proxied_vsf_votes=(0, 0, 0, 0),
    witnesses_voted_for=0,
    last_post=0,
    last_root_post=0,
    last_post_edit=0,
    last_vote_time=0,
    post_bandwidth=0,
    pending_claimed_accounts=0,
)


class AccountAuthority(NamedTuple):
    """Who may sign for an account. Source: account_object.hpp, account_authority_object."""

    id: int
    account: str
    owner: Authority
    active: Authority
    posting: Authority
    last_owner_update: int


class AccountMetadata(NamedTuple):
    """The two JSON texts of an account. Source: account_object.hpp, account_metadata_object."""

    id: int
    account: str
    json_metadata: str
    posting_json_metadata: str


class KeyReference(NamedTuple):
    """A public key that is a member of an authority of an account. Source: plugins/account_by_key."""

    key: bytes
    account: str


class OwnerAuthorityHistory(NamedTuple):
    """An owner authority that was replaced, for account recovery. Source: owner_authority_history_object."""

    id: int
    account: str
    previous_owner_authority: Authority
    last_valid_time: int


class AccountRecoveryRequest(NamedTuple):
    """A recovery account's proposal of a new owner authority. Source: account_recovery_request_object."""

    id: int
    account_to_recover: str
    new_owner_authority: Authority
    expires: int


class ChangeRecoveryAccountRequest(NamedTuple):
    """A pending change of the recovery account. Source: change_recovery_account_request_object."""

    id: int
    account_to_recover: str
    recovery_account: str
    effective_on: int


class DeclineVotingRightsRequest(NamedTuple):
    """A pending waiver of voting rights. Source: decline_voting_rights_request_object."""

    id: int
    account: str
    effective_date: int
