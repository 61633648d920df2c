"""New tokens of every block: for authors and curators, holders of VESTS, the treasury and the block's witness.

Source: libraries/chain/database.cpp, database::process_funds.
"""

from typing import NamedTuple

from protocol.assets import SBD, STEEM, VESTS, Asset
from protocol.config import Rules
from protocol.integers import check_int64
from protocol.units import BASIS_POINTS
from protocol.virtual_operations import ProducerReward
from rewards.fund import pay_reward_funds
from rewards.sbd import compute_sbd_value
from state.context import SINGLETON, Context
from state.money import adjust_balance, get_median_price
from state.resource_credits import regenerate_rc, update_max_rc
from state.stake import create_vesting
from state.tables.globals import GlobalProperties
from state.tables.witnesses import SCHEDULE_ELECTED, SCHEDULE_MINER, SCHEDULE_TIMESHARE, WitnessSchedule


class BlockInflation(NamedTuple):
    """STEEM satoshis that one block makes: the whole, and the shares fixed by percentages of it."""

    new_steem: int
    content: int
    vesting: int
    treasury: int


def compute_inflation_rate_bp(rules: Rules, block_number: int) -> int:
    """Yearly inflation at a height: it falls by one basis point every narrowing period, down to the floor."""
    narrowed = rules.inflation_rate_start_bp - block_number // rules.inflation_narrowing_period_blocks
    return max(narrowed, rules.inflation_rate_stop_bp)


def compute_block_inflation(rules: Rules, gpo: GlobalProperties, block_number: int) -> BlockInflation:
    """What the block at a height makes; every share is rounded down."""
    rate_bp = compute_inflation_rate_bp(rules, block_number)
    new_steem = check_int64(gpo.virtual_supply * rate_bp) // (BASIS_POINTS * rules.blocks_per_year)
    return BlockInflation(
        new_steem=new_steem,
        content=new_steem * gpo.content_reward_percent // BASIS_POINTS,
        vesting=new_steem * gpo.vesting_reward_percent // BASIS_POINTS,
        treasury=new_steem * gpo.sps_fund_percent // BASIS_POINTS,
    )


def compute_witness_pay(rules: Rules, schedule: WitnessSchedule, kind: int, share: int) -> int:
    """A witness's pay for a block from the block's `share` for witnesses, by the kind of its slot.

    The shares of a round's slots are put together and divided by weight; the schedule's normalization factor is
    the sum of all weights of a round.
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
    """Makes the block's new tokens and gives them to the reward fund, VESTS, the treasury and the witness.

    The treasury gets SBD of the value of its share; while there is no price it gets nothing (the reference can not
    make a block then).
    """
    gpo = ctx.gpo
    rules = ctx.rules
    inflation = compute_block_inflation(rules, gpo, gpo.head_block_number)
    content = pay_reward_funds(ctx, inflation.content)
    share = inflation.new_steem - content - inflation.vesting - inflation.treasury
    witness = ctx.tables.witnesses.get(gpo.current_witness)
    schedule = ctx.tables.witness_schedule.get(SINGLETON)
    pay = compute_witness_pay(rules, schedule, witness.schedule, share)

    new_sbd = 0
    if inflation.treasury:
        new_sbd = compute_sbd_value(get_median_price(ctx), inflation.treasury)
        adjust_balance(ctx, rules.treasury_account, Asset(new_sbd, SBD))

    made = content + inflation.vesting + pay
    gpo = ctx.gpo
    ctx.update_gpo(
        total_vesting_fund_steem=gpo.total_vesting_fund_steem + inflation.vesting,
        current_supply=gpo.current_supply + made,
        current_sbd_supply=gpo.current_sbd_supply + new_sbd,
        virtual_supply=gpo.virtual_supply + made + inflation.treasury,
        sps_interval_ledger=gpo.sps_interval_ledger + new_sbd,
    )
    credits = regenerate_rc(ctx, witness.owner)
    shares = create_vesting(ctx, witness.owner, Asset(pay, STEEM))
    update_max_rc(credits)
    ctx.emit(ProducerReward(producer=witness.owner, vesting_shares=Asset(shares.amount, VESTS)))
