"""All tables of the state."""

from state.engine.declare import TableSet, list_declared
from state.engine.errors import SchemaError
from state.engine.table import Table
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
from state.tables.market import ConvertRequest, LimitOrder, LiquidityRewardBalance
from state.tables.payments import Escrow, SavingsWithdraw
from state.tables.proposals import Proposal, ProposalVote
from state.tables.tokens import (
    IdentifierPool,
    Token,
    TokenBalance,
    TokenContribution,
    TokenDelegation,
    TokenDelegationExpiration,
    TokenEmissions,
    TokenPost,
    TokenSale,
    TokenTier,
    TokenVote,
)
from state.tables.vesting import VestingDelegation, VestingDelegationExpiration, WithdrawVestingRoute
from state.tables.witnesses import FeedHistory, Witness, WitnessSchedule, WitnessVote


class Tables(TableSet):
    """The tables of the state: each is an attribute with its row and the type of its primary key."""

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
    tokens: Table[Token, int]
    token_sales: Table[TokenSale, int]
    token_tiers: Table[TokenTier, tuple[int, int]]
    token_contributions: Table[TokenContribution, tuple[int, str, int]]
    token_emissions: Table[TokenEmissions, tuple[int, int]]
    token_balances: Table[TokenBalance, tuple[str, int]]
    token_delegations: Table[TokenDelegation, tuple[str, str, int]]
    token_delegation_expirations: Table[TokenDelegationExpiration, int]
    token_posts: Table[TokenPost, tuple[int, int]]
    token_votes: Table[TokenVote, tuple[int, int, int]]
    identifier_pool: Table[IdentifierPool, int]


_FORGOTTEN = list_declared(__package__) - {spec.row for spec in Tables.SPECS}
if _FORGOTTEN:
    raise SchemaError(f"Tables lists no table of {sorted(row.__name__ for row in _FORGOTTEN)}")
