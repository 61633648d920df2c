"""Answers as JSON bytes. Strings of the chain may hold bytes that are no UTF-8; they go out as they came in."""

import json
from typing import Any

import orjson


def dump_json(value: Any) -> bytes:
    """The JSON of a value, members in their order. Like the reference's, it may hold bytes that are no UTF-8."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
        return text.encode("utf-8", "surrogateescape")


def _plain(value: Any) -> Any:
    """What the standard library cannot write: parts that are JSON already."""
    if isinstance(value, orjson.Fragment):
        return json.loads(orjson.dumps(value).decode("utf-8", "surrogateescape"))
    raise TypeError(f"{type(value).__name__} is no JSON value")
