"""Encoded keys compare as the tuples do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.engine.errors import SchemaError
from state.engine.keys import TOP, build_encoder, decode_key, encode_key
from state.engine.overlay import compute_range

INTS = st.integers(-(2**128), 2**128) | st.integers(-300, 300)
TEXTS = st.text(
    st.characters(codec=None, exclude_categories=()) | st.sampled_from("\x00\x01\ud800\udfff\uffff"), max_size=4
)
BYTES = st.binary(max_size=4) | st.lists(st.sampled_from([0, 1, 255]), max_size=4).map(bytes)
SHAPES = st.lists(st.sampled_from([INTS, TEXTS, BYTES, st.booleans()]), min_size=1, max_size=4)


@st.composite
def key_pairs(draw: st.DrawFn) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    shape = draw(SHAPES)
    left = tuple(draw(kind) for kind in shape)[: draw(st.integers(0, len(shape)))]
    right = tuple(left[i] if i < len(left) and draw(st.booleans()) else draw(kind) for i, kind in enumerate(shape))
    return left, right


@given(key_pairs())
def test_order_of_bytes_is_order_of_tuples(pair: tuple[tuple[Any, ...], tuple[Any, ...]]) -> None:
    left, right = pair
    assert (left < right) == (encode_key(left) < encode_key(right))
    assert (left == right) == (encode_key(left) == encode_key(right))


@given(key_pairs())
def test_an_encoder_for_known_types_writes_the_same(pair: tuple[tuple[Any, ...], tuple[Any, ...]]) -> None:
    key = pair[1]
    for kinds in (tuple(map(type, key)), (None,) * len(key)):
        assert build_encoder(b"p", kinds)(key) == b"p" + encode_key(key)
        if len(key) == 1:
            assert build_encoder(b"p", kinds, True)(key[0]) == b"p" + encode_key(key)


@given(key_pairs())
def test_decode_returns_the_key(pair: tuple[tuple[Any, ...], tuple[Any, ...]]) -> None:
    assert decode_key(encode_key(pair[1])) == pair[1]


@given(key_pairs())
def test_range_of_a_prefix_holds_exactly_its_extensions(pair: tuple[tuple[Any, ...], tuple[Any, ...]]) -> None:
    prefix, key = pair
    low, high = compute_range(prefix, None, None, False)
    is_extension = key[: len(prefix)] == prefix
    assert (low <= key < high) == is_extension
    assert (encode_key(low) <= encode_key(key) < encode_key(high)) == is_extension


def test_top_is_above_everything() -> None:
    values: tuple[Any, ...] = (10**99, "\U0010ffff", b"\xff", True)
    for value in values:
        assert sorted([TOP, value]) == sorted([value, TOP]) == [value, TOP]
        assert (value,) < (TOP,) and max((value,), (TOP,)) == max((TOP,), (value,)) == (TOP,)


@pytest.mark.parametrize("value", [None, 1.5, (1,), 2**256, -(2**256)])
def test_what_has_no_place_in_a_key_is_refused(value: Any) -> None:
    with pytest.raises(SchemaError):
        encode_key((value,))


@given(st.binary(max_size=12))
def test_decode_is_total(data: bytes) -> None:
    try:
        decode_key(data)
    except SchemaError:
        return
