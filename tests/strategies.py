"""Hypothesis strategies for values of declared types, made from the declarations themselves."""

from __future__ import annotations

import importlib
from typing import Any

from hypothesis import strategies as st

from protocol import shapes
from protocol.assets import CONTROL_MASK, CORE_SYMBOLS, NAI_SHIFT, STEEM, Asset
from protocol.composites import AnyOperation, Choice, Maybe, Pair, Sequence, Structure
from protocol.identity import ChainIdentity
from protocol.p2p.variants import Double, Int64, VariantObjectShape, VariantShape
from protocol.shapes import Shape

TESTNET = ChainIdentity(bytes(32), "TST", "TESTS", "TBD", "VESTS")
"""The symbols and prefix of a reference testnet build; the chain id plays no part in the codec."""

MEMBERS_MAX = 3


def import_all_operations() -> None:
    """Declares every operation."""
    importlib.import_module("operations.registry")


def symbols() -> st.SearchStrategy[int]:
    """Core symbols and well-formed token symbols."""
    tokens = st.builds(
        lambda data, places: data << NAI_SHIFT | CONTROL_MASK | places, st.integers(4, 99_999_999), st.integers(0, 12)
    )
    return st.sampled_from(CORE_SYMBOLS) | tokens


def texts(maximum: int = 40) -> st.SearchStrategy[str]:
    """Texts, some of them from bytes that are no UTF-8."""
    raw = st.binary(max_size=maximum).map(shapes.text_from_bytes)
    return st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=maximum) | raw


def names(maximum: int) -> st.SearchStrategy[str]:
    """Names as the wire allows them: any bytes but zero, at most ``maximum`` of them."""
    plain = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789.-", max_size=maximum)
    raw = st.binary(max_size=maximum).map(lambda data: shapes.text_from_bytes(data.replace(b"\0", b"")))
    return plain | raw


def values(shape: Shape, *, json_safe: bool = False) -> st.SearchStrategy[Any]:
    """Values of a shape; ``json_safe`` leaves out what JSON can not carry: no UTF-8, negative assets."""
    match shape:
        case AnyOperation():
            raise TypeError("choose one operation")
        case Structure():
            fields = [values(field.shape, json_safe=json_safe) for field in shape.fields]
            cls = shape.cls
            return st.tuples(*fields).map(lambda members: cls(*members))
        case Sequence():
            return sequences(shape, json_safe)
        case Pair():
            return st.tuples(values(shape.first, json_safe=json_safe), values(shape.second, json_safe=json_safe))
        case Maybe():
            return st.none() | values(shape.inner, json_safe=json_safe)
        case Choice():
            return st.one_of(*(values(member, json_safe=json_safe) for member in shape.members))
        case shapes.LegacyAssetShape():
            chosen = st.just(STEEM) if json_safe else st.sampled_from([STEEM, *sorted(shape.spellings)])
            return st.builds(Asset, st.integers(0, (1 << 63) - 1), chosen)
        case shapes.AssetShape():
            return st.builds(Asset, st.integers(0 if json_safe else -(1 << 63), (1 << 63) - 1), symbols())
        case shapes.SymbolShape():
            return symbols()
    return simple_values(shape, json_safe)


def simple_values(shape: Shape, json_safe: bool) -> st.SearchStrategy[Any]:
    """Values that hold no others."""
    match shape:
        case shapes.Boolean():
            return st.booleans()
        case shapes.VersionNumber(is_hardfork=True):
            return st.integers(0, 0xFFFF).map(lambda number: number << 16)
        case shapes.Integer():
            return st.integers(shape.low, shape.high)
        case shapes.WideInteger():
            return st.integers(0, (1 << 128) - 1)
        case shapes.FixedBytes():
            return st.binary(min_size=shape.size, max_size=shape.size)
        case shapes.Blob():
            return st.binary(max_size=40)
        case shapes.Name() if json_safe:
            return st.text(alphabet="abcxyz019.-", max_size=shape.maximum)
        case shapes.Name():
            return names(shape.maximum)
        case shapes.Text() if json_safe:
            return st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
        case shapes.Text():
            return texts()
        case VariantShape():
            return variants()
        case VariantObjectShape():
            return st.dictionaries(texts(), variants(), max_size=MEMBERS_MAX)
    raise TypeError(f"no strategy for {shape!r}")


def variants() -> st.SearchStrategy[Any]:
    """Values that carry their own type, as they come out of decoding."""
    plain = (
        st.none()
        | st.booleans()
        | st.integers(0, (1 << 64) - 1)
        | st.integers(-(1 << 63), (1 << 63) - 1).map(Int64)
        | st.binary(min_size=8, max_size=8).map(Double)
        | texts()
    )
    return st.recursive(
        plain,
        lambda members: (
            st.lists(members, max_size=MEMBERS_MAX).map(tuple) | st.dictionaries(texts(), members, max_size=MEMBERS_MAX)
        ),
        max_leaves=8,
    )


def sequences(shape: Sequence, json_safe: bool) -> st.SearchStrategy[tuple[Any, ...]]:
    """Tuples of members; those of sets are unique and sorted."""
    member = values(shape.member, json_safe=json_safe)
    if not shape.is_sorted:
        return st.lists(member, max_size=MEMBERS_MAX).map(tuple)
    unique = st.lists(member, max_size=MEMBERS_MAX, unique_by=shape.key)
    return unique.map(lambda members: tuple(sorted(members, key=shape.key)))
