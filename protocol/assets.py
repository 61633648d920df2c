"""Amounts of tokens, their symbols and prices.

A symbol is the reference's 32-bit asset number: the NAI's data digits shifted left by 5, a control bit that is set
for tokens and clear for the three core symbols, and the number of decimals in the low 4 bits. The names of the core
symbols belong to the chain, not to this module.

Source: libraries/protocol asset_symbol.hpp and asset.cpp.
"""

from __future__ import annotations

from typing import NamedTuple

from protocol.errors import Invalid
from protocol.integers import INT64_MAX, UINT64_MAX, UINT128_MAX, to_int64

NAI_SHIFT = 5
NAI_DATA_MIN = 1
NAI_DATA_MAX = 99_999_999
DECIMALS_MAX = 12
PRECISION_MASK = 0xF
CONTROL_MASK = 0x10
VESTING_MASK = 0x20

PRECISION_STEEM = 3
PRECISION_SBD = 3
PRECISION_VESTS = 6

_NAI_DATA_SBD = 1
_NAI_DATA_STEEM = 2
_NAI_DATA_VESTS = 3

SBD = ((NAI_DATA_MAX + _NAI_DATA_SBD) << NAI_SHIFT) | PRECISION_SBD
STEEM = ((NAI_DATA_MAX + _NAI_DATA_STEEM) << NAI_SHIFT) | PRECISION_STEEM
VESTS = ((NAI_DATA_MAX + _NAI_DATA_VESTS) << NAI_SHIFT) | PRECISION_VESTS

CORE_SYMBOLS = (STEEM, SBD, VESTS)
"""The symbols that every chain has; on the wire they take 8 bytes, all others 4."""

_CORE_DATA = {STEEM: _NAI_DATA_STEEM, SBD: _NAI_DATA_SBD, VESTS: _NAI_DATA_VESTS}
_CORE_BY_DATA = {data: symbol for symbol, data in _CORE_DATA.items()}

# The quasigroup of the Damm algorithm, one row per interim digit.
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def damm_digit(value: int) -> int:
    """The Damm check digit of a number of at most 8 digits."""
    if not 0 <= value <= NAI_DATA_MAX:
        raise Invalid("value < 100000000")
    digit = 0
    for character in f"{value:08d}":
        digit = _DAMM[digit][int(character)]
    return digit


def decimals(symbol: int) -> int:
    """The number of digits after the decimal point."""
    return symbol & PRECISION_MASK


def check_symbol(symbol: int) -> int:
    """Returns ``symbol`` if it is a core symbol or a well-formed token number; raises Invalid.

    Source: asset.cpp, asset_symbol_type::validate.
    """
    if symbol not in _CORE_DATA and not (
        NAI_DATA_MIN <= symbol >> NAI_SHIFT <= NAI_DATA_MAX
        and symbol & CONTROL_MASK
        and symbol & PRECISION_MASK <= DECIMALS_MAX
    ):
        raise Invalid(
            "(nai_data_digits >= SMT_MIN_NAI) & (nai_data_digits <= SMT_MAX_NAI) & "
            "(nai_1bit == SMT_ASSET_NUM_CONTROL_MASK) & (nai_decimal_places <= STEEM_ASSET_MAX_DECIMALS)",
            "Cannot determine space for asset ${n}",
            n=symbol,
        )
    return symbol


def symbol_from_nai(nai: int, precision: int) -> int:
    """The symbol of a NAI (9 digits, the last is the check digit) and its number of decimals; raises Invalid.

    Source: asset.cpp, asset_symbol_type::asset_num_from_nai.
    """
    data, check_digit = nai // 10, nai % 10
    if not NAI_DATA_MIN <= data <= NAI_DATA_MAX:
        raise Invalid("(nai_data_digits >= SMT_MIN_NAI) & (nai_data_digits <= SMT_MAX_NAI)", "NAI out of range")
    if check_digit != damm_digit(data):
        raise Invalid("nai_check_digit == damm_checksum_8digit(nai_data_digits)", "Invalid check digit")
    core = _CORE_BY_DATA.get(data)
    if core is not None:
        if precision != decimals(core):
            name = {STEEM: "STEEM", SBD: "SBD", VESTS: "VESTS"}[core]
            raise Invalid(f"decimal_places == STEEM_PRECISION_{name}")
        return core
    if not 0 <= precision <= DECIMALS_MAX:
        raise Invalid("decimal_places <= STEEM_ASSET_MAX_DECIMALS", "Invalid decimal_places")
    return data << NAI_SHIFT | CONTROL_MASK | precision


def symbol_to_nai(symbol: int) -> int:
    """The NAI of a symbol, check digit included. Source: asset.cpp, asset_symbol_type::to_nai."""
    data = _CORE_DATA.get(symbol, symbol >> NAI_SHIFT)
    return data * 10 + damm_digit(data)


def nai_string(symbol: int) -> str:
    """The NAI as JSON shows it: "@@" and nine digits."""
    return f"@@{symbol_to_nai(symbol):09d}"


def symbol_from_nai_string(text: str, precision: int) -> int:
    """The symbol of a string such as "@@000000021"; raises Invalid. Source: asset.cpp, from_nai_string."""
    if len(text) != 11:
        raise Invalid("std::strlen( p ) == STEEM_ASSET_SYMBOL_NAI_STRING_LENGTH - 1", "Incorrect NAI string length")
    if text[:2] != "@@":
        raise Invalid("p[0] == '@' && p[1] == '@'", "Invalid NAI string prefix")
    digits = text[2:]
    if not (digits.isascii() and digits.isdigit()):
        raise Invalid("", "bad lexical cast: source type value could not be interpreted as target")
    return symbol_from_nai(int(digits), precision)


def is_vesting(symbol: int) -> bool:
    """Whether the symbol is the vesting variant of a token (or VESTS)."""
    return symbol == VESTS if symbol in _CORE_DATA else bool(symbol & VESTING_MASK)


def paired_symbol(symbol: int) -> int:
    """The vesting symbol of a liquid one and the other way round; SBD is its own pair."""
    if symbol in _CORE_DATA:
        return {STEEM: VESTS, VESTS: STEEM, SBD: SBD}[symbol]
    return symbol ^ VESTING_MASK


def liquid_symbol(symbol: int) -> int:
    """The liquid symbol of a token, given it or its vesting symbol."""
    return symbol & ~VESTING_MASK


def strip_decimals(symbol: int) -> int:
    """The symbol of the same token without decimals, which stands for its identifier."""
    return symbol & ~PRECISION_MASK


def symbol_json(symbol: int) -> dict[str, str | int]:
    """The form in which appbase APIs and error data show a symbol."""
    return {"nai": nai_string(symbol), "precision": decimals(symbol)}


class Asset(NamedTuple):
    """An amount in the smallest unit (a signed 64-bit integer) and its symbol (a reference asset number)."""

    amount: int = 0
    symbol: int = STEEM

    @property
    def nai_json(self) -> dict[str, str | int]:
        """The form that appbase APIs and error data show."""
        return {"amount": str(self.amount), "precision": decimals(self.symbol), "nai": nai_string(self.symbol)}


class Price(NamedTuple):
    """The value of ``base`` expressed in ``quote``; both amounts count, so 2:4 and 1:2 are equal prices."""

    base: Asset = Asset()
    quote: Asset = Asset()

    def is_null(self) -> bool:
        """Whether this is the default price, which means "no price known". Source: asset.cpp, price::is_null."""
        return self.base.symbol == STEEM and self.quote.symbol == STEEM

    @property
    def nai_json(self) -> dict[str, dict[str, str | int]]:
        """The form that appbase APIs and error data show."""
        return {"base": self.base.nai_json, "quote": self.quote.nai_json}

    def inverse(self) -> Price:
        """The same price seen from the other side."""
        return Price(self.quote, self.base)


def check_price(price: Price) -> Price:
    """Returns ``price`` if both amounts are positive and the symbols differ; raises Invalid.

    Source: asset.cpp, price::validate.
    """
    if not price.base.amount > 0:
        raise Invalid("base.amount > share_type(0)")
    if not price.quote.amount > 0:
        raise Invalid("quote.amount > share_type(0)")
    if price.base.symbol == price.quote.symbol:
        raise Invalid("base.symbol != quote.symbol")
    return price


def make_price(base: Asset, quote: Asset) -> Price:
    """The checked price of ``base`` in ``quote``. Source: asset.cpp, operator / ( asset, asset )."""
    if base.symbol == quote.symbol:
        raise Invalid("base.symbol != quote.symbol")
    return check_price(Price(base, quote))


def multiply(asset: Asset, price: Price) -> Asset:
    """Converts ``asset`` by ``price`` to the other side's symbol, rounded down; see `convert`."""
    amount, symbol = asset
    other = price.quote if symbol == price.base.symbol else price.base
    return Asset(convert(amount, symbol, price), other.symbol)


def convert(amount: int, symbol: int, price: Price) -> int:
    """Converts satoshis of ``symbol`` by ``price`` to satoshis of the other side's symbol, rounded down.

    Raises Invalid for a symbol that is in neither side of the price, and as `scale` does. Source: asset.cpp,
    operator * ( asset, price ).
    """
    base, quote = price
    if symbol == base.symbol:
        divisor, factor, side = base.amount, quote.amount, "base"
    elif symbol == quote.symbol:
        divisor, factor, side = quote.amount, base.amount, "quote"
    else:
        raise Invalid("", "invalid asset * price", asset=Asset(amount, symbol).nai_json, price=price.nai_json)
    if not divisor > 0:
        raise Invalid(f"b.{side}.amount.value > 0")
    return scale(amount, factor, divisor)


def scale(amount: int, factor: int, divisor: int) -> int:
    """The amount times factor / divisor (above 0), rounded down.

    The product is an unsigned 128-bit integer; the result must fit 64 bits, and is read as a signed integer. Raises
    Invalid.
    """
    result = ((amount * factor) & UINT128_MAX) // divisor
    if result > INT64_MAX:
        if result > UINT64_MAX:
            raise Invalid("result.hi == 0")
        result = to_int64(result)
    return result


def price_compare(a: Price, b: Price) -> int:
    """Negative, zero or positive as ``a`` is below, equal to or above ``b``.

    Prices of different markets are ordered by their symbols. Source: asset.cpp, comparison of price.
    """
    a_market = (a.base.symbol, a.quote.symbol)
    b_market = (b.base.symbol, b.quote.symbol)
    if a_market != b_market:
        return -1 if a_market < b_market else 1
    a_product = (b.quote.amount * a.base.amount) & UINT128_MAX
    b_product = (a.quote.amount * b.base.amount) & UINT128_MAX
    return (a_product > b_product) - (a_product < b_product)


def price_less(a: Price, b: Price) -> bool:
    """Whether ``a`` is below ``b``."""
    return price_compare(a, b) < 0


SATOSHIS_MAX = INT64_MAX // 2
"""The greatest amount an asset may have (STEEM_MAX_SATOSHIS is 4,611,686,018,427,387,903)."""
