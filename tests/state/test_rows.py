"""Rows survive storage, and versions are told apart."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.engine.errors import SchemaError, StoreCorrupt, StoreTooNew
from state.engine.rows import Row, RowCodec, pack, unpack


class Colour(IntEnum):
    RED = 1


class Inner(NamedTuple):
    amount: int
    symbol: str


class Outer(Row):
    id: int
    flag: bool
    data: bytes
    inner: Inner
    many: tuple[Inner, ...]
    pairs: tuple[tuple[str, int], ...]
    maybe: Inner | None
    colour: Colour


INNERS = st.builds(Inner, st.integers(-(2**256), 2**256), st.text(max_size=3))
OUTERS = st.builds(
    Outer,
    st.integers(-(2**130), 2**130),
    st.booleans(),
    st.binary(max_size=4),
    INNERS,
    st.lists(INNERS, max_size=2).map(tuple),
    st.lists(st.tuples(st.text(max_size=2), st.integers()), max_size=2).map(tuple),
    st.none() | INNERS,
    st.just(Colour.RED),
)


@given(OUTERS)
def test_row_survives_storage_with_its_types(row: Outer) -> None:
    codec: RowCodec[Outer] = RowCodec("outer", Outer, 1, {})
    codec.check(row, codec.encode(row))
    back = codec.decode(codec.encode(row))
    assert back == row and type(back.inner) is Inner and all(type(item) is Inner for item in back.many)


@pytest.mark.parametrize("value", [2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 2**127, -(2**128)])
def test_integers_of_any_size(value: int) -> None:
    assert unpack(pack((value,))) == (value,)


class Old(Row):
    name: str


class New(Row):
    name: str
    size: int
    colour: str


def test_older_version_is_upgraded_step_by_step_and_newer_refused() -> None:
    old: RowCodec[Old] = RowCodec("t", Old, 1, {})
    new: RowCodec[New] = RowCodec("t", New, 3, {1: lambda values: (*values, 7), 2: lambda values: (*values, "red")})
    assert new.decode(old.encode(Old("a"))) == New("a", 7, "red")
    with pytest.raises(StoreTooNew):
        old.decode(new.encode(New("a", 1, "b")))
    with pytest.raises(StoreCorrupt):
        RowCodec("t", New, 3, {}).decode(old.encode(Old("a")))


@pytest.mark.parametrize("values", [(1.5,), ([1],), ({1: 2},), ({1},)])
def test_values_that_would_not_survive_are_found(values: Any) -> None:
    codec: RowCodec[Any] = RowCodec("t", Old, 1, {})
    row = Old(*values)
    with pytest.raises(SchemaError):
        codec.check(row, codec.encode(row))


def test_damaged_bytes_are_reported() -> None:
    codec: RowCodec[Old] = RowCodec("t", Old, 1, {})
    for data in (b"", b"\x01", b"\x01\x91", b"\x01\xc1", b"\x01\x92\x01\x02"):
        with pytest.raises(StoreCorrupt):
            codec.decode(data)


class Bad(Row):
    a: list[int]


def test_undeclarable_fields_are_refused() -> None:
    with pytest.raises(SchemaError):
        RowCodec("t", Bad, 1, {})
