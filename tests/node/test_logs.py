"""The two forms of log lines."""

import json
import logging
import sys

from node.logs import JsonFormatter, ReadableFormatter


def make_record(**extra: object) -> logging.LogRecord:
    record = logging.LogRecord("plaudit.node", logging.WARNING, __file__, 1, "head=%d", (7,), None)
    record.created, record.msecs = 0.123, 123.0
    record.__dict__.update(extra)
    return record


def test_a_line_for_people() -> None:
    line = ReadableFormatter().format(make_record())
    assert line.endswith(".123 WARN  head=7")
    assert "\n" not in line


def test_a_line_for_programs() -> None:
    assert json.loads(JsonFormatter().format(make_record())) == {
        "time": "1970-01-01T00:00:00.123Z",
        "level": "warning",
        "logger": "plaudit.node",
        "message": "head=7",
    }


def test_an_event_keeps_its_figures() -> None:
    entry = json.loads(JsonFormatter().format(make_record(event="produced", figures={"number": 3, "key": b"x"})))
    assert entry["event"] == "produced"
    assert entry["number"] == 3
    assert "message" not in entry


def test_an_exception_is_shown_with_its_trace() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        record = make_record(exc_info=sys.exc_info())
    assert "ValueError: broken" in ReadableFormatter().format(record)
    assert "ValueError: broken" in json.loads(JsonFormatter().format(record))["exception"]
