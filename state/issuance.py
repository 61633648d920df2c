"""Creation and destruction of money: each changes a place and the supply by the same amount.

Only rules that create or destroy money may import this module; tests/test_money_door.py lists them.

Source: libraries/chain/database.cpp, database::adjust_supply.
"""

from protocol.assets import CORE_SYMBOLS, Asset, is_vesting, paired_symbol
from state.balances import Place
from state.context import Context
from state.supply import change_supply


def issue(ctx: Context, symbol: int, *parts: tuple[int, Place]) -> list[int]:
    """Creates satoshis of a symbol in each of the places, in order, and returns what arrived in each.

    That is the amount or, in a stake, the shares it bought. The supply of a community token grows first, since what
    arrives at the null account lowers it.
    """
    arrived: list[int] = []
    made = 0
    is_core = symbol in CORE_SYMBOLS
    if not is_core:
        change_supply(ctx, symbol, sum(satoshis for satoshis, _ in parts))
    for satoshis, (purse, key) in parts:
        arrived.append(purse.change(ctx, key, symbol, satoshis))
        made += satoshis
    if is_core:
        change_supply(ctx, symbol, made)
    return arrived


def burn(ctx: Context, amount: Asset, place: Place) -> None:
    """Destroys an amount; shares of a stake are destroyed with the STEEM behind them.

    Raises Rejected for insufficient funds.
    """
    satoshis, symbol = amount
    purse, key = place
    destroyed = purse.change(ctx, key, symbol, -satoshis)
    change_supply(ctx, paired_symbol(symbol) if is_vesting(symbol) else symbol, destroyed)
