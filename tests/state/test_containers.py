"""Tables as ordered containers. Counterparts of the reference's bmic_tests.

Each case runs on rows of which nothing, or everything so far, is in the database already. A table of ours has one
unique key and indexes that are made unique by it; so where the reference looks at two unique keys, one table has the
one and a second table the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import astuple

from state.engine.declare import Index, TableSet, table
from state.engine.errors import RowExists, SchemaError
from state.engine.kv import MemoryBackend
from state.engine.rows import Row
from state.engine.store import Store
from state.engine.table import Table


@table(1, key="id", indexes=(Index("by_name", "name", "val"),))
class Named(Row):
    """Counterpart of test_object."""

    id: int
    name: str
    val: int


@table(2, key=("name", "val"), indexes=(Index("by_id", "id"),))
class Unique(Named):
    """The same by the other unique key."""


@table(3, key="id", indexes=(Index("by_val", "val", "id"),))
class Plain(Row):
    """Counterpart of test_object2."""

    id: int
    val: int


@table(4, key="id", indexes=(Index("by_2", "val", "val2"), Index("by_3", "val", "val3")))
class Triple(Row):
    """Counterpart of test_object3."""

    id: int
    val: int
    val2: int
    val3: int


class Tables(TableSet):
    """One table for each of the reference's containers, and a second one for the other unique key of the first."""

    named: Table[Named, int]
    unique: Table[Unique, tuple[str, int]]
    plain: Table[Plain, int]
    triple: Table[Triple, int]


class Box:
    """A store and its tables; `keep` puts everything into the database if the case asks for it."""

    def __init__(self, is_kept: bool) -> None:
        self.store: Store[Tables] = Store(MemoryBackend(), Tables, cache_rows=1, is_strict=True)
        self.tables = self.store.tables
        self.is_kept = is_kept
        self.number = 0
        self.store.begin()

    def keep(self) -> None:
        if self.is_kept:
            self.number += 1
            self.store.seal_block(self.number, b"")
            self.store.commit(self.number)
            self.store.begin()


@pytest.fixture(params=[False, True], ids=["in memory", "in the database"])
def box(request: pytest.FixtureRequest) -> Box:
    return Box(request.param)


def rows_of(table: Table[Any, Any]) -> list[Any]:
    """All rows by primary key; every index must hold the same ones in the order of its keys."""
    rows = list(table.scan())
    for index in table.spec.indexes:
        ordered = list(table.index(index.name).scan())
        assert sorted(ordered, key=repr) == sorted(rows, key=repr)
        place = index.build_place(table.spec.primary)
        keys = [place(row) for row in ordered]
        assert keys == sorted(key for key in keys if key is not None)
    return rows


def make_named(number: int) -> Named:
    return Named(number, "_name", 100 - number)


def make_unique(number: int) -> Unique:
    return Unique(number, "_name", 100 - number)


def make_plain(number: int) -> Plain:
    return Plain(number, 100 - number)


def make_triple(number: int) -> Triple:
    return Triple(number, 100 - number, 5, 5)


Maker = Callable[[int], Any]
KINDS = pytest.mark.parametrize(
    ("name", "make", "size"),
    [("named", make_named, 8), ("unique", make_unique, 8), ("plain", make_plain, 8), ("triple", make_triple, 5)],
    ids=["named", "unique", "plain", "triple"],
)


def fill(box: Box, name: str, make: Maker, size: int) -> Table[Any, Any]:
    table: Table[Any, Any] = getattr(box.tables, name)
    for number in range(size):
        table.insert(make(number))
    box.keep()
    assert len(rows_of(table)) == size
    return table


@KINDS
def test_basics(box: Box, name: str, make: Maker, size: int) -> None:
    """Counterpart of basic_tests."""
    table = fill(box, name, make, size)
    for row in list(table.scan()):
        table.delete(row)
    assert rows_of(table) == []
    box.keep()
    row = table.insert(make(0))
    box.keep()
    field = "id" if name == "unique" else "val"
    (row,) = table.scan()
    changed = table.update(row, **{field: getattr(row, field) + 1})
    box.keep()
    assert rows_of(table) == [changed] != [row]
    table.delete(table.get(table.key_of(changed)))
    box.keep()
    assert rows_of(table) == []
    fill(box, name, make, size)
    left = size
    while (row := next(table.scan(), None)) is not None:
        table.delete(row)
        left -= 1
        box.keep()
        assert len(rows_of(table)) == left
    assert left == 0


@KINDS
def test_inserting_and_removing(box: Box, name: str, make: Maker, size: int) -> None:
    """Counterpart of insert_remove_tests."""
    table = fill(box, name, make, size)
    for number in range(size):
        row = table.find(table.key_of(make(number)))
        assert row == make(number)
        table.delete(row)
        box.keep()
        assert table.find(table.key_of(make(number))) is None
        assert len(rows_of(table)) == size - number - 1
    table.insert(make(0))
    table.insert(make(1))
    box.keep()
    first, second = rows_of(table)
    table.delete(first)
    box.keep()
    assert rows_of(table) == [second]
    table.insert(make(first.id))
    box.keep()
    assert rows_of(table) == [first, second]
    table.delete(next(table.scan(reverse=True)))
    assert rows_of(table) == [first]
    table.delete(first)
    box.keep()
    assert rows_of(table) == []


@pytest.mark.parametrize(
    ("name", "row", "other"),
    [
        ("named", Named(0, "_name7", 7), Named(0, "_name8", 8)),
        ("unique", Unique(0, "the_same_name", 7), Unique(1, "the_same_name", 7)),
        ("plain", Plain(0, 7), Plain(0, 8)),
        ("plain", Plain(6, 7), Plain(6, 7)),
        ("triple", Triple(0, 20, 20, 0), Triple(0, 30, 0, 30)),
    ],
)
def test_collisions(box: Box, name: str, row: Any, other: Any) -> None:
    """Counterpart of insert_remove_collision_tests."""
    table: Table[Any, Any] = getattr(box.tables, name)
    table.insert(row)
    box.keep()
    with pytest.raises(RowExists):
        table.insert(other)
    box.keep()
    assert rows_of(table) == [row]
    table.delete(table.get(table.key_of(row)))
    table.insert(other)
    box.keep()
    assert rows_of(table) == [other]


def test_changing(box: Box) -> None:
    """Counterpart of modify_tests: keys of indexes change, also to equal ones; a primary key does not."""
    table = fill(box, "named", lambda number: Named(number, "_name", number + 100), 4)
    for row in list(table.scan()):
        table.update(row, name="new_name")
    box.keep()
    assert rows_of(table) == [Named(number, "new_name", number + 100) for number in range(4)]
    unique = fill(box, "unique", lambda number: Unique(number, "new_name", number + 100), 4)
    first = next(unique.scan())
    for row in list(unique.scan())[1:]:
        with pytest.raises(SchemaError, match="primary key"):
            unique.update(row, val=first.val)
        with pytest.raises(RowExists):
            unique.insert(row.replace(val=first.val))
    box.keep()
    assert list(map(astuple, rows_of(unique))) == list(map(astuple, rows_of(table)))
    plain = fill(box, "plain", lambda number: Plain(number, number + 100), 6)
    for row in list(plain.scan()):
        plain.update(row, val=2_889)
    box.keep()
    assert rows_of(plain) == [Plain(number, 2_889) for number in range(6)]
    assert list(plain.index("by_val").scan((2_889,))) == rows_of(plain)


def test_finding_and_walking(box: Box) -> None:
    """Counterpart of misc_tests."""
    size = 10
    table = fill(box, "unique", lambda number: Unique(number, "any_name", number + 200), size)
    assert rows_of(table) == [Unique(number, "any_name", number + 200) for number in range(size)]
    table.delete(next(table.scan()))
    table.delete(next(table.scan(reverse=True)))
    box.keep()
    assert len(rows_of(table)) == size - 2
    first, second, third = rows_of(table)[:3]
    table.delete(first)
    renamed = table.insert(first.replace(name="completely_different_name"))
    with pytest.raises(RowExists):
        table.insert(third.replace(name=renamed.name, val=renamed.val))
    table.delete(second)
    table.delete(third)
    box.keep()
    assert len(rows_of(table)) == size - 4
    assert rows_of(table)[-1] == renamed
    for row in list(table.scan()):
        table.delete(row)
    box.keep()
    assert rows_of(table) == []
    for number in range(size):
        if number == 0:
            table.insert(Unique(0, "all_objects_have_the_same_name", 667))
        else:
            with pytest.raises(RowExists):
                table.insert(Unique(number, "all_objects_have_the_same_name", 667))
    box.keep()
    (row,) = rows_of(table)
    assert row == Unique(0, "all_objects_have_the_same_name", 667)
    table.delete(row)
    fill(box, "unique", lambda number: Unique(number, f"object nr:{number}", 5_000), size)
    by_id = table.index("by_id")
    assert by_id.find((size - 1,)) == Unique(size - 1, "object nr:9", 5_000)
    assert by_id.find((987_654,)) is None
    assert by_id.find((0,)) is not None
    assert table.find(("stupid_name", 5_000)) is None
    assert next(table.scan()) == table.get(("object nr:0", 5_000))
    assert next(table.scan(reverse=True)) == table.get(("object nr:9", 5_000))
    assert len(list(table.scan(start=("object nr:0", 5_000)))) == size
    for row in list(table.scan(start=("object nr:0", 5_000))):
        table.delete(row)
    box.keep()
    assert rows_of(table) == []


def test_bounds_and_compound_keys(box: Box) -> None:
    """Counterpart of misc_tests3."""
    table = fill(box, "triple", lambda number: Triple(number, number + 1, number + 2, number + 3), 3)
    assert list(table.scan(start=(5_739_854,))) == []
    first, second, third = rows_of(table)
    assert list(table.scan(start=(first.id,))) == [first, second, third]
    assert list(table.scan(start=(first.id + 1,))) == [second, third]
    assert list(table.scan(start=(second.id,), reverse=True)) == [second, first]
    assert table.index("by_2").find((667, 5_000)) is None
    assert table.index("by_2").find((0 + 1, 0 + 2)) == first
    found = table.index("by_3").find((0 + 1, 0 + 3))
    assert found == first
    table.delete(found)
    box.keep()
    assert rows_of(table) == [second, third]
    assert table.index("by_3").find((0 + 1, 0 + 3)) is None
