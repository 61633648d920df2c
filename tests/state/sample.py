"""Two small tables that use every feature of declarations."""

from __future__ import annotations

from typing import NamedTuple

from state.engine.declare import Index, TableSet, derived, table
from state.engine.rows import Row
from state.engine.table import Table


class Point(NamedTuple):
    """A nested value."""

    x: int
    label: str | None


def positive_rank(rank: int, is_open: bool) -> tuple[int, bool] | None:
    """Rank and openness of an item that has a rank."""
    return (rank, is_open) if rank > 0 else None


@table(
    1,
    key="name",
    indexes=(
        Index("by_id", "id"),
        Index("by_group", "group", "-rank", "name"),
        Index("by_rank", derived(positive_rank, "rank", "is_open")),
    ),
)
class Item(Row):
    """A row with a plain primary key, as accounts have."""

    name: str
    id: int
    group: int
    rank: int
    is_open: bool
    data: bytes
    point: Point
    points: tuple[Point, ...]


@table(2, key=("item", "voter"), indexes=(Index("by_voter", "voter", "item"), Index("by_weight", "weight")))
class Vote(Row):
    """A row with a compound primary key."""

    item: int
    voter: str
    weight: int


class SampleTables(TableSet):
    """The declared tables."""

    items: Table[Item, str]
    votes: Table[Vote, tuple[int, str]]


def build_item(name: str, id: int = 0, group: int = 0, rank: int = 0, **changes: object) -> Item:
    """An item with plain defaults."""
    row = Item(name, id, group, rank, False, b"", Point(0, None), ())
    return row.replace(**changes) if changes else row
