"""The virtual supply (all SBD valued in STEEM), and the print rate of SBD in author rewards.

Source: libraries/chain/database.cpp, database::update_virtual_supply.
"""

from typing import NamedTuple

from protocol.assets import Price
from protocol.units import BASIS_POINTS
from state.context import Context
from state.prices import compute_steem_value, get_median_price
from state.supply import set_virtual_supply


class SbdExplanation(NamedTuple):
    """The derivation of the print rate from the debt; amounts in the smallest unit, percentages in basis points.

    `debt` is the SBD supply in STEEM at the median price, virtual_supply = current_supply + debt, and `debt_bp` the
    debt's share of the virtual supply. The print rate falls from `sbd_start_bp` on, and is 0 at `sbd_stop_bp`.
    """

    median_price: Price
    current_supply: int
    current_sbd_supply: int
    debt: int
    virtual_supply: int
    debt_bp: int
    sbd_start_bp: int
    sbd_stop_bp: int
    sbd_print_rate_bp: int
    sbd_interest_rate_bp: int


def process_virtual_supply(ctx: Context) -> None:
    """Recomputes the virtual supply and the print rate."""
    gpo = ctx.gpo
    figures = compute_sbd_figures(ctx)
    virtual_supply, print_rate = figures.virtual_supply, figures.sbd_print_rate_bp
    if virtual_supply != gpo.virtual_supply or print_rate != gpo.sbd_print_rate:
        set_virtual_supply(ctx, virtual_supply, print_rate)


def compute_sbd_figures(ctx: Context) -> SbdExplanation:
    """The virtual supply and the print rate in the current state.

    The debt's share is rounded to the nearest basis point. The rate is 100 % up to sbd_start_percent, 0 from
    sbd_stop_percent on, and linear in between. Without a price it stays unchanged.
    """
    gpo = ctx.gpo
    price = get_median_price(ctx)
    debt = compute_steem_value(price, gpo.current_sbd_supply)
    virtual_supply = gpo.current_supply + debt
    debt_bp = compute_debt_bp(debt, virtual_supply)
    if price.is_null():
        print_rate = gpo.sbd_print_rate
    else:
        print_rate = compute_print_rate(debt_bp, gpo.sbd_start_percent, gpo.sbd_stop_percent)
    return SbdExplanation(
        median_price=price,
        current_supply=gpo.current_supply,
        current_sbd_supply=gpo.current_sbd_supply,
        debt=debt,
        virtual_supply=virtual_supply,
        debt_bp=debt_bp,
        sbd_start_bp=gpo.sbd_start_percent,
        sbd_stop_bp=gpo.sbd_stop_percent,
        sbd_print_rate_bp=print_rate,
        sbd_interest_rate_bp=gpo.sbd_interest_rate,
    )


def compute_debt_bp(debt: int, virtual_supply: int) -> int:
    """The debt's share of the virtual supply in basis points, rounded to the nearest; 0 if the supply is 0."""
    if virtual_supply == 0:
        return 0
    return (debt * BASIS_POINTS + virtual_supply // 2) // virtual_supply


def compute_print_rate(debt_bp: int, start_bp: int, stop_bp: int) -> int:
    """The share of an SBD payout that is paid in SBD instead of liquid STEEM, in basis points."""
    if debt_bp <= start_bp:
        return BASIS_POINTS
    if debt_bp >= stop_bp:
        return 0
    return (stop_bp - debt_bp) * BASIS_POINTS // (stop_bp - start_bp)
