"""Witnesses, votes for them, the schedule of a round and the price feed."""

from typing import NamedTuple

from protocol.assets import Price
from protocol.types import ChainProperties


class RdParams(NamedTuple):
    """Parameters of a regenerating pool. Source: util/rd_dynamics.hpp, rd_dynamics_params."""

    resource_unit: int
    budget_per_time_unit: int
    pool_eq: int
    max_pool_size: int
    decay_per_time_unit: int
    decay_per_time_unit_denom_shift: int
    min_decay: int


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
