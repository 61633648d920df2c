"""Witnesses, votes for them, the schedule of a round and the price feed."""

from typing import NamedTuple

from protocol.types import (
    I32,
    I64,
    U8,
    U32,
    U64,
    U128,
    AccountName,
    ChainProperties,
    HardforkVersion,
    Price,
    PublicKey,
    Sha256,
    Share,
    String,
    Time,
    Vector,
    Version,
)
from state.engine.declare import Index, table
from state.engine.rows import Row
from state.tables.kinds import ObjectId


class RdParams(NamedTuple):
    """Parameters of a regenerating pool. Source: util/rd_dynamics.hpp, rd_dynamics_params."""

    resource_unit: I32
    budget_per_time_unit: I32
    pool_eq: I64
    max_pool_size: I64
    decay_per_time_unit: U32
    decay_per_time_unit_denom_shift: U8
    min_decay: I32


@table(
    13,
    key="owner",
    indexes=(
        Index("by_vote_name", "-votes", "owner"),
        Index("by_schedule_time", "virtual_scheduled_time", "id"),
    ),
    is_observable=True,
)
class Witness(Row):
    """A candidate for block production. Source: witness_objects.hpp, witness_object.

    `schedule` is one of the SCHEDULE_ constants below.
    """

    id: ObjectId
    owner: AccountName
    created: Time
    url: String
    votes: Share
    schedule: U8
    virtual_last_update: U128
    virtual_position: U128
    virtual_scheduled_time: U128
    total_missed: U32
    last_aslot: U64
    last_confirmed_block_num: U32
    pow_worker: U64
    signing_key: PublicKey
    props: ChainProperties
    sbd_exchange_rate: Price
    last_sbd_exchange_update: Time
    last_work: Sha256
    running_version: Version
    hardfork_version_vote: HardforkVersion
    hardfork_time_vote: Time
    available_witness_account_subsidies: I64


SCHEDULE_ELECTED = 0

SCHEDULE_TIMESHARE = 1

SCHEDULE_MINER = 2

SCHEDULE_NONE = 3


@table(
    14,
    key=("account", "witness"),
    indexes=(Index("by_witness_account", "witness", "account"),),
    is_observable=True,
)
class WitnessVote(Row):
    """An account's approval of a witness. Source: witness_objects.hpp, witness_vote_object."""

    id: ObjectId
    witness: AccountName
    account: AccountName


@table(15, key="id")
class WitnessSchedule(Row):
    """The single row of the round's witnesses and their median properties. Source: witness_schedule_object."""

    id: ObjectId
    current_virtual_time: U128
    next_shuffle_block_num: U32
    current_shuffled_witnesses: Vector[AccountName]
    num_scheduled_witnesses: U8
    elected_weight: U32
    timeshare_weight: U32
    miner_weight: U32
    witness_pay_normalization_factor: U32
    median_props: ChainProperties
    majority_version: Version
    max_voted_witnesses: U8
    max_miner_witnesses: U8
    max_runner_witnesses: U8
    hardfork_required_witnesses: U8
    account_subsidy_rd: RdParams
    account_subsidy_witness_rd: RdParams
    min_witness_account_subsidy_decay: I64


@table(16, key="id")
class FeedHistory(Row):
    """The single row of the hourly median prices of the last window. Source: steem_objects.hpp, feed_history_object."""

    id: ObjectId
    current_median_history: Price
    price_history: Vector[Price]
