"""Chain-wide properties, hard forks, and recent blocks and transactions."""

from protocol.types import I64, U8, U16, U32, U64, U128, AccountName, Ripemd160, Time, Vector, Version
from state.engine.declare import Index, table
from state.engine.rows import Row
from state.tables.kinds import ObjectId, Sbd, Steem, Vests


@table(12, key="id", is_observable=True)
class GlobalProperties(Row):
    """The single row of chain-wide properties. Source: global_property_object.hpp."""

    id: ObjectId
    head_block_number: U32
    head_block_id: Ripemd160
    time: Time
    current_witness: AccountName
    total_pow: U64
    num_pow_witnesses: U32
    virtual_supply: Steem
    current_supply: Steem
    confidential_supply: Steem
    init_sbd_supply: Sbd
    current_sbd_supply: Sbd
    confidential_sbd_supply: Sbd
    total_vesting_fund_steem: Steem
    total_vesting_shares: Vests
    total_reward_fund_steem: Steem
    total_reward_shares2: U128
    pending_rewarded_vesting_shares: Vests
    pending_rewarded_vesting_steem: Steem
    sbd_interest_rate: U16
    sbd_print_rate: U16
    maximum_block_size: U32
    required_actions_partition_percent: U16
    current_aslot: U64
    recent_slots_filled: U128
    participation_count: U8
    last_irreversible_block_num: U32
    vote_power_reserve_rate: U32
    delegation_return_period: U32
    reverse_auction_seconds: U64
    available_account_subsidies: I64
    sbd_stop_percent: U16
    sbd_start_percent: U16
    next_maintenance_time: Time
    last_budget_time: Time
    content_reward_percent: U16
    vesting_reward_percent: U16
    sps_fund_percent: U16
    sps_interval_ledger: Sbd
    downvote_pool_percent: U16
    smt_creation_fee: Sbd


@table(17, key="id")
class HardforkProperty(Row):
    """The single row of applied and scheduled hard forks. Source: hardfork_property_object.hpp.

    Versions are packed as the reference packs them: major << 24 | minor << 16 | revision.
    """

    id: ObjectId
    processed_hardforks: Vector[Time]
    last_hardfork: U32
    current_hardfork_version: Version
    next_hardfork: Version
    next_hardfork_time: Time


@table(18, key="id")
class BlockSummary(Row):
    """The id of the newest block whose number ends in these 16 bits, for TaPoS. Source: block_summary_object.hpp."""

    id: ObjectId
    block_id: Ripemd160


@table(19, key="trx_id", indexes=(Index("by_expiration", "expiration", "id"),))
class SeenTransaction(Row):
    """A transaction that is refused as a duplicate until it expires. Source: transaction_object.hpp."""

    id: ObjectId
    trx_id: Ripemd160
    expiration: Time
