"""JSON-RPC dispatch, from request text to response text: envelopes, ids, batches, errors.

Accepted are `api.method` with an object or array, `call` with api, method and arguments, `call` with the API names from
before appbase (which a proxy used to translate for the C++ node), and bare method names of condenser_api.

Source: libraries/plugins/json_rpc/json_rpc_plugin.cpp.
"""

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from protocol.errors import ProtocolError, UnknownKey
from protocol.secrecy import hide_keys
from rpc.casts import as_text, fc_type
from rpc.errors import (
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    NO_PARAMS,
    PARSE_ERROR,
    SERVER_ERROR,
    BadCast,
    ParseFailure,
    RpcError,
    ShowValue,
    assert_error,
    cut_trace,
    from_protocol_error,
    to_rpc_error,
)
from rpc.json_bytes import dump_json
from rpc.kinds import REQUEST_BYTES_MAX, REQUEST_MARKS_MAX
from rpc.method import Method
from rpc.slices import Slicer, Version
from rpc.turns import next_turn
from state.engine.errors import RowMissing

log = logging.getLogger("plaudit.rpc")

CONDENSER = "condenser_api"
NATIVE_APIS = ("condenser_api", "jsonrpc", "plaudit_api", "dev_api", "bridge")
"""APIs whose names are never translated."""

LEGACY_APIS = {0: "database_api", 1: "login_api"}
"""API numbers that the oldest clients send instead of names."""

HIDING_BYTES_MAX = 64 << 10
"""Maximum size of an error that is searched for private keys sent by mistake; larger ones would take too long."""

BATCH_BYTES_MAX = 8 << 20
"""Maximum bytes of the responses to one batch; further requests are refused."""

BATCHES_BYTES_MAX = 48 << 20
"""Maximum bytes of the responses to all batches in progress; above it, the remaining requests are refused."""

NULL = b"null"

MARKS = (b",", b":", b"[", b"{")
"""Characters by which JSON values are counted; those within strings count as well."""

OnAnswer = Callable[[Method | None, float, bool], None]
"""Callback for each response: method (None if unknown), duration in seconds, whether it is an error."""


class Dispatcher:
    """Dispatches JSON-RPC requests to methods.

    A batch may hold `batch_length_max` requests; those left after `batch_seconds_max` are refused. `show_value`
    converts captured values of errors (authorities, keys, operations) to JSON. `on_answer` measures.
    `get_version` identifies the state, so that a response made in slices is of a single one.
    """

    def __init__(
        self,
        methods: Mapping[str, Method],
        batch_length_max: int,
        batch_seconds_max: float,
        show_value: ShowValue | None = None,
        on_answer: OnAnswer | None = None,
        get_version: Callable[[], Version] = lambda: Version(b"", 0),
    ) -> None:
        self.methods = dict(methods)
        self.apis = {name.split(".")[0] for name in methods}
        self.batch_length_max = batch_length_max
        self.batch_seconds_max = batch_seconds_max
        self.show_value = show_value
        self.on_answer = on_answer
        self._slicer = Slicer(get_version)
        self._batches_bytes = 0

    async def answer(self, body: bytes | str) -> bytes:
        """Returns the response to a request or a batch; every request gets one, also in case of an error."""
        if len(body) > REQUEST_MARKS_MAX and (problem := _find_excess(body)):
            return _render(None, RpcError(SERVER_ERROR, problem))
        try:
            message = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            failure = ParseFailure("${problem}", problem=str(error))
            return _render(None, to_rpc_error(failure, SERVER_ERROR, "from_string"))
        if type(message) is dict:
            return await self._answer_one(message)
        if not isinstance(message, list):
            return _render(None, _no_object(message))
        if not message:
            return _render(None, RpcError(SERVER_ERROR, "Array is invalid"))
        if len(message) > self.batch_length_max:
            text = f"a batch may hold {self.batch_length_max} requests, this one holds {len(message)}"
            return _render(None, RpcError(SERVER_ERROR, text))
        answers = await self._answer_batch(message)
        answers[0] = b"[" + answers[0]  # Parts avoid two more copies of the whole.
        answers[-1] += b"]"
        return b",".join(answers)

    async def _answer_batch(self, messages: list[Any]) -> list[bytes]:
        """Answers the requests of a batch in order, yielding to other clients in between."""
        answers: list[bytes] = []
        try:
            await self._fill_batch(messages, answers)
        finally:
            self._batches_bytes -= sum(map(len, answers))
        return answers

    async def _fill_batch(self, messages: list[Any], answers: list[bytes]) -> None:
        """Appends the responses, and counts their bytes towards the limit of all batches."""
        deadline = time.monotonic() + self.batch_seconds_max
        size = 0
        for message in messages:
            text = ""
            if time.monotonic() > deadline:
                text = f"the batch took longer than {self.batch_seconds_max} seconds, send the rest again"
            elif size > BATCH_BYTES_MAX:
                text = f"the answers to the batch exceed {BATCH_BYTES_MAX} bytes, send the rest again"
            elif self._batches_bytes > BATCHES_BYTES_MAX:
                text = "the answers to all batches together are too large, send the rest again later"
            if text:
                answer = _render(_get_id(message), RpcError(SERVER_ERROR, text))
            elif isinstance(message, dict):
                answer = await self._answer_one(message)
            else:
                answer = _render(None, _no_object(message))
            answers.append(answer)
            size += len(answer)
            self._batches_bytes += len(answer)
            if not text:
                await next_turn()

    async def _answer_one(self, message: dict[str, Any]) -> bytes:
        request_id = message.get("id")
        if isinstance(request_id, int | str) and not isinstance(request_id, bool):
            shown_id = orjson.dumps(request_id)
        elif "id" not in message:
            shown_id = NULL
        else:
            text = 'Only integer value or string is allowed for member "id"'
            return _render(None, RpcError(INVALID_REQUEST, text))
        method: Method | None = None
        is_error = True
        begun = time.perf_counter()
        try:
            method, params = self._resolve(message)
            result = await self._call(method, method.bind(params))
            answer = b"".join((b'{"jsonrpc":"2.0","result":', *result, b',"id":', shown_id, b"}"))
            is_error = False
        except RpcError as error:
            answer = _render_error(shown_id, error)
        except (ProtocolError, RowMissing) as error:
            answer = _render_error(shown_id, self._describe(error, method))
            cut_trace(error)
        except Exception as error:
            log.exception("request failed by an internal error: %.500r", message)
            text = f"the node failed to answer: {type(error).__name__}"
            answer = _render_error(shown_id, RpcError(SERVER_ERROR, text))
        if self.on_answer is not None:
            self.on_answer(method, time.perf_counter() - begun, is_error)
        return answer

    async def _call(self, method: Method, arguments: list[Any]) -> list[bytes]:
        """Calls a method; returns the JSON of its result, in parts."""
        if method.is_sliced:
            made = await self._slicer.make(lambda: method.handler(*arguments), method.rows)
            if isinstance(made.result, Awaitable):
                made.result = await made.result
            return made.render()
        result = method.handler(*arguments)
        return [dump_json(await result if method.is_async else result)]

    def _describe(self, error: ProtocolError | RowMissing, method: Method | None) -> RpcError:
        if isinstance(error, RowMissing):
            error = UnknownKey(**error.wanted)
        name = method.full_name if method else "json_rpc"
        return from_protocol_error(error, name, method is not None and method.is_broadcast, self.show_value)

    def _resolve(self, message: dict[str, Any]) -> tuple[Method, Any]:
        """Returns the method and arguments of a request. Raises RpcError."""
        if message.get("jsonrpc") != "2.0":
            raise RpcError(INVALID_REQUEST, 'jsonrpc value is not "2.0"')
        name = message.get("method")
        if not isinstance(name, str):
            raise RpcError(INVALID_REQUEST, 'A member "method" does not exist')
        method = self.methods.get(name)
        if method is not None:
            return method, message.get("params")
        if name == "call":
            if "params" not in message:
                raise RpcError(NO_PARAMS, 'A member "params" does not exist')
            return self._resolve_call(message["params"])
        return self._find(*_split_name(name)), message.get("params")

    def _resolve_call(self, params: Any) -> tuple[Method, Any]:
        if not isinstance(params, list) or len(params) not in (2, 3):
            raise assert_error(
                METHOD_NOT_FOUND,
                "v.size() == 2 || v.size() == 3",
                'params should be {"api", "method", "args"',
                "json_rpc",
            )
        api = LEGACY_APIS[params[0]] if params[0] in (0, 1) and type(params[0]) is int else as_text(params[0])
        name = as_text(params[1])
        arguments = params[2] if len(params) == 3 else None
        if isinstance(arguments, list) and api not in NATIVE_APIS:
            api = self._translate(api, name, arguments)
        return self._find(api, name), arguments

    def _translate(self, api: str, name: str, arguments: list[Any]) -> str:
        """Maps a call with an array to the method of condenser_api; an empty array also stands for an empty object."""
        is_known = f"{CONDENSER}.{name}" in self.methods or f"{api}.{name}" not in self.methods
        return CONDENSER if is_known or arguments else api

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


def _find_excess(body: bytes | str) -> str:
    """Returns why a request is too large to be parsed, or an empty text."""
    if len(body) > REQUEST_BYTES_MAX:
        return f"a request may hold {REQUEST_BYTES_MAX} bytes, not {len(body)}"
    data = body.encode(errors="replace") if isinstance(body, str) else body
    marks = sum(map(data.count, MARKS))
    if marks > REQUEST_MARKS_MAX:
        return f"a request may hold {REQUEST_MARKS_MAX} commas, colons and opening brackets, not {marks}"
    return ""


def _split_name(name: str) -> tuple[str, str]:
    """Splits a name into API and method; a bare name belongs to condenser_api. Raises RpcError."""
    parts = name.split(".", 2)
    if len(parts) == 1:
        return CONDENSER, name
    if len(parts) == 2:
        return parts[0], parts[1]
    text = "method specification invalid. Should be api.method"
    raise assert_error(METHOD_NOT_FOUND, "v.size() == 2", text, "process_params")


def _get_id(message: Any) -> int | str | None:
    """Returns the id of a request if it may be echoed: an integer or a string."""
    request_id = message.get("id") if isinstance(message, dict) else None
    return request_id if isinstance(request_id, int | str) and not isinstance(request_id, bool) else None


def _no_object(message: Any) -> RpcError:
    error = BadCast("Invalid cast from type '${type}' to Object", type=fc_type(message))
    return to_rpc_error(error, PARSE_ERROR, "get_object")


def _render(request_id: int | str | None, error: RpcError) -> bytes:
    return _render_error(orjson.dumps(request_id), error)


def _render_error(shown_id: bytes, error: RpcError) -> bytes:
    """Returns an error response; texts that may be private keys are removed from it."""
    shown = dump_json(error.to_json())
    if len(shown) <= HIDING_BYTES_MAX:
        shown = hide_keys(shown.decode()).encode()
    return b'{"jsonrpc":"2.0","error":%b,"id":%b}' % (shown, shown_id)
