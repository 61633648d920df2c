"""Log lines: for people (time, level, message, key=value) or as JSON, one object a line; on standard error."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, Final

import orjson

LEVELS: Final = ("debug", "info", "warning", "error")
_ROOT: Final = "plaudit"
_SHORT: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}


def configure_logging(level: str = "info", as_json: bool = False) -> None:
    """Sends the node's log lines of a level (one of LEVELS) and above to standard error; called once."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else ReadableFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_ROOT).setLevel(level.upper())


class ReadableFormatter(logging.Formatter):
    """2024-01-31 12:00:00.123 INFO  produced number=7 witness=alice; local time."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns one line, and the trace of an exception below it."""
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        level = _SHORT.get(record.levelname, record.levelname)
        line = f"{moment}.{int(record.msecs):03d} {level:<5} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonFormatter(logging.Formatter):
    """{"time": ..., "level": "info", "logger": ..., "message": ...} and what an event carries; UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns one JSON object without line breaks."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        entry: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        event = record.__dict__.get("event")
        if event is None:
            entry["message"] = record.getMessage()
        else:
            entry["event"] = event
            entry.update(record.__dict__.get("figures", {}))
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(entry, default=str).decode()
