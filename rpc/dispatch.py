"""From the text of a request to the text of its answer: envelopes, ids, batches, errors.

Accepted are `api.method` with an object or array, `call` with api, method and arguments, `call` with the names of the
time before appbase (which a front end used to translate for the C++ node), and bare names of condenser_api.

Source: libraries/plugins/json_rpc/json_rpc_plugin.cpp.
"""

import inspect
import logging
import time
from collections.abc import Mapping
from typing import Any

import orjson

from protocol.errors import ProtocolError
from rpc.errors import (
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    NO_PARAMS,
    PARSE_ERROR,
    SERVER_ERROR,
    RpcError,
    assert_error,
    bad_cast,
    describe,
    from_protocol_error,
)
from rpc.method import Method

log = logging.getLogger("plaudit.rpc")

CONDENSER = "condenser_api"
NATIVE_APIS = ("jsonrpc", "plaudit_api")
"""APIs whose names are never translated."""

LEGACY_APIS = {0: "database_api", 1: "login_api"}
"""Numbers that the oldest clients send in place of an API's name."""

PARSE_ERROR_CODE = 4


class Dispatcher:
    """Answers JSON-RPC requests with the methods it is given."""

    def __init__(self, methods: Mapping[str, Method], batch_length_max: int, batch_seconds_max: float) -> None:
        self.methods = dict(methods)
        self.apis = {name.split(".")[0] for name in methods}
        self._positional_names = {name for name, method in self.methods.items() if method.positional}
        self.batch_length_max = batch_length_max
        self.batch_seconds_max = batch_seconds_max

    async def answer(self, body: bytes | str) -> bytes:
        """The answer to one request or one batch; every request gets one, errors included."""
        try:
            message = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            return _render(None, _parse_error(str(error)))
        if not isinstance(message, list):
            return await self._answer_one(message)
        if not message:
            return _render(None, RpcError(SERVER_ERROR, "Array is invalid"))
        if len(message) > self.batch_length_max:
            text = f"a batch may hold {self.batch_length_max} requests, this one holds {len(message)}"
            return _render(None, RpcError(SERVER_ERROR, text))
        return b"[" + b",".join(await self._answer_batch(message)) + b"]"

    async def _answer_batch(self, messages: list[Any]) -> list[bytes]:
        deadline = time.monotonic() + self.batch_seconds_max
        answers = []
        for message in messages:
            if time.monotonic() > deadline:
                text = f"the batch took longer than {self.batch_seconds_max} seconds, send the rest again"
                answers.append(_render(_get_id(message), RpcError(SERVER_ERROR, text)))
            else:
                answers.append(await self._answer_one(message))
        return answers

    async def _answer_one(self, message: Any) -> bytes:
        if not isinstance(message, dict):
            error = bad_cast("Invalid cast from type '${type}' to Object", "json_rpc", type=type(message).__name__)
            return _render(None, RpcError(PARSE_ERROR, error.message, error.data))
        request_id = message.get("id")
        if "id" in message and _get_id(message) is None:
            text = 'Only integer value or string is allowed for member "id"'
            return _render(None, RpcError(INVALID_REQUEST, text))
        try:
            method, params = self._resolve(message)
            result = method.handler(*method.bind(params))
            if inspect.isawaitable(result):
                result = await result
            return _render_result(request_id, result)
        except RpcError as error:
            return _render(request_id, error)
        except ProtocolError as error:
            return _render(request_id, from_protocol_error(error, method.full_name, method.is_broadcast))
        except Exception as error:
            log.exception("request failed by a fault of this node: %.500r", message)
            text = f"the node failed to answer: {type(error).__name__}"
            return _render(request_id, RpcError(SERVER_ERROR, text))

    def _resolve(self, message: dict[str, Any]) -> tuple[Method, Any]:
        """The method a request asks for, and its arguments. Raises RpcError."""
        if message.get("jsonrpc") != "2.0":
            raise RpcError(INVALID_REQUEST, 'jsonrpc value is not "2.0"')
        name = message.get("method")
        if not isinstance(name, str):
            raise RpcError(INVALID_REQUEST, 'A member "method" does not exist')
        if name == "call":
            if "params" not in message:
                raise RpcError(NO_PARAMS, 'A member "params" does not exist')
            return self._resolve_call(message["params"])
        api, dot, method_name = name.partition(".")
        if not dot:
            api, method_name = CONDENSER, name
        return self._find(api, method_name), message.get("params")

    def _resolve_call(self, params: Any) -> tuple[Method, Any]:
        if not isinstance(params, list) or len(params) not in (2, 3):
            raise assert_error(
                METHOD_NOT_FOUND,
                "v.size() == 2 || v.size() == 3",
                'params should be {"api", "method", "args"',
                "json_rpc",
            )
        api, name = params[0], params[1]
        arguments = params[2] if len(params) == 3 else None
        if isinstance(api, int):
            api = LEGACY_APIS.get(api, str(api))
        if isinstance(arguments, list) and f"{api}.{name}" not in self._positional_names:
            api = api if api in NATIVE_APIS else CONDENSER
        return self._find(str(api), str(name)), arguments

    def _find(self, api: str, name: str) -> Method:
        method = self.methods.get(f"{api}.{name}")
        if method is not None:
            return method
        if api not in self.apis:
            raise assert_error(
                METHOD_NOT_FOUND,
                "api_itr != _registered_apis.end()",
                "Could not find API ${api}",
                "find_api_method",
                api=api,
            )
        raise assert_error(
            METHOD_NOT_FOUND,
            "method_itr != api_itr->second.end()",
            "Could not find method ${method}",
            "find_api_method",
            method=name,
        )


def _get_id(message: Any) -> int | str | None:
    """The id of a request when it is one that may be echoed: an integer or a string."""
    request_id = message.get("id") if isinstance(message, dict) else None
    return request_id if isinstance(request_id, int | str) and not isinstance(request_id, bool) else None


def _parse_error(problem: str) -> RpcError:
    data = describe(PARSE_ERROR_CODE, "parse_error_exception", "Parse Error", [(problem, {})], "from_string")
    return RpcError(SERVER_ERROR, f"Parse Error:{problem}", data)


def _render_result(request_id: int | str | None, result: Any) -> bytes:
    return b'{"jsonrpc":"2.0","result":%b,"id":%b}' % (orjson.dumps(result), orjson.dumps(request_id))


def _render(request_id: int | str | None, error: RpcError) -> bytes:
    return b'{"jsonrpc":"2.0","error":%b,"id":%b}' % (orjson.dumps(error.to_json()), orjson.dumps(request_id))
