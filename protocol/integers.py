"""Integers that behave as the fixed-width ones of the reference.

Python's integers have no width and its ``//`` rounds down; the reference divides toward zero and keeps 64 or 128 bits.
"""

from __future__ import annotations

from protocol.errors import IntegerOverflow, IntegerUnderflow

INT64_MIN = -(1 << 63)
INT64_MAX = (1 << 63) - 1
UINT32_MAX = (1 << 32) - 1
UINT64_MAX = (1 << 64) - 1
UINT128_MAX = (1 << 128) - 1
INT32_MIN = -(1 << 31)
INT32_MAX = (1 << 31) - 1

TIME_MAX = UINT32_MAX
"""The latest time in seconds, printed as 1969-12-31T23:59:59 (time_point_sec::maximum of the reference)."""


def div_trunc(numerator: int, denominator: int) -> int:
    """Divides and rounds toward zero, as C++ does; raises ZeroDivisionError for a zero denominator."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def to_int64(value: int) -> int:
    """Keeps the low 64 bits and reads them as a signed integer, as a C++ conversion does."""
    value &= UINT64_MAX
    return value - (1 << 64) if value > INT64_MAX else value


def to_uint64(value: int) -> int:
    """Keeps the low 64 bits."""
    return value & UINT64_MAX


def check_int64(value: int) -> int:
    """Returns ``value`` if a signed 64-bit integer can hold it.

    Raises IntegerOverflow or IntegerUnderflow, as safe<int64_t> of the reference does.
    """
    if value > INT64_MAX:
        raise IntegerOverflow("", "Integer overflow: ${value}", value=value)
    if value < INT64_MIN:
        raise IntegerUnderflow("", "Integer underflow: ${value}", value=value)
    return value
