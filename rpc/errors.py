"""JSON-RPC errors: the codes of the reference and how an exception becomes the error object clients parse.

Source: libraries/plugins/json_rpc/json_rpc_plugin.hpp (codes) and libraries/fc/src/exception.cpp (shape of `data`).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from protocol.errors import ProtocolError, known_as
from rpc.objects import big

SERVER_ERROR = -32000
NO_PARAMS = -32001
METHOD_NOT_FOUND = -32002
ERROR_DURING_CALL = -32003
INVALID_REQUEST = -32600
PARSE_ERROR = -32700

ASSERT_CODE = 10
"""fc's code of a failed assertion; every other kind of exception leaves a read method as SERVER_ERROR."""

ShowValue = Callable[[Any], Any]
"""Converts a captured value (an authority, an operation, a key) to JSON; returns other values unchanged."""


class RpcError(Exception):
    """The error of a response: JSON-RPC code, message and optional `data`."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_json(self) -> dict[str, Any]:
        """Returns the error object; `data` is omitted when there is none, never null."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return error


@known_as(7, "bad_cast_exception", "Bad Cast")
class BadCast(ProtocolError):
    """A value of the wrong JSON type. Source: fc exception.hpp, bad_cast_exception."""

    def __init__(self, text: str, /, **data: Any) -> None:
        super().__init__("", text, **data)


@known_as(4, "parse_error_exception", "Parse Error")
class ParseFailure(ProtocolError):
    """A text that cannot be parsed. Source: fc exception.hpp, parse_error_exception."""

    def __init__(self, text: str, /, **data: Any) -> None:
        super().__init__("", text, **data)


def assert_error(code: int, assertion: str, text: str, method: str, /, **values: Any) -> RpcError:
    """A failed assertion of the RPC layer itself (unknown method, wrong number of arguments)."""
    error = ProtocolError(assertion, text, **values)
    return to_rpc_error(error, code, method)


def from_protocol_error(
    error: ProtocolError, method: str, is_broadcast: bool, show: ShowValue | None = None
) -> RpcError:
    """Returns the error for a violated protocol rule."""
    is_read_assertion = error.code == ASSERT_CODE and not is_broadcast
    return to_rpc_error(error, ERROR_DURING_CALL if is_read_assertion else SERVER_ERROR, method, show)


def to_rpc_error(error: ProtocolError, code: int, method: str, show: ShowValue | None = None) -> RpcError:
    """Returns the error with its message and, as `data`, fc's form of an exception: innermost frame first."""
    timestamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    place = {"level": "error", "file": "", "line": 0, "method": method, "hostname": "", "timestamp": timestamp}
    frames = [(error.format, error.data, error.json_data)]
    frames += [(text, values, values) for text, values in error.context]
    stack = []
    for text, values, plain in frames:
        shown = plain if show is None else {name: _show(show, value, plain[name]) for name, value in values.items()}
        stack.append({"context": place, "format": text, "data": shown})
    data: dict[str, Any] = {"code": error.code, "name": error.name, "message": error.what, "stack": stack}
    if error.advice is not None:
        data["advice"] = {key: big(value) if isinstance(value, int) else value for key, value in error.advice.items()}
    return RpcError(code, error.message, data)


def _show(show: ShowValue, value: Any, plain: Any) -> Any:
    shown = show(value)
    return plain if shown is value else shown


def cut_trace(error: BaseException | None) -> None:
    """Removes the tracebacks of a handled error and its causes.

    A traceback keeps the locals of its frames alive, and in a reference cycle until the next garbage collection.
    """
    while error is not None:
        behind = error.__cause__ or error.__context__
        error.__traceback__ = error.__cause__ = error.__context__ = None
        error = behind
