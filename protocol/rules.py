"""Every consensus constant, as one immutable record of named parameters.

The defaults are the values of the live network (except for two heights that only its own past explains); a chain
config file changes what it wants to change. Some defaults follow other rules, as they do in config.hpp: `_FOLLOWERS`.
Amounts are integers in the smallest unit, times and windows are seconds unless the name says blocks,
names ending in `_bp` are basis points (10,000 = 100 %). Operations read `ctx.rules.some_name`, never a
hard-fork number. Source of all values: config.hpp, unless a field says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, model_validator
from pydantic.fields import FieldInfo

from protocol.config_problem import Problems, Section
from protocol.curves import CURVES, RewardCurve
from protocol.integers import INT32_MAX, INT64_MAX, UINT32_MAX, UINT128_MAX
from protocol.units import BASIS_POINTS, DAY_SECONDS, HOUR_SECONDS, YEAR_SECONDS

SECTION_KEY: Final = "section"
SECONDS_MAX: Final = 10 * YEAR_SECONDS
SATOSHIS_MAX: Final = INT64_MAX // 2


def _read_curve(value: object) -> object:
    """Returns the curve with this name in a config file."""
    if value not in CURVES:
        raise ValueError(f"must be one of {', '.join(CURVES)}")
    return next(curve for curve in CURVES if curve == value)


CurveField = Annotated[RewardCurve, BeforeValidator(_read_curve)]


class _Group:
    """Makes fields that know their section in the chain config file."""

    def __init__(self, title: str) -> None:
        self.title = title

    def field(self, default: object, description: str, ge: int | None = None, le: int | None = None) -> Any:
        return Field(
            default=default, description=description, ge=ge, le=le, json_schema_extra={SECTION_KEY: self.title}
        )

    def count(self, default: int, description: str, ge: int = 0, le: int = INT32_MAX) -> Any:
        return self.field(default, description, ge, le)

    def seconds(self, default: int, description: str, ge: int = 0, le: int = SECONDS_MAX) -> Any:
        return self.field(default, f"{description} Seconds.", ge, le)

    def blocks(self, default: int, description: str, ge: int = 0, le: int = UINT32_MAX) -> Any:
        return self.field(default, f"{description} Blocks.", ge, le)

    def size(self, default: int, description: str, ge: int = 0, le: int = UINT32_MAX) -> Any:
        return self.field(default, f"{description} Bytes.", ge, le)

    def share(self, default: int, description: str, le: int = BASIS_POINTS) -> Any:
        return self.field(default, f"{description} Basis points.", 0, le)

    def amount(self, default: int, unit: str, description: str, ge: int = 0, le: int = INT64_MAX) -> Any:
        return self.field(default, f"{description} Smallest unit of {unit}.", ge, le)


_BLOCKS = _Group("Blocks and time")
_WITNESSES = _Group("Witnesses and their schedule")
_FINALITY = _Group("Irreversibility and hard forks")
_TRANSACTIONS = _Group("Transactions and authorities")
_ACCOUNTS = _Group("Accounts and recovery")
_SUBSIDY = _Group("Subsidised accounts")
_STAKE = _Group("Power up, power down and delegation")
_SAVINGS = _Group("Savings")
_VOTING = _Group("Voting")
_POSTS = _Group("Posts")
_REWARDS = _Group("Rewards")
_INFLATION = _Group("Inflation")
_DEBT = _Group("Debt token, price feed and conversion")
_MARKET = _Group("Market")
_CUSTOM = _Group("Custom operations")
_PROPOSALS = _Group("Proposals")
_RC = _Group("Resource credits")
_TOKENS = _Group("Tokens")
_NAMES = _Group("Reserved names")


class Rules(Section):
    """The parameters of consensus. Source: config.hpp with all hard forks up to 24 applied."""

    # Blocks and time
    block_interval_seconds: int = _BLOCKS.seconds(3, "Time between two slots.", 1, 3600)
    min_block_size_bytes: int = _BLOCKS.size(115, "Smallest size of a block, used for a resource estimate.")
    min_block_size_limit_bytes: int = _BLOCKS.size(65_536, "Lowest maximum_block_size a witness may propose.", 1024)
    max_block_size_bytes: int = _BLOCKS.size(
        393_216_000,
        "Hard limit of a block; also maximum_block_size before the first median. "
        "If absent: 2000 transactions of the largest size for every second of the block interval.",
        1024,
    )
    soft_max_block_size_bytes: int = _BLOCKS.size(
        2_097_152, "Highest maximum_block_size a witness may propose today.", 1024
    )
    required_actions_partition_bp: int = _BLOCKS.share(
        2500, "Part of a block kept for required automated actions; transactions get the rest."
    )
    block_generation_postponed_tx_limit: int = _BLOCKS.count(
        5,
        "How many transactions that do not fit the C++ node passes over before it stops looking; only reported here. "
        "Transactions.",
    )
    block_summary_count: int = _BLOCKS.blocks(
        65_536, "How many recent block ids are kept for the reference block check.", 65_536, 65_536
    )

    # Witnesses and their schedule
    max_witnesses: int = _WITNESSES.count(21, "Slots of one round. Witnesses.", 1, 101)
    max_voted_witnesses: int = _WITNESSES.count(
        20, "Slots of a round given to the witnesses with most votes. If absent: all but the runners'.", 0, 101
    )
    max_miner_witnesses: int = _WITNESSES.count(0, "Slots of a round given to miners; mining is over.", 0, 0)
    max_runner_witnesses: int = _WITNESSES.count(1, "Slots of a round shared by all other witnesses.", 0, 101)
    elected_weight: int = _WITNESSES.count(1, "Pay weight of an elected witness. Source: witness_objects.hpp.", 1, 1000)
    timeshare_weight: int = _WITNESSES.count(
        5, "Pay weight of a timeshare witness. Source: witness_objects.hpp.", 1, 1000
    )
    miner_weight: int = _WITNESSES.count(1, "Pay weight of a miner. Source: witness_objects.hpp.", 1, 1000)
    initial_witness_pay_normalization_factor: int = _WITNESSES.count(
        25, "Divisor of witness pay before the first schedule. Source: witness_objects.hpp.", 1, 100_000
    )
    max_account_witness_votes: int = _WITNESSES.count(30, "Witnesses one account may vote for. Votes.", 1, 1000)
    max_proxy_recursion_depth: int = _WITNESSES.count(
        4, "Length of a chain of proxies that still votes. Accounts.", 4, 4
    )
    virtual_schedule_lap_length: int = _WITNESSES.count(
        UINT128_MAX, "Length of one lap of the timeshare race. Virtual time units.", 1, UINT128_MAX
    )
    max_witness_url_bytes: int = _WITNESSES.size(2048, "Upper bound of a witness url (must be shorter).")

    # Irreversibility and hard forks
    irreversible_threshold_bp: int = _FINALITY.share(
        7500, "Part of the scheduled witnesses that must have built on a block to make it irreversible."
    )
    irreversible_by_witness_from_block: int = _FINALITY.blocks(
        0,
        "From this height the last irreversible block follows the witnesses' confirmations; below it, it stays "
        "irreversible_fixed_depth_blocks behind the head. The live network has 864,000. "
        "Source: database.cpp, update_last_irreversible_block.",
    )
    irreversible_fixed_depth_blocks: int = _FINALITY.blocks(
        21, "Distance of the last irreversible block from the head below the height above.", 1, 10_000
    )
    max_undo_history_blocks: int = _FINALITY.blocks(
        10_000, "Longest tail of reversible blocks; a longer one refuses new blocks.", 100
    )
    hardfork_required_witnesses: int = _FINALITY.count(
        17, "Witnesses of a round whose vote schedules a hard fork. If absent: four fifths of max_witnesses.", 1, 101
    )
    witness_shutdown_blocks: int = _FINALITY.blocks(
        0,
        "Number of blocks after its last one at which a witness that misses a slot is shut down: its signing key is "
        "removed until it sets one again, so that the other witnesses can make blocks irreversible; 0 = never, as on "
        "the live network today. Source: database.cpp, update_global_dynamic_data.",
    )

    # Transactions and authorities
    max_time_until_expiration_seconds: int = _TRANSACTIONS.seconds(
        3600, "Furthest expiration of a transaction after head block time.", 1
    )
    max_transaction_size_bytes: int = _TRANSACTIONS.size(65_536, "Nominal largest transaction.")
    min_transaction_size_limit_bytes: int = _TRANSACTIONS.size(1024, "Lowest transaction size limit.")
    max_memo_size_bytes: int = _TRANSACTIONS.size(2048, "Upper bound of a memo (must be shorter).")
    max_sig_check_depth: int = _TRANSACTIONS.count(2, "Levels of account authorities that are followed.", 0, 16)
    max_sig_check_accounts: int = _TRANSACTIONS.count(
        125, "Accounts that are looked at while one authority is checked. Accounts.", 1, 100_000
    )
    max_authority_membership: int = _TRANSACTIONS.count(40, "Keys and accounts in one authority. Members.", 1, 10_000)

    # Accounts and recovery
    min_account_name_length: int = _ACCOUNTS.count(3, "Shortest account name. Characters.", 3, 3)
    max_account_name_length: int = _ACCOUNTS.count(
        16, "Longest account name; the wire format holds no more. Characters.", 16, 16
    )
    min_account_creation_fee: int = _ACCOUNTS.amount(1, "STEEM", "Lowest account creation fee a witness may propose.")
    max_account_creation_fee: int = _ACCOUNTS.amount(
        1_000_000_000, "STEEM", "Highest account creation fee a witness may propose."
    )
    create_account_with_steem_modifier: int = _ACCOUNTS.count(
        30, "Factor of the account creation fee for accounts created with delegation. Times.", 1, 10_000
    )
    create_account_delegation_ratio: int = _ACCOUNTS.count(
        5, "What one STEEM of fee counts against STEEM of delegation. Times.", 1, 10_000
    )
    create_account_delegation_seconds: int = _ACCOUNTS.seconds(
        2_592_000, "How long a delegation made with a new account cannot be taken back."
    )
    owner_auth_recovery_period_seconds: int = _ACCOUNTS.seconds(
        2_592_000,
        "How long a replaced owner authority may recover the account; also the delay of a change of "
        "recovery account and of declining the right to vote.",
    )
    account_recovery_request_expiration_seconds: int = _ACCOUNTS.seconds(
        DAY_SECONDS, "Life of an account recovery request."
    )
    owner_update_limit_seconds: int = _ACCOUNTS.seconds(
        HOUR_SECONDS, "Least time between two changes of an owner authority."
    )
    owner_auth_history_from_block: int = _ACCOUNTS.blocks(
        0, "Height from which replaced owner authorities are remembered. The live network has 3,186,477."
    )

    # Subsidised accounts
    default_account_subsidy_budget: int = _SUBSIDY.count(
        797, "account_subsidy_budget of a witness that sets none. Ten thousandths of an account per block.", 1
    )
    default_account_subsidy_decay: int = _SUBSIDY.count(
        347_321, "account_subsidy_decay of a witness that sets none. Fraction per block, shifted.", 64, UINT32_MAX
    )
    account_subsidy_precision: int = _SUBSIDY.count(10_000, "One account in the subsidy pools. Units.", 1)
    witness_subsidy_budget_bp: int = _SUBSIDY.share(
        12_500, "Budget of one witness's pool against the global one.", 1_000_000
    )
    witness_subsidy_decay_bp: int = _SUBSIDY.share(
        210_000,
        "Decay of one witness's pool, which decays once a round, against the global one. "
        "If absent: max_witnesses times the global one.",
        100_000_000,
    )
    decay_backstop_bp: int = _SUBSIDY.share(9000, "Part of the median decay that no witness may go below.")
    rd_min_decay_bits: int = _SUBSIDY.count(6, "Lowest decay of a resource pool. Bits.", 0, 31)
    rd_max_decay_bits: int = _SUBSIDY.count(32, "Highest decay of a resource pool. Bits.", 1, 32)
    rd_decay_denom_shift: int = _SUBSIDY.count(36, "Denominator of all decays. Bits.", 1, 63)
    rd_max_pool_bits: int = _SUBSIDY.count(64, "Largest resource pool. Bits.", 1, 64)
    rd_min_budget: int = _SUBSIDY.count(1, "Lowest budget of a resource pool. Units per block.", 1)

    # Power up, power down and delegation
    vesting_withdraw_intervals: int = _STAKE.count(4, "Parts in which a power down is paid. Payments.", 1, 10_000)
    vesting_withdraw_interval_seconds: int = _STAKE.seconds(604_800, "Time between two parts of a power down.", 1)
    max_withdraw_routes: int = _STAKE.count(10, "Power down routes of one account. Routes.", 0, 255)
    delegation_return_period_seconds: int = _STAKE.seconds(
        432_000, "How long delegated shares are on their way back after a delegation is reduced."
    )

    # Savings
    savings_withdraw_seconds: int = _SAVINGS.seconds(259_200, "Delay of a withdrawal from savings.")
    savings_withdraw_request_limit: int = _SAVINGS.count(
        100, "Withdrawals from savings open at once. Requests.", 0, 100_000
    )

    # Voting
    voting_mana_regeneration_seconds: int = _VOTING.seconds(
        432_000, "Time in which voting mana grows from 0 to 100 %.", 1
    )
    vote_power_reserve_rate: int = _VOTING.count(
        10, "Votes at full weight a day that hold voting mana level. Votes.", 1, 10_000
    )
    downvote_pool_bp: int = _VOTING.share(2500, "Size of the down vote mana against the vote mana.")
    vote_dust_threshold: int = _VOTING.count(50_000_000, "What every vote's rshares lose. Rshares.", 0, INT64_MAX)
    min_vote_interval_seconds: int = _VOTING.seconds(3, "Least time between two votes of one account.")
    max_vote_changes: int = _VOTING.count(5, "How often one vote may be changed. Changes.", 0, 127)
    upvote_lockout_seconds: int = _VOTING.seconds(
        43_200, "In this time before the payout the strength of new votes falls in a straight line to 0.", 1
    )
    reverse_auction_seconds: int = _VOTING.seconds(
        300, "In this time after publication part of a curator's reward goes back to the fund."
    )

    # Posts
    cashout_window_seconds: int = _POSTS.seconds(604_800, "Time from publication to payout.", 1)
    min_root_comment_interval_seconds: int = _POSTS.seconds(300, "Least time between two root posts of one author.")
    min_reply_interval_seconds: int = _POSTS.seconds(3, "Least time between two replies of one author.")
    min_comment_edit_interval_seconds: int = _POSTS.seconds(3, "Least time between two edits of one author.")
    max_comment_depth: int = _POSTS.count(65_535, "Deepest reply. Levels.", 1, 65_535)
    soft_max_comment_depth: int = _POSTS.count(255, "Deepest reply a node relays. Levels.", 1, 65_535)
    min_permlink_length: int = _POSTS.size(0, "Shortest permlink.")
    max_permlink_length: int = _POSTS.size(256, "Upper bound of a permlink (must be shorter).", 1)
    comment_title_limit: int = _POSTS.size(256, "Upper bound of a title (must be shorter).", 1)
    comment_beneficiary_limit: int = _POSTS.count(128, "Beneficiaries of one post (must be fewer).", 1, 65_535)
    max_votable_assets: int = _POSTS.count(2, "Tokens one post may name as votable. Tokens.", 0, 255)

    # Rewards
    content_constant: int = _REWARDS.count(
        2_000_000_000_000, "The constant s of the convergent curves. Rshares.", 0, UINT128_MAX
    )
    author_reward_curve: CurveField = _REWARDS.field(RewardCurve.CONVERGENT_LINEAR, "Curve of a post's claim.")
    curation_reward_curve: CurveField = _REWARDS.field(
        RewardCurve.CONVERGENT_SQUARE_ROOT, "Curve of a curator's weight."
    )
    curation_rewards_bp: int = _REWARDS.share(5000, "Curators' part of a payout.")
    content_fund_bp: int = _REWARDS.share(10_000, "Part of the content reward that the post fund receives.")
    recent_claims_initial: int = _REWARDS.count(
        503_600_561_838_938_636, "Claims the post fund starts with. Claims.", 0, UINT128_MAX
    )
    recent_claims_decay_seconds: int = _REWARDS.seconds(1_296_000, "Time constant with which old claims fade.", 1)
    recent_claims_wrap: bool = _REWARDS.field(
        True,
        "What is left of the claims after a longer pause than recent_claims_decay_seconds: as on the live network they "
        "wrap around as unsigned 128-bit numbers, and payouts turn to dust or stop the chain; or (false) nothing.",
    )
    min_payout_sbd: int = _REWARDS.amount(20, "SBD", "Payouts worth less are not paid.")
    max_share_supply: int = _REWARDS.amount(1_000_000_000_000_000, "a token", "Largest supply of a token.", 1)
    max_satoshis: int = _REWARDS.amount(SATOSHIS_MAX, "any asset", "Largest amount.", SATOSHIS_MAX, SATOSHIS_MAX)

    # Inflation
    inflation_rate_start_bp: int = _INFLATION.share(978, "Yearly inflation at block 0.")
    inflation_rate_stop_bp: int = _INFLATION.share(95, "Yearly inflation below which it never falls.")
    inflation_narrowing_period_blocks: int = _INFLATION.blocks(
        250_000, "Number of blocks after which inflation falls by one basis point.", 1
    )
    content_reward_percent_bp: int = _INFLATION.share(6500, "Part of inflation for authors and curators.")
    vesting_reward_percent_bp: int = _INFLATION.share(1500, "Part of inflation for holders of vesting shares.")
    proposal_fund_percent_bp: int = _INFLATION.share(
        1000, "Part of inflation for the treasury; what is left goes to witnesses."
    )

    # Debt token, price feed and conversion
    default_sbd_interest_rate_bp: int = _DEBT.share(1000, "sbd_interest_rate of a witness that sets none.")
    sbd_interest_compound_interval_seconds: int = _DEBT.seconds(2_592_000, "Least time between two interest payments.")
    sbd_start_bp: int = _DEBT.share(900, "Debt at which the print rate starts to fall.")
    sbd_stop_bp: int = _DEBT.share(1000, "Debt at which nothing is printed any more; also the limit of the price.")
    skip_price_feed_limit_check: bool = _DEBT.field(
        False,
        "Whether the median price may value the debt above sbd_stop_bp. A reference testnet build skips the limit. "
        "Source: database.hpp, skip_price_feed_limit_check.",
    )
    feed_interval_blocks: int = _DEBT.blocks(1200, "How often the median price is taken. If absent: once an hour.", 1)
    feed_history_window: int = _DEBT.count(
        84, "Prices the median is taken over; also hours of a conversion.", 1, 100_000
    )
    max_feed_age_seconds: int = _DEBT.seconds(604_800, "Older price feeds of a witness do not count.", 1)
    min_feeds: int = _DEBT.count(
        7, "Fewer price feeds make no median. If absent: a third of max_witnesses. Feeds.", 1, 101
    )
    conversion_delay_seconds: int = _DEBT.seconds(302_400, "Delay of a conversion of SBD to STEEM.", 1)

    # Market
    max_limit_order_expiration_seconds: int = _MARKET.seconds(2_419_200, "Longest life of a limit order.", 1)

    # Custom operations
    custom_op_id_max_bytes: int = _CUSTOM.size(32, "Longest id of a custom_json.", 1, 32)
    custom_op_data_max_bytes: int = _CUSTOM.size(8192, "Longest data of a custom operation.", 1)
    custom_op_block_limit: int = _CUSTOM.count(
        5, "Custom operations of one account in one block that a node relays. Source: witness_plugin.hpp.", 1
    )

    # Proposals
    treasury_fee: int = _PROPOSALS.amount(10_000, "SBD", "Price of a proposal.")
    proposal_maintenance_period_seconds: int = _PROPOSALS.seconds(3600, "Time between two payments of proposals.", 1)
    proposal_maintenance_cleanup_seconds: int = _PROPOSALS.seconds(
        DAY_SECONDS, "How long a finished proposal is kept before it may be removed."
    )
    proposal_removals_max: int = _PROPOSALS.count(
        200,
        "Finished or removed proposals and their votes that one operation, or one block, may delete. "
        "Source: chain_plugin.cpp, sps-remove-threshold.",
        1,
    )
    proposal_daily_budget_divider: int = _PROPOSALS.count(
        100, "Divisor of the treasury that gives the budget of one day. Source: sps_processor.hpp.", 1
    )
    proposal_subject_max_bytes: int = _PROPOSALS.size(80, "Longest subject.", 1)
    proposal_max_ids: int = _PROPOSALS.count(5, "Proposals one operation may name. Proposals.", 1, 1000)

    # Resource credits
    rc_regeneration_seconds: int = _RC.seconds(
        432_000, "Time in which resource credits grow from 0 to 100 %. Source: rc_plugin.cpp.", 1
    )
    rc_max_negative_bp: int = _RC.share(
        166, "How far below 0 an account that must be able to act may go. Source: rc_plugin.cpp."
    )
    rc_historical_account_creation_adjustment: int = _RC.amount(
        2_020_748_973, "VESTS", "Credits accounts from before resource credits start with. Source: rc_plugin.cpp."
    )

    # Tokens
    tokens_enabled: bool = _TOKENS.field(
        True,
        "Whether the chain is one of nodes built with tokens: blocks may carry automated actions, get_config tells it.",
    )
    tokens_live: bool = _TOKENS.field(False, "Whether community tokens can be made and used; needs tokens_enabled.")
    smt_max_decimal_places: int = _TOKENS.count(8, "Decimals of a token. Digits.", 0, 12)
    smt_max_nai_pool_count: int = _TOKENS.count(10, "Unused numeric asset identifiers on offer. Identifiers.", 1, 1000)
    smt_max_nai_generation_tries: int = _TOKENS.count(100, "Tries to find a free identifier. Tries.", 1, 10_000)
    smt_vesting_withdraw_interval_seconds: int = _TOKENS.seconds(
        604_800, "Time between two parts of a token power down.", 1
    )
    smt_vesting_withdraw_intervals: int = _TOKENS.count(13, "Parts of a token power down. Parts.", 1)
    smt_upvote_lockout_seconds: int = _TOKENS.seconds(43_200, "As upvote_lockout_seconds, for a token's rewards.", 1)
    smt_emission_min_interval_seconds: int = _TOKENS.seconds(21_600, "Least time between two emissions.", 1)
    smt_emit_indefinitely: int = _TOKENS.count(
        UINT32_MAX, "The number of emissions that means no end. Emissions.", UINT32_MAX, UINT32_MAX
    )
    smt_max_nominal_votes_per_day: int = _TOKENS.count(1000, "Votes a day a token may set. Votes.", 1)
    smt_default_votes_per_regen_period: int = _TOKENS.count(50, "Votes per regeneration of a token that sets none.", 1)
    smt_default_percent_curation_rewards_bp: int = _TOKENS.share(2500, "Curators' part of a token that sets none.")
    smt_max_unit_routes: int = _TOKENS.count(10, "Targets of one generation unit. Targets.", 1, 255)
    smt_max_unit_count: int = _TOKENS.count(20, "Parts of one target of a generation unit. Parts.", 1, 65_535)
    smt_initial_vesting_per_unit: int = _TOKENS.count(
        1_000_000, "Vesting shares of the first unit powered up. Source: config.hpp of master.", 1, INT64_MAX
    )
    smt_ballast_supply_bp: int = _TOKENS.share(
        10, "Part of a token's supply its vesting pool starts with. Source: config.hpp of master."
    )
    smt_max_ico_tiers: int = _TOKENS.count(10, "Tiers of one launch. Source: config.hpp of master.", 1, 255)
    smt_market_makers_trade: bool = _TOKENS.field(
        True, "Whether the market makers of tokens trade; else they only keep what they have."
    )
    smt_max_emission_schedules: int = _TOKENS.count(100, "Schedules of emissions of one token.", 1, 1000)
    smt_max_emissions_per_block: int = _TOKENS.count(
        100, "Emissions of one block; what is due beyond them waits for the next.", 1, 10_000
    )

    # Reserved names
    init_miner_name: str = _NAMES.field("initminer", "Account that produces the first blocks.")
    miner_account: str = _NAMES.field("miners", "Account that stands for the witnesses.")
    null_account: str = _NAMES.field("null", "Account nobody controls; what it receives is burned.")
    temp_account: str = _NAMES.field("temp", "Account everybody controls.")
    treasury_account: str = _NAMES.field("steem.dao", "Account that holds the proposals' money.")
    seizure_account: str = _NAMES.field(
        "community321",
        "Account that hard fork 23 of the live network moved balances to; on other chains reported only.",
    )
    proxy_to_self_account: Literal[""] = _NAMES.field("", "Name that stands for voting oneself; empty on every chain.")
    root_post_parent: Literal[""] = _NAMES.field("", "Parent author of a root post; empty on every chain.")
    post_reward_fund_name: str = _NAMES.field("post", "Name of the reward fund of posts.")
    comment_reward_fund_name: str = _NAMES.field("comment", "Name reserved for a reward fund of replies.")

    @model_validator(mode="before")
    @classmethod
    def _follow(cls, data: Any) -> Any:
        """Fills in absent rules whose default is derived from other rules in config.hpp."""
        if not isinstance(data, dict):
            return data
        filled = dict(data)
        for key, sources, value in _FOLLOWERS:
            numbers = [filled.get(source, cls.model_fields[source].default) for source in sources]
            if key not in filled and all(type(number) is int and number >= 0 for number in numbers):
                filled[key] = value(*numbers)
        return filled

    @model_validator(mode="after")
    def _is_consistent(self) -> Rules:
        """Refuses combinations of values with which no block could be produced."""
        wrong = Problems()
        voted, runner, all_slots = self.max_voted_witnesses, self.max_runner_witnesses, self.max_witnesses
        wrong.expect(
            voted + self.max_miner_witnesses + runner == all_slots,
            "max_witnesses",
            all_slots,
            f"must be max_voted_witnesses + max_miner_witnesses + max_runner_witnesses, which is "
            f"{voted + self.max_miner_witnesses + runner}",
        )
        for key in ("hardfork_required_witnesses", "min_feeds"):
            self._expect_at_most(wrong, key, "max_witnesses")
        shares = ("content_reward_percent_bp", "vesting_reward_percent_bp", "proposal_fund_percent_bp")
        together = sum(getattr(self, key) for key in shares)
        wrong.expect(
            together <= BASIS_POINTS,
            shares[0],
            self.content_reward_percent_bp,
            f"with {shares[1]} and {shares[2]} it is {together}; all three together must be at most 10000 basis points",
        )
        wrong.expect(
            self.tokens_enabled or not self.tokens_live, "tokens_live", self.tokens_live, "needs tokens_enabled = true"
        )
        self._expect_at_most(wrong, "inflation_rate_stop_bp", "inflation_rate_start_bp")
        self._expect_at_most(wrong, "sbd_start_bp", "sbd_stop_bp")
        self._expect_at_most(wrong, "min_account_creation_fee", "max_account_creation_fee")
        self._expect_at_most(wrong, "rc_regeneration_seconds", "voting_mana_regeneration_seconds")
        self._expect_at_most(wrong, "block_interval_seconds", "rc_regeneration_seconds")
        self._expect_at_most(wrong, "block_interval_seconds", "max_time_until_expiration_seconds")
        self._expect_at_most(wrong, "soft_max_comment_depth", "max_comment_depth")
        wrong.expect(
            self.default_maximum_block_size_bytes <= self.soft_max_block_size_bytes <= self.max_block_size_bytes,
            "soft_max_block_size_bytes",
            self.soft_max_block_size_bytes,
            f"must be from twice min_block_size_limit_bytes ({self.default_maximum_block_size_bytes}) "
            f"to max_block_size_bytes ({self.max_block_size_bytes})",
        )
        room = self.max_undo_history_blocks - 2 * self.max_witnesses
        wrong.expect(
            self.witness_shutdown_blocks < room or self.witness_shutdown_blocks == 0,
            "witness_shutdown_blocks",
            self.witness_shutdown_blocks,
            f"must be 0, or less than max_undo_history_blocks without two rounds ({room})",
        )
        wrong.expect(
            self.irreversible_fixed_depth_blocks < self.max_undo_history_blocks,
            "irreversible_fixed_depth_blocks",
            self.irreversible_fixed_depth_blocks,
            f"must be less than max_undo_history_blocks ({self.max_undo_history_blocks})",
        )
        self._check_subsidies(wrong)
        wrong.raise_any()
        return self

    def _expect_at_most(self, wrong: Problems, key: str, limit: str) -> None:
        value, most = getattr(self, key), getattr(self, limit)
        wrong.expect(value <= most, key, value, f"must not be more than {limit} ({most})")

    def _check_subsidies(self, wrong: Problems) -> None:
        """Checks that the defaults of the subsidy pools are within the limits for witnesses, with a decay above 0."""
        budget, decay = self.default_account_subsidy_budget, self.default_account_subsidy_decay
        wrong.expect(
            self.rd_min_budget <= budget <= self.rd_max_budget,
            "default_account_subsidy_budget",
            budget,
            f"must be from rd_min_budget ({self.rd_min_budget}) to {self.rd_max_budget}, "
            "which follows from the bits of the pools",
        )
        wrong.expect(
            self.rd_min_decay <= decay <= self.rd_max_decay,
            "default_account_subsidy_decay",
            decay,
            f"must be from {self.rd_min_decay} to {self.rd_max_decay}, as rd_min_decay_bits and rd_max_decay_bits say",
        )
        wrong.expect(
            self.rd_min_decay * self.witness_subsidy_decay_bp >= BASIS_POINTS,
            "witness_subsidy_decay_bp",
            self.witness_subsidy_decay_bp,
            "must leave some decay: times 2^rd_min_decay_bits it must be at least 10000",
        )

    # Values derived from the parameters.

    @property
    def seconds_per_year(self) -> int:
        """Seconds of a year of 365 days."""
        return YEAR_SECONDS

    @property
    def blocks_per_year(self) -> int:
        """Slots of a year of 365 days."""
        return self.seconds_per_year // self.block_interval_seconds

    @property
    def blocks_per_day(self) -> int:
        """Slots of a day."""
        return DAY_SECONDS // self.block_interval_seconds

    @property
    def blocks_per_hour(self) -> int:
        """Slots of an hour."""
        return 3600 // self.block_interval_seconds

    @property
    def default_maximum_block_size_bytes(self) -> int:
        """maximum_block_size of a witness that sets none. Source: witness_objects.hpp, chain_properties."""
        return self.min_block_size_limit_bytes * 2

    @property
    def smt_max_votes_per_regeneration(self) -> int:
        """Votes per regeneration a token may set at most."""
        return self.smt_max_nominal_votes_per_day * self.smt_vesting_withdraw_interval_seconds // DAY_SECONDS

    @property
    def rd_max_budget(self) -> int:
        """Highest budget of a resource pool, in units per block."""
        by_pool = (1 << max(self.rd_max_pool_bits + self.rd_min_decay_bits - self.rd_decay_denom_shift, 0)) - 1
        return min(by_pool, (1 << (64 - self.rd_decay_denom_shift)) - 1, INT32_MAX)

    @property
    def rd_min_decay(self) -> int:
        """Lowest decay of a resource pool."""
        return 1 << self.rd_min_decay_bits

    @property
    def rd_max_decay(self) -> int:
        """Highest decay of a resource pool."""
        return (1 << self.rd_max_decay_bits) - 1

    def replace(self, **changes: Any) -> Rules:
        """Returns rules with some parameters changed, checked like those of a file. Raises pydantic.ValidationError."""
        return Rules.model_validate({**self.model_dump(), **changes})


_FOLLOWERS: Final[tuple[tuple[str, tuple[str, ...], Callable[..., int]], ...]] = (
    ("max_voted_witnesses", ("max_witnesses", "max_runner_witnesses"), lambda slots, runner: max(slots - runner, 0)),
    ("hardfork_required_witnesses", ("max_witnesses",), lambda slots: (4 * slots + 4) // 5),
    ("min_feeds", ("max_witnesses",), lambda slots: max(slots // 3, 1)),
    ("witness_subsidy_decay_bp", ("max_witnesses",), lambda slots: slots * BASIS_POINTS),
    ("feed_interval_blocks", ("block_interval_seconds",), lambda interval: 3600 // max(interval, 1)),
    (
        "max_block_size_bytes",
        ("max_transaction_size_bytes", "block_interval_seconds"),
        lambda size, interval: min(size * interval * 2000, UINT32_MAX),
    ),
)
"""Rules whose default follows others: the rule, those it follows, and how. Source: config.hpp; the number of witnesses
for a hard fork is fixed at 17 of 21 there, which is four fifths rounded up."""


def section_of(field: FieldInfo) -> str:
    """Returns the title of the config section of a rule."""
    extra = field.json_schema_extra
    return str(extra[SECTION_KEY]) if isinstance(extra, dict) else ""
