"""Block times: seconds since the epoch, and their text in JSON.

The reference prints them through a signed 32-bit integer, so the greatest time reads 1969-12-31T23:59:59 and
everything from 2**31 on reads as a date before 1970. Source: libraries/fc/src/time.cpp, time_point_sec.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from protocol.errors import Invalid
from protocol.integers import INT32_MAX, INT32_MIN, UINT32_MAX
from protocol.units import DAY_SECONDS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_TIME = "unable to convert ISO-formatted string to fc::time_point_sec"
_FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.\d+)?Z?")


@lru_cache(maxsize=8192)
def time_text(seconds: int) -> str:
    """The JSON text of a time (an unsigned 32-bit number of seconds): YYYY-MM-DDTHH:MM:SS."""
    signed = seconds - (1 << 32) if seconds > INT32_MAX else seconds
    return (_EPOCH + timedelta(seconds=signed)).strftime("%Y-%m-%dT%H:%M:%S")


def date_text(seconds: int) -> str:
    """The date of a time as people read it: YYYY-MM-DDTHH:MM:SS, up to 2106."""
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=8192)
def parse_time(text: str) -> int:
    """The number of seconds of a JSON time; a final Z and a fraction are allowed and ignored. Raises Invalid.

    Dates from 2038-01-19T03:14:08 on are refused, as in the reference; ``time_text`` shows such times as dates before
    1970.
    Source: libraries/fc/src/time.cpp, from_iso_string.
    """
    seconds = parse_date(text)
    for is_kept, rule, name in (
        (seconds <= INT32_MAX, "(pt - epoch).total_seconds() <= INT32_MAX", "overflow"),
        (seconds >= INT32_MIN, "(pt - epoch).total_seconds() >= INT32_MIN", "underflow"),
    ):
        if not is_kept:
            error = Invalid(rule, f"Datetime {name}", text=text)
            error.add_context(_NO_TIME, text=text)
            raise error
    return seconds & UINT32_MAX


def parse_date(text: str) -> int:
    """The number of seconds from 1970 to any date, negative before. Raises Invalid."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise Invalid("", f"{_NO_TIME}: ${{text}}", text=text)
    try:
        moment = datetime(*(int(digits) for digits in match.groups()), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError as error:
        raise Invalid("", f"{_NO_TIME}: ${{text}}", text=text) from error
    difference = moment - _EPOCH
    return difference.days * DAY_SECONDS + difference.seconds
