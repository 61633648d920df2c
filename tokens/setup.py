"""What the control account of a token sets up before its launch: tiers, emissions, parameters, and the launch itself.

Source: libraries/chain/smt_evaluator.cpp of master, smt_setup_ico_tier_evaluator, smt_setup_emissions_evaluator,
smt_set_setup_parameters_evaluator and smt_setup_evaluator. Nobody can mend a token after its setup, so limits that the
reference finds out later, or never, are checked here.
"""

from collections.abc import Iterable, Sequence

from protocol.actions import SmtIcoLaunchAction
from protocol.assets import symbol_json, symbol_to_nai
from protocol.errors import Rejected
from protocol.integers import INT32_MAX, INT64_MAX
from protocol.times import time_text
from protocol.unit_targets import REWARDS_TARGET, AccountTarget, find_target_account
from state.action_queue import enqueue_required
from state.context import Context
from state.tables.kinds import TIME_MAX
from state.tables.tokens import Phase, Token, TokenEmissions, TokenSale, TokenTier
from tokens.emissions import find_last_schedule, find_schedule_end
from tokens.sale import Unit, compute_greatest_supply, count_parts, list_tiers


def list_accounts(unit: Unit) -> Iterable[tuple[str, AccountTarget]]:
    """The targets of a unit that are accounts, with these."""
    for target, _ in unit:
        account = find_target_account(target)
        if account is not None:
            yield target, account


def _refuse_treasury(ctx: Context, target: str, account: AccountTarget) -> None:
    """The treasury takes nothing but SBD."""
    if account.name == ctx.rules.treasury_account:
        raise Rejected("", "Can only transfer SBD to ${s}", s=target)


# Tiers


def add_tier(ctx: Context, token: Token, cap: int, steem_unit: Unit, token_unit: Unit) -> None:
    """Adds a tier of a token's sale that reaches up to a cap. Raises Rejected."""
    tiers, symbol = ctx.tables.token_tiers, token.liquid_symbol
    count = len(list_tiers(ctx, symbol))
    if not count < ctx.rules.smt_max_ico_tiers:
        raise Rejected(
            "num_ico_tiers < SMT_MAX_ICO_TIERS",
            "There can be a maximum of ${n} ICO tiers. Current: ${c}",
            n=ctx.rules.smt_max_ico_tiers,
            c=count,
        )
    for target, account in (*list_accounts(steem_unit), *list_accounts(token_unit)):
        if ctx.tables.accounts.find(account.name) is None:
            raise Rejected(
                "account != nullptr", "The provided account unit target ${target} does not exist.", target=target
            )
        _refuse_treasury(ctx, target, account)
    if tiers.find((symbol, cap)) is not None:
        raise Rejected("", "There is an ICO tier with a Steem Satoshi Cap of ${c} already.", c=cap)
    tiers.insert(TokenTier(tiers.next_id(), symbol, cap, tuple(steem_unit), tuple(token_unit)))


def remove_tier(ctx: Context, token: Token, cap: int) -> None:
    """Removes the tier of a token's sale with this cap. Raises Rejected."""
    tiers = ctx.tables.token_tiers
    tier = tiers.find((token.liquid_symbol, cap))
    if tier is None:
        raise Rejected(
            "ito != nullptr",
            "The specified ICO tier does not exist. Symbol: ${s}, Steem Satoshi Cap: ${c}",
            s=symbol_json(token.liquid_symbol),
            c=cap,
        )
    tiers.delete(tier)


# Emissions


def add_emissions(ctx: Context, schedule: TokenEmissions) -> None:
    """Adds a schedule of emissions, which begins well after the last emission of the one before. Raises Rejected."""
    rules, emissions = ctx.rules, ctx.tables.token_emissions
    if not schedule.schedule_time > ctx.time:
        raise Rejected("o.schedule_time > _db.head_block_time()", "Emissions schedule time must be in the future")
    if schedule.emission_count != rules.smt_emit_indefinitely and not find_schedule_end(rules, schedule) <= INT32_MAX:
        raise Rejected("", "Schedule end time overflow")
    last = find_last_schedule(ctx, schedule.symbol)
    if last is not None:
        end, gap = find_schedule_end(rules, last), rules.smt_emission_min_interval_seconds
        if not TIME_MAX - end > gap:
            raise Rejected(
                "( time_point_sec::maximum() - *end_time ) > fc::seconds( SMT_EMISSION_MIN_INTERVAL_SECONDS )",
                "Cannot add token emission when the prior emission is indefinite.",
            )
        if not schedule.schedule_time >= end + gap:
            raise Rejected(
                "o.schedule_time >= *end_time + SMT_EMISSION_MIN_INTERVAL_SECONDS",
                "New token emissions must begin no earlier than ${s} seconds after the last emission. "
                "Last emission time: ${end}",
                s=gap,
                end=time_text(end),
            )
    count = sum(1 for _ in emissions.scan((schedule.symbol,)))
    if not count < rules.smt_max_emission_schedules:
        raise Rejected(
            "",
            "A token has ${n} schedules of emissions at most. Current: ${c}",
            n=rules.smt_max_emission_schedules,
            c=count,
        )
    if not len(schedule.token_unit) <= rules.smt_max_unit_routes:
        raise Rejected(
            "",
            "An emission has ${n} targets at most. Current: ${c}",
            n=rules.smt_max_unit_routes,
            c=len(schedule.token_unit),
        )
    for target, account in list_accounts(schedule.token_unit):
        if ctx.tables.accounts.find(account.name) is None:
            raise Rejected("acc != nullptr", "Invalid emission destination, account ${a} must exist", a=account.name)
        _refuse_treasury(ctx, target, account)
    emissions.insert(schedule)


def remove_emissions(ctx: Context, token: Token, schedule_time: int, operation: object) -> None:
    """Removes a token's last schedule of emissions, which must begin at this time. Raises Rejected."""
    last = find_last_schedule(ctx, token.liquid_symbol)
    if last is None:
        raise Rejected(
            "last_emission != nullptr",
            "Could not find token emission for the given SMT: ${smt}",
            smt=symbol_json(token.liquid_symbol),
        )
    if last.schedule_time != schedule_time:
        raise Rejected(
            "last_emission->symbol == o.symbol && last_emission->schedule_time == o.schedule_time",
            "SMT emissions must be removed from latest to earliest, last emission: ${le}. Current: ${c}",
            le={"symbol": symbol_json(last.symbol), "schedule_time": time_text(last.schedule_time)},
            c=operation,
        )
    ctx.tables.token_emissions.delete(last)


# The end of the setup


def complete_setup(ctx: Context, token: Token, sale: TokenSale, max_supply: int) -> None:
    """Ends the setup of a token: its sale begins at the time that the row says. Raises Rejected."""
    tiers = list_tiers(ctx, token.liquid_symbol)
    _check_minimum(sale, tiers)
    _check_times(ctx, sale, tiers)
    _check_supply(ctx, sale, tiers)
    _check_rewards(ctx, token, tiers)
    ctx.tables.tokens.update(token, phase=Phase.SETUP_COMPLETED, max_supply=max_supply)
    ctx.tables.token_sales.insert(sale.replace(units=(0,) * len(tiers)))
    launch = SmtIcoLaunchAction(token.control_account, token.liquid_symbol)
    enqueue_required(ctx, launch, sale.contribution_begin_time)


def _check_minimum(sale: TokenSale, tiers: Sequence[TokenTier]) -> None:
    minimum = sale.steem_satoshi_min
    if minimum == 0:
        return
    if not tiers:
        raise Rejected(
            "possible_hard_cap.valid()",
            "An SMT with a Steem Satoshi Minimum of ${s} cannot succeed without an ICO tier.",
            s=minimum,
        )
    cap = tiers[-1].steem_satoshi_cap
    if not minimum <= cap:
        raise Rejected(
            "o.steem_satoshi_min <= hard_cap",
            "The Steem Satoshi Minimum must be less than the hard cap. Steem Satoshi Minimum: ${s}, Hard Cap: ${c}",
            s=minimum,
            c=cap,
        )


def _check_times(ctx: Context, sale: TokenSale, tiers: Sequence[TokenTier]) -> None:
    """A sale that is over before it begins, or emissions before the launch, cannot be meant."""
    if not sale.contribution_begin_time >= ctx.time:
        raise Rejected(
            "", "Contribution begin time must not be in the past", begin=time_text(sale.contribution_begin_time)
        )
    if tiers and not sale.contribution_end_time > sale.contribution_begin_time:
        raise Rejected("", "Contribution end time must be later than contribution begin time if there are ICO tiers")
    first = next(ctx.tables.token_emissions.scan((sale.symbol,)), None)
    if first is not None and not first.schedule_time >= sale.launch_time:
        raise Rejected(
            "",
            "The first token emission must not be before the launch time. First emission: ${e}, Launch time: ${l}",
            e=time_text(first.schedule_time),
            l=time_text(sale.launch_time),
        )


def _check_supply(ctx: Context, sale: TokenSale, tiers: Sequence[TokenTier]) -> None:
    """Whatever is contributed, the tokens of the sale stay below the greatest supply that a token may have."""
    least, most = sale.min_unit_ratio, sale.max_unit_ratio
    if not any(tier.token_unit for tier in tiers):
        return
    if not 1 <= least <= most:
        raise Rejected(
            "",
            "The unit ratios must be at least 1, the minimum not above the maximum. Was ${a} to ${b}",
            a=least,
            b=most,
        )
    cap, before = tiers[-1].steem_satoshi_cap, 0
    for number, tier in enumerate(tiers):
        unit = count_parts(tier.steem_unit)
        units = (tier.steem_satoshi_cap - before) // unit * least
        before = tier.steem_satoshi_cap
        for assertion, value in (
            ("max_token_units", cap // unit * least),
            ("new_tokens", units),
            ("new_tokens", units * count_parts(tier.token_unit)),
        ):
            if not value <= INT64_MAX:
                raise Rejected(
                    f"{assertion}.hi == 0 && {assertion}.lo <= uint64_t( std::numeric_limits<int64_t>::max() )",
                    "Overflow detected in ICO tier '${t}'",
                    t=number,
                )
    greatest, limit = compute_greatest_supply(tiers, least, most), ctx.rules.max_share_supply
    if not greatest < limit:
        raise Rejected(
            "total_tokens < STEEM_MAX_SHARE_SUPPLY",
            "Max token supply for ${n} can exceed ${m}. Calculated: ${c}.",
            n=symbol_json(sale.symbol),
            m=limit,
            c=greatest,
        )


def _check_rewards(ctx: Context, token: Token, tiers: Sequence[TokenTier]) -> None:
    """What goes to the reward fund of a token that nobody votes with could never leave it."""
    units = [tier.token_unit for tier in tiers]
    units += [schedule.token_unit for schedule in ctx.tables.token_emissions.scan((token.liquid_symbol,))]
    if not token.allow_voting and any(target == REWARDS_TARGET for unit in units for target, _ in unit):
        raise Rejected(
            "",
            "SMT ${smt} does not allow voting, so nothing may go to ${t}",
            smt=symbol_to_nai(token.liquid_symbol),
            t=REWARDS_TARGET,
        )
