"""JSON encoding. Strings of the chain may hold bytes that are not valid UTF-8; they are written unchanged."""

import json
from typing import Any

import orjson


def dump_json(value: Any) -> bytes:
    """Encodes a value, members in their order. Like the reference's, the JSON may not be valid UTF-8."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
        return text.encode("utf-8", "surrogateescape")


def _plain(value: Any) -> Any:
    """Converts parts that are already JSON for the encoder of the standard library."""
    if isinstance(value, orjson.Fragment):
        return json.loads(orjson.dumps(value).decode("utf-8", "surrogateescape"))
    raise TypeError(f"{type(value).__name__} is no JSON value")
