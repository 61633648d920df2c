"""Symbols and amounts: numbers, NAIs, bytes and both JSON forms, with the figures of the reference's definitions."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from protocol.assets import (
    CONTROL_MASK,
    CORE_SYMBOLS,
    DECIMALS_MAX,
    NAI_SHIFT,
    SBD,
    STEEM,
    VESTING_MASK,
    VESTS,
    check_symbol,
    decimals,
    is_vesting,
    nai_string,
    paired_symbol,
    symbol_from_nai,
    symbol_from_nai_string,
    symbol_to_nai,
)
from protocol.codec import Codec
from protocol.errors import Invalid
from protocol.types import Asset, Symbol
from tests.strategies import TESTNET

CODEC = Codec(TESTNET)
SUPPLY_MAX = 1_000_000_000_000_000
"""STEEM_MAX_SHARE_SUPPLY."""
SYMBOL_BYTES = {STEEM: b"\x03TESTS\0\0", SBD: b"\x03TBD\0\0\0\0", VESTS: b"\x06VESTS\0\0"}
NAIS = {STEEM: "@@000000021", SBD: "@@000000013", VESTS: "@@000000037"}
LEGACY_NAMES = {STEEM: "TESTS", SBD: "TBD", VESTS: "VESTS"}


def read_legacy(text: str) -> Asset:
    value = CODEC.from_json(Asset, text)
    assert isinstance(value, tuple)
    return Asset(*value)


def test_legacy_assets() -> None:
    """Counterpart of legacy_asset_test: what is read and shown."""
    assert CODEC.to_json(Asset, Asset(), legacy=True) == "0.000 TESTS"
    assert decimals(Asset().symbol) == 3
    assert read_legacy("123.456 TESTS") == Asset(123_456, STEEM)
    assert read_legacy("654.321 TBD") == Asset(654_321, SBD)
    assert read_legacy("0.456 TESTS") == Asset(456, STEEM)
    assert read_legacy("0.056 TESTS") == Asset(56, STEEM)
    for value, shown in (
        (Asset(123_456, STEEM), "123.456 TESTS"),
        (Asset(50, STEEM), "0.050 TESTS"),
        (Asset(50_000, STEEM), "50.000 TESTS"),
        (Asset(654_321, SBD), "654.321 TBD"),
        (Asset(50, SBD), "0.050 TBD"),
        (Asset(50_000, SBD), "50.000 TBD"),
    ):
        assert CODEC.to_json(Asset, value, legacy=True) == shown
        assert decimals(value.symbol) == 3


@pytest.mark.parametrize(
    "text",
    [
        "1.00000000000000000000 TESTS",
        "1.000TESTS",
        "1. 333 TESTS",
        "1 .333 TESTS",
        "1. 333 X",
        "1 .333 X",
        "1 .333",
        "1 1.1",
        "11111111111111111111111111111111111111111111111 TESTS",
        "1.1.1 TESTS",
        "1.abc TESTS",
        " TESTS",
        "TESTS",
        "1.333",
        "1.333 ",
        "",
        " ",
        "  ",
        "100 TESTS",
    ],
)
def test_legacy_assets_that_are_refused(text: str) -> None:
    """Counterpart of legacy_asset_test: what is not read."""
    with pytest.raises(Invalid):
        read_legacy(text)


def form(amount: object, precision: object = 3, nai: str = NAIS[STEEM]) -> dict[str, object]:
    return {"amount": amount, "precision": precision, "nai": nai}


def show(value: Asset) -> str:
    return json.dumps(CODEC.to_json(Asset, value), separators=(",", ":"))


def test_assets() -> None:
    """Counterpart of asset_test: what is read and shown."""
    assert show(Asset()) == '{"amount":"0","precision":3,"nai":"@@000000021"}'
    for symbol, places, amount in ((STEEM, 3, 123_456), (SBD, 3, 654_321), (VESTS, 6, 123_456_789)):
        assert decimals(symbol) == places
        for number in (amount, 50, 50_000):
            text = f'{{"amount":"{number}","precision":{places},"nai":"{NAIS[symbol]}"}}'
            assert show(Asset(number, symbol)) == text
            assert CODEC.from_json(Asset, json.loads(text)) == Asset(number, symbol)
    for text, number in (("456", 456), ("56", 56), ("08000", 8_000)):
        assert CODEC.from_json(Asset, form(text)) == Asset(number, STEEM)


@pytest.mark.parametrize(
    "given",
    [
        form("9223372036854775808"),
        form("-1"),
        form("10", 256),
        form("10", -1),
        form("foobar"),
        form("10a"),
        form("10a00"),
        form("0x8000"),
        ["0", 3],
        {"amount": "0", "precision": 3},
        ["0", 3, NAIS[STEEM], 1],
    ],
)
def test_assets_that_are_refused(given: object) -> None:
    """Counterpart of asset_test: what is not read."""
    with pytest.raises(Invalid):
        CODEC.from_json(Asset, given)


def spread_amounts() -> list[int]:
    """One amount of every size below the highest supply, with bits of the digest of nothing."""
    bits = int.from_bytes(sha256().digest()[:8], "little")
    amounts = [bits & (1 << size) - 1 | 1 << size for size in range(64)]
    return [amount for amount in amounts if amount < SUPPLY_MAX]


def test_bytes_of_assets() -> None:
    """Counterpart of asset_raw_test."""
    assert SBD < STEEM < VESTS
    amounts = spread_amounts()
    assert len(amounts) == 50
    for amount in amounts:
        for symbol, packed in SYMBOL_BYTES.items():
            value = Asset(amount, symbol)
            data = amount.to_bytes(8, "little") + packed
            assert CODEC.encode(Asset, value) == data
            assert CODEC.decode(Asset, data) == value
            for legacy in (False, True):
                assert CODEC.from_json(Asset, CODEC.to_json(Asset, value, legacy)) == value
            units = 10 ** decimals(symbol)
            text = f"{amount // units}.{amount % units:0{decimals(symbol)}d} {LEGACY_NAMES[symbol]}"
            assert CODEC.to_json(Asset, value, legacy=True) == text


def test_asset_symbols() -> None:
    """Counterpart of asset_symbol_type_test. The check digit of 10000000 is 6."""
    number = 10_000_000 << NAI_SHIFT | CONTROL_MASK | 3
    assert check_symbol(number) == number
    assert symbol_from_nai(100_000_006, 3) == number
    assert symbol_from_nai_string("@@100000006", 3) == number
    assert nai_string(number) == "@@100000006"
    assert symbol_to_nai(number) == 100_000_006
    assert number not in CORE_SYMBOLS
    assert paired_symbol(number) == number ^ VESTING_MASK
    assert is_vesting(paired_symbol(number)) and not is_vesting(number)
    assert CODEC.encode(Symbol, number) == number.to_bytes(4, "little")
    for symbol in CORE_SYMBOLS:
        assert symbol in CORE_SYMBOLS
        assert symbol_from_nai(symbol_to_nai(symbol), decimals(symbol)) == symbol
        assert CODEC.encode(Symbol, symbol) == SYMBOL_BYTES[symbol]
    assert (decimals(STEEM), decimals(SBD), decimals(VESTS)) == (3, 3, 6)


@pytest.mark.parametrize(
    ("nai", "places"),
    [
        ("@@100000006", DECIMALS_MAX + 1),
        ("@0100000006", 3),
        ("@@00000006", 3),
        ("@@0100000006", 3),
        ("@@invalid00", 3),
        ("", 3),
        ("@@100000007", 3),
    ],
)
def test_nais_that_are_refused(nai: str, places: int) -> None:
    """Counterpart of asset_symbol_type_test, its errors."""
    with pytest.raises(Invalid):
        symbol_from_nai_string(nai, places)
