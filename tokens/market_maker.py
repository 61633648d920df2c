"""The market maker of a token: a purse of STEEM and tokens that trades at the ratio of what it holds.

It is one more counterparty of whoever places an order: after the orders that are better, and up to the price of the
next one, or the limit of the new order. What it gives is rounded down, so the product of what it holds never falls; and
it never trades one side down below a least amount.

Source: the manual of the reference, constant portfolio ratio of one half; the reference itself does not trade.
"""

from math import isqrt
from typing import Final, NamedTuple

from protocol.assets import STEEM, Price
from state.context import Context
from state.tables.tokens import Token

MARKET_MAKER_NAME: Final = "$market_maker"
"""The owner of its side of a trade in events."""
RESERVE_RATIO_BP: Final = 5000
"""The part of its worth that it keeps in STEEM."""
SIDE_MIN: Final = 10_000
"""The least of each side after a trade, in satoshis."""


class MakerTrade(NamedTuple):
    """What somebody pays to the market maker, and what that buys, in satoshis."""

    pays: int
    gets: int


def compute_out(own: int, other: int, pays: int) -> int:
    """What a payment into one side gives of the other, rounded down."""
    return other * pays // (own + pays)


def compute_trade(own: int, other: int, most: int, limit: Price) -> MakerTrade | None:
    """The largest trade of at most `most` satoshis into the side `own` that moves the price no further than `limit`.

    `limit` has what is paid as its base, and what that must buy at least as its quote. None if nothing can be traded.
    """
    product = own * other
    up_to = isqrt(product * limit.base.amount // limit.quote.amount)
    pays = min(most, min(up_to, product // SIDE_MIN) - own)
    if pays <= 0:
        return None
    gets = compute_out(own, other, pays)
    is_at_limit = gets * limit.base.amount >= pays * limit.quote.amount
    if gets == 0 or not is_at_limit or own + pays < SIDE_MIN or other - gets < SIDE_MIN:
        return None
    return MakerTrade(pays, gets)


def find_market_maker(ctx: Context, sells: int, asks: int) -> Token | None:
    """The token whose market maker trades in a market; None where there is none, or it does not trade."""
    if not ctx.rules.smt_market_makers_trade:
        return None
    return ctx.tables.tokens.find(asks if sells == STEEM else sells)


def read_sides(token: Token, sells: int) -> tuple[int, int]:
    """What the market maker has of the symbol that is sold to it, and of the other."""
    steem, tokens = token.market_maker_steem, token.market_maker_tokens
    return (steem, tokens) if sells == STEEM else (tokens, steem)
