"""Amounts and percentages are read exactly or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.errors import UsageError
from protocol.assets import SBD, STEEM, VESTS, Asset
from protocol.identity import STEEM_MAINNET, ChainIdentity
from protocol.integers import INT64_MAX
from wallet.amounts import Power, format_amount, format_percent, group_digits, parse_amount, parse_percent

TESTNET = ChainIdentity(bytes(32), "TST", "TESTS", "TBD", "VESTS")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.000 STEEM", Asset(1000, STEEM)),
        ("1 STEEM", Asset(1000, STEEM)),
        ("0.5 SBD", Asset(500, SBD)),
        ("0.000001 VESTS", Asset(1, VESTS)),
        ("  12.34   SBD ", Asset(12340, SBD)),
        ("9223372036854775.807 STEEM", Asset(INT64_MAX, STEEM)),
    ],
)
def test_an_amount_is_read(text: str, expected: Asset) -> None:
    assert parse_amount(text, STEEM_MAINNET) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "STEEM", "1", "1.000", "1.0000 STEEM", "1. STEEM", ".5 STEEM", "-1 STEEM", "+1 STEEM", "1e3 STEEM"),
        *("1,5 STEEM", "1 steem", "1 TESTS", "1 STEEM STEEM", "1.000STEEM", "٣ STEEM", "9223372036854775.808 STEEM"),
    ],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_amount(text, STEEM_MAINNET)


def test_the_symbols_are_those_of_the_chain_and_may_be_limited() -> None:
    assert parse_amount("1 TESTS", TESTNET) == Asset(1000, STEEM)
    assert format_amount(Asset(-1, SBD), TESTNET) == "-0.001 TBD"
    with pytest.raises(UsageError, match="VESTS cannot be used here"):
        parse_amount("1 VESTS", TESTNET, STEEM, SBD)


@given(st.integers(0, INT64_MAX), st.sampled_from((STEEM, SBD, VESTS)))
def test_an_amount_comes_back_as_it_was(amount: int, symbol: int) -> None:
    asset = Asset(amount, symbol)
    assert parse_amount(format_amount(asset, STEEM_MAINNET), STEEM_MAINNET) == asset


def test_percentages() -> None:
    assert [parse_percent(text) for text in ("0", "50%", "12.34%", "12.3", "100%")] == [0, 5000, 1234, 1230, 10_000]
    assert parse_percent("-12.5%", negative=True) == -1250
    assert format_percent(-1250) == "-12.50%"
    for text in ("", "-1%", "100.01%", "101%", "1.234%", "half"):
        with pytest.raises(UsageError):
            parse_percent(text)


def test_power_is_converted_rounded_down() -> None:
    power = Power(shares=3_000_000, fund=1000)
    assert power.to_vests(Asset(1, STEEM)) == Asset(3000, VESTS)
    assert power.to_vests(Asset(7, VESTS)) == Asset(7, VESTS)
    assert power.to_steem(5999) == 1
    assert Power(0, 0).to_steem(5) == 0
    with pytest.raises(UsageError):
        Power(0, 0).to_vests(Asset(1, STEEM))


def test_thousands_are_grouped() -> None:
    assert group_digits("1234567.000 STEEM") == "1,234,567.000 STEEM"
