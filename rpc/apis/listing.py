"""Paged lists of rows: their sort orders, and the conversion of `start` to a position in an index."""

from collections.abc import Callable, Iterator, Mapping
from inspect import Parameter, Signature, signature
from itertools import islice
from typing import Annotated, Any

from protocol.assets import Price
from protocol.errors import Rejected
from protocol.times import parse_time
from rpc.casts import as_bool, as_integer, as_text
from rpc.kinds import AtMost, Items, Name, OneOf, Start, Unsigned
from rpc.method import rpc_method
from rpc.objects import Json
from rpc.slices import PAUSE, Steps
from state.engine.index import IndexView
from state.engine.table import Table
from state.tables.market import LimitOrder, price_key

LIMIT_MAX = 1000
"""Maximum number of rows per call (DATABASE_API_SINGLE_QUERY_LIMIT)."""

PageLimit = Annotated[Unsigned, AtMost(LIMIT_MAX, "args.limit <= DATABASE_API_SINGLE_QUERY_LIMIT")]
"""Maximum number of rows of a list."""

PageItems = Items(LIMIT_MAX, "args.{name}.size() <= DATABASE_API_SINGLE_QUERY_LIMIT")
"""Maximum number of keys per call."""

Names = Annotated[list[Name], PageItems]
"""Names of the requested rows."""

ENUMS = "steem::plugins::database_api::"
"""Namespace of the reference's enumerations."""

SORT_ORDERS = (
    *("by_name", "by_proxy", "by_next_vesting_withdrawal", "by_account", "by_expiration", "by_effective_date"),
    *("by_vote_name", "by_schedule_time", "by_account_witness", "by_witness_account", "by_from_id"),
    *("by_ratification_deadline", "by_withdraw_route", "by_destination", "by_complete_from_id", "by_to_complete"),
    *("by_delegation", "by_account_expiration", "by_conversion_date", "by_cashout_time", "by_permlink", "by_root"),
    *("by_parent", "by_last_update", "by_author_last_update", "by_comment_voter", "by_voter_comment", "by_price"),
    *("by_symbol_contributor", "by_symbol", "by_control_account", "by_symbol_time", "by_creator", "by_start_date"),
    *("by_end_date", "by_total_votes", "by_voter_proposal", "by_proposal_voter", "by_contributor", "by_symbol_id"),
)
SortOrder = Annotated[str, OneOf(SORT_ORDERS, f"{ENUMS}sort_order_type")]
"""The sort order of a list; each list supports some of them. Source: database_api_args.hpp, sort_order_type."""

NAME = "name"
TIME = "time"
NUMBER = "number"
DESCENDING = "descending"
FLAG = "flag"


Orders = Mapping[str, tuple[str, ...]]
"""The sort orders of a list: by name the index (none: primary key), and the kinds of the parts of `start`."""


def list_rows(
    table: Table[Any, Any], orders: Orders, start: Any, limit: int, order: str, show: Callable[[Any], Json]
) -> Steps:
    """Up to `limit` rows from `start` on, in the given order. Raises Rejected."""
    if order not in orders:
        raise Rejected("false", "Unknown or unsupported sort order")
    for row in islice(find_index(table, order).scan(start=parse_start(start, orders[order]) or None), limit):
        yield show(row)


def find_index(table: Table[Any, Any], order: str) -> Table[Any, Any] | IndexView[Any]:
    """Returns the index of this name, or the table itself."""
    return table.index(order) if any(order == index.name for index in table.spec.indexes) else table


def listed(rows: str, table: str, text: str, **orders: tuple[str, ...]) -> Callable[..., Steps]:
    """Declares a method that lists all rows of a table, by default in the first of the orders."""
    usual, parts = next(iter(orders.items()))
    beginning = "" if len(parts) == 1 else None

    def list_all(
        self: Any,
        start: Start = beginning,
        limit: PageLimit = LIMIT_MAX,
        order: SortOrder = usual,
    ) -> Steps:
        yield from list_rows(getattr(self.tables, table), orders, start, limit, order, self.forms.show)

    return _declare(list_all, rows, text)


def owned(
    rows: str, table: str, text: str, parameter: str, index: str = "", show: str = "show"
) -> Callable[..., Steps]:
    """Declares a method that lists the rows whose key (or index key) begins with an account, each shown by a form."""

    def find_owned(self: Any, account: Name = "") -> Steps:
        for row in islice(find_index(getattr(self.tables, table), index).scan((account,)), LIMIT_MAX):
            yield getattr(self.forms, show)(row)

    return _declare(find_owned, rows, text, parameter)


def named(
    rows: str, table: str, text: str, parameter: str = "accounts", is_required: bool = False
) -> Callable[..., Steps]:
    """Declares a method that returns the existing rows among the given names."""

    def find_named(self: Any, names: Names | None = None) -> Steps:
        for name in names or []:
            row = getattr(self.tables, table).find(name)
            yield PAUSE if row is None else self.forms.show(row)

    return _declare(find_named, rows, text, parameter, is_required)


def _declare(
    handler: Callable[..., Steps], rows: str, text: str, name: str = "", is_required: bool = False
) -> Callable[..., Steps]:
    """Sets the docstring of a handler, and the name of its parameter."""
    handler.__doc__ = text
    if name:
        one, given = signature(handler).parameters.values()
        default = Parameter.empty if is_required else given.default
        kind = Names if is_required else given.annotation
        handler.__dict__["__signature__"] = Signature([one, given.replace(name=name, default=default, annotation=kind)])
        handler.__annotations__ = {name: kind}
    return rpc_method(rows=rows)(handler)


def parse_start(start: Any, parts: tuple[str, ...]) -> tuple[Any, ...]:
    """Returns the key at which a list begins. null, "", 0 and an empty array all mean the first."""
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


def scan_prices(index: IndexView[LimitOrder], start: Price | None, number: int) -> Iterator[LimitOrder]:
    """The orders of all markets, from an order of a price on: the market of the greatest symbols first, and in each
    the greatest price. Source: limit_order_object.hpp, by_price; asset.cpp, comparison of price.
    """
    market = None
    if start is not None:
        market = start.base.symbol, start.quote.symbol
        yield from index.scan(market, start=(*price_key(start), number) if start.quote.amount else None)
    while True:
        below = None if market is None else (market[0], market[1] - 1)
        last = next(index.scan(start=below, reverse=True), None)
        if last is None:
            return
        market = last.sell_price.base.symbol, last.sell_price.quote.symbol
        yield from index.scan(market)
