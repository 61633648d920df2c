"""Values with their own type: exact bytes, limits, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.codec import Codec
from protocol.errors import Invalid
from protocol.identity import STEEM_MAINNET
from protocol.p2p.variants import VARIANT_TEXT_BYTES_MAX, VARIANT_VALUES_MAX, Double, Int64, Variant, VariantObject
from protocol.wire import DEPTH_MAX
from tests.strategies import variants

CODEC = Codec(STEEM_MAINNET)
DETERMINISTIC = settings(max_examples=300, deadline=None, derandomize=True)


@pytest.mark.parametrize(
    ("value", "packed"),
    [
        (None, "00"),
        (Int64(-2), "01feffffffffffffff"),
        (Int64(5), "010500000000000000"),
        (-2, "01feffffffffffffff"),
        (5, "020500000000000000"),
        ((1 << 64) - 1, "02ffffffffffffffff"),
        (Double(bytes.fromhex("0000000000000c40")), "030000000000000c40"),
        (True, "0401"),
        (False, "0400"),
        ("hé", "050368c3a9"),
        (((), {}), "060206000700"),
        ({"b": 1, "a": None}, "07020162020100000000000000016100"),
    ],
)
def test_bytes_of_each_type(value: Any, packed: str) -> None:
    assert CODEC.encode(Variant, value).hex() == packed
    decoded = CODEC.decode(Variant, bytes.fromhex(packed))
    assert decoded == value
    assert CODEC.encode(Variant, decoded).hex() == packed


def test_an_object_has_no_type_in_front_and_keeps_its_order() -> None:
    packed = CODEC.encode(VariantObject, {"b": None, "a": [True]})
    assert packed.hex() == "02016200016106010401"
    assert list(CODEC.decode(VariantObject, packed)) == ["b", "a"]


@DETERMINISTIC
@given(variants())
def test_values_come_back(value: Any) -> None:
    packed = CODEC.encode(Variant, value)
    assert CODEC.decode(Variant, packed) == value


@DETERMINISTIC
@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_invalid(data: bytes) -> None:
    try:
        value, _end = CODEC.read(Variant, data, 0)
    except Invalid:
        return
    assert CODEC.decode(Variant, CODEC.encode(Variant, value)) == value


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        ("", "the data ends 1 bytes too early"),
        ("08", "unknown type 8 of a value"),
        ("0402", "a boolean is 0 or 1, not 2"),
        ("01", "the data ends 8 bytes too early"),
        ("0501", "the data ends 1 bytes too early"),
        ("05ffffffff0f", "4294967295 bytes are more than the maximum of 1048576"),
        ("06ffffffff0f", "the value holds more than 10000 others"),
        ("07ffffffff0f", "the value holds more than 10000 others"),
        ("0601" * (DEPTH_MAX + 1) + "00", "the value nests deeper than 20"),
        ("07010161" * (DEPTH_MAX + 1) + "00", "the value nests deeper than 20"),
    ],
)
def test_malformed_bytes_are_refused(packed: str, why: str) -> None:
    with pytest.raises(Invalid) as caught:
        CODEC.decode(Variant, bytes.fromhex(packed))
    assert caught.value.data["why"] == why


def test_values_may_nest_as_deep_as_the_maximum() -> None:
    packed = b"\x06\x01" * DEPTH_MAX + b"\x00"
    value = CODEC.decode(Variant, packed)
    assert CODEC.encode(Variant, value) == packed
    with pytest.raises(Invalid, match="nests deeper than 20"):
        CODEC.encode(Variant, (value,))


def test_values_inside_of_others_count() -> None:
    value = ((None,) * 4999, {"a": (None,) * 4998})
    packed = CODEC.encode(Variant, value)
    assert CODEC.decode(Variant, packed) == value
    with pytest.raises(Invalid, match="holds more than 10000 others"):
        CODEC.encode(Variant, (*value, None))
    with pytest.raises(Invalid, match="holds more than 10000 others"):
        CODEC.decode(Variant, b"\x06\x03" + packed[2:] + b"\x00")


@pytest.mark.parametrize(
    ("declared", "value", "why"),
    [
        (Variant, 1.5, "float is no type of a value"),
        (Variant, b"x", "bytes is no type of a value"),
        (Variant, 1 << 64, "does not fit 64 bits"),
        (Variant, Int64(1 << 63), "does not fit 64 bits"),
        (Variant, -(1 << 63) - 1, "does not fit 64 bits"),
        (Variant, Double(bytes(7)), "has 8 bytes, not 7"),
        (Variant, "\ud800", "half of a surrogate pair"),
        (Variant, {1: 2}, "the name of a member is a string, not int"),
        (Variant, (None,) * (VARIANT_VALUES_MAX + 1), "holds more than 10000 others"),
        (Variant, "x" * (VARIANT_TEXT_BYTES_MAX + 1), "1048577 bytes are more"),
        (VariantObject, (), "an object is needed, not tuple"),
    ],
)
def test_wrong_values_are_not_encoded(declared: Any, value: Any, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        CODEC.encode(declared, value)
