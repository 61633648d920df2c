"""Community tokens: what each is, its sale and emissions, and what accounts have of it."""

from typing import Annotated, Final

from protocol.curves import RewardCurve
from protocol.shapes import Enumeration
from protocol.types import (
    I8,
    I32,
    U8,
    U16,
    U32,
    U64,
    U128,
    AccountName,
    Beneficiary,
    Bool,
    CurveId,
    Ripemd160,
    Share,
    SortedMap,
    Symbol,
    TickerName,
    Time,
    UnitTarget,
    Vector,
)
from state.engine.declare import Index, table
from state.engine.rows import Row
from state.tables.accounts import Manabar
from state.tables.kinds import TIME_MAX, ObjectId, Steem, Tokens, TokenShares


class Phase:
    """How far the launch of a token is. Source: smt_objects/smt_token_object.hpp, smt_phase."""

    SETUP: Final = 0
    SETUP_COMPLETED: Final = 1
    ICO: Final = 2
    ICO_COMPLETED: Final = 3
    LAUNCH_FAILED: Final = 4
    LAUNCH_SUCCESS: Final = 5


PHASE_NAMES: Final = tuple(name.lower() for name in vars(Phase) if name.isupper())
PhaseNumber = Annotated[int, Enumeration(PHASE_NAMES)]


@table(
    50,
    key="liquid_symbol",
    indexes=(
        Index("by_control_account", "control_account", "liquid_symbol"),
        Index("by_next_emission", "next_emission", "liquid_symbol"),
    ),
    is_observable=True,
)
class Token(Row):
    """A token with its supply, funds and parameters. Source: smt_objects/smt_token_object.hpp, smt_token_object.

    The defaults are the reference's.

    Amounts are in the token's smallest unit. The ballast counts in the price of shares and belongs to nobody.
    `next_emission` is ours: when something is issued next, which the reference works out each time.
    """

    id: ObjectId
    liquid_symbol: Symbol
    control_account: AccountName
    desired_ticker: TickerName
    phase: PhaseNumber = Phase.SETUP
    current_supply: Tokens = 0
    total_vesting_fund_smt: Tokens = 0
    total_vesting_shares: TokenShares = 0
    total_vesting_fund_ballast: Tokens = 0
    total_vesting_shares_ballast: TokenShares = 0
    pending_rewarded_vesting_shares: TokenShares = 0
    pending_rewarded_vesting_smt: Tokens = 0
    reward_balance: Tokens = 0
    recent_claims: U128 = 0
    last_reward_update: Time = 0
    last_virtual_emission_time: Time = 0
    allow_downvotes: Bool = True
    market_maker_steem: Steem = 0
    market_maker_tokens: Tokens = 0
    allow_voting: Bool = True
    cashout_window_seconds: U32 = 604_800
    reverse_auction_window_seconds: U32 = 900
    vote_regeneration_period_seconds: U32 = 432_000
    votes_per_regeneration_period: U32 = 50
    content_constant: U128 = 2_000_000_000_000
    percent_curation_rewards: U16 = 2500
    author_reward_curve: CurveId = RewardCurve.LINEAR.number
    curation_reward_curve: CurveId = RewardCurve.SQUARE_ROOT.number
    max_supply: Tokens = 0
    next_emission: Time = TIME_MAX


@table(51, key="symbol", is_observable=True)
class TokenSale(Row):
    """The sale of a token, from the end of its setup to the last payout. Source: smt_token_object.hpp, smt_ico_object.

    `steem` is what the sale still holds, `units` how many units of each tier were paid so far, in the tiers' order;
    both are ours.
    """

    id: ObjectId
    symbol: Symbol
    contribution_begin_time: Time
    contribution_end_time: Time
    launch_time: Time
    steem_satoshi_min: Share
    min_unit_ratio: U32
    max_unit_ratio: U32
    contributed: Steem = 0
    processed_contributions: Share = 0
    steem: Steem = 0
    units: Vector[U64] = ()


@table(52, key=("symbol", "steem_satoshi_cap"), is_observable=True)
class TokenTier(Row):
    """What a unit of contributed STEEM becomes up to a cap. Source: smt_token_object.hpp, smt_ico_tier_object."""

    id: ObjectId
    symbol: Symbol
    steem_satoshi_cap: Share
    steem_unit: SortedMap[UnitTarget, U16]
    token_unit: SortedMap[UnitTarget, U16]


@table(
    53,
    key=("symbol", "contributor", "contribution_id"),
    indexes=(
        Index("by_symbol_id", "symbol", "id"),
        Index("by_contributor", "contributor", "symbol", "contribution_id"),
    ),
    is_observable=True,
)
class TokenContribution(Row):
    """What an account gave for a sale and was not paid for yet. Source: smt_token_object.hpp, smt_contribution_object.

    The STEEM itself is in the sale.
    """

    id: ObjectId
    symbol: Symbol
    contributor: AccountName
    contribution_id: U32
    contribution: Steem


@table(54, key=("symbol", "schedule_time"), is_observable=True)
class TokenEmissions(Row):
    """A schedule of emissions. Source: smt_token_object.hpp, smt_token_emissions_object."""

    id: ObjectId
    symbol: Symbol
    schedule_time: Time
    token_unit: SortedMap[UnitTarget, U16]
    interval_seconds: U32
    emission_count: U32
    lep_time: Time
    rep_time: Time
    lep_abs_amount: Tokens
    rep_abs_amount: Tokens
    lep_rel_amount_numerator: U32
    rep_rel_amount_numerator: U32
    rel_amount_denom_bits: U8
    floor_emissions: Bool


@table(
    55,
    key=("name", "symbol"),
    indexes=(
        Index("by_symbol", "symbol", "name"),
        Index("by_next_vesting_withdrawal", "next_vesting_withdrawal", "name", "symbol"),
    ),
    is_observable=True,
)
class TokenBalance(Row):
    """What an account has of a token. Stake and mana have the names that they have in `Account`.

    Source: smt_objects/account_balance_object.hpp, account_regular_balance_object and account_rewards_balance_object.
    """

    id: ObjectId
    name: AccountName
    symbol: Symbol
    liquid: Tokens = 0
    vesting_shares: TokenShares = 0
    delegated_vesting_shares: TokenShares = 0
    received_vesting_shares: TokenShares = 0
    vesting_withdraw_rate: TokenShares = 0
    next_vesting_withdrawal: Time = TIME_MAX
    withdrawn: Share = 0
    to_withdraw: Share = 0
    voting_manabar: Manabar = Manabar(0, 0)
    downvote_manabar: Manabar = Manabar(0, 0)
    last_vote_time: Time = 0
    pending_liquid: Tokens = 0
    pending_vesting_shares: TokenShares = 0
    pending_vesting_value: Tokens = 0


@table(56, key="id")
class IdentifierPool(Row):
    """The one row of the identifiers that new tokens may take. Source: smt_objects/nai_pool_object.hpp.

    The identifiers are symbols without decimals. Attempts and collisions are those with `last_block_id`.
    """

    id: ObjectId
    nais: Vector[Symbol]
    attempts_per_block: U32
    collisions_per_block: U32
    last_block_id: Ripemd160


@table(57, key=("delegator", "delegatee", "symbol"), is_observable=True)
class TokenDelegation(Row):
    """Shares of a token lent to another account; as VestingDelegation."""

    id: ObjectId
    delegator: AccountName
    delegatee: AccountName
    symbol: Symbol
    vesting_shares: TokenShares
    min_delegation_time: Time


@table(
    58,
    key="id",
    indexes=(
        Index("by_expiration", "expiration", "id"),
        Index("by_account_expiration", "delegator", "symbol", "expiration", "id"),
    ),
    is_observable=True,
)
class TokenDelegationExpiration(Row):
    """Shares of a token on their way back to the delegator; as VestingDelegationExpiration."""

    id: ObjectId
    delegator: AccountName
    symbol: Symbol
    vesting_shares: TokenShares
    expiration: Time


@table(
    59,
    key=("comment", "symbol"),
    indexes=(Index("by_cashout_time", "cashout_time", "comment", "symbol"),),
    is_observable=True,
)
class TokenPost(Row):
    """A post's votes and rewards in one token. Source: comment_object.hpp of master, smt_rshares.

    The token's parameters are those of the moment when the post became votable, so that a later change concerns
    nobody's pending reward. The row of a root post stays when it has been paid (its cashout time is the latest one
    then), since replies may be voted on with the tokens of their root.
    """

    comment: ObjectId
    symbol: Symbol
    max_accepted_payout: Tokens
    allow_curation_rewards: Bool
    beneficiaries: Vector[Beneficiary]
    cashout_time: Time
    reverse_auction_window_seconds: U32
    content_constant: U128
    percent_curation_rewards: U16
    author_reward_curve: CurveId
    curation_reward_curve: CurveId
    net_rshares: Share = 0
    abs_rshares: Share = 0
    vote_rshares: Share = 0
    total_vote_weight: U128 = 0
    net_votes: I32 = 0
    author_rewards: Tokens = 0


@table(
    60,
    key=("comment", "symbol", "voter_id"),
    indexes=(Index("by_voter", "voter_id", "comment", "symbol"),),
    is_observable=True,
)
class TokenVote(Row):
    """One account's vote on one post with one token; as CommentVote."""

    id: ObjectId
    voter_id: ObjectId
    voter: AccountName
    comment: ObjectId
    symbol: Symbol
    weight: U128
    rshares: Share
    last_update: Time
    num_changes: I8
