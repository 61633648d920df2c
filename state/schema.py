"""Every row of the chain state, with its table, primary key and ordered indexes.

Rows are immutable named tuples. Amounts are integers in the smallest unit of the token that the field name implies
(`balance` in STEEM satoshis, `sbd_balance` in SBD satoshis, `vesting_shares` in VESTS satoshis); times are seconds
since the epoch; `id` counts the objects of a table in the order of their creation, as the reference counts them.

Source of the layouts: libraries/chain/include/steem/chain/*_object(s).hpp of the reference.
"""

from typing import Any, ClassVar, NamedTuple

from protocol.assets import Asset, Price
from protocol.types import Authority, Beneficiary, ChainProperties
from state.table import Index, Table, TableSpec

TIME_MAX = 0xFFFFFFFF
"""The latest time that fits (time_point_sec::maximum): means "never" in cashout and withdrawal times."""

PRICE_RATIO_BITS = 128
"""Fraction bits of a price in an index key: two different prices of 63-bit amounts differ by more than 2**-126."""

PRICE_KEY_BYTES = 24
_PRICE_KEY_MAX = (1 << (8 * PRICE_KEY_BYTES)) - 1


class Manabar(NamedTuple):
    """A charge that refills linearly. Source: util/manabar.hpp."""

    current_mana: int
    last_update_time: int


class RdParams(NamedTuple):
    """Parameters of a regenerating pool. Source: util/rd_dynamics.hpp, rd_dynamics_params."""

    resource_unit: int
    budget_per_time_unit: int
    pool_eq: int
    max_pool_size: int
    decay_per_time_unit: int
    decay_per_time_unit_denom_shift: int
    min_decay: int


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


class VestingDelegation(NamedTuple):
    """VESTS lent to another account. Source: vesting_delegation_object."""

    id: int
    delegator: str
    delegatee: str
    vesting_shares: int
    min_delegation_time: int


class VestingDelegationExpiration(NamedTuple):
    """VESTS on their way back to the delegator. Source: vesting_delegation_expiration_object."""

    id: int
    delegator: str
    vesting_shares: int
    expiration: int


class WithdrawVestingRoute(NamedTuple):
    """A share of a power down that goes to another account. Source: withdraw_vesting_route_object."""

    id: int
    from_account: str
    to_account: str
    percent: int
    auto_vest: bool


class GlobalProperties(NamedTuple):
    """The one row of figures about the whole chain. Source: global_property_object.hpp."""

    id: int
    head_block_number: int
    head_block_id: bytes
    time: int
    current_witness: str
    total_pow: int
    num_pow_witnesses: int
    virtual_supply: int
    current_supply: int
    confidential_supply: int
    init_sbd_supply: int
    current_sbd_supply: int
    confidential_sbd_supply: int
    total_vesting_fund_steem: int
    total_vesting_shares: int
    total_reward_fund_steem: int
    total_reward_shares2: int
    pending_rewarded_vesting_shares: int
    pending_rewarded_vesting_steem: int
    sbd_interest_rate: int
    sbd_print_rate: int
    maximum_block_size: int
    required_actions_partition_percent: int
    current_aslot: int
    recent_slots_filled: int
    participation_count: int
    last_irreversible_block_num: int
    vote_power_reserve_rate: int
    delegation_return_period: int
    reverse_auction_seconds: int
    available_account_subsidies: int
    sbd_stop_percent: int
    sbd_start_percent: int
    next_maintenance_time: int
    last_budget_time: int
    content_reward_percent: int
    vesting_reward_percent: int
    sps_fund_percent: int
    sps_interval_ledger: int
    downvote_pool_percent: int
    smt_creation_fee: int


class Witness(NamedTuple):
    """A candidate for block production. Source: witness_objects.hpp, witness_object.

    `schedule` is one of the SCHEDULE_ constants below.
    """

    id: int
    owner: str
    created: int
    url: str
    votes: int
    schedule: int
    virtual_last_update: int
    virtual_position: int
    virtual_scheduled_time: int
    total_missed: int
    last_aslot: int
    last_confirmed_block_num: int
    pow_worker: int
    signing_key: bytes
    props: ChainProperties
    sbd_exchange_rate: Price
    last_sbd_exchange_update: int
    last_work: bytes
    running_version: int
    hardfork_version_vote: int
    hardfork_time_vote: int
    available_witness_account_subsidies: int


SCHEDULE_ELECTED = 0
SCHEDULE_TIMESHARE = 1
SCHEDULE_MINER = 2
SCHEDULE_NONE = 3


class WitnessVote(NamedTuple):
    """An account's approval of a witness. Source: witness_objects.hpp, witness_vote_object."""

    id: int
    witness: str
    account: str


class WitnessSchedule(NamedTuple):
    """The one row with the round's witnesses and their median wishes. Source: witness_schedule_object."""

    id: int
    current_virtual_time: int
    next_shuffle_block_num: int
    current_shuffled_witnesses: tuple[str, ...]
    num_scheduled_witnesses: int
    elected_weight: int
    timeshare_weight: int
    miner_weight: int
    witness_pay_normalization_factor: int
    median_props: ChainProperties
    majority_version: int
    max_voted_witnesses: int
    max_miner_witnesses: int
    max_runner_witnesses: int
    hardfork_required_witnesses: int
    account_subsidy_rd: RdParams
    account_subsidy_witness_rd: RdParams
    min_witness_account_subsidy_decay: int


class FeedHistory(NamedTuple):
    """The one row with the hourly median prices of the last window. Source: steem_objects.hpp, feed_history_object."""

    id: int
    current_median_history: Price
    price_history: tuple[Price, ...]


class HardforkProperty(NamedTuple):
    """The one row that says which hard forks have been applied. Source: hardfork_property_object.hpp.

    Versions are packed as the reference packs them: major << 24 | minor << 16 | revision.
    """

    id: int
    processed_hardforks: tuple[int, ...]
    last_hardfork: int
    current_hardfork_version: int
    next_hardfork: int
    next_hardfork_time: int


class BlockSummary(NamedTuple):
    """The id of the newest block whose number ends in these 16 bits, for TaPoS. Source: block_summary_object.hpp."""

    id: int
    block_id: bytes


class SeenTransaction(NamedTuple):
    """A transaction that may not come again before it expires. Source: transaction_object.hpp."""

    id: int
    trx_id: bytes
    expiration: int


class Comment(NamedTuple):
    """A post or reply with its votes' sums and payouts. Source: comment_object.hpp.

    `max_accepted_payout` and the three payout values are in SBD satoshis.
    """

    id: int
    author: str
    permlink: str
    category: str
    parent_author: str
    parent_permlink: str
    last_update: int
    created: int
    active: int
    last_payout: int
    depth: int
    children: int
    net_rshares: int
    abs_rshares: int
    vote_rshares: int
    children_abs_rshares: int
    cashout_time: int
    max_cashout_time: int
    total_vote_weight: int
    reward_weight: int
    total_payout_value: int
    curator_payout_value: int
    beneficiary_payout_value: int
    author_rewards: int
    net_votes: int
    root_comment: int
    max_accepted_payout: int
    percent_steem_dollars: int
    allow_replies: bool
    allow_votes: bool
    allow_curation_rewards: bool
    beneficiaries: tuple[Beneficiary, ...]


class CommentContent(NamedTuple):
    """The texts of a post. Source: comment_object.hpp, comment_content_object."""

    id: int
    comment: int
    title: str
    body: str
    json_metadata: str


class CommentVote(NamedTuple):
    """One account's vote on one post. Source: comment_object.hpp, comment_vote_object.

    `voter_id` orders the votes as the reference does, `voter` is the name of the same account.
    """

    id: int
    voter_id: int
    voter: str
    comment: int
    weight: int
    rshares: int
    vote_percent: int
    last_update: int
    num_changes: int


class Reputation(NamedTuple):
    """What the votes of others made of an author's name. Source: plugins/reputation."""

    account: str
    reputation: int


class RewardFund(NamedTuple):
    """The pool that pays posts. Source: steem_objects.hpp, reward_fund_object. Curves are the reference's curve_id."""

    id: int
    name: str
    reward_balance: int
    recent_claims: int
    last_update: int
    content_constant: int
    percent_curation_rewards: int
    percent_content_rewards: int
    author_reward_curve: int
    curation_reward_curve: int


class LimitOrder(NamedTuple):
    """An open offer on the market. Source: steem_objects.hpp, limit_order_object."""

    id: int
    created: int
    expiration: int
    seller: str
    orderid: int
    for_sale: int
    sell_price: Price


class LiquidityRewardBalance(NamedTuple):
    """A market maker's volume. Source: steem_objects.hpp, liquidity_reward_balance_object."""

    id: int
    owner: str
    owner_id: int
    steem_volume: int
    sbd_volume: int
    weight: int
    last_update: int


class ConvertRequest(NamedTuple):
    """SBD that wait for their conversion. Source: steem_objects.hpp, convert_request_object."""

    id: int
    owner: str
    requestid: int
    amount: Asset
    conversion_date: int


class SavingsWithdraw(NamedTuple):
    """A transfer on its way out of the savings. Source: steem_objects.hpp, savings_withdraw_object."""

    id: int
    from_: str
    to: str
    memo: str
    request_id: int
    amount: Asset
    complete: int


class Escrow(NamedTuple):
    """Money held until both sides or their agent agree. Source: steem_objects.hpp, escrow_object."""

    id: int
    escrow_id: int
    from_: str
    to: str
    agent: str
    ratification_deadline: int
    escrow_expiration: int
    sbd_balance: int
    steem_balance: int
    pending_fee: Asset
    to_approved: bool
    agent_approved: bool
    disputed: bool


class Proposal(NamedTuple):
    """A request to the treasury. Source: sps_objects.hpp, proposal_object."""

    id: int
    proposal_id: int
    creator: str
    receiver: str
    start_date: int
    end_date: int
    daily_pay: Asset
    subject: str
    permlink: str
    total_votes: int
    removed: bool


class ProposalVote(NamedTuple):
    """An account's approval of a proposal. Source: sps_objects.hpp, proposal_vote_object."""

    id: int
    voter: str
    proposal_id: int


class PendingRequiredAction(NamedTuple):
    """An automated action that a block must carry out, packed. Source: pending_required_action_object.hpp."""

    id: int
    execution_time: int
    action: bytes


class PendingOptionalAction(NamedTuple):
    """An automated action that a block may carry out, packed. Source: pending_optional_action_object.hpp.

    `due_block` is the number of the first block whose time is not before the action's, 0 until there is one. The
    offer ends when that block is irreversible; the reference asks its block log for the time instead.
    """

    id: int
    execution_time: int
    action: bytes
    due_block: int


class RcAccount(NamedTuple):
    """An account's resource credits. Source: plugins/rc/rc_objects.hpp, rc_account_object.

    Credits are counted in VESTS satoshis. `max_rc_creation_adjustment` is what the fee for the account's creation gave
    it for good; `last_max_rc` is the maximum at the last change of its stake.
    """

    account: str
    rc_manabar: Manabar
    max_rc_creation_adjustment: int
    last_max_rc: int


class RcPools(NamedTuple):
    """The one row with what is left of each resource. Source: plugins/rc/rc_objects.hpp, rc_pool_object.

    In the order of the reference: history bytes, new accounts, market bytes, state bytes, execution time.
    """

    id: int
    pools: tuple[int, ...]


def price_key(price: Price) -> tuple[int, int, bytes]:
    """The place of a price in an order book: by market, then from the highest price to the lowest, exactly."""
    ratio = (price.base.amount << PRICE_RATIO_BITS) // price.quote.amount
    return price.base.symbol, price.quote.symbol, (_PRICE_KEY_MAX - ratio).to_bytes(PRICE_KEY_BYTES, "big")


class Tables:
    """The tables of the state, one attribute each; the store fills them from SPECS."""

    accounts: Table[Account, str]
    account_authorities: Table[AccountAuthority, str]
    account_metadata: Table[AccountMetadata, str]
    key_references: Table[KeyReference, tuple[bytes, str]]
    owner_histories: Table[OwnerAuthorityHistory, int]
    account_recovery_requests: Table[AccountRecoveryRequest, str]
    change_recovery_requests: Table[ChangeRecoveryAccountRequest, str]
    decline_voting_requests: Table[DeclineVotingRightsRequest, str]
    vesting_delegations: Table[VestingDelegation, tuple[str, str]]
    vesting_delegation_expirations: Table[VestingDelegationExpiration, int]
    withdraw_vesting_routes: Table[WithdrawVestingRoute, tuple[str, str]]
    global_properties: Table[GlobalProperties, int]
    witnesses: Table[Witness, str]
    witness_votes: Table[WitnessVote, tuple[str, str]]
    witness_schedule: Table[WitnessSchedule, int]
    feed_history: Table[FeedHistory, int]
    hardfork_property: Table[HardforkProperty, int]
    block_summaries: Table[BlockSummary, int]
    seen_transactions: Table[SeenTransaction, bytes]
    comments: Table[Comment, int]
    comment_contents: Table[CommentContent, int]
    comment_votes: Table[CommentVote, tuple[int, int]]
    reputations: Table[Reputation, str]
    reward_funds: Table[RewardFund, str]
    limit_orders: Table[LimitOrder, tuple[str, int]]
    liquidity_reward_balances: Table[LiquidityRewardBalance, str]
    convert_requests: Table[ConvertRequest, tuple[str, int]]
    savings_withdraws: Table[SavingsWithdraw, tuple[str, int]]
    escrows: Table[Escrow, tuple[str, int]]
    proposals: Table[Proposal, int]
    proposal_votes: Table[ProposalVote, tuple[str, int]]
    rc_accounts: Table[RcAccount, str]
    rc_pools: Table[RcPools, int]
    pending_required_actions: Table[PendingRequiredAction, int]
    pending_optional_actions: Table[PendingOptionalAction, int]

    SPECS: ClassVar[tuple[TableSpec[Any, Any], ...]] = (
        TableSpec(
            "accounts",
            1,
            Account,
            key=lambda row: row.name,
            indexes=(
                Index("by_proxy", lambda row: (row.proxy, row.name), fields=("proxy",)),
                Index(
                    "by_next_vesting_withdrawal",
                    lambda row: (row.next_vesting_withdrawal, row.name),
                    fields=("next_vesting_withdrawal",),
                ),
            ),
        ),
        TableSpec("account_authorities", 2, AccountAuthority, key=lambda row: row.account),
        TableSpec("account_metadata", 3, AccountMetadata, key=lambda row: row.account),
        TableSpec("key_references", 4, KeyReference, key=lambda row: (row.key, row.account)),
        TableSpec(
            "owner_histories",
            5,
            OwnerAuthorityHistory,
            key=lambda row: row.id,
            indexes=(
                Index(
                    "by_account",
                    lambda row: (row.account, row.last_valid_time, row.id),
                    fields=("account", "last_valid_time"),
                ),
            ),
        ),
        TableSpec(
            "account_recovery_requests",
            6,
            AccountRecoveryRequest,
            key=lambda row: row.account_to_recover,
            indexes=(Index("by_expiration", lambda row: (row.expires, row.account_to_recover), fields=("expires",)),),
        ),
        TableSpec(
            "change_recovery_requests",
            7,
            ChangeRecoveryAccountRequest,
            key=lambda row: row.account_to_recover,
            indexes=(
                Index(
                    "by_effective_date",
                    lambda row: (row.effective_on, row.account_to_recover),
                    fields=("effective_on",),
                ),
            ),
        ),
        TableSpec(
            "decline_voting_requests",
            8,
            DeclineVotingRightsRequest,
            key=lambda row: row.account,
            indexes=(
                Index("by_effective_date", lambda row: (row.effective_date, row.account), fields=("effective_date",)),
            ),
        ),
        TableSpec("vesting_delegations", 9, VestingDelegation, key=lambda row: (row.delegator, row.delegatee)),
        TableSpec(
            "vesting_delegation_expirations",
            10,
            VestingDelegationExpiration,
            key=lambda row: row.id,
            indexes=(
                Index("by_expiration", lambda row: (row.expiration, row.id), fields=("expiration",)),
                Index(
                    "by_account_expiration",
                    lambda row: (row.delegator, row.expiration, row.id),
                    fields=("delegator", "expiration"),
                ),
            ),
        ),
        TableSpec(
            "withdraw_vesting_routes",
            11,
            WithdrawVestingRoute,
            key=lambda row: (row.from_account, row.to_account),
            indexes=(Index("by_destination", lambda row: (row.to_account, row.id), fields=()),),
        ),
        TableSpec("global_properties", 12, GlobalProperties, key=lambda row: row.id),
        TableSpec(
            "witnesses",
            13,
            Witness,
            key=lambda row: row.owner,
            indexes=(
                Index("by_vote_name", lambda row: (-row.votes, row.owner), fields=("votes",)),
                Index(
                    "by_schedule_time",
                    lambda row: (row.virtual_scheduled_time, row.id),
                    fields=("virtual_scheduled_time",),
                ),
            ),
        ),
        TableSpec(
            "witness_votes",
            14,
            WitnessVote,
            key=lambda row: (row.account, row.witness),
            indexes=(Index("by_witness_account", lambda row: (row.witness, row.account), fields=()),),
        ),
        TableSpec("witness_schedule", 15, WitnessSchedule, key=lambda row: row.id),
        TableSpec("feed_history", 16, FeedHistory, key=lambda row: row.id),
        TableSpec("hardfork_property", 17, HardforkProperty, key=lambda row: row.id),
        TableSpec("block_summaries", 18, BlockSummary, key=lambda row: row.id),
        TableSpec(
            "seen_transactions",
            19,
            SeenTransaction,
            key=lambda row: row.trx_id,
            indexes=(Index("by_expiration", lambda row: (row.expiration, row.id), fields=("expiration",)),),
        ),
        TableSpec(
            "comments",
            20,
            Comment,
            key=lambda row: row.id,
            indexes=(
                Index("by_permlink", lambda row: (row.author, row.permlink), fields=("author", "permlink")),
                Index("by_cashout_time", lambda row: (row.cashout_time, row.id), fields=("cashout_time",)),
                Index("by_root", lambda row: (row.root_comment, row.id), fields=("root_comment",)),
                Index(
                    "by_parent",
                    lambda row: (row.parent_author, row.parent_permlink, row.id),
                    fields=("parent_author", "parent_permlink"),
                ),
                Index(
                    "by_last_update",
                    lambda row: (row.parent_author, -row.last_update, row.id),
                    fields=("parent_author", "last_update"),
                ),
                Index(
                    "by_author_last_update",
                    lambda row: (row.author, -row.last_update, row.id),
                    fields=("author", "last_update"),
                ),
            ),
        ),
        TableSpec("comment_contents", 21, CommentContent, key=lambda row: row.comment),
        TableSpec(
            "comment_votes",
            22,
            CommentVote,
            key=lambda row: (row.comment, row.voter_id),
            indexes=(Index("by_voter_comment", lambda row: (row.voter_id, row.comment), fields=()),),
        ),
        TableSpec("reputations", 23, Reputation, key=lambda row: row.account),
        TableSpec("reward_funds", 24, RewardFund, key=lambda row: row.name),
        TableSpec(
            "limit_orders",
            25,
            LimitOrder,
            key=lambda row: (row.seller, row.orderid),
            indexes=(
                Index("by_expiration", lambda row: (row.expiration, row.id), fields=("expiration",)),
                Index("by_price", lambda row: (*price_key(row.sell_price), row.id), fields=("sell_price",)),
            ),
        ),
        TableSpec(
            "liquidity_reward_balances",
            26,
            LiquidityRewardBalance,
            key=lambda row: row.owner,
            indexes=(Index("by_volume_weight", lambda row: (-row.weight, row.owner_id), fields=("weight",)),),
        ),
        TableSpec(
            "convert_requests",
            27,
            ConvertRequest,
            key=lambda row: (row.owner, row.requestid),
            indexes=(
                Index("by_conversion_date", lambda row: (row.conversion_date, row.id), fields=("conversion_date",)),
            ),
        ),
        TableSpec(
            "savings_withdraws",
            28,
            SavingsWithdraw,
            key=lambda row: (row.from_, row.request_id),
            indexes=(
                Index(
                    "by_complete_from_id",
                    lambda row: (row.complete, row.from_, row.request_id),
                    fields=("complete",),
                ),
                Index("by_to_complete", lambda row: (row.to, row.complete, row.id), fields=("to", "complete")),
            ),
        ),
        TableSpec(
            "escrows",
            29,
            Escrow,
            key=lambda row: (row.from_, row.escrow_id),
            indexes=(
                Index(
                    "by_ratification_deadline",
                    lambda row: (row.to_approved and row.agent_approved, row.ratification_deadline, row.id),
                    fields=("to_approved", "agent_approved", "ratification_deadline"),
                ),
            ),
        ),
        TableSpec(
            "proposals",
            30,
            Proposal,
            key=lambda row: row.id,
            indexes=(
                Index("by_start_date", lambda row: (row.start_date, row.proposal_id), fields=("start_date",)),
                Index("by_end_date", lambda row: (row.end_date, row.proposal_id), fields=("end_date",)),
                Index("by_creator", lambda row: (row.creator, row.proposal_id), fields=()),
                Index("by_total_votes", lambda row: (row.total_votes, row.proposal_id), fields=("total_votes",)),
            ),
        ),
        TableSpec(
            "proposal_votes",
            31,
            ProposalVote,
            key=lambda row: (row.voter, row.proposal_id),
            indexes=(Index("by_proposal_voter", lambda row: (row.proposal_id, row.voter), fields=()),),
        ),
        TableSpec("rc_accounts", 40, RcAccount, key=lambda row: row.account),
        TableSpec("rc_pools", 41, RcPools, key=lambda row: row.id),
        TableSpec(
            "pending_required_actions",
            32,
            PendingRequiredAction,
            key=lambda row: row.id,
            indexes=(Index("by_execution", lambda row: (row.execution_time, row.id), fields=("execution_time",)),),
        ),
        TableSpec(
            "pending_optional_actions",
            33,
            PendingOptionalAction,
            key=lambda row: row.id,
            indexes=(Index("by_execution", lambda row: (row.execution_time, row.id), fields=("execution_time",)),),
        ),
    )
