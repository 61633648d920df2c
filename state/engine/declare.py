"""Declarations of tables: a row class says its table's number, its primary key and its indexes by field names.

    @table(25, key=("seller", "orderid"), indexes=(Index("by_expiration", "expiration", "id"),))
    class LimitOrder(Row):
        ...

    class Tables(TableSet):
        limit_orders: Table[LimitOrder, tuple[str, int]]

The attribute in the set of tables names the table. What does not fit together fails when it is declared.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, ClassVar, Final, Generic

from state.engine.errors import SchemaError
from state.engine.rows import VERSION_MAX, RowT, Upgrade, list_fields, plain_type

OrderKey = tuple[Any, ...]
Place = Callable[[Any], OrderKey | None]
"""Computes a row's key in an index, ending in its primary key; None if the row is not in the index."""

NUMBER_MAX: Final = 0xFFFF
_DECLARED: Final[dict[type[Any], TableSpec[Any]]] = {}


@dataclass(frozen=True, slots=True)
class Derived:
    """Components of an index key that are computed: ``compute`` takes the values of the named fields.

    It returns a tuple of components, or None for a row that is not in the index.
    """

    compute: Callable[..., OrderKey | None]
    fields: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.compute.__name__}({', '.join(self.fields)})"


def derived(compute: Callable[..., OrderKey | None], *fields: str) -> Derived:
    """Components of an index key that a named function computes from fields."""
    return Derived(compute, fields)


class Index:
    """An ordered index over fields of a row.

    A part is the name of a field, "-" and the name of a number for descending order (the component is the negative
    number), or one that is `derived`. Rows with equal parts follow each other by primary key.
    """

    __slots__ = ("name", "parts")

    def __init__(self, name: str, *parts: str | Derived) -> None:
        self.name = name
        self.parts = parts

    def __str__(self) -> str:
        return f"{self.name}: {', '.join(map(str, self.parts))}"

    @property
    def fields(self) -> frozenset[str]:
        """The fields whose change can move a row in the index."""
        names: set[str] = set()
        for part in self.parts:
            names.update((part.removeprefix("-"),) if isinstance(part, str) else part.fields)
        return frozenset(names)

    def complete(self, primary: tuple[str, ...]) -> tuple[str | Derived, ...]:
        """The parts of a key in the index; the primary key at the end makes it unique."""
        return self.parts if self.parts[-len(primary) :] == primary else (*self.parts, *primary)

    def build_place(self, primary: tuple[str, ...]) -> Place:
        """Builds the function that computes a row's key in the index."""
        parts = self.complete(primary)
        if len(parts) > 1 and all(isinstance(part, str) and part[0] != "-" for part in parts):
            return attrgetter(*map(str, parts))
        known: dict[str, Any] = {}
        components: list[str] = []
        condition = ""
        for number, part in enumerate(parts):
            if isinstance(part, str):
                components.append(f"-row.{part[1:]}" if part[0] == "-" else f"row.{part}")
                continue
            known[f"compute{number}"] = part.compute
            values = ", ".join(f"row.{field}" for field in part.fields)
            condition += f"None if (part{number} := compute{number}({values})) is None else "
            components.append(f"*part{number}")
        place: Place = eval(f"lambda row: {condition}({', '.join(components)},)", known)
        return place


@dataclass(frozen=True, slots=True)
class TableSpec(Generic[RowT]):
    """The declaration of a table."""

    name: str
    number: int
    row: type[RowT]
    key: str | tuple[str, ...]
    indexes: tuple[Index, ...]
    version: int
    upgrades: Mapping[int, Upgrade]
    is_observable: bool

    @property
    def primary(self) -> tuple[str, ...]:
        """The fields of the primary key."""
        return (self.key,) if isinstance(self.key, str) else self.key

    def find_types(self, parts: tuple[str | Derived, ...]) -> tuple[type | None, ...] | None:
        """The Python types of the components of a key; None if they are known only from a row."""
        fields = list_fields(self.row)
        if not all(isinstance(part, str) for part in parts):
            return None
        return tuple(plain_type(fields[str(part).removeprefix("-")]) for part in parts)

    @property
    def watched(self) -> frozenset[str]:
        """The fields whose change may move a row in an index, or change its primary key, which is refused."""
        return frozenset(self.primary).union(*(index.fields for index in self.indexes))

    def check(self) -> None:
        """Raises SchemaError for an inconsistent declaration."""
        names = [index.name for index in self.indexes]
        unknown = sorted(self.watched - set(self.row.__struct_fields__))
        if unknown:
            raise SchemaError(f"{self.row.__name__} has no fields {unknown}, which its key or an index names")
        if len(set(names)) != len(names) or not self.primary or not all(index.parts for index in self.indexes):
            raise SchemaError(f"{self.row.__name__}: indexes have one name or no fields, or the key has none")
        if not 0 <= self.number <= NUMBER_MAX or not 1 <= self.version <= VERSION_MAX:
            raise SchemaError(f"{self.row.__name__}: number {self.number} or version {self.version} is out of range")


def table(
    number: int,
    *,
    key: str | tuple[str, ...],
    indexes: tuple[Index, ...] = (),
    version: int = 1,
    upgrades: Mapping[int, Upgrade] | None = None,
    is_observable: bool = False,
) -> Callable[[type[RowT]], type[RowT]]:
    """Declares the table of a row class. ``number`` is frozen for ever; the fields of ``key`` never change.

    Raise ``version`` whenever the fields of the row change, and give ``upgrades[n]``, which turns the plain field
    values of version n into those of version n + 1. The changes of ``is_observable`` rows are shown to indexes outside
    the state.
    """

    def declare(row: type[RowT]) -> type[RowT]:
        spec = TableSpec(row.__name__, number, row, key, indexes, version, upgrades or {}, is_observable)
        spec.check()
        _DECLARED[row] = spec
        return row

    return declare


def list_declared(package: str) -> set[type[Any]]:
    """The row classes with a table that the modules of a package declare, as far as they are imported."""
    return {row for row in _DECLARED if row.__module__.rpartition(".")[0] == package}


class TableSet:
    """Base of a class that lists tables as annotations; the store sets these attributes, the tables themselves."""

    SPECS: ClassVar[tuple[TableSpec[Any], ...]] = ()

    def __init_subclass__(cls) -> None:
        hints = typing.get_type_hints(cls)
        cls.SPECS = tuple(_find_annotated(name, kind) for name, kind in hints.items() if name != "SPECS")
        numbers = [spec.number for spec in cls.SPECS]
        if len(set(numbers)) != len(numbers):
            raise SchemaError(f"two tables of {cls.__name__} have one number")


def find_spec(name: str, row: type[RowT]) -> TableSpec[RowT]:
    """The declaration of a row class as the table of this name; raises SchemaError for one that declares none."""
    spec = _DECLARED.get(row)
    if spec is None:
        raise SchemaError(f"{name}: {row.__name__} declares no table")
    return replace(spec, name=name)


def _find_annotated(name: str, kind: Any) -> TableSpec[Any]:
    """The declaration of the table that an annotation `Table[row, key]` names."""
    row, key = typing.get_args(kind)
    spec: TableSpec[Any] = find_spec(name, row)
    fields = list_fields(row)
    kinds = tuple(plain_type(fields[field]) for field in spec.primary)
    declared: Any = kinds[0] if isinstance(spec.key, str) else tuple[kinds]  # type: ignore[valid-type]
    if key != declared:
        raise SchemaError(f"{name}: the key of {row.__name__} is {declared}, not {key}")
    return spec
