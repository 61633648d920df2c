"""All tables of the state."""

from typing import Any, ClassVar

from state.engine.table import Index, Table, TableSpec
from state.tables.accounts import (
    Account,
    AccountAuthority,
    AccountMetadata,
    AccountRecoveryRequest,
    ChangeRecoveryAccountRequest,
    DeclineVotingRightsRequest,
    KeyReference,
    OwnerAuthorityHistory,
)
from state.tables.actions import PendingOptionalAction, PendingRequiredAction
from state.tables.content import Comment, CommentContent, CommentVote, Reputation, RewardFund
from state.tables.credits import RcAccount, RcPools
from state.tables.globals import BlockSummary, GlobalProperties, HardforkProperty, SeenTransaction
from state.tables.market import ConvertRequest, LimitOrder, LiquidityRewardBalance, price_key
from state.tables.payments import Escrow, SavingsWithdraw
from state.tables.proposals import Proposal, ProposalVote
from state.tables.vesting import VestingDelegation, VestingDelegationExpiration, WithdrawVestingRoute
from state.tables.witnesses import FeedHistory, Witness, WitnessSchedule, WitnessVote


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
