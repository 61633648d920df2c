"""Log lines on standard error: readable (time, level, message, key=value) or as JSON, one object per line.

Texts of peers, clients and files are sanitized, shortened, and stripped of keys: see client/terminal.py.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import Any, Final

import orjson

from client.terminal import clean, clean_json
from node.shell.log_rate import LimitedHandler
from protocol.secrecy import hide_keys

LEVELS: Final = ("debug", "info", "warning", "error")
_ROOT: Final = "plaudit"
_SHORT: Final = {"WARNING": "WARN", "CRITICAL": "FATAL"}
MESSAGE_CHARACTERS_MAX: Final = 2_000
TRACE_CHARACTERS_MAX: Final = 20_000


def configure_logging(level: str = "info", as_json: bool = False) -> None:
    """Configures logging of a level (one of LEVELS) and above to standard error; called once."""
    handler = LimitedHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else ReadableFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(_ROOT).setLevel(level.upper())


class ReadableFormatter(logging.Formatter):
    """2024-01-31 12:00:00.123 INFO  produced number=7 witness=alice; local time."""

    def format(self, record: logging.LogRecord) -> str:
        """Returns one line, followed by the traceback of an exception."""
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        level = _SHORT.get(record.levelname, record.levelname)
        line = f"{moment}.{int(record.msecs):03d} {level:<5} {clean(_shorten(record.getMessage()))}"
        trace = self.formatException(record.exc_info).split("\n") if record.exc_info else []
        # Indentation keeps the text of an exception from looking like a log line.
        return "\n    ".join((line, *(clean(part) for part in trace)))

    def formatException(self, ei: Any) -> str:
        """Returns the traceback of an exception, shortened."""
        return _shorten(super().formatException(ei), TRACE_CHARACTERS_MAX)


class JsonFormatter(logging.Formatter):
    """{"time": ..., "level": "info", "logger": ..., "message": ...} and the fields of the event; UTC."""

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
            entry["message"] = _shorten(record.getMessage())
        else:
            entry["event"] = event
            figures = record.__dict__.get("figures", {})
            entry.update(
                {name: _shorten(value) if isinstance(value, str) else value for name, value in figures.items()}
            )
        if record.exc_info:
            entry["exception"] = _shorten(self.formatException(record.exc_info), TRACE_CHARACTERS_MAX)
        return clean_json(orjson.dumps(entry, default=str).decode())


def _shorten(text: str, length_max: int = MESSAGE_CHARACTERS_MAX) -> str:
    """Removes keys from a text and shortens it."""
    shown = text if len(text) <= length_max else f"{text[:length_max]}... ({len(text)} characters)"
    return hide_keys(shown)
