"""The witness schedule of a round: who produces blocks, in which order, and the median chain properties.

Each round has a new schedule: the witnesses with most votes (elected), then others in the order of their virtual times
(timeshare) until all places are filled. A virtual time is the moment at which a runner whose speed is the witness's
votes finishes the lap; every witness considered for the round starts a new lap. The order within the round is shuffled
by the head block's time. Mining has ended, so no place is reserved for a miner.

A witness without a signing key is not scheduled. The reference halts when that leaves fewer witnesses than places and
candidates; here the round becomes smaller, and if no witness is left, the previous round is repeated.

Source: libraries/chain/witness_schedule.cpp.
"""

from collections import Counter
from collections.abc import Sequence

from consensus.rd import check_user_params, compute_params, compute_pool_decay, compute_witness_params
from protocol.integers import UINT64_MAX, UINT128_MAX
from protocol.types import NULL_PUBLIC_KEY, ChainProperties
from protocol.units import BASIS_POINTS
from state.context import SINGLETON, Context
from state.tables.globals import HardforkProperty
from state.tables.witnesses import SCHEDULE_ELECTED, SCHEDULE_TIMESHARE, Witness, WitnessSchedule

SHUFFLE_FACTOR = 2_685_821_657_736_338_717
"""The multiplier of the xorshift* generator that shuffles the round."""


def update_witness_schedule(ctx: Context) -> None:
    """Computes the next round's schedule if the head block ends a round.

    A round always has `max_witnesses` blocks, even if fewer witnesses are scheduled.
    """
    if ctx.gpo.head_block_number % ctx.rules.max_witnesses == 0:
        _start_round(ctx)


def _start_round(ctx: Context) -> None:
    """Source: witness_schedule.cpp, update_witness_schedule4."""
    gpo = ctx.gpo
    schedules = ctx.tables.witness_schedule
    schedule = schedules.get(SINGLETON)
    voters = _get_witnesses(ctx, schedule)
    elected = _choose_elected(ctx, schedule.max_voted_witnesses)
    timeshare, considered = _choose_timeshare(ctx, elected)
    virtual_time = _advance_virtual_time(ctx, considered, schedule.current_virtual_time)
    _mark(ctx, elected, SCHEDULE_ELECTED)
    _mark(ctx, timeshare, SCHEDULE_TIMESHARE)
    majority_version = compute_majority_version(
        [witness.running_version for witness in voters],
        schedule.hardfork_required_witnesses,
        schedule.majority_version,
    )
    _count_hardfork_votes(ctx, voters, schedule.hardfork_required_witnesses)
    active = elected + timeshare
    schedule = schedules.get(SINGLETON)
    if active:
        order = compute_shuffle(active, gpo.time)
        padding = ("",) * (ctx.rules.max_witnesses - len(order))
        schedule = schedules.update(
            schedule,
            current_shuffled_witnesses=(*order, *padding),
            num_scheduled_witnesses=len(order),
            witness_pay_normalization_factor=schedule.elected_weight * len(elected)
            + schedule.timeshare_weight * len(timeshare),
        )
    schedules.update(
        schedule,
        current_virtual_time=virtual_time,
        next_shuffle_block_num=gpo.head_block_number + schedule.num_scheduled_witnesses,
        majority_version=majority_version,
    )
    update_median_properties(ctx)


def _get_witnesses(ctx: Context, schedule: WitnessSchedule) -> list[Witness]:
    names = schedule.current_shuffled_witnesses[: schedule.num_scheduled_witnesses]
    return [ctx.tables.witnesses.get(name) for name in names]


def _choose_elected(ctx: Context, places: int) -> list[str]:
    """The names of the witnesses with most votes and a signing key, in the order of their votes."""
    elected: list[str] = []
    if places == 0:
        return elected
    for witness in ctx.tables.witnesses.index("by_vote_name").scan():
        if witness.signing_key == NULL_PUBLIC_KEY:
            continue
        elected.append(witness.owner)
        if len(elected) == places:
            break
    return elected


def _choose_timeshare(ctx: Context, elected: Sequence[str]) -> tuple[list[str], list[Witness]]:
    """Fills the round with the witnesses next in virtual time; also returns all considered, chosen or not."""
    timeshare: list[str] = []
    considered: list[Witness] = []
    places = ctx.rules.max_witnesses - len(elected)
    if places <= 0:
        return timeshare, considered
    taken = frozenset(elected)
    for witness in ctx.tables.witnesses.index("by_schedule_time").scan():
        considered.append(witness)
        if witness.signing_key == NULL_PUBLIC_KEY or witness.owner in taken:
            continue
        timeshare.append(witness.owner)
        if len(timeshare) == places:
            break
    return timeshare, considered


def _advance_virtual_time(ctx: Context, considered: Sequence[Witness], virtual_time: int) -> int:
    """Starts a new lap for all considered witnesses at the virtual time of the last of them; returns that time.

    If a lap would end beyond 128 bits, virtual time is reset to 0 for every witness.
    """
    if not considered:
        return virtual_time
    now = considered[-1].virtual_scheduled_time
    lap = ctx.rules.virtual_schedule_lap_length
    ends = [now + lap // (witness.votes + 1) for witness in considered]
    if max(ends) > UINT128_MAX:
        reset_virtual_schedule_time(ctx)
        return 0
    for witness, end in zip(considered, ends, strict=True):
        ctx.tables.witnesses.update(witness, virtual_position=0, virtual_last_update=now, virtual_scheduled_time=end)
    return now


def reset_virtual_schedule_time(ctx: Context) -> None:
    """Resets virtual time to 0 and starts a lap for every witness.

    A small chain resets every round, when most witnesses are at the start already; those rows are not rewritten.
    """
    tables = ctx.tables
    tables.witness_schedule.update(tables.witness_schedule.get(SINGLETON), current_virtual_time=0)
    lap = ctx.rules.virtual_schedule_lap_length
    for witness in list(tables.witnesses.scan()):
        end = lap // (witness.votes + 1)
        if (witness.virtual_position, witness.virtual_last_update, witness.virtual_scheduled_time) != (0, 0, end):
            tables.witnesses.update(witness, virtual_position=0, virtual_last_update=0, virtual_scheduled_time=end)


def _mark(ctx: Context, names: Sequence[str], kind: int) -> None:
    """Stores the kind of slot for which these witnesses were scheduled."""
    witnesses = ctx.tables.witnesses
    for name in names:
        witness = witnesses.get(name)
        if witness.schedule != kind:
            witnesses.update(witness, schedule=kind)


def compute_shuffle(names: Sequence[str], now: int) -> tuple[str, ...]:
    """The names in the order of the round that starts at `now` (seconds since the epoch).

    A Fisher-Yates shuffle whose i-th random number is an xorshift* step from the time and i.
    """
    order = list(names)
    for i in range(len(order)):
        k = ((now << 32) + i * SHUFFLE_FACTOR) & UINT64_MAX
        k ^= k >> 12
        k ^= (k << 25) & UINT64_MAX
        k ^= k >> 27
        k = k * SHUFFLE_FACTOR & UINT64_MAX
        j = i + k % (len(order) - i)
        order[i], order[j] = order[j], order[i]
    return tuple(order)


def compute_majority_version(running_versions: Sequence[int], required: int, otherwise: int) -> int:
    """The highest version that `required` witnesses run or exceed; `otherwise` if there is none."""
    if required <= 0 or len(running_versions) < required:
        return otherwise
    return sorted(running_versions, reverse=True)[required - 1]


def _count_hardfork_votes(ctx: Context, voters: Sequence[Witness], required: int) -> None:
    """Schedules the hard fork and time that enough witnesses of the past round vote for, or cancels a schedule."""
    table = ctx.tables.hardfork_property
    hardfork = table.get(SINGLETON)
    votes = Counter((witness.hardfork_version_vote, witness.hardfork_time_vote) for witness in voters)
    winners = [vote for vote in sorted(votes) if votes[vote] >= required]
    if winners:
        version, time = winners[0]
        _plan_hardfork(ctx, hardfork, version, time)
    else:
        _plan_hardfork(ctx, hardfork, hardfork.current_hardfork_version, hardfork.next_hardfork_time)


def _plan_hardfork(ctx: Context, hardfork: HardforkProperty, version: int, time: int) -> None:
    if (hardfork.next_hardfork, hardfork.next_hardfork_time) != (version, time):
        ctx.tables.hardfork_property.update(hardfork, next_hardfork=version, next_hardfork_time=time)


def _median(values: Sequence[int]) -> int:
    return sorted(values)[len(values) // 2]


def update_median_properties(ctx: Context) -> None:
    """Sets each chain property to the median of the round's proposals, and derives the subsidy pools' parameters.

    Source: witness_schedule.cpp, update_median_witness_props.
    """
    schedules = ctx.tables.witness_schedule
    schedule = schedules.get(SINGLETON)
    witnesses = _get_witnesses(ctx, schedule)
    proposals = [witness.props for witness in witnesses]
    fee = proposals[0].account_creation_fee
    median = ChainProperties(
        account_creation_fee=fee._replace(amount=_median([props.account_creation_fee.amount for props in proposals])),
        maximum_block_size=_median([props.maximum_block_size for props in proposals]),
        sbd_interest_rate=_median([props.sbd_interest_rate for props in proposals]),
        account_subsidy_budget=_median([props.account_subsidy_budget for props in proposals]),
        account_subsidy_decay=_median([props.account_subsidy_decay for props in proposals]),
    )
    budget, decay = median.account_subsidy_budget, median.account_subsidy_decay
    rules = ctx.rules
    check_user_params(rules, budget, decay)
    witness_rd = compute_witness_params(rules, budget, decay)
    pool = _median([witness.available_witness_account_subsidies for witness in witnesses])
    backstop = max(compute_pool_decay(witness_rd, pool, 1), 0) * rules.decay_backstop_bp // BASIS_POINTS
    schedules.update(
        schedule,
        median_props=median,
        account_subsidy_rd=compute_params(rules, budget, decay, schedule.account_subsidy_rd.min_decay),
        account_subsidy_witness_rd=witness_rd._replace(min_decay=backstop),
    )
    ctx.update_gpo(
        maximum_block_size=median.maximum_block_size,
        sbd_interest_rate=median.sbd_interest_rate,
    )
