"""HTTP and websocket on one port: reads requests, hands them to the dispatcher, writes what it answers.

Whatever the path and the verb, a body is a JSON-RPC request and the status is 200, errors included: clients of the
reference take another status for a broken connection and try again. GET / and GET /health answer people and monitors.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from rpc.dispatch import Dispatcher
from rpc.errors import SERVER_ERROR
from rpc.feed import BlockFeed, TooManyListeners
from rpc.json_bytes import dump_json

log = logging.getLogger("plaudit.rpc")

JSON = "application/json"
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
FEED_PATH = "/feed"
BAD_PAYLOAD = "error: string payload expected"
TOO_MANY_UNREAD = "this node has too many large answers waiting to be read, ask again later"

CONNECTIONS_MAX = 2048
"""Connections at one time; more are closed at once."""

IDLE_SECONDS = 75
"""How long a connection may stay open without a complete request head."""

BODY_SECONDS = 30
"""How long a body may take to arrive."""

LINGER_SECONDS = 1
"""How long the rest of a refused body is thrown away, so that the client reads why it was refused."""

WRITE_SECONDS = 60
"""How long an answer may take to be read; then the connection is cut."""

SMALL_BYTES = 1 << 15
"""An answer up to this size fits into the buffer of a connection that has nothing else to send."""

UNREAD_BYTES_MAX = 256 << 20
"""Bytes of larger answers that wait to be read, by all clients together; further ones are refused."""

STOP_SECONDS = 5
"""How long requests under way may take when the port closes."""


class RpcServer:
    """Serves a dispatcher on one host and port.

    `get_status` gives the JSON object of GET /, `get_head_age` the seconds since the head block's time: GET /health
    answers 503 when it exceeds `healthy_age_seconds`. Bodies over `body_bytes_max` are refused with status 413.
    Websockets on FEED_PATH also hear the `feed`.
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
        write_seconds_max: float = WRITE_SECONDS,
        unread_bytes_max: int = UNREAD_BYTES_MAX,
        feed: BlockFeed | None = None,
    ) -> None:
        self.dispatcher = dispatcher
        self.feed = feed
        self.get_status = get_status
        self.body_bytes_max = body_bytes_max
        self.healthy_age_seconds = healthy_age_seconds
        self.websocket_requests_max = websocket_requests_max
        self.connections_max = connections_max
        self.body_seconds_max = body_seconds_max
        self.write_seconds_max = write_seconds_max
        self.unread_bytes_max = unread_bytes_max
        self._unread_bytes = 0
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
            return Refusal()
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
        response = web.Response(body=answer, content_type=JSON, headers=CORS_HEADERS)
        if _fits(answer, request.transport):
            return response
        if not self._has_room(answer):
            return _refuse(TOO_MANY_UNREAD, 503)
        async with self._writing(answer, request.transport):
            await response.prepare(request)
            await response.write_eof()
        return response

    def _has_room(self, answer: bytes) -> bool:
        return self._unread_bytes + len(answer) <= self.unread_bytes_max

    @asynccontextmanager
    async def _writing(self, answer: bytes, transport: asyncio.WriteTransport | None) -> AsyncIterator[None]:
        """Counts an answer as unread until it is written; cuts the connection of a client that does not read it."""
        self._unread_bytes += len(answer)
        try:
            async with asyncio.timeout(self.write_seconds_max):
                yield
        except TimeoutError:
            log.warning("a connection was cut: an answer was not read for %s seconds", self.write_seconds_max)
            if transport is not None:
                transport.abort()
            raise ConnectionResetError("the answer was not read") from None
        finally:
            self._unread_bytes -= len(answer)

    async def _read_body(self, request: web.BaseRequest) -> bytes | None:
        """The body, or None when it is larger than allowed."""
        if (request.content_length or 0) > self.body_bytes_max:
            return None
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
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
        if self.feed is not None and request.path == FEED_PATH:
            tasks.add(asyncio.create_task(self._send_feed(socket, request.transport, self.feed)))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await slots.acquire()
                    task = asyncio.create_task(self._answer_frame(socket, request.transport, message.data, slots))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)
                elif message.type is WSMsgType.BINARY:
                    await self._send_frame(socket, request.transport, BAD_PAYLOAD.encode())
        except ConnectionError:
            log.debug("a websocket client left")
        finally:
            self._sockets.discard(socket)
            for task in tasks:
                task.cancel()
        return socket

    async def _send_feed(
        self, socket: web.WebSocketResponse, transport: asyncio.WriteTransport | None, feed: BlockFeed
    ) -> None:
        """Sends what happens to the chain until the client leaves or falls behind."""
        try:
            listener = feed.add()
        except TooManyListeners as error:
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=str(error).encode())
            return
        try:
            while (event := await listener.next()) is not None and self._has_room(event):
                await self._send_frame(socket, transport, event)
            await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"events had to be left out: read faster")
        except ConnectionError:
            log.debug("a listener left")
        finally:
            feed.remove(listener)

    async def _answer_frame(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.WriteTransport | None,
        text: str,
        slots: asyncio.Semaphore,
    ) -> None:
        """Answers one frame; answers to frames sent together may come in another order."""
        try:
            answer = await self.dispatcher.answer(text)
            if not socket.closed:
                await self._send_frame(socket, transport, answer)
        except ConnectionError:
            log.debug("a websocket client left before its answer")
        finally:
            slots.release()

    async def _send_frame(
        self, socket: web.WebSocketResponse, transport: asyncio.WriteTransport | None, answer: bytes
    ) -> None:
        """Sends one text frame. Raises ConnectionError."""
        if not _fits(answer, transport) and not self._has_room(answer):
            answer = dump_json(_error_answer(TOO_MANY_UNREAD))
        text = answer.decode(errors="replace")
        if _fits(answer, transport):
            await socket.send_str(text)
        else:
            async with self._writing(answer, transport):
                await socket.send_str(text)


class Refusal(asyncio.Protocol):
    """Closes a connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Closes it."""
        transport.close()


def _fits(answer: bytes, transport: asyncio.WriteTransport | None) -> bool:
    """Whether an answer can be written at once, whatever the client does."""
    return len(answer) <= SMALL_BYTES and transport is not None and not transport.get_write_buffer_size()


def _error_answer(problem: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": {"code": SERVER_ERROR, "message": problem}, "id": None}


def _refuse(problem: str, status: int) -> web.Response:
    """Says why a request is not answered, and closes the connection."""
    response = _json_response(_error_answer(problem), status)
    response.force_close()
    return response


def _json_response(value: dict[str, Any], status: int) -> web.Response:
    return web.Response(body=dump_json(value), status=status, content_type=JSON, headers=CORS_HEADERS)
