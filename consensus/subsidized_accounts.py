"""The pools from which subsidised accounts are claimed: one global pool, and one of each elected witness.

Source: libraries/chain/database.cpp, database::process_subsidized_accounts.
"""

from consensus.rd import compute_next_pool
from state.context import SINGLETON, Context
from state.tables.witnesses import SCHEDULE_ELECTED


def process_subsidized_accounts(ctx: Context) -> None:
    """Advances the global pool by one block, and that of the block's producer if it is an elected witness."""
    gpo = ctx.gpo
    schedule = ctx.tables.witness_schedule.get(SINGLETON)
    pool = compute_next_pool(schedule.account_subsidy_rd, gpo.available_account_subsidies)
    if pool != gpo.available_account_subsidies:
        ctx.update_gpo(available_account_subsidies=pool)
    witnesses = ctx.tables.witnesses
    witness = witnesses.get(gpo.current_witness)
    if witness.schedule != SCHEDULE_ELECTED:
        return
    own_pool = compute_next_pool(schedule.account_subsidy_witness_rd, witness.available_witness_account_subsidies)
    if own_pool != witness.available_witness_account_subsidies:
        witnesses.update(witness, available_witness_account_subsidies=own_pool)
