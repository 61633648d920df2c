"""The two forms of log lines."""

import ast
import io
import json
import logging
import sys
from pathlib import Path

import node.core
from node.shell.log_rate import CAUSES_MAX, LINES_PER_MINUTE, OWN_EVENTS, LimitedHandler
from node.shell.logs import JsonFormatter, ReadableFormatter
from protocol.keys import PrivateKey


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


HOSTILE = "a\x1b[2Jb\x9b31mc\u202ed\u2028e\nf\x7fg"


def test_what_others_say_cannot_command_a_terminal_nor_begin_a_line() -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        record = make_record(msg="peer_gone reason=%s", args=(HOSTILE,), exc_info=sys.exc_info())
    for line in ReadableFormatter().format(record).split("\n"):
        assert line.isprintable()
        assert line.startswith(("1970", "1969", "    "))
    told = JsonFormatter().format(record)
    assert told.isprintable()
    assert HOSTILE in json.loads(told)["exception"]
    figures = JsonFormatter().format(make_record(event="peer_gone", figures={"reason": HOSTILE}))
    assert (figures.isprintable(), json.loads(figures)["reason"]) == (True, HOSTILE)


def test_no_line_shows_a_private_key_or_is_longer_than_needed() -> None:
    wif = PrivateKey.from_seed("x").to_wif()
    for formatter in (ReadableFormatter(), JsonFormatter()):
        line = formatter.format(make_record(msg="request %r", args=([wif, "y" * 100_000],)))
        assert wif not in line
        assert len(line) < 2_500
        assert wif not in formatter.format(make_record(event="e", figures={"text": f"{wif} P{wif}"}))


class Lines:
    """A handler with a clock by hand, and what it wrote."""

    def __init__(self) -> None:
        self.now = 0.0
        self.stream = io.StringIO()
        self.handler = LimitedHandler(self.stream, lambda: self.now)
        self.handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))

    def log(self, message: str, count: int = 1, level: int = logging.WARNING, **extra: object) -> None:
        for _ in range(count):
            record = logging.LogRecord("plaudit.rpc", level, "", 1, message, None, None)
            record.__dict__.update(extra)
            self.handler.handle(record)

    def written(self) -> list[str]:
        return self.stream.getvalue().splitlines()


def test_a_cause_writes_so_many_lines_a_minute_and_the_rest_is_counted() -> None:
    lines = Lines()
    lines.log("a connection was closed", 100_000)
    assert lines.written() == ["WARNING a connection was closed"] * LINES_PER_MINUTE
    lines.now = 61
    lines.log("something else")
    assert lines.written()[LINES_PER_MINUTE:] == [
        f"WARNING repeated a connection was closed: {100_000 - LINES_PER_MINUTE} more times",
        "WARNING something else",
    ]
    lines.log("a connection was closed")
    assert lines.written()[-1] == "WARNING a connection was closed"


def test_a_flood_of_one_cause_leaves_the_others_and_the_nodes_own_events_alone() -> None:
    lines = Lines()
    lines.log("flood", 1_000)
    lines.log("other")
    lines.log("missed reason=lag", 500, event="missed", figures={})
    written = lines.written()
    assert written.count("WARNING other") == 1
    assert written.count("WARNING missed reason=lag") == 500


def test_many_different_causes_are_one() -> None:
    lines = Lines()
    for number in range(10_000):
        lines.log(f"{number} is strange")
    assert len(lines.written()) <= CAUSES_MAX + LINES_PER_MINUTE
    lines.handler.close()
    assert lines.written()[-1].startswith("WARNING repeated : ")


def test_every_event_that_the_core_notes_itself_is_always_told() -> None:
    """What peers cause goes by `Notes.tell`; the rest must not be lost in a flood."""
    noted = set()
    for file in Path(node.core.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match call:
                case ast.Call(func=ast.Attribute(attr="note"), args=[ast.Constant(value=str(event)), *_]):
                    noted.add(event)
    assert {"missed", "produced", "disk_problem"} <= noted
    assert noted <= OWN_EVENTS
