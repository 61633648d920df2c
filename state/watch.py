"""Invariants that a running node checks over the changes of each block.

A violation is reported as a Complaint in the block's effects. The block is not refused: validity is defined by
consensus alone, and other nodes would accept it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, NamedTuple

from protocol.assets import nai_string
from state.engine.store import Store
from state.engine.table import RowChange
from state.invariant_names import CHECKED
from state.sums import AMOUNTS, DELEGATIONS, SUPPLIES, TOKEN_SUMS, Part, Sum

Check = Callable[[Iterable[RowChange]], str]
"""Checks changed rows; returns the problem as part of a sentence, or ""."""


class Complaint(NamedTuple):
    """A violated invariant; `cause` is the operation or step after which it no longer held.

    `trx_id` is the id of the operation's transaction, empty for a step.
    """

    invariant: str
    block: int
    cause: str
    trx_id: bytes
    found: str

    def __str__(self) -> str:
        place = f"block {self.block}, transaction {self.trx_id.hex()}" if self.trx_id else f"block {self.block}"
        return f"{self.cause} broke the invariant {self.invariant} in {place}: {self.found}"


class _Terms(NamedTuple):
    """The terms of one table in sums: `read` returns the values of a row, `sums` the sum number and sign of each value.

    `nothing` are the values of an absent row.
    """

    read: Callable[[Any], tuple[int, ...]]
    sums: tuple[tuple[int, int], ...]
    nothing: tuple[int, ...]


class SumCheck:
    """Checks sums whose two sides must change by the same amount."""

    def __init__(self, sums: Sequence[Sum]) -> None:
        self._sums = sums
        sides = [
            (number, sign, side)
            for number, each in enumerate(sums)
            for sign, side in ((1, each.parts), (-1, each.stored))
        ]
        parts = [(part, (number, sign)) for number, sign, side in sides for part in side]
        self._tables = {table: _make_terms(table, parts) for table in {part.table for part, _ in parts}}

    def __call__(self, changes: Iterable[RowChange]) -> str:
        """Compares the changes of both sides of each sum."""
        differences = [0] * len(self._sums)
        find = self._tables.get
        for table, _, old, new in changes:
            terms = find(table.name)
            if terms is None:
                continue
            before = terms.nothing if old is None else terms.read(old)
            after = terms.nothing if new is None else terms.read(new)
            if before != after:
                for less, more, (number, sign) in zip(before, after, terms.sums, strict=True):
                    if less != more:
                        differences[number] += sign * (more - less)
        for each, difference in zip(self._sums, differences, strict=True):
            if difference:
                return f"{each.text}: the rows changed by {difference} more than the figure that is kept of them"
        return ""


def _make_terms(table: str, parts: Sequence[tuple[Part, tuple[int, int]]]) -> _Terms:
    mine = [(part.read, place) for part, place in parts if part.table == table]
    reads = [read for read, _ in mine]
    fields = [part.field for part, _ in parts if part.table == table]
    is_plain = len(reads) > 1 and all(isinstance(read, attrgetter) for read in reads)
    read_all: Callable[[Any], tuple[int, ...]] = (
        attrgetter(*fields) if is_plain else lambda row: tuple(read(row) for read in reads)
    )
    return _Terms(read_all, tuple(place for _, place in mine), (0,) * len(mine))


def check_balances(changes: Iterable[RowChange]) -> str:
    """Checks that no place of money is negative."""
    for table, key, _, new in changes:
        if new is not None and (parts := AMOUNTS.get(table.name)):
            for part in parts:
                if part.read(new) < 0:
                    return f"{part.field} of {table.name} {key!r} is {part.read(new)}"
    return ""


def check_token_supply(changes: Iterable[RowChange]) -> str:
    """What all places have of each community token, and of its shares, changes with its supply."""
    differences: Counter[int] = Counter()
    for table, _, old, new in changes:
        if (read := TOKEN_SUMS.get(table.name)) is None:
            continue
        for row, sign in ((old, -1), (new, 1)):
            if row is not None:
                for symbol, satoshis in read(row):
                    differences[symbol] += sign * satoshis
    for symbol, difference in differences.items():
        if difference:
            return f"{nai_string(symbol)}: the rows changed by {difference} more than the figure that is kept of them"
    return ""


def check_index(changes: Iterable[RowChange]) -> str:
    """Checks that a row is in every index under its new key, and no longer under its former key."""
    for table, key, old, new in changes:
        if name := table.find_broken_index(old, new):
            return f"{table.name} {key!r} is not in {name} under its key"
    return ""


CHECKS: Final[dict[str, Check]] = dict(
    zip(
        CHECKED,
        (SumCheck(SUPPLIES), check_balances, SumCheck(DELEGATIONS), check_index, check_token_supply),
        strict=True,
    )
)
"""All checks by name."""


def find_broken(names: Iterable[str], changes: Sequence[RowChange]) -> list[tuple[str, str]]:
    """Returns the named invariants that the changed rows violate, each with its problem."""
    return [(name, text) for name in names if (text := CHECKS[name](changes))]


class Tracer:
    """Finds the operations and steps that violate invariants, while a block is applied."""

    def __init__(self, store: Store[Any], names: Iterable[str], block: int) -> None:
        """Requires that a checkpoint was just opened for the block. Raises KeyError for an unknown name."""
        self._store = store
        self._names = tuple(names)
        self._block = block
        self._mark = 0
        self.complaints: list[Complaint] = []

    def look(self, cause: str, trx_id: bytes = b"") -> None:
        """Checks the changes since the last call, which `cause` (an operation or a step) made."""
        self._mark, changes = self._store.list_changes(self._mark)
        self.complaints += [
            Complaint(name, self._block, cause, trx_id, text) for name, text in find_broken(self._names, changes)
        ]
