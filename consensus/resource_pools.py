"""The resource pools that all transactions consume, and the prices derived from their levels.

Every block, a resource's pool grows by its budget, decays towards its equilibrium and loses what the transactions
consumed. Its price in resource credits is A * regeneration / (B + pool): the emptier the pool, the higher the price.

Source: libraries/plugins/rc/rc_plugin.cpp, on_post_apply_block; rc_utility.cpp, compute_rc_cost_of_resource;
rc_curve.cpp, generate_rc_curve_params; the figures are those of jsonball/data/resource_parameters.json.
"""

from functools import lru_cache
from typing import Final, NamedTuple

from consensus.rd import compute_pool_decay
from protocol.integers import INT64_MAX, UINT64_MAX, UINT128_MAX, to_int64
from state.context import SINGLETON, Context
from state.tables.credits import RcPools
from state.tables.witnesses import RdParams

NEW_ACCOUNTS: Final = 1
"""Index of the resource whose parameters the witnesses vote on; its pool is that of the subsidised accounts."""

INELASTICITY_THRESHOLD: Final = (1, 128)
A_POINT: Final = (37, 1000)
U_POINT: Final = (1, 2)
"""Shape of the curve for new accounts, as fractions. Source: rc_curve.hpp, rc_curve_gen_params."""


class PriceCurve(NamedTuple):
    """A price curve: coeff_a / 2**shift above, coeff_b and the pool below. Source: rc_price_curve_params."""

    coeff_a: int
    coeff_b: int
    shift: int


class ResourceParams(NamedTuple):
    """The dynamics of a resource's pool and its price curve. Source: rc_utility.hpp, rc_resource_params."""

    dynamics: RdParams
    curve: PriceCurve


HISTORY_BYTES: Final = ResourceParams(
    RdParams(
        resource_unit=1,
        budget_per_time_unit=43_403,
        pool_eq=27_050_539_251,
        max_pool_size=54_101_078_501,
        decay_per_time_unit=3_613_026_481,
        decay_per_time_unit_denom_shift=51,
        min_decay=0,
    ),
    PriceCurve(14_034_213_032_882_683_904, 211_332_338, 52),
)
MARKET_BYTES: Final = ResourceParams(
    RdParams(
        resource_unit=10,
        budget_per_time_unit=72_338,
        pool_eq=2_003_755_169,
        max_pool_size=4_007_510_337,
        decay_per_time_unit=2_540_365_427,
        decay_per_time_unit_denom_shift=46,
        min_decay=0,
    ),
    PriceCurve(9_979_884_823_383_242_752, 15_654_337, 56),
)
STATE_BYTES: Final = ResourceParams(
    RdParams(
        resource_unit=1,
        budget_per_time_unit=34_722_222,
        pool_eq=21_640_431_400_373,
        max_pool_size=43_280_862_800_744,
        decay_per_time_unit=3_613_026_481,
        decay_per_time_unit_denom_shift=51,
        min_decay=0,
    ),
    PriceCurve(14_034_213_032_882_683_904, 169_065_870_315, 52),
)
EXECUTION_TIME: Final = ResourceParams(
    RdParams(
        resource_unit=1,
        budget_per_time_unit=10_273_973,
        pool_eq=6_403_196_140_384,
        max_pool_size=12_806_392_280_766,
        decay_per_time_unit=3_613_026_481,
        decay_per_time_unit_denom_shift=51,
        min_decay=0,
    ),
    PriceCurve(14_034_213_032_882_683_904, 50_024_969_847, 52),
)

Price = tuple[int, int, int]
"""Price of one resource for one block: unit, factor and divisor."""


def compute_curve(dynamics: RdParams) -> PriceCurve:
    """The price curve of the pool that witnesses set, derived from its dynamics.

    A is the pool's time constant divided by k = u / (a * (1 - u)), with 64 significant bits.
    """
    numerator = max(A_POINT[0] * (U_POINT[1] - U_POINT[0]), 1)
    denominator = max(A_POINT[1] * U_POINT[0] * dynamics.decay_per_time_unit & UINT64_MAX, 1)
    shift = 64 - numerator.bit_length()
    shift += 64 - ((numerator << shift) // denominator).bit_length()
    coeff_a = (numerator << shift & UINT128_MAX) // denominator & UINT64_MAX
    coeff_b = dynamics.pool_eq * INELASTICITY_THRESHOLD[0] // INELASTICITY_THRESHOLD[1] & UINT64_MAX
    return PriceCurve(coeff_a, coeff_b, shift - dynamics.decay_per_time_unit_denom_shift)


@lru_cache(maxsize=16)
def make_resource_params(subsidy: RdParams) -> tuple[ResourceParams, ...]:
    """The parameters of all resources, in their order; `subsidy` are those that the witnesses set."""
    return HISTORY_BYTES, ResourceParams(subsidy, compute_curve(subsidy)), MARKET_BYTES, STATE_BYTES, EXECUTION_TIME


def get_resource_params(ctx: Context) -> tuple[ResourceParams, ...]:
    """The parameters of all resources at present; those for new accounts are the witnesses' median."""
    return make_resource_params(ctx.tables.witness_schedule.get(SINGLETON).account_subsidy_rd)


def compute_rc_regeneration(ctx: Context, total_vesting_shares: int) -> int:
    """Credits that all accounts together regenerate in one block."""
    rules = ctx.rules
    return total_vesting_shares // (rules.rc_regeneration_seconds // rules.block_interval_seconds)


def compute_price(params: ResourceParams, pool: int, rc_regeneration: int) -> Price:
    """The price of a resource at a level of its pool; a negative pool is priced like an empty one."""
    curve = params.curve
    factor = (rc_regeneration * curve.coeff_a & UINT128_MAX) >> curve.shift
    return params.dynamics.resource_unit, factor + 1, curve.coeff_b + max(pool, 0)


def compute_prices(ctx: Context, pools: RcPools, total_vesting_shares: int) -> tuple[Price, ...]:
    """The prices at these pool levels and total VESTS; empty while the stake is too small to regenerate credits."""
    regeneration = compute_rc_regeneration(ctx, total_vesting_shares)
    if regeneration <= 0:
        return ()
    levels = zip(get_resource_params(ctx), pools.pools, strict=True)
    return tuple(compute_price(params, pool, regeneration) for params, pool in levels)


def compute_cost(prices: tuple[Price, ...], counts: tuple[int, ...]) -> int:
    """The cost in credits of a count of each resource, each rounded up; 0 for a count of 0 or without prices."""
    total = 0
    for (unit, factor, divisor), count in zip(prices, counts, strict=False):
        if count > 0:
            cost = (factor * (unit * count) & UINT128_MAX) // divisor + 1
            total += cost if cost <= INT64_MAX else to_int64(cost)
    return total


def insert_full_pools(ctx: Context) -> None:
    """Inserts the pools at their equilibrium, when the counting of credits begins."""
    pools = tuple(params.dynamics.pool_eq for params in get_resource_params(ctx))
    ctx.tables.rc_pools.insert(RcPools(SINGLETON, pools))


def process_resource_pools(ctx: Context, usage: tuple[int, ...]) -> None:
    """Advances every pool by one block whose transactions consumed `usage`; no change while there is no stake."""
    gpo = ctx.gpo
    if gpo.total_vesting_shares <= 0:
        return
    row = ctx.tables.rc_pools.get(SINGLETON)
    pools = []
    for params, pool, count in zip(get_resource_params(ctx), row.pools, usage, strict=True):
        dynamics = params.dynamics
        left = pool - count * dynamics.resource_unit
        pools.append(left - compute_pool_decay(dynamics, left, 1) + dynamics.budget_per_time_unit)
    pools[NEW_ACCOUNTS] = gpo.available_account_subsidies
    ctx.tables.rc_pools.update(row, pools=tuple(pools))
