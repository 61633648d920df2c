"""The arithmetic of the reference, written out once more: prices, 64-bit wrapping, the reward curves.

Source: asset.cpp, operator* and operator<; util/reward.cpp.
"""

from __future__ import annotations

from protocol.assets import STEEM, Asset, Price

HUNDRED_PERCENT = 10_000
MASK_64 = (1 << 64) - 1
MASK_128 = (1 << 128) - 1

QUADRATIC, BOUNDED_CURATION, LINEAR, SQUARE_ROOT, CONVERGENT_LINEAR, CONVERGENT_SQUARE_ROOT = range(6)


def signed_64(value: int) -> int:
    """What is left of a product that is computed in a signed 64-bit register."""
    value &= MASK_64
    return value - (1 << 64) if value >> 63 else value


def toward_zero(dividend: int, divisor: int) -> int:
    """Division as C does it."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def exchange(amount: int, symbol: int, price: Price) -> int:
    """What an amount is worth in the other symbol of a price, rounded down."""
    base, quote = price
    if symbol == base.symbol:
        assert base.amount > 0
        worth = amount * quote.amount // base.amount
    else:
        assert symbol == quote.symbol, "the price is of another market"
        assert quote.amount > 0
        worth = amount * base.amount // quote.amount
    assert 0 <= worth <= MASK_64
    return worth


def is_lower(a: Price, b: Price) -> bool:
    """Whether one price of a market is below another."""
    assert (a.base.symbol, a.quote.symbol) == (b.base.symbol, b.quote.symbol)
    return a.base.amount * b.quote.amount < b.base.amount * a.quote.amount


def rough_root(x: int) -> int:
    """The reference's quick square root: half the exponent, half the mantissa."""
    if x == 0:
        return 0
    msb_x = x.bit_length() - 1
    msb_z = msb_x // 2
    rest = x - (1 << msb_x)
    high = (1 << msb_z) if msb_x % 2 else 0
    low = (rest >> (msb_x - msb_z)) & MASK_64
    return (1 << msb_z) | ((high | low) >> 1)


def on_curve(rshares: int, curve: int, s: int) -> int:
    """The claim that rshares give on a curve with the content constant s."""
    if curve == QUADRATIC:
        return ((rshares + s) ** 2 - s * s) & MASK_128
    if curve == BOUNDED_CURATION:
        return ((rshares & MASK_64) << 64) // (2 * s + rshares)
    if curve == LINEAR:
        return rshares
    if curve == SQUARE_ROOT:
        return rough_root(rshares)
    if curve == CONVERGENT_LINEAR:
        return ((rshares + s) ** 2 - s * s) // (rshares + 4 * s)
    assert curve == CONVERGENT_SQUARE_ROOT
    return rshares // rough_root(rshares + 2 * s)


def drain(pool: int, budget: int, decay: int, shift: int, least: int, largest: int) -> int:
    """One time unit of a regenerating pool. Source: util/rd_dynamics.cpp, rd_apply."""
    lost = min(pool * decay >> shift, pool)
    return max(min(pool + budget - max(lost, least), largest), 0)


def null_price() -> Price:
    """The price that stands for none."""
    return Price(Asset(0, STEEM), Asset(0, STEEM))
