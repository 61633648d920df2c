"""Conversion of client arguments to the types that a method declares, as lenient as the reference's.

Numbers may be strings or floating point numbers, negative ones wrap around, null is the empty value of the type.
Source: libraries/fc/src/variant.cpp, as_string, as_uint64, as_int64 and as_bool.
"""

from collections.abc import Callable
from typing import Any

from protocol.times import parse_time
from rpc.errors import BadCast, ParseFailure

Cast = Callable[[Any], Any]

UINT64_MAX = (1 << 64) - 1
DIGITS_MAX = 40


def fc_type(value: Any) -> str:
    """The name fc gives to the type of a JSON value."""
    if value is None:
        return "null_type"
    if isinstance(value, bool):
        return "bool_type"
    if isinstance(value, int):
        return "uint64_type" if value > UINT64_MAX >> 1 else "int64_type"
    if isinstance(value, float):
        return "double_type"
    if isinstance(value, str):
        return "string_type"
    return "array_type" if isinstance(value, list) else "object_type"


def as_text(value: Any) -> str:
    """Converts to a string; numbers and booleans are written out."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"{value:.17f}"
    raise BadCast("Invalid cast from ${type} to string", type=fc_type(value))


def as_bool(value: Any) -> bool:
    """Converts to a boolean; numbers other than 0 are true."""
    if isinstance(value, str):
        if value in ("true", "false"):
            return value == "true"
        raise BadCast('Cannot convert string to bool (only "true" or "false" can be converted)')
    if isinstance(value, list | dict):
        raise BadCast("Invalid cast from ${type} to bool", type=fc_type(value))
    return bool(value)


def as_signed(value: Any) -> int:
    """Converts to a signed 64-bit integer."""
    number = as_integer(value, "int64")
    return number - (1 << 64) if number > UINT64_MAX >> 1 else number


def as_unsigned(value: Any) -> int:
    """Converts to an unsigned 64-bit integer; negative ones wrap around."""
    if type(value) is int and 0 <= value <= UINT64_MAX:
        return value
    return as_integer(value, "uint64") & UINT64_MAX


def as_unsigned32(value: Any) -> int:
    """Converts to an unsigned 32-bit integer."""
    return as_unsigned(value) & 0xFFFFFFFF


def as_integer(value: Any, wanted: str, bits: int = 64) -> int:
    """Converts to an integer between the signed minimum and the unsigned maximum of a size."""
    if value is None:
        return 0
    try:
        if isinstance(value, str):
            if len(value) > DIGITS_MAX or not value.isascii() or "_" in value:
                raise ValueError(value)
            number = int(value) if value else 0
        elif isinstance(value, int | float):
            number = int(value)
        else:
            raise BadCast(f"Invalid cast from ${{type}} to {wanted}", type=fc_type(value))
        if not -(1 << bits - 1) <= number < 1 << bits:
            raise ValueError(value)
    except (ValueError, OverflowError):
        raise ParseFailure(f"Couldn't parse {wanted}_t") from None
    return number


def as_moment(value: Any) -> int:
    """Converts a time to seconds since the epoch. Raises Invalid for text of another form."""
    return parse_time(as_text(value))


def as_array(value: Any) -> list[Any]:
    """Checks that a value is a JSON array."""
    if isinstance(value, list):
        return value
    raise BadCast("Invalid cast from ${type} to Array", type=fc_type(value))
