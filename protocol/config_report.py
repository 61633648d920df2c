"""The answer of get_config: the constants of a chain under the names and in the forms of the reference.

Most are derived from the rules. Literal numbers belong to rules that hard forks have replaced; they are reported
because clients may read them. Source: get_config.cpp, get_config.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from protocol.assets import SBD, STEEM, VESTS, Asset, decimals, nai_string
from protocol.hardforks import hardfork_version
from protocol.integers import INT32_MAX, UINT32_MAX, UINT64_MAX
from protocol.times import time_text
from protocol.units import BASIS_POINTS, BASIS_POINTS_OF_PERCENT, DAY_SECONDS

if TYPE_CHECKING:
    from protocol.config import ChainConfig

_LIQUIDITY_PERIOD_SECONDS: Final = 3600


def report_config(config: ChainConfig) -> dict[str, Any]:
    """Returns the constants in the order of the reference, ready for JSON."""
    report: dict[str, Any] = {"IS_TEST_NET": config.is_test_net}
    if config.is_test_net:
        report["TESTNET_BLOCK_LIMIT"] = config.history.testnet_block_limit
    report["STEEM_ENABLE_SMT"] = config.rules.tokens_enabled
    if config.rules.tokens_enabled:
        report.update(_report_tokens(config))
    report.update(_report_constants(config))
    return {name: _number(value) for name, value in report.items()}


def _number(value: Any) -> Any:
    """Returns integers that do not fit 32 bits as text, as the reference writes its 64-bit integers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value > UINT32_MAX else value


def _micros(seconds: int) -> int:
    """Durations are reported in microseconds."""
    return seconds * 1_000_000


def _symbol(symbol: int) -> dict[str, Any]:
    return {"nai": nai_string(symbol), "decimals": decimals(symbol)}


def _report_tokens(config: ChainConfig) -> dict[str, Any]:
    r = config.rules
    return {
        "SMT_MAX_VOTABLE_ASSETS": r.max_votable_assets,
        "SMT_VESTING_WITHDRAW_INTERVAL_SECONDS": r.smt_vesting_withdraw_interval_seconds,
        "SMT_UPVOTE_LOCKOUT": r.smt_upvote_lockout_seconds,
        "SMT_EMISSION_MIN_INTERVAL_SECONDS": r.smt_emission_min_interval_seconds,
        "SMT_EMIT_INDEFINITELY": r.smt_emit_indefinitely,
        "SMT_MAX_NOMINAL_VOTES_PER_DAY": r.smt_max_nominal_votes_per_day,
        "SMT_MAX_VOTES_PER_REGENERATION": r.smt_max_votes_per_regeneration,
        "SMT_DEFAULT_VOTES_PER_REGEN_PERIOD": r.smt_default_votes_per_regen_period,
        "SMT_DEFAULT_PERCENT_CURATION_REWARDS": r.smt_default_percent_curation_rewards_bp,
    }


def _report_constants(config: ChainConfig) -> dict[str, Any]:
    r, h = config.rules, config.history
    return {
        "SBD_SYMBOL": _symbol(SBD),
        "STEEM_INITIAL_VOTE_POWER_RATE": 40,
        "STEEM_REDUCED_VOTE_POWER_RATE": r.vote_power_reserve_rate,
        "STEEM_100_PERCENT": BASIS_POINTS,
        "STEEM_1_PERCENT": BASIS_POINTS_OF_PERCENT,
        "STEEM_ACCOUNT_RECOVERY_REQUEST_EXPIRATION_PERIOD": _micros(r.account_recovery_request_expiration_seconds),
        "STEEM_ACTIVE_CHALLENGE_COOLDOWN": _micros(DAY_SECONDS),
        "STEEM_ACTIVE_CHALLENGE_FEE": Asset(2_000, STEEM).nai_json,
        "STEEM_ADDRESS_PREFIX": config.chain.address_prefix,
        "STEEM_APR_PERCENT_MULTIPLY_PER_BLOCK": 0x5CCCE802DE5F,
        "STEEM_APR_PERCENT_MULTIPLY_PER_HOUR": 0x6CC139A15CBD,
        "STEEM_APR_PERCENT_MULTIPLY_PER_ROUND": 0x79CCF5C73480,
        "STEEM_APR_PERCENT_SHIFT_PER_BLOCK": 87,
        "STEEM_APR_PERCENT_SHIFT_PER_HOUR": 77,
        "STEEM_APR_PERCENT_SHIFT_PER_ROUND": 83,
        "STEEM_BANDWIDTH_AVERAGE_WINDOW_SECONDS": 604_800,
        "STEEM_BANDWIDTH_PRECISION": 1_000_000,
        "STEEM_BENEFICIARY_LIMIT": r.comment_beneficiary_limit,
        "STEEM_BLOCKCHAIN_PRECISION": 1_000,
        "STEEM_BLOCKCHAIN_PRECISION_DIGITS": 3,
        "STEEM_BLOCKCHAIN_HARDFORK_VERSION": hardfork_version(config.blockchain_version),
        "STEEM_BLOCKCHAIN_VERSION": config.blockchain_version,
        "STEEM_BLOCK_INTERVAL": r.block_interval_seconds,
        "STEEM_BLOCKS_PER_DAY": r.blocks_per_day,
        "STEEM_BLOCKS_PER_HOUR": r.blocks_per_hour,
        "STEEM_BLOCKS_PER_YEAR": r.blocks_per_year,
        "STEEM_CASHOUT_WINDOW_SECONDS": r.cashout_window_seconds,
        "STEEM_CASHOUT_WINDOW_SECONDS_PRE_HF12": h.cashout_window_seconds_pre_hf12,
        "STEEM_CASHOUT_WINDOW_SECONDS_PRE_HF17": h.cashout_window_seconds_pre_hf17,
        "STEEM_CHAIN_ID": config.chain_id.hex(),
        "STEEM_COMMENT_REWARD_FUND_NAME": r.comment_reward_fund_name,
        "STEEM_COMMENT_TITLE_LIMIT": r.comment_title_limit,
        "STEEM_CONTENT_APR_PERCENT": 3_875,
        "STEEM_CONTENT_CONSTANT_HF0": str(2_000_000_000_000),
        "STEEM_CONTENT_CONSTANT_HF21": str(r.content_constant),
        "STEEM_CONTENT_REWARD_PERCENT_HF16": 7_500,
        "STEEM_CONTENT_REWARD_PERCENT_HF21": r.content_reward_percent_bp,
        "STEEM_CONVERSION_DELAY": _micros(r.conversion_delay_seconds),
        "STEEM_CONVERSION_DELAY_PRE_HF_16": _micros(604_800),
        "STEEM_CREATE_ACCOUNT_DELEGATION_RATIO": r.create_account_delegation_ratio,
        "STEEM_CREATE_ACCOUNT_DELEGATION_TIME": _micros(r.create_account_delegation_seconds),
        "STEEM_CREATE_ACCOUNT_WITH_STEEM_MODIFIER": r.create_account_with_steem_modifier,
        "STEEM_CURATE_APR_PERCENT": 3_875,
        "STEEM_CUSTOM_OP_DATA_MAX_LENGTH": r.custom_op_data_max_bytes,
        "STEEM_CUSTOM_OP_ID_MAX_LENGTH": r.custom_op_id_max_bytes,
        "STEEM_DEFAULT_SBD_INTEREST_RATE": r.default_sbd_interest_rate_bp,
        "STEEM_DOWNVOTE_POOL_PERCENT_HF21": r.downvote_pool_bp,
        "STEEM_EQUIHASH_K": 6,
        "STEEM_EQUIHASH_N": 140,
        "STEEM_FEED_HISTORY_WINDOW": r.feed_history_window,
        "STEEM_FEED_HISTORY_WINDOW_PRE_HF_16": 168,
        "STEEM_FEED_INTERVAL_BLOCKS": r.feed_interval_blocks,
        "STEEM_GENESIS_TIME": time_text(config.genesis.time),
        "STEEM_HARDFORK_REQUIRED_WITNESSES": r.hardfork_required_witnesses,
        "STEEM_HF21_CONVERGENT_LINEAR_RECENT_CLAIMS": str(503_600_561_838_938_636),
        "STEEM_INFLATION_NARROWING_PERIOD": r.inflation_narrowing_period_blocks,
        "STEEM_INFLATION_RATE_START_PERCENT": r.inflation_rate_start_bp,
        "STEEM_INFLATION_RATE_STOP_PERCENT": r.inflation_rate_stop_bp,
        "STEEM_INIT_MINER_NAME": r.init_miner_name,
        "STEEM_INIT_PUBLIC_KEY_STR": config.genesis.witnesses[0].signing_key,
        "STEEM_INIT_SUPPLY": config.genesis.init_supply,
        "STEEM_SBD_INIT_SUPPLY": config.genesis.init_sbd_supply,
        "STEEM_INIT_TIME": time_text(0),
        "STEEM_IRREVERSIBLE_THRESHOLD": r.irreversible_threshold_bp,
        "STEEM_LIQUIDITY_APR_PERCENT": 750,
        "STEEM_LIQUIDITY_REWARD_BLOCKS": _LIQUIDITY_PERIOD_SECONDS // r.block_interval_seconds,
        "STEEM_LIQUIDITY_REWARD_PERIOD_SEC": _LIQUIDITY_PERIOD_SECONDS,
        "STEEM_LIQUIDITY_TIMEOUT_SEC": _micros(604_800),
        "STEEM_MAX_ACCOUNT_CREATION_FEE": r.max_account_creation_fee,
        "STEEM_MAX_ACCOUNT_NAME_LENGTH": r.max_account_name_length,
        "STEEM_MAX_ACCOUNT_WITNESS_VOTES": r.max_account_witness_votes,
        "STEEM_MAX_ASSET_WHITELIST_AUTHORITIES": 10,
        "STEEM_MAX_AUTHORITY_MEMBERSHIP": r.max_authority_membership,
        "STEEM_MAX_BLOCK_SIZE": r.max_block_size_bytes,
        "STEEM_SOFT_MAX_BLOCK_SIZE": r.soft_max_block_size_bytes,
        "STEEM_MAX_CASHOUT_WINDOW_SECONDS": h.max_cashout_window_seconds,
        "STEEM_MAX_COMMENT_DEPTH": r.max_comment_depth,
        "STEEM_MAX_COMMENT_DEPTH_PRE_HF17": 6,
        "STEEM_MAX_FEED_AGE_SECONDS": r.max_feed_age_seconds,
        "STEEM_MAX_INSTANCE_ID": 2**48 - 1,
        "STEEM_MAX_MEMO_SIZE": r.max_memo_size_bytes,
        "STEEM_MAX_WITNESSES": r.max_witnesses,
        "STEEM_MAX_MINER_WITNESSES_HF0": 1,
        "STEEM_MAX_MINER_WITNESSES_HF17": r.max_miner_witnesses,
        "STEEM_MAX_PERMLINK_LENGTH": r.max_permlink_length,
        "STEEM_MAX_PROXY_RECURSION_DEPTH": r.max_proxy_recursion_depth,
        "STEEM_MAX_RATION_DECAY_RATE": 1_000_000,
        "STEEM_MAX_RESERVE_RATIO": 20_000,
        "STEEM_MAX_RUNNER_WITNESSES_HF0": 1,
        "STEEM_MAX_RUNNER_WITNESSES_HF17": r.max_runner_witnesses,
        "STEEM_MAX_SATOSHIS": r.max_satoshis,
        "STEEM_MAX_SHARE_SUPPLY": r.max_share_supply,
        "STEEM_MAX_SIG_CHECK_DEPTH": r.max_sig_check_depth,
        "STEEM_MAX_SIG_CHECK_ACCOUNTS": r.max_sig_check_accounts,
        "STEEM_MAX_TIME_UNTIL_EXPIRATION": r.max_time_until_expiration_seconds,
        "STEEM_MAX_TRANSACTION_SIZE": r.max_transaction_size_bytes,
        "STEEM_MAX_UNDO_HISTORY": r.max_undo_history_blocks,
        "STEEM_MAX_URL_LENGTH": 127,
        "STEEM_MAX_VOTE_CHANGES": r.max_vote_changes,
        "STEEM_MAX_VOTED_WITNESSES_HF0": 19,
        "STEEM_MAX_VOTED_WITNESSES_HF17": r.max_voted_witnesses,
        "STEEM_MAX_WITHDRAW_ROUTES": r.max_withdraw_routes,
        "STEEM_MAX_WITNESS_URL_LENGTH": r.max_witness_url_bytes,
        "STEEM_MIN_ACCOUNT_CREATION_FEE": r.min_account_creation_fee,
        "STEEM_MIN_ACCOUNT_NAME_LENGTH": r.min_account_name_length,
        "STEEM_MIN_BLOCK_SIZE_LIMIT": r.min_block_size_limit_bytes,
        "STEEM_MIN_BLOCK_SIZE": r.min_block_size_bytes,
        "STEEM_MIN_CONTENT_REWARD": Asset(1_000, STEEM).nai_json,
        "STEEM_MIN_CURATE_REWARD": Asset(1_000, STEEM).nai_json,
        "STEEM_MIN_PERMLINK_LENGTH": r.min_permlink_length,
        "STEEM_MIN_REPLY_INTERVAL": _micros(20),
        "STEEM_MIN_REPLY_INTERVAL_HF20": _micros(r.min_reply_interval_seconds),
        "STEEM_MIN_ROOT_COMMENT_INTERVAL": _micros(r.min_root_comment_interval_seconds),
        "STEEM_MIN_COMMENT_EDIT_INTERVAL": _micros(r.min_comment_edit_interval_seconds),
        "STEEM_MIN_VOTE_INTERVAL_SEC": r.min_vote_interval_seconds,
        "STEEM_MINER_ACCOUNT": r.miner_account,
        "STEEM_MINER_PAY_PERCENT": 100,
        "STEEM_MIN_FEEDS": r.min_feeds,
        "STEEM_MINING_REWARD": Asset(1_000, STEEM).nai_json,
        "STEEM_MINING_TIME": time_text(h.mining_time),
        "STEEM_MIN_LIQUIDITY_REWARD": Asset(
            1000 * (_LIQUIDITY_PERIOD_SECONDS // r.block_interval_seconds), STEEM
        ).nai_json,
        "STEEM_MIN_LIQUIDITY_REWARD_PERIOD_SEC": _micros(60),
        "STEEM_MIN_PAYOUT_SBD": Asset(r.min_payout_sbd, SBD).nai_json,
        "STEEM_MIN_POW_REWARD": Asset(1_000, STEEM).nai_json,
        "STEEM_MIN_PRODUCER_REWARD": Asset(1_000, STEEM).nai_json,
        "STEEM_MIN_TRANSACTION_EXPIRATION_LIMIT": r.block_interval_seconds * 5,
        "STEEM_MIN_TRANSACTION_SIZE_LIMIT": r.min_transaction_size_limit_bytes,
        "STEEM_MIN_UNDO_HISTORY": 10,
        "STEEM_NULL_ACCOUNT": r.null_account,
        "STEEM_NUM_INIT_MINERS": 1,
        "STEEM_OWNER_AUTH_HISTORY_TRACKING_START_BLOCK_NUM": r.owner_auth_history_from_block,
        "STEEM_OWNER_AUTH_RECOVERY_PERIOD": _micros(r.owner_auth_recovery_period_seconds),
        "STEEM_OWNER_CHALLENGE_COOLDOWN": _micros(DAY_SECONDS),
        "STEEM_OWNER_CHALLENGE_FEE": Asset(30_000, STEEM).nai_json,
        "STEEM_OWNER_UPDATE_LIMIT": _micros(r.owner_update_limit_seconds),
        "STEEM_POST_AVERAGE_WINDOW": DAY_SECONDS,
        "STEEM_POST_REWARD_FUND_NAME": r.post_reward_fund_name,
        "STEEM_POST_WEIGHT_CONSTANT": (4 * BASIS_POINTS) ** 2,
        "STEEM_POW_APR_PERCENT": 750,
        "STEEM_PRODUCER_APR_PERCENT": 750,
        "STEEM_PROXY_TO_SELF_ACCOUNT": r.proxy_to_self_account,
        "STEEM_SBD_INTEREST_COMPOUND_INTERVAL_SEC": r.sbd_interest_compound_interval_seconds,
        "STEEM_SECONDS_PER_YEAR": r.seconds_per_year,
        "STEEM_PROPOSAL_FUND_PERCENT_HF0": 0,
        "STEEM_PROPOSAL_FUND_PERCENT_HF21": r.proposal_fund_percent_bp,
        "STEEM_RECENT_RSHARES_DECAY_TIME_HF19": _micros(r.recent_claims_decay_seconds),
        "STEEM_RECENT_RSHARES_DECAY_TIME_HF17": _micros(2_592_000),
        "STEEM_REVERSE_AUCTION_WINDOW_SECONDS_HF6": 1_800,
        "STEEM_REVERSE_AUCTION_WINDOW_SECONDS_HF20": 900,
        "STEEM_REVERSE_AUCTION_WINDOW_SECONDS_HF21": r.reverse_auction_seconds,
        "STEEM_ROOT_POST_PARENT": r.root_post_parent,
        "STEEM_SAVINGS_WITHDRAW_REQUEST_LIMIT": r.savings_withdraw_request_limit,
        "STEEM_SAVINGS_WITHDRAW_TIME": _micros(r.savings_withdraw_seconds),
        "STEEM_SBD_START_PERCENT_HF14": 200,
        "STEEM_SBD_START_PERCENT_HF20": r.sbd_start_bp,
        "STEEM_SBD_STOP_PERCENT_HF14": 500,
        "STEEM_SBD_STOP_PERCENT_HF20": r.sbd_stop_bp,
        "STEEM_SECOND_CASHOUT_WINDOW": h.second_cashout_window_seconds,
        "STEEM_SOFT_MAX_COMMENT_DEPTH": r.soft_max_comment_depth,
        "STEEM_START_MINER_VOTING_BLOCK": r.blocks_per_day * 30,
        "STEEM_START_VESTING_BLOCK": r.blocks_per_day * 7,
        "STEEM_TEMP_ACCOUNT": r.temp_account,
        "STEEM_UPVOTE_LOCKOUT_HF7": _micros(60),
        "STEEM_UPVOTE_LOCKOUT_HF17": _micros(r.upvote_lockout_seconds),
        "STEEM_UPVOTE_LOCKOUT_SECONDS": r.upvote_lockout_seconds,
        "STEEM_VESTING_FUND_PERCENT_HF16": r.vesting_reward_percent_bp,
        "STEEM_VESTING_WITHDRAW_INTERVALS": 13,
        "STEEM_VESTING_WITHDRAW_INTERVALS_HF_23": r.vesting_withdraw_intervals,
        "STEEM_VESTING_WITHDRAW_INTERVALS_PRE_HF_16": 104,
        "STEEM_VESTING_WITHDRAW_INTERVAL_SECONDS": r.vesting_withdraw_interval_seconds,
        "STEEM_VOTE_DUST_THRESHOLD": r.vote_dust_threshold,
        "STEEM_VOTING_MANA_REGENERATION_SECONDS": r.voting_mana_regeneration_seconds,
        "STEEM_SYMBOL": _symbol(STEEM),
        "VESTS_SYMBOL": _symbol(VESTS),
        "STEEM_VIRTUAL_SCHEDULE_LAP_LENGTH": str(UINT64_MAX),
        "STEEM_VIRTUAL_SCHEDULE_LAP_LENGTH2": str(r.virtual_schedule_lap_length),
        "STEEM_MAX_LIMIT_ORDER_EXPIRATION": r.max_limit_order_expiration_seconds,
        "STEEM_DELEGATION_RETURN_PERIOD_HF0": r.cashout_window_seconds,
        "STEEM_DELEGATION_RETURN_PERIOD_HF20": r.delegation_return_period_seconds,
        "STEEM_RD_MIN_DECAY_BITS": r.rd_min_decay_bits,
        "STEEM_RD_MAX_DECAY_BITS": r.rd_max_decay_bits,
        "STEEM_RD_DECAY_DENOM_SHIFT": r.rd_decay_denom_shift,
        "STEEM_RD_MAX_POOL_BITS": r.rd_max_pool_bits,
        "STEEM_RD_MAX_BUDGET_1": (1 << (r.rd_max_pool_bits + r.rd_min_decay_bits - r.rd_decay_denom_shift)) - 1,
        "STEEM_RD_MAX_BUDGET_2": (1 << (64 - r.rd_decay_denom_shift)) - 1,
        "STEEM_RD_MAX_BUDGET_3": INT32_MAX,
        "STEEM_RD_MAX_BUDGET": r.rd_max_budget,
        "STEEM_RD_MIN_DECAY": r.rd_min_decay,
        "STEEM_RD_MIN_BUDGET": r.rd_min_budget,
        "STEEM_RD_MAX_DECAY": r.rd_max_decay,
        "STEEM_ACCOUNT_SUBSIDY_PRECISION": r.account_subsidy_precision,
        "STEEM_WITNESS_SUBSIDY_BUDGET_PERCENT": r.witness_subsidy_budget_bp,
        "STEEM_WITNESS_SUBSIDY_DECAY_PERCENT": r.witness_subsidy_decay_bp,
        "STEEM_DEFAULT_ACCOUNT_SUBSIDY_DECAY": r.default_account_subsidy_decay,
        "STEEM_DEFAULT_ACCOUNT_SUBSIDY_BUDGET": r.default_account_subsidy_budget,
        "STEEM_DECAY_BACKSTOP_PERCENT": r.decay_backstop_bp,
        "STEEM_BLOCK_GENERATION_POSTPONED_TX_LIMIT": r.block_generation_postponed_tx_limit,
        "STEEM_PENDING_TRANSACTION_EXECUTION_LIMIT": 200_000,
        "STEEM_TREASURY_ACCOUNT": r.treasury_account,
        "HIVE_TREASURY_ACCOUNT": r.seizure_account,
        "STEEM_TREASURY_FEE": r.treasury_fee,
        "STEEM_PROPOSAL_MAINTENANCE_PERIOD": r.proposal_maintenance_period_seconds,
        "STEEM_PROPOSAL_MAINTENANCE_CLEANUP": r.proposal_maintenance_cleanup_seconds,
        "STEEM_PROPOSAL_SUBJECT_MAX_LENGTH": r.proposal_subject_max_bytes,
        "STEEM_PROPOSAL_MAX_IDS_NUMBER": r.proposal_max_ids,
    }
