"""Regenerating pools, with the figures of the reference chain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.rd import (
    check_user_params,
    compute_next_pool,
    compute_params,
    compute_pool_decay,
    compute_witness_params,
)
from protocol.errors import Invalid
from protocol.rules import Rules
from state.tables.witnesses import RdParams

RULES = Rules()


def test_the_parameters_of_a_default_chain() -> None:
    assert compute_params(RULES, 797, 347_321) == RdParams(10_000, 797, 157_691_079, 157_691_079, 347_321, 36, 0)
    assert compute_witness_params(RULES, 797, 347_321) == RdParams(10_000, 996, 9_384_019, 9_384_019, 7_293_741, 36, 0)


def test_a_witness_decay_stays_within_32_bits() -> None:
    assert compute_witness_params(RULES, 797, 0xFFFFFFFF).decay_per_time_unit == 0xFFFFFFFF


@given(st.integers(1, RULES.rd_max_budget), st.integers(RULES.rd_min_decay, RULES.rd_max_decay))
def test_the_point_of_rest_is_the_smallest_pool_whose_decay_reaches_the_budget(budget: int, decay: int) -> None:
    params = compute_params(RULES, budget, decay)
    assert compute_pool_decay(params, params.pool_eq, 1) >= budget
    assert compute_pool_decay(params, params.pool_eq - 1, 1) < budget
    assert compute_next_pool(params, params.pool_eq) <= params.pool_eq


def test_a_pool_fills_from_nothing() -> None:
    """The reference chain's pool after 1 and 23 blocks, and a witness's after 3 of its blocks."""
    params = compute_params(RULES, 797, 347_321)
    pools = [0]
    for _ in range(43):
        pools.append(compute_next_pool(params, pools[-1]))
    assert (pools[1], pools[23], pools[43]) == (797, 18_331, 34_271)
    witness_params = compute_witness_params(RULES, 797, 347_321)
    pool = 0
    for _ in range(3):
        pool = compute_next_pool(witness_params, pool)
    assert pool == 2988


def test_decay_rounds_toward_zero_on_both_sides() -> None:
    params = compute_params(RULES, 797, 1 << 35)
    assert compute_pool_decay(params, 3, 1) == 1
    assert compute_pool_decay(params, -3, 1) == -1
    assert compute_pool_decay(params, 10, 1000) == 10, "never more than there is"


def test_a_pool_never_leaves_its_bounds() -> None:
    params = compute_params(RULES, 5, 1 << 30, min_decay=100)
    assert compute_next_pool(params, 50) == 0
    full = compute_params(RULES, 797, 347_321)
    assert compute_next_pool(full, full.max_pool_size * 2) <= full.max_pool_size


@pytest.mark.parametrize(("budget", "decay"), [(0, 64), (RULES.rd_max_budget + 1, 64), (1, 63), (1, 1 << 32)])
def test_parameters_out_of_range(budget: int, decay: int) -> None:
    check_user_params(RULES, 1, 64)
    with pytest.raises(Invalid, match="user_params"):
        check_user_params(RULES, budget, decay)
