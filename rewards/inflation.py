"""Inflation: the new tokens of every block for authors and curators, holders of VESTS, the treasury and the witness.

Source: libraries/chain/database.cpp, database::process_funds and database::pay_reward_funds.
"""

from typing import NamedTuple

from protocol.assets import SBD, STEEM, VESTS, Asset
from protocol.integers import check_int64
from protocol.rules import Rules
from protocol.units import BASIS_POINTS
from protocol.virtual_operations import ProducerReward
from rewards.fund import get_reward_fund
from state.balances import LIQUID, REWARD_FUND, VESTING_FUND
from state.context import SINGLETON, Context
from state.issuance import issue
from state.prices import compute_sbd_value, get_median_price
from state.resource_credits import regenerate_rc, update_max_rc
from state.stake import STAKE
from state.tables.globals import GlobalProperties
from state.tables.witnesses import SCHEDULE_ELECTED, SCHEDULE_MINER, SCHEDULE_TIMESHARE, WitnessSchedule


class BlockInflation(NamedTuple):
    """New STEEM of one block in satoshis: the total, and the shares that are a percentage of it."""

    new_steem: int
    content: int
    vesting: int
    treasury: int


def compute_inflation_rate_bp(rules: Rules, block_number: int) -> int:
    """Yearly inflation at a height: falls by one basis point every narrowing period, down to the floor."""
    narrowed = rules.inflation_rate_start_bp - block_number // rules.inflation_narrowing_period_blocks
    return max(narrowed, rules.inflation_rate_stop_bp)


def compute_block_inflation(rules: Rules, gpo: GlobalProperties, block_number: int) -> BlockInflation:
    """The new tokens of the block at a height; every share is rounded down."""
    rate_bp = compute_inflation_rate_bp(rules, block_number)
    new_steem = check_int64(gpo.virtual_supply * rate_bp) // (BASIS_POINTS * rules.blocks_per_year)
    return BlockInflation(
        new_steem=new_steem,
        content=new_steem * gpo.content_reward_percent // BASIS_POINTS,
        vesting=new_steem * gpo.vesting_reward_percent // BASIS_POINTS,
        treasury=new_steem * gpo.sps_fund_percent // BASIS_POINTS,
    )


def compute_witness_pay(rules: Rules, schedule: WitnessSchedule, kind: int, share: int) -> int:
    """The pay of a block's witness, from the block's `share` for witnesses and the kind of its slot.

    The shares of all slots of a round are divided by weight; the schedule's normalization factor is the sum of the
    weights of a round.
    """
    pay = share * rules.max_witnesses
    if kind == SCHEDULE_TIMESHARE:
        pay *= schedule.timeshare_weight
    elif kind == SCHEDULE_MINER:
        pay *= schedule.miner_weight
    elif kind == SCHEDULE_ELECTED:
        pay *= schedule.elected_weight
    return check_int64(pay) // schedule.witness_pay_normalization_factor


def process_funds(ctx: Context) -> None:
    """Issues the block's new tokens to the reward fund, the vesting fund, the treasury and the witness.

    The treasury gets its share in SBD, and nothing while there is no price (where the reference cannot make a block).
    """
    gpo, rules = ctx.gpo, ctx.rules
    inflation = compute_block_inflation(rules, gpo, gpo.head_block_number)
    fund = get_reward_fund(ctx)
    content = inflation.content * fund.percent_content_rewards // BASIS_POINTS
    share = inflation.new_steem - content - inflation.vesting - inflation.treasury
    witness = ctx.tables.witnesses.get(gpo.current_witness)
    schedule = ctx.tables.witness_schedule.get(SINGLETON)
    pay = compute_witness_pay(rules, schedule, witness.schedule, share)
    if inflation.treasury:
        new_sbd = compute_sbd_value(get_median_price(ctx), inflation.treasury)
        issue(ctx, SBD, (new_sbd, (LIQUID, rules.treasury_account)))
        table = ctx.tables.global_properties
        gpo = table.get(SINGLETON)
        table.update(gpo, sps_interval_ledger=gpo.sps_interval_ledger + new_sbd)
    credits = regenerate_rc(ctx, witness.owner)
    *_, shares = issue(
        ctx,
        STEEM,
        (content, (REWARD_FUND, fund.name)),
        (inflation.vesting, VESTING_FUND),
        (pay, (STAKE, witness.owner)),
    )
    update_max_rc(credits)
    ctx.emit(ProducerReward(producer=witness.owner, vesting_shares=Asset(shares, VESTS)))
