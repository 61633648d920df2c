"""Finding community tokens."""

from protocol.assets import PRECISION_MASK, liquid_symbol, strip_decimals
from state.context import Context
from state.tables.tokens import Token


def find_token(ctx: Context, symbol: int) -> Token | None:
    """The token with this symbol, liquid or vesting, and its number of decimals; None if there is none."""
    return ctx.tables.tokens.find(liquid_symbol(symbol))


def find_token_of_identifier(ctx: Context, symbol: int) -> Token | None:
    """The token with the identifier of a liquid symbol, whatever its decimals."""
    first = strip_decimals(symbol)
    return next(ctx.tables.tokens.scan(start=(first,), stop=(first + PRECISION_MASK + 1,)), None)
