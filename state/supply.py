"""The supplies of STEEM and SBD, and the virtual supply (all SBD valued in STEEM) that follows them.

Only for `state.balances` and `state.issuance`, which know the source and destination of tokens.

Source: libraries/chain/database.cpp, database::adjust_supply and database::modify_balance.
"""

from protocol.assets import SBD, STEEM, VESTS, convert
from protocol.errors import Rejected
from state.context import SINGLETON, Context
from state.prices import compute_steem_value, get_median_price


def change_supply(ctx: Context, symbol: int, delta: int) -> None:
    """Adds `delta` satoshis to the supply of STEEM, SBD or a community token.

    The reference's nine-fold vesting of new STEEM ended with hard fork 16 and is not implemented.
    """
    table = ctx.tables.global_properties
    gpo = table.get(SINGLETON)
    if symbol == STEEM:
        supply, field = gpo.current_supply + delta, "current_supply"
        virtual_supply = gpo.virtual_supply + delta
    elif symbol == SBD:
        supply, field = gpo.current_sbd_supply + delta, "current_sbd_supply"
        virtual_supply = gpo.current_supply + compute_steem_value(get_median_price(ctx), supply)
    elif symbol == VESTS:
        raise Rejected("false", "invalid symbol")
    else:
        _change_token_supply(ctx, symbol, delta)
        return
    if supply < 0:
        raise Rejected(f"props.{field}.amount.value >= 0")
    table.update(gpo, **{field: supply}, virtual_supply=virtual_supply)


def _change_token_supply(ctx: Context, symbol: int, delta: int) -> None:
    tokens = ctx.tables.tokens
    token = tokens.get(symbol)
    supply = token.current_supply + delta
    if not 0 <= supply <= ctx.rules.max_share_supply:
        raise AssertionError(f"the supply of {symbol} would be {supply}")
    tokens.update(token, current_supply=supply)


def change_sums(ctx: Context, **deltas: int) -> None:
    """Adds to chain-wide figures that are derived from places."""
    table = ctx.tables.global_properties
    gpo = table.get(SINGLETON)
    for field, delta in deltas.items():
        deltas[field] = getattr(gpo, field) + delta
    table.update(gpo, **deltas)


def add_interest(ctx: Context, interest: int) -> None:
    """Adds SBD satoshis of interest to the supply, and their value, rounded down, to the virtual supply.

    The virtual supply can be a satoshi below a recomputation. Raises Invalid while there is no price.
    """
    value = convert(interest, SBD, get_median_price(ctx))
    change_sums(ctx, current_sbd_supply=interest, virtual_supply=value)


def set_virtual_supply(ctx: Context, virtual_supply: int, sbd_print_rate: int) -> None:
    """Stores a recomputed virtual supply, and the print rate derived from it."""
    table = ctx.tables.global_properties
    table.update(table.get(SINGLETON), virtual_supply=virtual_supply, sbd_print_rate=sbd_print_rate)
