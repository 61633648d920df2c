"""The properties of witness_set_properties: packed values by name.

Each value is unpacked separately; trailing bytes are ignored. From an empty value the reference's unpack_from_vector
reads nothing and leaves the default: an empty account_creation_fee or sbd_interest_rate sets the chain's default (a
minimum fee above 0 refuses the former), an empty new_signing_key changes nothing, and all other properties are refused
when empty.
Source: steem_operations.cpp, witness_set_properties_operation::validate; steem_evaluator.cpp,
witness_set_properties_evaluator; fc/io/raw.hpp, unpack_from_vector; asset_symbol.hpp, unpack.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from operations.checks import is_utf8
from protocol.assets import SBD, STEEM, VESTS, Asset, Price, check_price, check_symbol
from protocol.errors import Invalid
from protocol.rules import Rules
from protocol.units import BASIS_POINTS
from protocol.wire import Malformed, Reader

_KEY_BYTES = 33
_SYMBOL_BYTES = 8


_Symbols = Mapping[bytes, int] | None


class WitnessProperties(NamedTuple):
    """The properties to change; None for those absent or empty. Amounts are in the smallest unit."""

    account_creation_fee: Asset | None = None
    maximum_block_size: int | None = None
    sbd_interest_rate: int | None = None
    account_subsidy_budget: int | None = None
    account_subsidy_decay: int | None = None
    new_signing_key: bytes | None = None
    sbd_exchange_rate: Price | None = None
    url: str | None = None


def unpack_key(packed: bytes) -> bytes:
    """The public key of a packed property: 33 bytes, the null key for an empty value. Raises Invalid."""
    if not packed:
        return bytes(_KEY_BYTES)
    if len(packed) < _KEY_BYTES:
        raise _broken("steem::protocol::public_key_type")
    return packed[:_KEY_BYTES]


def read_properties(props: tuple[tuple[str, bytes], ...], rules: Rules, symbols: _Symbols = None) -> WitnessProperties:
    """Unpacks and checks all properties in the reference's order; raises Invalid.

    `symbols` maps the 8 bytes of the chain's core symbols to their numbers. Without `symbols` (when the chain is not
    known) any well-formed symbol passes, so `apply` reads the properties again with it.
    """
    by_name = dict(props)
    if "key" not in by_name:
        raise Invalid('props.find( "key" ) != props.end()', "No signing key provided")
    given = {name: read(by_name[name], rules, symbols) for name, read in _READERS.items() if name in by_name}
    return WitnessProperties(**given)


def _broken(type_name: str) -> Invalid:
    return Invalid("", "error unpacking ${type}", type=type_name)


def _unpack_integer(packed: bytes, layout: str, type_name: str) -> int:
    """An integer of fixed size; 0 for an empty value, for which the reference leaves it undefined."""
    size = struct.calcsize(layout)
    if not packed:
        return 0
    if len(packed) < size:
        raise _broken(type_name)
    value: int = struct.unpack_from(layout, packed)[0]
    return value


def _take_asset(reader: Reader, symbols: Mapping[bytes, int]) -> Asset:
    amount = int.from_bytes(reader.take(8), "little", signed=True)
    start = reader.take(4)
    for name, symbol in symbols.items():
        if name[:4] == start:
            if reader.take(4) != name[4:]:
                raise Invalid(f"ser == {_SYMBOL_CONSTANTS[symbol]}", "invalid asset bits")
            return Asset(amount, symbol)
    return Asset(amount, check_symbol(int.from_bytes(start, "little")))


_SYMBOL_CONSTANTS = {STEEM: "STEEM_SYMBOL_SER", SBD: "SBD_SYMBOL_SER", VESTS: "VESTS_SYMBOL_SER"}
_PRECISIONS = {3: STEEM, 6: VESTS}


def _guess(packed: bytes, offset: int, liquid: int) -> dict[bytes, int]:
    """Reads the 8 bytes at `offset` as a core symbol if they are well-formed; a liquid symbol is read as `liquid`."""
    name = packed[offset : offset + _SYMBOL_BYTES]
    letters = name[1:].rstrip(b"\0")
    if len(name) < _SYMBOL_BYTES or name[0] not in _PRECISIONS or not letters.isalpha() or not letters.isupper():
        return {}
    return {name: liquid if name[0] == 3 else VESTS}


def _read_fee(packed: bytes, rules: Rules, symbols: _Symbols) -> Asset | None:
    fee = Asset(0, STEEM)
    if packed:
        try:
            fee = _take_asset(Reader(packed), _guess(packed, 8, STEEM) if symbols is None else symbols)
        except Malformed:
            raise _broken("steem::protocol::asset") from None
    if fee.symbol != STEEM:
        raise Invalid("account_creation_fee.symbol == STEEM_SYMBOL", "account_creation_fee must be in STEEM")
    if not fee.amount >= rules.min_account_creation_fee:
        raise Invalid(
            "account_creation_fee.amount >= STEEM_MIN_ACCOUNT_CREATION_FEE",
            "account_creation_fee smaller than minimum account creation fee",
        )
    return fee if packed else None


def _read_block_size(packed: bytes, rules: Rules, symbols: _Symbols) -> int:
    size = _unpack_integer(packed, "<I", "uint32_t")
    if not size >= rules.min_block_size_limit_bytes:
        raise Invalid(
            "maximum_block_size >= STEEM_MIN_BLOCK_SIZE_LIMIT",
            "maximum_block_size smaller than minimum max block size",
        )
    return size


def _read_interest(packed: bytes, rules: Rules, symbols: _Symbols) -> int | None:
    rate = _unpack_integer(packed, "<H", "uint16_t")
    if not rate <= BASIS_POINTS:
        raise Invalid("sbd_interest_rate <= STEEM_100_PERCENT", "sbd_interest_rate must not exceed 100%")
    return rate if packed else None


def _read_rate(packed: bytes, rules: Rules, symbols: _Symbols) -> Price:
    rate = Price()
    if packed:
        guess = {**_guess(packed, 24, STEEM), **_guess(packed, 8, SBD)}
        reader = Reader(packed)
        try:
            rate = Price(
                _take_asset(reader, guess if symbols is None else symbols),
                _take_asset(reader, guess if symbols is None else symbols),
            )
        except Malformed:
            raise _broken("steem::protocol::price") from None
    if not (rate.base.symbol == SBD and rate.quote.symbol == STEEM):
        raise Invalid(
            "( is_asset_type( sbd_exchange_rate.base, SBD_SYMBOL ) && "
            "is_asset_type( sbd_exchange_rate.quote, STEEM_SYMBOL ) )",
            "Price feed must be a STEEM/SBD price",
        )
    return check_price(rate)


def _read_url(packed: bytes, rules: Rules, symbols: _Symbols) -> str:
    raw = b""
    if packed:
        reader = Reader(packed)
        try:
            raw = reader.take(reader.varint())
        except Malformed:
            raise _broken("string") from None
    url = raw.decode("utf-8", "surrogateescape")
    check_url(url, len(raw), rules)
    return url


def check_url(url: str, size: int, rules: Rules) -> None:
    """Refuses a witness's url of `size` bytes that is too long, empty or not UTF-8."""
    if not size <= rules.max_witness_url_bytes:
        raise Invalid("url.size() <= STEEM_MAX_WITNESS_URL_LENGTH", "URL is too long")
    if not size > 0:
        raise Invalid("url.size() > 0", "URL size must be greater than 0")
    if not is_utf8(url):
        raise Invalid("fc::is_utf8( url )", "URL is not valid UTF8")


def _read_budget(packed: bytes, rules: Rules, symbols: _Symbols) -> int:
    budget = _unpack_integer(packed, "<i", "int32_t")
    if not budget >= rules.rd_min_budget:
        raise Invalid(
            "account_subsidy_budget >= STEEM_RD_MIN_BUDGET", "Budget must be at least ${n}", n=rules.rd_min_budget
        )
    if not budget <= rules.rd_max_budget:
        raise Invalid(
            "account_subsidy_budget <= STEEM_RD_MAX_BUDGET", "Budget must be at most ${n}", n=rules.rd_max_budget
        )
    return budget


def _read_decay(packed: bytes, rules: Rules, symbols: _Symbols) -> int:
    decay = _unpack_integer(packed, "<I", "uint32_t")
    if not decay >= rules.rd_min_decay:
        raise Invalid(
            "account_subsidy_decay >= STEEM_RD_MIN_DECAY", "Decay must be at least ${n}", n=rules.rd_min_decay
        )
    if not decay <= rules.rd_max_decay:
        raise Invalid("account_subsidy_decay <= STEEM_RD_MAX_DECAY", "Decay must be at most ${n}", n=rules.rd_max_decay)
    return decay


def _read_key(packed: bytes, rules: Rules, symbols: _Symbols) -> bytes | None:
    return unpack_key(packed) if packed else None


_READERS: Final[dict[str, Callable[[bytes, Rules, _Symbols], Any]]] = {
    "account_creation_fee": _read_fee,
    "maximum_block_size": _read_block_size,
    "sbd_interest_rate": _read_interest,
    "new_signing_key": _read_key,
    "sbd_exchange_rate": _read_rate,
    "url": _read_url,
    "account_subsidy_budget": _read_budget,
    "account_subsidy_decay": _read_decay,
}
"""The reader and checker of each property, in the reference's order."""
