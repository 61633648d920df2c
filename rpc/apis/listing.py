"""Paged lists of rows: which orders a list has, and how the `start` a client sends becomes a place in an index."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Annotated, Any, NamedTuple

from protocol.errors import Rejected
from protocol.times import parse_time
from rpc.casts import as_bool, as_integer, as_text
from rpc.kinds import AtMost, Items, Name, Unsigned
from rpc.objects import Json
from rpc.slices import Steps
from state.table import Table

LIMIT_MAX = 1000
"""Rows that one call may ask for (DATABASE_API_SINGLE_QUERY_LIMIT)."""

PageLimit = Annotated[Unsigned, AtMost(LIMIT_MAX, "args.limit <= DATABASE_API_SINGLE_QUERY_LIMIT")]
"""How many rows a list shows at most."""

PageItems = Items(LIMIT_MAX, "args.{name}.size() <= DATABASE_API_SINGLE_QUERY_LIMIT")
"""How many rows one call may name."""

Names = Annotated[list[Name], PageItems]
"""Names of the rows that are wanted."""

NAME = "name"
TIME = "time"
NUMBER = "number"
DESCENDING = "descending"
FLAG = "flag"


class Order(NamedTuple):
    """One order of a list: the index it walks (None: the primary key) and the kinds of the parts of `start`."""

    path: str | None
    parts: tuple[str, ...]


def list_rows(
    table: Table[Any, Any], orders: dict[str, Order], start: Any, limit: int, order: str, show: Callable[[Any], Json]
) -> Steps:
    """Up to `limit` rows from `start` on, in the given order. Raises Rejected."""
    chosen = orders.get(order)
    if chosen is None:
        raise Rejected("false", "Unknown or unsupported sort order")
    for row in islice(_scan(table, chosen, parse_start(start, chosen.parts)), limit):
        yield show(row)


def _scan(table: Table[Any, Any], order: Order, start: tuple[Any, ...]) -> Iterator[Any]:
    if order.path is None:
        return table.scan(start=start or None)
    return table.index(order.path).scan(start=start or None)


def parse_start(start: Any, parts: tuple[str, ...]) -> tuple[Any, ...]:
    """The place where a list begins. null, "", 0 and an empty array all mean the beginning."""
    if start in (None, "", 0, []):
        return ()
    values = start if isinstance(start, list) else [start]
    if len(values) > len(parts):
        text = "start takes up to ${n} values: ${parts}"
        raise Rejected("key.size() <= ${n}", text, n=len(parts), parts=", ".join(parts))
    return tuple(_parse_part(value, kind) for value, kind in zip(values, parts, strict=False))


def _parse_part(value: Any, kind: str) -> Any:
    if kind == NAME:
        return as_text(value)
    if kind == FLAG:
        return as_bool(value)
    if kind == TIME and isinstance(value, str) and "-" in value[1:]:
        return parse_time(value)
    number = as_integer(value, "number", bits=128)
    return -number if kind == DESCENDING else number
