"""Money comes into being and vanishes here: each change of a place changes the supply by as much.

Only the rules that make or destroy money may import this; tests/test_money_door.py names them.

Source: libraries/chain/database.cpp, database::adjust_supply.
"""

from protocol.assets import Asset, is_vesting, paired_symbol
from state.balances import Place
from state.context import Context
from state.supply import change_supply


def issue(ctx: Context, symbol: int, *parts: tuple[int, Place]) -> list[int]:
    """Makes satoshis of a symbol in each of the places, one after the other, and returns what arrived in each.

    That is the amount or, in a stake, the shares it bought.
    """
    arrived: list[int] = []
    made = 0
    for satoshis, (purse, key) in parts:
        arrived.append(purse.change(ctx, key, symbol, satoshis))
        made += satoshis
    change_supply(ctx, symbol, made)
    return arrived


def burn(ctx: Context, amount: Asset, place: Place) -> None:
    """Destroys an amount; shares of a stake are destroyed with what they are worth.

    Raises Rejected when there is less.
    """
    satoshis, symbol = amount
    purse, key = place
    destroyed = purse.change(ctx, key, symbol, -satoshis)
    change_supply(ctx, paired_symbol(symbol) if is_vesting(symbol) else symbol, destroyed)
