"""HTTP and websocket on one port: reads requests, hands them to the dispatcher, writes what it answers.

Whatever the path and the verb, a body is a JSON-RPC request and the status is 200, errors included: clients of the
reference take another status for a broken connection and try again. GET / and GET /health answer people and monitors.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from rpc.dispatch import Dispatcher
from rpc.errors import SERVER_ERROR
from rpc.json_bytes import dump_json

log = logging.getLogger("plaudit.rpc")

JSON = "application/json"
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
BAD_PAYLOAD = "error: string payload expected"

CONNECTIONS_MAX = 2048
"""Connections at one time; more are closed at once."""

IDLE_SECONDS = 75
"""How long a connection may stay open without a complete request head."""

BODY_SECONDS = 30
"""How long a body may take to arrive."""

LINGER_SECONDS = 1
"""How long the rest of a refused body is thrown away, so that the client reads why it was refused."""

STOP_SECONDS = 5
"""How long requests under way may take when the port closes."""


class RpcServer:
    """Serves a dispatcher on one host and port.

    `get_status` gives the JSON object of GET /, `get_head_age` the seconds since the head block's time: GET /health
    answers 503 when it exceeds `healthy_age_seconds`. Bodies over `body_bytes_max` are refused with status 413.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        get_status: Callable[[], dict[str, Any]],
        *,
        body_bytes_max: int,
        healthy_age_seconds: int,
        websocket_requests_max: int,
        connections_max: int = CONNECTIONS_MAX,
        body_seconds_max: float = BODY_SECONDS,
    ) -> None:
        self.dispatcher = dispatcher
        self.get_status = get_status
        self.body_bytes_max = body_bytes_max
        self.healthy_age_seconds = healthy_age_seconds
        self.websocket_requests_max = websocket_requests_max
        self.connections_max = connections_max
        self.body_seconds_max = body_seconds_max
        self._http: web.Server | None = None
        self._port: asyncio.Server | None = None
        self._sockets: set[web.WebSocketResponse] = set()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Opens the port and returns the address it listens on. Raises OSError when it is taken."""
        self._http = web.Server(
            self._handle, access_log=None, keepalive_timeout=IDLE_SECONDS, lingering_time=LINGER_SECONDS
        )
        loop = asyncio.get_running_loop()
        self._port = await loop.create_server(self._accept, host, port, backlog=1024)
        address = self._port.sockets[0].getsockname()
        return str(address[0]), int(address[1])

    def _accept(self) -> asyncio.Protocol:
        """Who handles a new connection."""
        assert self._http is not None, "the port is open"
        if len(self._http.connections) >= self.connections_max:
            log.warning("a connection was closed at once: there are %d already", self.connections_max)
            return _Refusal()
        return self._http()

    async def stop(self) -> None:
        """Closes the port and every connection; requests under way may finish for a moment."""
        if self._port is not None:
            self._port.close()
        for socket in list(self._sockets):
            await socket.close(code=1001, message=b"the node stops")
        if self._http is not None:
            self._http.pre_shutdown()
            await self._http.shutdown(STOP_SECONDS)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._serve_websocket(request)
            if not request.body_exists:
                return self._answer_get(request.path)
        elif request.method == "OPTIONS":
            return web.Response(status=204, headers=CORS_HEADERS)
        try:
            async with asyncio.timeout(self.body_seconds_max):
                body = await self._read_body(request)
        except TimeoutError:
            return _refuse(f"the body of a request has to arrive within {self.body_seconds_max} seconds", 408)
        if body is None:
            return _refuse(f"a request may hold {self.body_bytes_max} bytes", 413)
        answer = await self.dispatcher.answer(body)
        return web.Response(body=answer, content_type=JSON, headers=CORS_HEADERS)

    async def _read_body(self, request: web.BaseRequest) -> bytes | None:
        """The body, or None when it is larger than allowed."""
        if (request.content_length or 0) > self.body_bytes_max:
            return None
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > self.body_bytes_max:
                return None
        return bytes(body)

    def _answer_get(self, path: str) -> web.Response:
        status = self.get_status()
        if path != "/health":
            return _json_response(status, 200)
        age = max(0, int(time.time()) - int(status["head_block_unix_time"]))
        is_healthy = age <= self.healthy_age_seconds
        health = {
            "status": "ok" if is_healthy else "stale",
            "head_block_number": status["head_block_number"],
            "head_block_age_seconds": age,
            "healthy_age_seconds": self.healthy_age_seconds,
        }
        return _json_response(health, 200 if is_healthy else 503)

    async def _serve_websocket(self, request: web.BaseRequest) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(max_msg_size=self.body_bytes_max, heartbeat=30)
        await socket.prepare(request)
        self._sockets.add(socket)
        slots = asyncio.Semaphore(self.websocket_requests_max)
        tasks: set[asyncio.Task[None]] = set()
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await slots.acquire()
                    task = asyncio.create_task(self._answer_frame(socket, message.data, slots))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                elif message.type is WSMsgType.BINARY:
                    await socket.send_str(BAD_PAYLOAD)
        finally:
            self._sockets.discard(socket)
            for task in tasks:
                task.cancel()
        return socket

    async def _answer_frame(self, socket: web.WebSocketResponse, text: str, slots: asyncio.Semaphore) -> None:
        """Answers one frame; answers to frames sent together may come in another order."""
        try:
            answer = await self.dispatcher.answer(text)
            if not socket.closed:
                await socket.send_str(answer.decode(errors="replace"))
        except ConnectionError:
            log.debug("a websocket client left before its answer")
        finally:
            slots.release()


class _Refusal(asyncio.Protocol):
    """Closes a connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Closes it."""
        transport.close()


def _refuse(problem: str, status: int) -> web.Response:
    """Says what was wrong with a body that is not read to its end, and closes the connection."""
    answer = {"jsonrpc": "2.0", "error": {"code": SERVER_ERROR, "message": problem}, "id": None}
    response = _json_response(answer, status)
    response.force_close()
    return response


def _json_response(value: dict[str, Any], status: int) -> web.Response:
    return web.Response(body=dump_json(value), status=status, content_type=JSON, headers=CORS_HEADERS)
