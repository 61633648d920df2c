"""Interest on liquid SBD and on SBD in savings, paid when the balance changes.

Source: libraries/chain/database.cpp, database::modify_balance and database::adjust_savings_balance.
"""

from operator import attrgetter
from typing import Final, NamedTuple

from protocol.units import BASIS_POINTS
from state.context import Context
from state.tables.accounts import Account


class Clock(NamedTuple):
    """The fields of an account that track the interest of one of its SBD balances."""

    balance: str
    seconds: str
    updated: str
    paid: str


LIQUID_CLOCK: Final = Clock("sbd_balance", "sbd_seconds", "sbd_seconds_last_update", "sbd_last_interest_payment")
SAVINGS_CLOCK: Final = Clock(*(f"savings_{field}" for field in LIQUID_CLOCK))
CLOCKS: Final = {clock.balance: clock for clock in (LIQUID_CLOCK, SAVINGS_CLOCK)}
_READ: Final = {clock: attrgetter(*clock) for clock in CLOCKS.values()}


class InterestExplanation(NamedTuple):
    """The interest on one SBD balance (thousandths) if the balance changes at `time`.

    `sbd_seconds` is the sum of balance times seconds since the last payment. Interest is paid by the first change after
    `due_after`: seconds_held is then above the minimum time between payments. `interest` is 0 unless `is_due`.
    """

    time: int
    balance: int
    last_payment: int
    seconds_held: int
    sbd_seconds: int
    due_after: int
    is_due: bool
    interest: int


def compute_interest(ctx: Context, sbd_seconds: int) -> int:
    """SBD satoshis that `sbd_seconds` (SBD satoshis times seconds) earn at the median interest rate."""
    interest = sbd_seconds // ctx.rules.seconds_per_year
    return interest * ctx.gpo.sbd_interest_rate // BASIS_POINTS


def compute_earned(ctx: Context, account: Account, clock: Clock) -> InterestExplanation:
    """The interest that a change of the balance would pay now."""
    now = ctx.time
    balance, sbd_seconds, updated, paid = _READ[clock](account)
    sbd_seconds += balance * (now - updated)
    due_after = paid + ctx.rules.sbd_interest_compound_interval_seconds
    is_due = updated != now and sbd_seconds > 0 and now > due_after
    interest = compute_interest(ctx, sbd_seconds) if is_due else 0
    return InterestExplanation(now, balance, paid, now - paid, sbd_seconds, due_after, is_due, interest)
