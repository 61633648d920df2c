"""Figures about the whole chain, hard forks, and what blocks and transactions were seen lately."""

from typing import NamedTuple


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
