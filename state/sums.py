"""Redundant sums over rows: the places of a symbol and its supply; delegations and the totals of accounts.

Each is declared once, for recounts of the whole state (state/invariants.py) and for checks of the changes of one
operation or step (state/watch.py).
"""

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Final, NamedTuple

from protocol.assets import CORE_SYMBOLS, SBD, STEEM, VESTS, paired_symbol
from state.engine.rows import list_fields
from state.places import HELD_IN, SLOTS, TOKEN_SLOTS
from state.tables.kinds import TokenShares
from state.tables.tables import Tables

Read = Callable[[Any], int]
"""Reads a row's contribution to a sum, in satoshis."""


class Part(NamedTuple):
    """The contribution of a table's rows to a sum; `field` is the field it is read from."""

    table: str
    field: str
    read: Read


class Sum(NamedTuple):
    """An invariant: the sum of `parts` over all rows equals the sum of the `stored` parts, the totals in the state."""

    text: str
    parts: tuple[Part, ...]
    stored: tuple[Part, ...]


def _fields(table: str, *fields: str) -> tuple[Part, ...]:
    return tuple(Part(table, field, attrgetter(field)) for field in fields)


def _read_held(read: Callable[[Any], tuple[int, int]], symbol: int) -> Read:
    def read_symbol(row: Any) -> int:
        satoshis, held = read(row)
        return satoshis if held == symbol else 0

    return read_symbol


def _read_satoshis(read: Callable[[Any], tuple[int, int]]) -> Read:
    return lambda row: read(row)[0]


def _list_places(symbol: int) -> tuple[Part, ...]:
    """All places of a symbol: the slots of purses, and the rows that hold money."""
    return tuple(
        part
        for table, items in SLOTS.items()
        for held, slot in items
        if held == symbol
        for part in _fields(table, slot.field)
    ) + tuple(
        Part(table, field, _read_held(read, symbol))
        for table, reads in HELD_IN.items()
        for field, read in reads.items()
    )


_GPO: Final = "global_properties"

SUPPLIES: Final = (
    Sum("supply of STEEM", _list_places(STEEM), _fields(_GPO, "current_supply")),
    Sum("supply of SBD", _list_places(SBD), _fields(_GPO, "current_sbd_supply", "init_sbd_supply")),
    Sum(
        "supply of VESTS", _list_places(VESTS), _fields(_GPO, "total_vesting_shares", "pending_rewarded_vesting_shares")
    ),
    Sum(
        "STEEM behind rewards to be claimed",
        _fields("accounts", "reward_vesting_steem"),
        _fields(_GPO, "pending_rewarded_vesting_steem"),
    ),
)
"""All money, and the supplies. Source: database::validate_invariants."""

DELEGATIONS: Final = (
    Sum(
        "VESTS that accounts delegated or wait to get back",
        _fields("accounts", "delegated_vesting_shares"),
        (
            *_fields("vesting_delegations", "vesting_shares"),
            *_fields("vesting_delegation_expirations", "vesting_shares"),
        ),
    ),
    Sum(
        "VESTS that accounts received",
        _fields("accounts", "received_vesting_shares"),
        _fields("vesting_delegations", "vesting_shares"),
    ),
)
"""Delegated stake in account rows, and the delegations themselves."""

AMOUNTS: Final = {
    table: (
        *_fields(table, *(slot.field for _, slot in SLOTS.get(table, ()) if not slot.may_owe)),
        *(Part(table, field, _read_satoshis(read)) for field, read in HELD_IN.get(table, {}).items()),
        *_fields(table, *TOKEN_SLOTS.get(table, ())),
    )
    for table in (*SLOTS, *HELD_IN, *TOKEN_SLOTS)
}
"""All fields of money that may not be negative, by table."""

TOKENS_STORED: Final = {
    "tokens": ("current_supply", "total_vesting_shares", "pending_rewarded_vesting_shares"),
}
"""The figures that the state keeps of what all places hold of each community token and of its shares."""

TokenRead = Callable[[Any], Iterator[tuple[int, int]]]
"""Reads what a row adds to the sum of each symbol, as (symbol, satoshis); figures that are kept of it are negative."""


def _read_tokens(table: str) -> TokenRead:
    spec = next(spec for spec in Tables.SPECS if spec.name == table)
    kinds = list_fields(spec.row)
    signed = [(field, 1) for field in TOKEN_SLOTS[table]] + [(field, -1) for field in TOKENS_STORED.get(table, ())]
    name_of = attrgetter("liquid_symbol" if table == "tokens" else "symbol")

    def read(row: Any) -> Iterator[tuple[int, int]]:
        symbol = name_of(row)
        for field, sign in signed:
            yield paired_symbol(symbol) if kinds[field] == TokenShares else symbol, sign * getattr(row, field)

    return read


def _read_held_tokens(table: str) -> TokenRead:
    reads = tuple(HELD_IN[table].values())

    def read(row: Any) -> Iterator[tuple[int, int]]:
        for each in reads:
            satoshis, symbol = each(row)
            if symbol not in CORE_SYMBOLS:
                yield symbol, satoshis

    return read


TOKEN_SUMS: Final[dict[str, TokenRead]] = {
    **{table: _read_tokens(table) for table in TOKEN_SLOTS},
    **{table: _read_held_tokens(table) for table in HELD_IN},
}
"""Reads by tables: over all rows of the state the satoshis of each community token, and of its shares, sum up to 0."""
