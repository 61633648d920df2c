"""Rows survive storage, and versions are told apart."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from state.engine.errors import SchemaError, StoreCorrupt, StoreTooNew
from state.engine.rows import Row, RowCodec, pack, pack_wide, unpack


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


class Sample(Row):
    """One field of each kind of value."""

    number: int
    text: str
    data: bytes
    flag: bool
    inner: Inner | None
    many: tuple[int, ...]


def sample(number: int = 0, text: str = "", data: bytes = b"", many: tuple[int, ...] = ()) -> Sample:
    return Sample(number, text, data, False, None, many)


GOLDEN = [
    (sample(), "01 96 00 a0 c400 c2 c0 90"),
    (sample(127), "01 96 7f a0 c400 c2 c0 90"),
    (sample(128), "01 96 cc80 a0 c400 c2 c0 90"),
    (sample(256), "01 96 cd0100 a0 c400 c2 c0 90"),
    (sample(1 << 16), "01 96 ce00010000 a0 c400 c2 c0 90"),
    (sample(1 << 32), "01 96 cf0000000100000000 a0 c400 c2 c0 90"),
    (sample((1 << 64) - 1), "01 96 cfffffffffffffffff a0 c400 c2 c0 90"),
    (sample(-1), "01 96 ff a0 c400 c2 c0 90"),
    (sample(-33), "01 96 d0df a0 c400 c2 c0 90"),
    (sample(-129), "01 96 d1ff7f a0 c400 c2 c0 90"),
    (sample(-(1 << 15) - 1), "01 96 d2ffff7fff a0 c400 c2 c0 90"),
    (sample(-(1 << 31) - 1), "01 96 d3ffffffff7fffffff a0 c400 c2 c0 90"),
    (sample(1 << 64), "01 96 c70901010000000000000000 a0 c400 c2 c0 90"),
    (sample(-(1 << 63) - 1), "01 96 c70901ff7fffffffffffffff a0 c400 c2 c0 90"),
    (sample((1 << 128) - 1), "01 96 c7110100" + "ff" * 16 + " a0 c400 c2 c0 90"),
    (sample(text="a" * 31), "01 96 00 bf" + "61" * 31 + " c400 c2 c0 90"),
    (sample(text="a" * 32), "01 96 00 d920" + "61" * 32 + " c400 c2 c0 90"),
    (sample(text="\u00e9" * 128), "01 96 00 da0100" + "c3a9" * 128 + " c400 c2 c0 90"),
    (sample(data=b"\0" * 256), "01 96 00 a0 c50100" + "00" * 256 + " c2 c0 90"),
    (sample(many=(1,) * 16), "01 96 00 a0 c400 c2 c0 dc0010" + "01" * 16),
    (Sample(0, "", b"", True, Inner(-5, "x"), ()), "01 96 00 a0 c400 c3 92fba178 90"),
]


@pytest.mark.parametrize(("row", "written"), GOLDEN)
def test_the_bytes_of_rows_are_fixed(row: Sample, written: str) -> None:
    codec: RowCodec[Sample] = RowCodec("sample", Sample, 1, {})
    assert codec.encode(row).hex() == written.replace(" ", "")
    assert codec.decode(codec.encode(row)) == row


@given(OUTERS)
def test_both_packers_write_the_same_bytes(row: Outer) -> None:
    assert RowCodec("outer", Outer, 1, {}).encode(row) == b"\x01" + pack_wide(astuple(row))
