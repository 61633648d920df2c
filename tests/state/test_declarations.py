"""A table is one declaration: what belongs to it follows, and what does not fit fails when it is declared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import pytest

from protocol.codec import codec_for
from protocol.config import ChainConfig
from protocol.types import U64, AccountName, Time, Wire
from rpc.objects import ObjectForms
from state.engine.declare import Index, TableSet, list_declared, table
from state.engine.errors import SchemaError
from state.engine.kv import MemoryBackend
from state.engine.rows import Row, RowCodec
from state.engine.store import Store
from state.engine.table import Table
from state.tables.kinds import Sbd, find_symbol
from state.tables.tables import Tables

IDENTITY = ChainConfig.preset("testnet").identity


@table(1, key=("owner", "number"), indexes=(Index("by_end", "end", "-worth"),), is_observable=True)
class Bond(Row):
    """A new row."""

    owner: AccountName
    number: U64
    worth: Sbd
    end: Time = 0


class Bonds(TableSet):
    """A new table."""

    bonds: Table[Bond, tuple[str, int]]


def test_everything_follows_from_one_declaration() -> None:
    store = Store(MemoryBackend(), Bonds, is_strict=True)
    bonds = store.tables.bonds
    store.begin()
    first = bonds.insert(Bond("alice", 1, 1000, 50))
    bonds.insert(Bond("alice", 2, 2000, 50))
    bonds.update(first, end=60)
    assert [row.number for row in bonds.index("by_end").scan()] == [2, 1]
    assert bonds.index("by_end").has_due(51) and not bonds.index("by_end").has_due(50)
    store.seal_block(1, b"")
    store.commit(1)
    assert Store(store.backend, Bonds).tables.bonds.get(("alice", 1)) == Bond("alice", 1, 1000, 60)
    assert bonds.spec.is_observable and find_symbol(Sbd) is not None


@pytest.mark.parametrize(("legacy", "worth"), [(True, "1.000 TBD"), (False, {"amount": "1000", "precision": 3})])
def test_both_objects_of_the_api_follow(legacy: bool, worth: object) -> None:
    forms = ObjectForms(IDENTITY, legacy)
    shape = forms.describe(Bond)
    shown = codec_for(IDENTITY).generator.show(shape, legacy)(Bond("alice", 1 << 40, 1000, 60))
    assert list(shown) == ["owner", "number", "worth", "end"] == list(shape.schema()["properties"])
    assert (shown["number"], shown["end"]) == (str(1 << 40), "1970-01-01T00:01:00")
    assert shown["worth"] == worth or (isinstance(worth, dict) and worth.items() <= shown["worth"].items())


class Unknown(Row):
    """A row with a kind that nobody knows."""

    field: Annotated[int, Wire("riddle")]


class Untyped(Row):
    """A row with a value that is not plain."""

    field: list[int]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(TypeError, match="riddle"):
        ObjectForms(IDENTITY, False).describe(Unknown)
    with pytest.raises(SchemaError):
        RowCodec("untyped", Untyped, 1, {})


def test_every_row_of_the_state_has_a_table() -> None:
    assert list_declared("state.tables") == {spec.row for spec in Tables.SPECS}


def test_the_page_for_contributors_names_files_that_exist() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs" / "contributing.md").read_text(encoding="utf-8").partition("## Tables and indexes")[2]
    named = re.findall(r"`([\w/.]+\.(?:py|md))`", page.partition("\n## ")[0])
    assert named and all((root / name).exists() for name in named)
