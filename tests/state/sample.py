"""Two small tables that use every feature of declarations."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from state.engine.table import Index, Table, TableSpec


class Point(NamedTuple):
    """A nested value."""

    x: int
    label: str | None


class Item(NamedTuple):
    """A row with a plain primary key, as accounts have."""

    name: str
    id: int
    group: int
    rank: int
    is_open: bool
    data: bytes
    point: Point
    points: tuple[Point, ...]


class Vote(NamedTuple):
    """A row with a compound primary key."""

    item: int
    voter: str
    weight: int


ITEMS = TableSpec(
    "items",
    1,
    Item,
    key=lambda row: row.name,
    indexes=(
        Index("by_id", lambda row: (row.id,), fields=()),
        Index("by_group", lambda row: (row.group, -row.rank, row.name), fields=("group", "rank")),
        Index("by_rank", lambda row: (row.rank, row.is_open) if row.rank > 0 else None),
    ),
)
VOTES = TableSpec(
    "votes",
    2,
    Vote,
    key=lambda row: (row.item, row.voter),
    indexes=(Index("by_voter", lambda row: (row.voter, row.item)), Index("by_weight", lambda row: (row.weight,))),
)


class SampleTables:
    """The declared tables."""

    SPECS: ClassVar[tuple[TableSpec[Item, str] | TableSpec[Vote, tuple[int, str]], ...]] = (ITEMS, VOTES)
    items: Table[Item, str]
    votes: Table[Vote, tuple[int, str]]


def build_item(name: str, id: int = 0, group: int = 0, rank: int = 0, **changes: object) -> Item:
    """An item with plain defaults."""
    row = Item(name, id, group, rank, False, b"", Point(0, None), ())
    return row._replace(**changes) if changes else row  # type: ignore[arg-type]
