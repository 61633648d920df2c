"""Emissions: tokens that are issued by schedules, as long as the greatest supply of the token allows.

They are worked out and issued in one step of a block, those that are due in the order of their times. After a gap the
missed ones are made up one by one, each with the supply of that moment.

Source: libraries/chain/util/smt_token.cpp of master, generate_emissions and next_emission_time, whose interpolation has
its two ends swapped; the manual has the formula. The reference lets a plugin offer emissions as optional actions.
"""

from typing import NamedTuple

from protocol.rules import Rules
from protocol.unit_targets import MARKET_MAKER_TARGET, REWARDS_TARGET, VESTING_TARGET, find_target_account
from protocol.virtual_operations import SmtTokenEmission
from state.balances import MARKET_MAKER, TOKEN_REWARD_FUND, TOKEN_VESTING_FUND, Place
from state.context import Context
from state.issuance import issue
from state.tables.kinds import TIME_MAX
from state.tables.tokens import Token, TokenEmissions
from tokens.places import choose_place
from tokens.sale import count_parts


class EmissionAmount(NamedTuple):
    """How an amount came about, in satoshis; `numerator` is that of the relative amount at that time."""

    absolute: int
    numerator: int
    relative: int
    amount: int


def find_schedule_end(rules: Rules, schedule: TokenEmissions) -> int:
    """The time of the last emission of a schedule, the latest time of all if it has no end."""
    if schedule.emission_count == rules.smt_emit_indefinitely:
        return TIME_MAX
    return min(schedule.schedule_time + schedule.interval_seconds * (schedule.emission_count - 1), TIME_MAX)


def find_last_schedule(ctx: Context, symbol: int, until: int = TIME_MAX) -> TokenEmissions | None:
    """The last schedule of a token that begins not after `until`."""
    return next(ctx.tables.token_emissions.scan((symbol,), start=(symbol, until), reverse=True), None)


def find_next_emission(ctx: Context, symbol: int, last: int) -> int:
    """When the first emission after the time `last` is due, TIME_MAX if there is none."""
    running = find_last_schedule(ctx, symbol, last)
    if running is not None:
        following = last - (last - running.schedule_time) % running.interval_seconds + running.interval_seconds
        if following <= find_schedule_end(ctx.rules, running):
            return following
    later = next(ctx.tables.token_emissions.scan((symbol,), start=(symbol, last + 1)), None)
    return TIME_MAX if later is None else later.schedule_time


def _interpolate(schedule: TokenEmissions, time: int, left: int, right: int) -> int:
    """The value at a time between that at the left end and that at the right one, rounded down."""
    begin, end = schedule.lep_time, schedule.rep_time
    if time <= begin:
        return left
    if time >= end:
        return right
    return (left * (end - time) + right * (time - begin)) // (end - begin)


def compute_emission(schedule: TokenEmissions, time: int, supply: int, most: int) -> EmissionAmount:
    """What a schedule issues at a time with this supply, so that it does not become more than `most`."""
    absolute = _interpolate(schedule, time, schedule.lep_abs_amount, schedule.rep_abs_amount)
    numerator = _interpolate(schedule, time, schedule.lep_rel_amount_numerator, schedule.rep_rel_amount_numerator)
    relative = supply * numerator >> schedule.rel_amount_denom_bits
    chosen = min(absolute, relative) if schedule.floor_emissions else max(absolute, relative)
    return EmissionAmount(absolute, numerator, relative, max(min(chosen, most - supply), 0))


def share_out(schedule: TokenEmissions, amount: int) -> list[tuple[str, int]]:
    """The targets of an emission with what each gets, rounded down; nothing if it is less than one unit."""
    parts_sum = count_parts(schedule.token_unit)
    if amount < parts_sum:
        return []
    return [(target, amount * parts // parts_sum) for target, parts in schedule.token_unit]


def process_token_emissions(ctx: Context) -> None:
    """Makes the emissions that are due, those of one moment by their symbols, as many as a block may have."""
    due, now = ctx.tables.tokens.index("by_next_emission"), ctx.time
    for _ in range(ctx.rules.smt_max_emissions_per_block):
        token = due.first()
        if token is None or token.next_emission > now or token.next_emission == TIME_MAX:
            return
        _emit(ctx, token)


def _emit(ctx: Context, token: Token) -> None:
    symbol, time, rules = token.liquid_symbol, token.next_emission, ctx.rules
    schedule = find_last_schedule(ctx, symbol, time)
    assert schedule is not None, "an emission is due by its schedule"
    most = min(token.max_supply, rules.max_share_supply)
    amount = compute_emission(schedule, time, token.current_supply, most).amount
    shares = [(target, share) for target, share in share_out(schedule, amount) if not _is_null(ctx, target)]
    for target, share in shares:
        issue(ctx, symbol, (share, _find_place(ctx, symbol, target, share)))
    tokens = ctx.tables.tokens
    tokens.update(
        tokens.get(symbol),
        last_virtual_emission_time=time,
        next_emission=find_next_emission(ctx, symbol, time),
    )
    if shares:
        ctx.emit(SmtTokenEmission(token.control_account, symbol, time, tuple(shares)))


def _is_null(ctx: Context, target: str) -> bool:
    account = find_target_account(target)
    return account is not None and account.name == ctx.rules.null_account


def _find_place(ctx: Context, symbol: int, target: str, amount: int) -> Place:
    account = find_target_account(target)
    if account is not None:
        return choose_place(ctx, account.name, symbol, amount, account.is_powered_up)
    return {
        MARKET_MAKER_TARGET: (MARKET_MAKER, symbol),
        REWARDS_TARGET: (TOKEN_REWARD_FUND, symbol),
        VESTING_TARGET: (TOKEN_VESTING_FUND, symbol),
    }[target]
