"""The treasury's hourly round: it reports what inflation gave it and sets the time of the next round.

Source: libraries/chain/util/sps_processor.cpp, record_funding, make_payments and update_settings.
"""

from protocol.assets import SBD, Asset
from protocol.virtual_operations import SpsFund
from state.context import Context


def process_treasury(ctx: Context) -> None:
    """Once per maintenance period, reports the SBD that came in and starts the next period.

    Proposals are not paid here: no operation that makes one is enabled on any chain yet.
    """
    gpo = ctx.gpo
    now = gpo.time
    if gpo.next_maintenance_time > now:
        return
    if gpo.sps_interval_ledger > 0:
        ctx.emit(SpsFund(additional_funds=Asset(gpo.sps_interval_ledger, SBD)))
    ctx.update_gpo(
        sps_interval_ledger=0,
        next_maintenance_time=now + ctx.rules.proposal_maintenance_period_seconds,
        last_budget_time=now,
    )
