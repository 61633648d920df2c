"""Dates that the reference's JSON lets begin again at 1901."""

import pytest

from client.render import moment
from protocol.times import time_text
from wallet.commands.chain import describe_fields


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0x7FFFFFFF, "2038-01-19T03:14:07"),
        (0x80000000, "2038-01-19T03:14:08"),
        (0xFFFFFFFE, "2106-02-07T06:28:14"),
        (0xFFFFFFFF, "never"),
    ],
)
def test_no_date_is_shown_as_one_before_1970(seconds: int, shown: str) -> None:
    assert moment(time_text(seconds)) == shown
    assert describe_fields({"escrow_expiration": time_text(seconds)}) == f"escrow_expiration={shown}"


def test_texts_of_others_stay_as_they_are() -> None:
    assert describe_fields({"memo": "1913-01-01T00:00:00"}) == "memo=1913-01-01T00:00:00"
    assert describe_fields({"expiration": "soon"}) == "expiration=soon"
