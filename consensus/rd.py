"""Pools filled by a constant budget and emptied by proportional decay, which converge to an equilibrium size.

Source: libraries/chain/util/rd.cpp, rd_dynamics.hpp and rd_setup.hpp.
"""

from protocol.errors import Invalid
from protocol.integers import INT32_MAX, UINT32_MAX, UINT64_MAX
from protocol.rules import Rules
from protocol.units import BASIS_POINTS
from state.tables.witnesses import RdParams


def check_user_params(rules: Rules, budget_per_time_unit: int, decay_per_time_unit: int) -> None:
    """Refuses a budget or decay outside the limits for witnesses. Raises Invalid."""
    if not budget_per_time_unit >= rules.rd_min_budget:
        raise Invalid("user_params.budget_per_time_unit >= STEEM_RD_MIN_BUDGET")
    if not budget_per_time_unit <= rules.rd_max_budget:
        raise Invalid("user_params.budget_per_time_unit <= STEEM_RD_MAX_BUDGET")
    if not decay_per_time_unit >= rules.rd_min_decay:
        raise Invalid("user_params.decay_per_time_unit >= STEEM_RD_MIN_DECAY")
    if not decay_per_time_unit <= rules.rd_max_decay:
        raise Invalid("user_params.decay_per_time_unit <= STEEM_RD_MAX_DECAY")


def compute_pool_decay(params: RdParams, pool: int, elapsed: int) -> int:
    """The loss of a pool in `elapsed` time units, rounded toward zero and at most its content."""
    if pool < 0:
        return -compute_pool_decay(params, -pool, elapsed)
    decay = params.decay_per_time_unit * elapsed * pool >> params.decay_per_time_unit_denom_shift
    return min(decay & UINT64_MAX, pool)


def compute_next_pool(params: RdParams, pool: int) -> int:
    """The pool after one time unit: less its decay (at least `min_decay`), plus the budget.

    Source: rd.cpp, rd_apply.
    """
    decay = max(compute_pool_decay(params, pool, 1), params.min_decay)
    return max(min(pool + params.budget_per_time_unit - decay, params.max_pool_size), 0)


def compute_params(rules: Rules, budget_per_time_unit: int, decay_per_time_unit: int, min_decay: int = 0) -> RdParams:
    """The parameters of a pool of subsidised accounts.

    `pool_eq` is the smallest pool whose decay reaches the budget. Source: rd.cpp, rd_setup_dynamics_params.
    """
    shift = rules.rd_decay_denom_shift
    pool_eq = ((budget_per_time_unit << shift) + decay_per_time_unit - 1) // decay_per_time_unit
    return RdParams(
        resource_unit=rules.account_subsidy_precision,
        budget_per_time_unit=budget_per_time_unit,
        pool_eq=pool_eq,
        max_pool_size=pool_eq,
        decay_per_time_unit=decay_per_time_unit,
        decay_per_time_unit_denom_shift=shift,
        min_decay=min_decay,
    )


def compute_witness_params(rules: Rules, budget_per_time_unit: int, decay_per_time_unit: int) -> RdParams:
    """The parameters of one witness's own pool, which is used once a round: higher budget, much higher decay.

    Both arguments are those of the global pool. Source: witness_schedule.cpp, update_median_witness_props.
    """
    budget = budget_per_time_unit * rules.witness_subsidy_budget_bp // BASIS_POINTS
    decay = decay_per_time_unit * rules.witness_subsidy_decay_bp // BASIS_POINTS
    return compute_params(rules, min(budget, INT32_MAX), min(decay, UINT32_MAX))
