"""Self-describing values: the user data of a hello, and the log lines of an error.

A value is a byte with its type and then its content. In Python: null is None, a string a str, an array a tuple, an
object a dict that keeps its order. An integer is an unsigned one unless it is negative or an ``Int64``; a
floating-point number stays packed in a ``Double``, since nothing here computes with it. Of two members of one name the
last one counts, as in the reference.

Source: libraries/fc/include/fc/io/raw_variant.hpp, raw_fwd.hpp.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Annotated, Any, Final, NamedTuple

from protocol.shapes import Shape, text_from_bytes, text_to_bytes
from protocol.wire import DEPTH_MAX, Malformed, Reader, pack_varint

VARIANT_VALUES_MAX: Final = 10_000
"""Maximum number of values inside one value, at all levels."""
VARIANT_TEXT_BYTES_MAX: Final = 1 << 20
"""Maximum length of a string and of the name of a member."""

_PACK_INT64: Final = struct.Struct("<q")
_PACK_UINT64: Final = struct.Struct("<Q")


class Kind(IntEnum):
    """The types of values, by the byte in front of them."""

    NULL = 0
    INT64 = 1
    UINT64 = 2
    DOUBLE = 3
    BOOL = 4
    STRING = 5
    ARRAY = 6
    OBJECT = 7


class Int64(int):
    """An integer that the wire carries as a signed one; it compares and computes like any other."""

    __slots__ = ()


class Double(NamedTuple):
    """A floating-point number as its 8 bytes, IEEE 754 and little-endian."""

    packed: bytes


class _Budget:
    """The number of values still allowed, and the current depth of nesting."""

    __slots__ = ("depth", "left")

    def __init__(self) -> None:
        self.depth = 0
        self.left = VARIANT_VALUES_MAX

    def enter(self, count: int, offset: int | None = None) -> None:
        """Enters an array or object of ``count`` members; raises Malformed above the maximum number or depth."""
        self.depth += 1
        self.left -= count
        if self.depth > DEPTH_MAX:
            raise Malformed(f"the value nests deeper than {DEPTH_MAX}", offset)
        if self.left < 0:
            raise Malformed(f"the value holds more than {VARIANT_VALUES_MAX} others", offset)

    def leave(self) -> None:
        """Leaves the array or object that was entered last."""
        self.depth -= 1


class VariantShape(Shape):
    """Any value with its type in front."""

    def write(self, value: Any, out: bytearray) -> None:
        _write_variant(value, out, _Budget())

    def read(self, reader: Reader) -> Any:
        return _read_variant(reader, _Budget())


class VariantObjectShape(Shape):
    """Named values in their order, without a type in front."""

    def write(self, value: Any, out: bytearray) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"an object is needed, not {type(value).__name__}")
        _write_object(value, out, _Budget())

    def read(self, reader: Reader) -> Any:
        return _read_object(reader, _Budget())


Variant = Annotated[Any, VariantShape()]
VariantObject = Annotated[dict[str, Any], VariantObjectShape()]


def _write_variant(value: Any, out: bytearray, budget: _Budget) -> None:
    if value is None:
        out.append(Kind.NULL)
    elif isinstance(value, bool):
        out += bytes((Kind.BOOL, value))
    elif isinstance(value, int):
        _write_integer(value, out)
    elif isinstance(value, str):
        out.append(Kind.STRING)
        _write_text(value, out)
    elif isinstance(value, Double):
        if len(value.packed) != 8:
            raise Malformed(f"a floating-point number has 8 bytes, not {len(value.packed)}")
        out.append(Kind.DOUBLE)
        out += value.packed
    elif isinstance(value, dict):
        out.append(Kind.OBJECT)
        _write_object(value, out, budget)
    elif isinstance(value, (tuple, list)):
        out.append(Kind.ARRAY)
        budget.enter(len(value))
        out += pack_varint(len(value))
        for member in value:
            _write_variant(member, out, budget)
        budget.leave()
    else:
        raise Malformed(f"{type(value).__name__} is no type of a value")


def _read_variant(reader: Reader, budget: _Budget) -> Any:
    start = reader.position
    match reader.take(1)[0]:
        case Kind.NULL:
            return None
        case Kind.INT64:
            return Int64(int.from_bytes(reader.take(8), "little", signed=True))
        case Kind.UINT64:
            return int.from_bytes(reader.take(8), "little")
        case Kind.DOUBLE:
            return Double(reader.take(8))
        case Kind.BOOL:
            byte = reader.take(1)[0]
            if byte > 1:
                raise Malformed(f"a boolean is 0 or 1, not {byte}", start)
            return byte == 1
        case Kind.STRING:
            return _read_text(reader)
        case Kind.ARRAY:
            return _read_array(reader, budget)
        case Kind.OBJECT:
            return _read_object(reader, budget)
        case unknown:
            raise Malformed(f"unknown type {unknown} of a value", start)


def _write_integer(value: int, out: bytearray) -> None:
    is_signed = value < 0 or isinstance(value, Int64)
    out.append(Kind.INT64 if is_signed else Kind.UINT64)
    try:
        out += (_PACK_INT64 if is_signed else _PACK_UINT64).pack(value)
    except struct.error:
        raise Malformed(f"{value} does not fit 64 bits") from None


def _write_text(value: str, out: bytearray) -> None:
    try:
        data = text_to_bytes(value)
    except UnicodeEncodeError:
        raise Malformed("the string holds half of a surrogate pair") from None
    if len(data) > VARIANT_TEXT_BYTES_MAX:
        raise Malformed(f"{len(data)} bytes are more than the maximum of {VARIANT_TEXT_BYTES_MAX}")
    out += pack_varint(len(data)) + data


def _read_text(reader: Reader) -> str:
    return text_from_bytes(reader.take(reader.count(VARIANT_TEXT_BYTES_MAX, "bytes")))


def _read_array(reader: Reader, budget: _Budget) -> tuple[Any, ...]:
    start = reader.position
    count = reader.varint()
    budget.enter(count, start)
    members = [_read_variant(reader, budget) for _ in range(count)]
    budget.leave()
    return tuple(members)


def _write_object(value: dict[Any, Any], out: bytearray, budget: _Budget) -> None:
    budget.enter(len(value))
    out += pack_varint(len(value))
    for name, member in value.items():
        if not isinstance(name, str):
            raise Malformed(f"the name of a member is a string, not {type(name).__name__}")
        _write_text(name, out)
        _write_variant(member, out, budget)
    budget.leave()


def _read_object(reader: Reader, budget: _Budget) -> dict[str, Any]:
    start = reader.position
    count = reader.varint()
    budget.enter(count, start)
    result: dict[str, Any] = {}
    for _ in range(count):
        name = _read_text(reader)
        result[name] = _read_variant(reader, budget)
    budget.leave()
    return result
