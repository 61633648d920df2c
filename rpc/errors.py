"""JSON-RPC errors: the codes of the reference and how an exception becomes the error object clients parse.

Source: libraries/plugins/json_rpc/json_rpc_plugin.hpp (codes) and libraries/fc/src/exception.cpp (shape of `data`).
"""

from datetime import UTC, datetime
from typing import Any

from protocol.errors import ProtocolError

SERVER_ERROR = -32000
METHOD_NOT_FOUND = -32002
ERROR_DURING_CALL = -32003
INVALID_REQUEST = -32600
NO_PARAMS = -32601
PARSE_ERROR = -32700

ASSERT_CODE = 10
"""fc's code of a failed assertion; every other kind of exception leaves a read method as SERVER_ERROR."""

BAD_CAST_CODE = 7


class RpcError(Exception):
    """An error that answers one request: a JSON-RPC code, a text and, where there is more to say, `data`."""

    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data

    def to_json(self) -> dict[str, Any]:
        """The error object; `data` is left out when there is none, it is never null."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.data is not None:
            error["data"] = self.data
        return error


def describe(code: int, name: str, what: str, stack: list[tuple[str, dict[str, Any]]], method: str) -> dict[str, Any]:
    """The `data` member: what fc prints of an exception. `stack` holds (format, values), innermost first."""
    timestamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    context = {"level": "error", "file": "", "line": 0, "method": method, "hostname": "", "timestamp": timestamp}
    entries = [{"context": context, "format": text, "data": values} for text, values in stack]
    return {"code": code, "name": name, "message": what, "stack": entries}


def assert_error(code: int, assertion: str, text: str, method: str, /, **values: Any) -> RpcError:
    """A failed assertion of the RPC layer itself (unknown method, wrong number of arguments)."""
    error = ProtocolError(assertion, text, **values)
    return RpcError(code, error.message, _data(error, method))


def bad_cast(text: str, method: str, /, **values: Any) -> RpcError:
    """A value of the wrong JSON type."""
    data = describe(BAD_CAST_CODE, "bad_cast_exception", "Bad Cast", [(text, values)], method)
    return RpcError(SERVER_ERROR, "Bad Cast:" + ProtocolError("", text, **values).message.split(":", 1)[1], data)


def from_protocol_error(error: ProtocolError, method: str, is_broadcast: bool) -> RpcError:
    """The answer to a request that broke a rule of the protocol."""
    is_read_assertion = error.code == ASSERT_CODE and not is_broadcast
    return RpcError(ERROR_DURING_CALL if is_read_assertion else SERVER_ERROR, error.message, _data(error, method))


def _data(error: ProtocolError, method: str) -> dict[str, Any]:
    stack = [(error.format, error.json_data), *error.context]
    return describe(error.code, error.name, error.what, stack, method)
