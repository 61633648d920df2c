"""Rows and their encoding: one byte with the version of the table, then a msgpack array of the fields.

The state digest covers these bytes, so the encoding is deterministic: integers and lengths in msgpack's shortest form,
strings as UTF-8, arrays for rows and tuples, and integers beyond 64 bits as an extension. msgspec writes them and reads
rows; msgpack does it where an integer is beyond 64 bits, which msgspec refuses.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, Generic, Self, TypeVar, dataclass_transform

import msgpack
import msgspec
from msgspec.structs import astuple, replace

from state.engine.errors import SchemaError, StoreCorrupt, StoreTooNew

VERSION_MAX: Final = 255
_BIG_INT: Final = 1
_PLAIN: Final = (int, str, bytes, bool, type(None))

Upgrade = Callable[[tuple[Any, ...]], tuple[Any, ...]]


@dataclass_transform(frozen_default=True)
class Row(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """Base of all rows: immutable, and made of plain values, tuples and named tuples."""

    def replace(self, **changes: Any) -> Self:
        """Returns a copy with other values in some fields; raises TypeError for an unknown field."""
        return replace(self, **changes)


RowT = TypeVar("RowT", bound=Row)


_make_extension: Final[Callable[[tuple[int, bytes]], msgpack.ExtType]] = partial(tuple.__new__, msgpack.ExtType)
"""Makes an extension value without validation."""


def _pack_big_int(value: Any) -> msgpack.ExtType:
    """Packs an integer beyond 64 bits as an extension: two's complement, big-endian, shortest form."""
    if not isinstance(value, int):
        raise SchemaError(f"a row cannot hold a {type(value).__name__}: {value!r}")
    return _make_extension((_BIG_INT, value.to_bytes((value.bit_length() >> 3) + 1, "big", signed=True)))


def _unpack_extension(code: int, data: bytes) -> int:
    if code != _BIG_INT:
        raise ValueError(f"unknown extension {code}")
    return int.from_bytes(data, "big", signed=True)


pack_wide: Final[Callable[[Any], bytes]] = msgpack.Packer(default=_pack_big_int, use_bin_type=True).pack
"""Packs integers of any size, and all else like msgspec."""
_encode: Final = msgspec.msgpack.Encoder().encode


def pack(value: Any) -> bytes:
    """Packs a value made of tuples, int, str, bytes, bool and None; raises SchemaError for anything else."""
    try:
        try:
            return _encode(value)
        except OverflowError:
            return pack_wide(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SchemaError(f"cannot be stored: {value!r}: {error}") from error


def unpack(data: bytes) -> Any:
    """Unpacks the result of `pack`; arrays become tuples. Raises StoreCorrupt."""
    try:
        return msgpack.unpackb(data, use_list=False, ext_hook=_unpack_extension, strict_map_key=False)
    except (ValueError, msgpack.UnpackException) as error:
        raise StoreCorrupt(f"a stored value cannot be read: {error}") from error


def list_fields(row_type: type[Row]) -> dict[str, Any]:
    """The fields of a row with their declared kinds."""
    hints = typing.get_type_hints(row_type, include_extras=True)
    return {name: hints[name] for name in row_type.__struct_fields__}


def plain_type(kind: Any) -> Any:
    """The Python type of a kind, without annotations."""
    while typing.get_origin(kind) is typing.Annotated or hasattr(kind, "__supertype__"):
        kind = kind.__supertype__ if hasattr(kind, "__supertype__") else typing.get_args(kind)[0]
    return kind


def check_kind(kind: Any) -> None:
    """Raises SchemaError unless a row may hold values of this kind.

    Allowed: int, str, bytes, bool, IntEnum, NamedTuple, tuple[X, ...], tuple[A, B] and X | None.
    """
    kind = plain_type(kind)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in _PLAIN or (isinstance(kind, type) and issubclass(kind, enum.IntEnum)):
        return
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        hints = typing.get_type_hints(kind, include_extras=True)
        arguments = tuple(hints[name] for name in kind._fields)
    elif origin in (types.UnionType, typing.Union) and len(arguments) == 2 and type(None) in arguments:
        pass
    elif origin is tuple:
        arguments = arguments[:1] if arguments[-1] is Ellipsis else arguments
    else:
        raise SchemaError(f"a row field cannot be declared as {kind!r}")
    for argument in arguments:
        check_kind(argument)


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

    __slots__ = ("_decode", "_head", "_name", "_tag", "_upgrades", "row_type", "version")

    def __init__(self, name: str, row_type: type[RowT], version: int, upgrades: Mapping[int, Upgrade]) -> None:
        if not issubclass(row_type, Row):
            raise SchemaError(f"{name}: a row is a Row, not {row_type!r}")
        if not 1 <= version <= VERSION_MAX:
            raise SchemaError(f"{name}: version {version} is not between 1 and {VERSION_MAX}")
        fields = list_fields(row_type)
        for kind in fields.values():
            check_kind(kind)
        self._name = name
        self._tag = bytes([version])
        self._head = self._tag + msgpack.Packer().pack_array_header(len(fields))
        self._decode = msgspec.msgpack.Decoder(row_type).decode
        self._upgrades = upgrades
        self.row_type = row_type
        self.version = version

    def encode(self, row: RowT) -> bytes:
        """Encodes one row; raises SchemaError when it holds something that cannot be stored."""
        try:
            return self._tag + _encode(row)
        except OverflowError:
            return self._tag + pack(astuple(row))
        except (TypeError, ValueError) as error:
            raise SchemaError(f"cannot be stored: {row!r}: {error}") from error

    def decode(self, data: bytes) -> RowT:
        """Decodes one row, upgrading an older version; raises StoreTooNew or StoreCorrupt."""
        if data.startswith(self._head):
            try:
                return self._decode(data[1:])
            except msgspec.DecodeError:  # Wide integers, or damage.
                pass
        return self._decode_slowly(data)

    def _decode_slowly(self, data: bytes) -> RowT:
        version = data[0] if data else 0
        values = unpack(data[1:])
        if version != self.version:
            values = self._upgrade(version, values)
        width = len(self.row_type.__struct_fields__)
        if not isinstance(values, tuple) or len(values) != width:
            raise StoreCorrupt(f"{self._name}: a row of {width} fields cannot be {values!r}")
        try:
            return msgspec.convert(values, self.row_type)
        except msgspec.ValidationError as error:
            raise StoreCorrupt(f"{self._name}: a row cannot be read: {error}") from error

    def check(self, row: RowT, data: bytes) -> None:
        """Raises SchemaError unless the encoded row decodes to an equal row, types included."""
        try:
            back = self.decode(data)
        except StoreCorrupt as error:
            raise SchemaError(f"{self._name}: row would not survive storage: {row!r}: {error}") from error
        if not _is_same(astuple(row), astuple(back)):
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
