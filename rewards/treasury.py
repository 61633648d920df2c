"""The treasury's maintenance: reports its income from inflation, and schedules the next maintenance.

Source: libraries/chain/util/sps_processor.cpp, is_maintenance_period, record_funding and update_settings.
"""

from protocol.assets import SBD, Asset
from protocol.virtual_operations import SpsFund
from state.context import Context


def is_maintenance_due(ctx: Context) -> bool:
    """Whether the treasury pays in this block."""
    gpo = ctx.gpo
    return gpo.next_maintenance_time <= gpo.time


def process_treasury_funding(ctx: Context) -> None:
    """Reports the SBD received since the last report."""
    income = ctx.gpo.sps_interval_ledger
    if income > 0:
        ctx.emit(SpsFund(additional_funds=Asset(income, SBD)))
        ctx.update_gpo(sps_interval_ledger=0)


def start_maintenance_period(ctx: Context) -> None:
    """Sets the time of the next maintenance, and the start of its period."""
    now = ctx.time
    period = ctx.rules.proposal_maintenance_period_seconds
    ctx.update_gpo(next_maintenance_time=now + period, last_budget_time=now)
