"""The virtual supply (all SBD counted as STEEM) and the share of SBD in what authors are paid.

Source: libraries/chain/database.cpp, database::update_virtual_supply.
"""

from rewards.sbd import compute_steem_value
from state.context import Context
from state.money import BASIS_POINTS, get_median_price


def process_virtual_supply(ctx: Context) -> None:
    """Counts the virtual supply anew, and sets the print rate by the debt's part of it.

    The debt's part is rounded to the nearest basis point. At sbd_start_percent or below all is printed, at
    sbd_stop_percent or above nothing, in between along a straight line. Without a price the rate stays.
    """
    gpo = ctx.gpo
    price = get_median_price(ctx)
    debt = compute_steem_value(price, gpo.current_sbd_supply)
    virtual_supply = gpo.current_supply + debt
    if price.is_null():
        print_rate = gpo.sbd_print_rate
    else:
        debt_bp = compute_debt_bp(debt, virtual_supply)
        print_rate = compute_print_rate(debt_bp, gpo.sbd_start_percent, gpo.sbd_stop_percent)
    if virtual_supply != gpo.virtual_supply or print_rate != gpo.sbd_print_rate:
        ctx.update_gpo(virtual_supply=virtual_supply, sbd_print_rate=print_rate)


def compute_debt_bp(debt: int, virtual_supply: int) -> int:
    """The debt's part of the virtual supply in basis points, rounded to the nearest; 0 of nothing."""
    if virtual_supply == 0:
        return 0
    return (debt * BASIS_POINTS + virtual_supply // 2) // virtual_supply


def compute_print_rate(debt_bp: int, start_bp: int, stop_bp: int) -> int:
    """How much of an SBD payout is really made in SBD, in basis points."""
    if debt_bp <= start_bp:
        return BASIS_POINTS
    if debt_bp >= stop_bp:
        return 0
    return (stop_bp - debt_bp) * BASIS_POINTS // (stop_bp - start_bp)
