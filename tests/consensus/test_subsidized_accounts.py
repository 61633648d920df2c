"""The pools of subsidised accounts, block by block. Counterpart of generate_account_subsidies."""

from __future__ import annotations

import pytest

from consensus.rd import compute_params
from consensus.subsidized_accounts import process_subsidized_accounts
from state.context import SINGLETON
from state.tables.witnesses import SCHEDULE_ELECTED, SCHEDULE_MINER, SCHEDULE_TIMESHARE
from tests.chains import FIRST
from tests.consensus.chains import generate, give_keys
from tests.consensus.worlds import change_witness, make_context


@pytest.mark.parametrize(("kind", "pool"), [(SCHEDULE_ELECTED, 996), (SCHEDULE_TIMESHARE, 0), (SCHEDULE_MINER, 0)])
def test_only_elected_witnesses_have_a_pool(kind: int, pool: int) -> None:
    ctx = make_context()
    change_witness(ctx, FIRST, schedule=kind)
    process_subsidized_accounts(ctx)
    assert ctx.gpo.available_account_subsidies == 797
    assert ctx.tables.witnesses.get(FIRST).available_witness_account_subsidies == pool


def test_the_pools_of_a_chain_with_one_witness() -> None:
    """As the reference chain at block 23: the witness counts as elected from block 21 on."""
    ctx = make_context()
    give_keys(ctx)
    generate(ctx, 23)
    assert ctx.gpo.available_account_subsidies == 18_331
    assert ctx.tables.witnesses.get(FIRST).available_witness_account_subsidies == 3 * 996


def test_the_pool_comes_to_rest() -> None:
    ctx = make_context()
    rest = ctx.tables.witness_schedule.get(SINGLETON).account_subsidy_rd.pool_eq
    ctx.update_gpo(available_account_subsidies=rest)
    process_subsidized_accounts(ctx)
    assert ctx.gpo.available_account_subsidies == rest
    ctx.update_gpo(available_account_subsidies=rest * 2)
    process_subsidized_accounts(ctx)
    assert ctx.gpo.available_account_subsidies == rest


def test_the_pool_fills_until_it_holds_a_hundred_accounts() -> None:
    """Counterpart of generate_account_subsidies with its figures: a budget of 5,123 and a half-life of ten minutes."""
    ctx = make_context()
    params = compute_params(ctx.rules, 5_123, 249_617_279)
    table = ctx.tables.witness_schedule
    table.update(table.get(SINGLETON), account_subsidy_rd=params)
    assert (params.resource_unit, params.budget_per_time_unit) == (10_000, 5_123)
    assert params.pool_eq * 249_617_279 >> 36 == 5_123
    assert (params.pool_eq - 1) * 249_617_279 >> 36 == 5_122
    pool = 0
    while pool < 100 * 10_000:
        process_subsidized_accounts(ctx)
        pool = pool + 5_123 - (249_617_279 * pool >> 36)
        assert ctx.gpo.available_account_subsidies == pool
