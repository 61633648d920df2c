"""Arguments as clients send them, turned into what a method declares, as leniently as the reference.

Numbers may come as strings or floating point numbers, negative ones wrap round, null is the empty value of its type.
Source: libraries/fc/src/variant.cpp, as_string, as_uint64, as_int64 and as_bool.
"""

import types
from collections.abc import Callable
from typing import Annotated, Any, Union, get_args, get_origin

from protocol.times import parse_time
from rpc.errors import BadCast, ParseFailure

Cast = Callable[[Any], Any]

UINT64_MAX = (1 << 64) - 1
DIGITS_MAX = 40

Unsigned = Annotated[int, "uint64"]
"""A number from 0 on; -1 means the largest, as it does where the reference wraps it round."""

Unsigned32 = Annotated[int, "uint32"]
"""A number of 32 bits; more is cut off, as the reference does."""

Moment = Annotated[int, "time"]
"""A time as text, in seconds since the epoch."""


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
    """A string; numbers and truth values are written out."""
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
    """A truth value; numbers count as true unless they are 0."""
    if isinstance(value, str):
        if value in ("true", "false"):
            return value == "true"
        raise BadCast('Cannot convert string to bool (only "true" or "false" can be converted)')
    if isinstance(value, list | dict):
        raise BadCast("Invalid cast from ${type} to bool", type=fc_type(value))
    return bool(value)


def as_signed(value: Any) -> int:
    """A signed number of 64 bits."""
    number = as_integer(value, "int64")
    return number - (1 << 64) if number > UINT64_MAX >> 1 else number


def as_unsigned(value: Any) -> int:
    """An unsigned number of 64 bits; negative ones wrap round."""
    if type(value) is int and 0 <= value <= UINT64_MAX:
        return value
    return as_integer(value, "uint64") & UINT64_MAX


def as_unsigned32(value: Any) -> int:
    """An unsigned number of 32 bits."""
    return as_unsigned(value) & 0xFFFFFFFF


def as_integer(value: Any, wanted: str, bits: int = 64) -> int:
    """A number from the least signed one to the greatest unsigned one of so many bits."""
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
    """A time. Raises Invalid when it is not written like one."""
    return parse_time(as_text(value))


def as_array(value: Any) -> list[Any]:
    """A JSON array."""
    if isinstance(value, list):
        return value
    raise BadCast("Invalid cast from ${type} to Array", type=fc_type(value))


def _pass(value: Any) -> Any:
    return value


_PLAIN: dict[Any, Cast] = {str: as_text, bool: as_bool, int: as_signed, Any: _pass}
_MARKED: dict[str, Cast] = {"uint64": as_unsigned, "uint32": as_unsigned32, "time": as_moment}


def build_cast(declared: Any) -> Cast:
    """The cast for an annotation: str, bool, int, Unsigned, list, tuple of fixed length, X | None, or Any."""
    if declared in _PLAIN:
        return _PLAIN[declared]
    origin, inside = get_origin(declared), get_args(declared)
    if origin is Annotated:
        return _MARKED[inside[1]]
    if origin in (types.UnionType, Union):
        return _build_optional(inside)
    if origin is list:
        return _build_list(build_cast(inside[0]))
    if origin is tuple:
        return _build_tuple([build_cast(part) for part in inside])
    raise TypeError(f"no cast is known for {declared!r}")


def _build_optional(inside: tuple[Any, ...]) -> Cast:
    (declared,) = (part for part in inside if part is not type(None))
    cast = build_cast(declared)
    return lambda value: None if value is None else cast(value)


def _build_list(cast: Cast) -> Cast:
    return lambda value: [cast(member) for member in as_array(value)]


def _build_tuple(casts: list[Cast]) -> Cast:
    def cast_all(value: Any) -> tuple[Any, ...]:
        members = as_array(value)
        if len(members) != len(casts):
            raise BadCast(
                "an array of ${wanted} values is needed, not of ${found}", wanted=len(casts), found=len(members)
            )
        return tuple(cast(member) for cast, member in zip(casts, members, strict=True))

    return cast_all
