"""Rows with plain defaults for tests of pure functions."""

from typing import Any

from protocol.assets import SBD, STEEM, Asset, Price
from protocol.curves import RewardCurve
from protocol.types import ChainProperties
from rewards.payout import PayoutTerms
from state.tables.content import Comment, CommentVote, RewardFund
from state.tables.globals import GlobalProperties
from state.tables.kinds import TIME_MAX
from state.tables.witnesses import RdParams, WitnessSchedule
from tests.chains import FIRST, TREASURY

CREATED = 1_600_000_000


def make_gpo(**changes: Any) -> GlobalProperties:
    """Global properties of a chain with today's percentages and nothing else."""
    zero = dict.fromkeys(GlobalProperties.__struct_fields__, 0)
    percentages = {
        "content_reward_percent": 6500,
        "vesting_reward_percent": 1500,
        "sps_fund_percent": 1000,
        "sbd_print_rate": 10_000,
        "downvote_pool_percent": 2500,
        "vote_power_reserve_rate": 10,
        "reverse_auction_seconds": 300,
    }
    names = {"head_block_id": bytes(20), "current_witness": FIRST}
    return GlobalProperties(**{**zero, **percentages, **names, **changes})


def make_schedule() -> WitnessSchedule:
    """The schedule of a chain that has just begun."""
    rd = RdParams(0, 0, 0, 0, 0, 0, 0)
    return WitnessSchedule(
        id=0,
        current_virtual_time=0,
        next_shuffle_block_num=1,
        current_shuffled_witnesses=(FIRST,),
        num_scheduled_witnesses=1,
        elected_weight=1,
        timeshare_weight=5,
        miner_weight=1,
        witness_pay_normalization_factor=25,
        median_props=ChainProperties(Asset(0, STEEM), 65536, 0, 797, 347321),
        majority_version=0,
        max_voted_witnesses=20,
        max_miner_witnesses=0,
        max_runner_witnesses=1,
        hardfork_required_witnesses=17,
        account_subsidy_rd=rd,
        account_subsidy_witness_rd=rd,
        min_witness_account_subsidy_decay=0,
    )


def make_comment(**changes: Any) -> Comment:
    """A post of alice's, open for a week, without votes."""
    zero = dict.fromkeys(Comment.__struct_fields__, 0)
    fields = {
        "author": "alice",
        "permlink": "post",
        "category": "test",
        "parent_author": "",
        "parent_permlink": "test",
        "created": CREATED,
        "last_update": CREATED,
        "active": CREATED,
        "cashout_time": CREATED + 604_800,
        "max_cashout_time": TIME_MAX,
        "reward_weight": 10_000,
        "max_accepted_payout": 1_000_000_000,
        "percent_steem_dollars": 10_000,
        "allow_replies": True,
        "allow_votes": True,
        "allow_curation_rewards": True,
        "beneficiaries": (),
    }
    return Comment(**{**zero, **fields, **changes})


def make_vote(number: int, voter: str, weight: int, rshares: int, seconds: int, **changes: Any) -> CommentVote:
    """A vote on the post of make_comment, some seconds after it."""
    fields = {
        "id": number,
        "voter_id": number,
        "voter": voter,
        "comment": 0,
        "weight": weight,
        "rshares": rshares,
        "vote_percent": 10_000,
        "last_update": CREATED + seconds,
        "num_changes": 0,
    }
    return CommentVote(**{**fields, **changes})


def make_fund(**changes: Any) -> RewardFund:
    """A fund of 1,000 STEEM that pays by straight lines."""
    fields = {
        "id": 0,
        "name": "post",
        "reward_balance": 1_000_000,
        "recent_claims": 0,
        "last_update": CREATED,
        "content_constant": 2_000_000_000_000,
        "percent_curation_rewards": 5000,
        "percent_content_rewards": 10_000,
        "author_reward_curve": RewardCurve.LINEAR.number,
        "curation_reward_curve": RewardCurve.LINEAR.number,
    }
    return RewardFund(**{**fields, **changes})


def make_terms(total_claims: int, fund: RewardFund | None = None, **gpo: Any) -> PayoutTerms:
    """Terms with a median price of 0.500 SBD per STEEM and 2,000 VESTS satoshis per STEEM satoshi."""
    pools = {"total_vesting_shares": 2_000_000, "total_vesting_fund_steem": 1000}
    return PayoutTerms(
        time=CREATED + 604_800,
        fund=fund or make_fund(),
        total_claims=total_claims,
        price=Price(Asset(500, SBD), Asset(1000, STEEM)),
        gpo=make_gpo(**{**pools, **gpo}),
        treasury=TREASURY,
        dust_limit_sbd=20,
    )
