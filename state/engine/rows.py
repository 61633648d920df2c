"""Rows on disk: one version byte, then a msgpack array of the fields; nested NamedTuples come back as such."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar

import msgpack

from state.engine.errors import SchemaError, StoreCorrupt, StoreTooNew

RowT = TypeVar("RowT", bound=tuple[Any, ...])
Restore = Callable[[Any], Any]
Upgrade = Callable[[tuple[Any, ...]], tuple[Any, ...]]

VERSION_MAX: Final = 255
_BIG_INT: Final = 1
_PLAIN: Final = (int, str, bytes, bool, type(None))
_tuple_new: Final = tuple.__new__


def _pack_big_int(value: Any) -> msgpack.ExtType:
    """Integers beyond 64 bits travel as an extension: two's complement, big-endian, as short as possible."""
    if not isinstance(value, int):
        raise SchemaError(f"a row cannot hold a {type(value).__name__}: {value!r}")
    return msgpack.ExtType(_BIG_INT, value.to_bytes((value.bit_length() >> 3) + 1, "big", signed=True))


def _unpack_extension(code: int, data: bytes) -> int:
    if code != _BIG_INT:
        raise ValueError(f"unknown extension {code}")
    return int.from_bytes(data, "big", signed=True)


_pack: Final[Callable[[Any], bytes]] = msgpack.Packer(default=_pack_big_int, use_bin_type=True).pack


def pack(value: Any) -> bytes:
    """Packs a value made of tuples, int, str, bytes, bool and None; raises SchemaError for anything else."""
    try:
        return _pack(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SchemaError(f"cannot be stored: {value!r}: {error}") from error


def unpack(data: bytes) -> Any:
    """Reads what pack wrote; arrays come back as tuples. Raises StoreCorrupt."""
    try:
        return msgpack.unpackb(data, use_list=False, ext_hook=_unpack_extension, strict_map_key=False)
    except (ValueError, msgpack.UnpackException) as error:
        raise StoreCorrupt(f"a stored value cannot be read: {error}") from error


def is_named_tuple(kind: Any) -> bool:
    """Tells whether a type is a NamedTuple class."""
    return isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields")


def _restore_sequence(restores: list[Restore | None]) -> Restore | None:
    places = [(position, restore) for position, restore in enumerate(restores) if restore is not None]
    if not places:
        return None

    def restore_places(value: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(value)
        for position, restore in places:
            values[position] = restore(values[position])
        return tuple(values)

    return restore_places


def _restore_named(kind: Any) -> Restore:
    hints = typing.get_type_hints(kind)
    inner = _restore_sequence([build_restore(hints[name]) for name in kind._fields])
    if inner is None:
        return lambda value: _tuple_new(kind, value)
    restore_fields = inner
    return lambda value: _tuple_new(kind, restore_fields(value))


def build_restore(kind: Any) -> Restore | None:
    """Builds the function that gives an unpacked value its declared type; None when it has it already.

    Allowed: int, str, bytes, bool, IntEnum, NamedTuple, tuple[X, ...], tuple[A, B] and X | None; raises SchemaError.
    """
    while typing.get_origin(kind) is typing.Annotated or hasattr(kind, "__supertype__"):
        kind = kind.__supertype__ if hasattr(kind, "__supertype__") else typing.get_args(kind)[0]
    if kind in _PLAIN:
        return None
    if is_named_tuple(kind):
        return _restore_named(kind)
    if isinstance(kind, type) and issubclass(kind, enum.IntEnum):
        return kind
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        options = [option for option in arguments if option is not type(None)]
        if len(options) == 1:
            present = build_restore(options[0])
            return None if present is None else lambda value: None if value is None else present(value)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            item = build_restore(arguments[0])
            return None if item is None else lambda value: tuple([item(element) for element in value])
        return _restore_sequence([build_restore(argument) for argument in arguments])
    raise SchemaError(f"a row field cannot be declared as {kind!r}")


@lru_cache(256)
def _restore_row(row_type: Any) -> tuple[Restore | None, int]:
    """The function that gives the values of a row their declared types, and how many there are."""
    hints = typing.get_type_hints(row_type)
    fields: tuple[str, ...] = row_type._fields
    return _restore_sequence([build_restore(hints[field]) for field in fields]), len(fields)


def _is_same(left: Any, right: Any) -> bool:
    """Equality that also compares types, and accepts only what a row may hold."""
    if type(left) is not type(right) or not isinstance(left, (tuple, *_PLAIN)):
        return False
    if isinstance(left, tuple):
        return len(left) == len(right) and all(map(_is_same, left, right))
    return bool(left == right)


class RowCodec(Generic[RowT]):
    """Encodes and decodes the rows of one table.

    ``upgrades[n]`` turns the plain field values of version n into those of version n + 1.
    """

    __slots__ = ("_name", "_restore", "_tag", "_upgrades", "_width", "row_type", "version")

    def __init__(self, name: str, row_type: type[RowT], version: int, upgrades: Mapping[int, Upgrade]) -> None:
        if not is_named_tuple(row_type):
            raise SchemaError(f"{name}: a row is a NamedTuple, not {row_type!r}")
        if not 1 <= version <= VERSION_MAX:
            raise SchemaError(f"{name}: version {version} is not between 1 and {VERSION_MAX}")
        self._name = name
        self._restore, self._width = _restore_row(row_type)
        self._tag = bytes([version])
        self._upgrades = upgrades
        self.row_type = row_type
        self.version = version

    def encode(self, row: RowT) -> bytes:
        """Encodes one row; raises SchemaError when it holds something that cannot be stored."""
        return self._tag + pack(row)

    def decode(self, data: bytes) -> RowT:
        """Decodes one row, upgrading an older version; raises StoreTooNew or StoreCorrupt."""
        version = data[0] if data else 0
        values = unpack(data[1:])
        if version != self.version:
            values = self._upgrade(version, values)
        if len(values) != self._width:
            raise StoreCorrupt(f"{self._name}: a row has {len(values)} fields, its table declares {self._width}")
        if self._restore is not None:
            values = self._restore(values)
        return _tuple_new(self.row_type, values)

    def check(self, row: RowT, data: bytes) -> None:
        """Raises SchemaError unless the encoded row comes back as it was, types included."""
        back = self.decode(data)
        if not _is_same(row, back):
            raise SchemaError(f"{self._name}: row would not survive storage: {row!r} comes back as {back!r}")

    def _upgrade(self, version: int, values: tuple[Any, ...]) -> tuple[Any, ...]:
        if version > self.version:
            raise StoreTooNew(f"{self._name}: a row has version {version}, this program knows up to {self.version}")
        while version < self.version:
            upgrade = self._upgrades.get(version)
            if upgrade is None:
                raise StoreCorrupt(f"{self._name}: a row has version {version}, which cannot be upgraded")
            values = upgrade(values)
            version += 1
        return values
