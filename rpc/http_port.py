"""The HTTP server of a port: one listening address with limits per client and in total.

A port accepts connections, identifies clients, reads bodies and writes responses; a handler processes the requests.
A request over a limit gets a JSON-RPC error with status 200, because clients treat any other status as a broken
connection and retry at once.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import orjson
from aiohttp import web

from rpc.aiohttp_side import SERVER, Server
from rpc.errors import SERVER_ERROR, cut_trace
from rpc.json_bytes import dump_json
from rpc.paced import Pace, PacedConnection, make_listener
from rpc.port_limits import Client, Gauge, Overloaded, PortLimits, name_client, names_itself
from rpc.turns import Turns, work_in_turns

log = logging.getLogger("plaudit.rpc")

JSON: Final = "application/json"
BACKLOG: Final = 128
ACCEPTED_A_ROUND: Final = 4
RETRY_SECONDS: Final = 1.0
"""Delay before accepting again when the process has no file descriptors left."""

NOTE_SECONDS: Final = 60.0
ID_BYTES_MAX: Final = 4096
"""Maximum size of a request whose id is echoed when it is refused."""

WRITE_BYTES: Final = 256 << 10
"""Maximum bytes of a response written at once, as the copy to the kernel blocks the event loop."""

BUSY: Final = "this node is busy: "


class Refused(Exception):
    """A refused request, with the HTTP status of the response."""

    def __init__(self, status: int, problem: str) -> None:
        self.status = status
        super().__init__(problem)


class Request:
    """An HTTP request as a handler sees it. `path` has no trailing slash; HEAD is handled like GET."""

    def __init__(self, port: HttpPort, raw: web.BaseRequest, connection: PacedConnection, client: Client) -> None:
        self.raw = raw
        self.connection = connection
        self.client = client
        self.method = "GET" if raw.method == "HEAD" else raw.method
        self.path = raw.path.rstrip("/") or "/"
        self._port = port
        self._held_bytes = 0

    @property
    def is_websocket(self) -> bool:
        """Whether it is a websocket upgrade."""
        return self.raw.method == "GET" and self.raw.headers.get("Upgrade", "").lower() == "websocket"

    async def read_body(self) -> bytes:
        """Reads the body; its bytes count as held until `release`. Raises Refused and Overloaded."""
        limits = self._port.limits
        if (self.raw.content_length or 0) > limits.body_bytes_max:
            raise _too_large(limits)
        if self.raw.headers.get("Expect", "").lower() == "100-continue":
            await self.raw.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.raw.writer.output_size = 0
        try:
            async with asyncio.timeout(limits.body_seconds):
                return await self._collect(limits)
        except TimeoutError:
            text = f"the body of a request has to arrive within {limits.body_seconds:g} seconds"
            raise Refused(408, text) from None

    async def _collect(self, limits: PortLimits) -> bytes:
        body = bytearray()
        async for chunk in self.raw.content.iter_any():
            if len(body) + len(chunk) > limits.body_bytes_max:
                raise _too_large(limits)
            self.hold(2 * (len(body) + len(chunk)))  # The body is in memory twice for a moment.
            body += chunk
        return bytes(body)

    def hold(self, size: int) -> None:
        """Counts bytes as held for this request. Raises Overloaded."""
        counted = max(0, size - self._port.limits.small_bytes)
        if counted > self._held_bytes:
            self._port.held.take(self.client, counted - self._held_bytes)
            self._held_bytes = counted

    def release(self) -> None:
        """Releases all held bytes."""
        self._port.held.release(self.client, self._held_bytes)
        self._held_bytes = 0


Handler = Callable[[Request], Awaitable[web.StreamResponse]]
Answer = Callable[[bytes], Awaitable[bytes]]


class HttpPort:
    """One listening address."""

    def __init__(
        self,
        handle: Handler,
        limits: PortLimits | None = None,
        proxies: frozenset[str] = frozenset(),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`proxies` are the IP addresses whose X-Forwarded-For is trusted; `headers` are added to every response."""
        self.limits = limits or PortLimits()
        self.proxies = proxies
        self._headers = {**(headers or {}), "Server": SERVER}
        self.held = Gauge(self.limits.held_bytes, "bytes that requests and unread answers hold")
        self.requests = Gauge(self.limits.requests, "requests under way")
        self.sockets = Gauge(self.limits.connections, "connections")
        self.turns = Turns()
        self.events = Turns()
        self._refusals = Turns()
        self._handle_request = handle
        self._pace = Pace()
        self._http: Server | None = None
        self._listeners: list[socket.socket] = []
        self._opening: set[asyncio.Task[None]] = set()
        self._closed_at_once = 0
        self._note_at = 0.0
        self._connections: dict[web.RequestHandler, PacedConnection] = {}

    # Connections

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Opens the port; returns the listening address. Raises OSError when it is in use."""
        limits = self.limits
        self._http = Server(
            self._serve,
            access_log=None,
            keepalive_timeout=limits.head_seconds,
            lingering_time=limits.linger_seconds,
            read_bufsize=1 << 16,
            auto_decompress=False,
            max_headers=64,
        )
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        try:
            for family, address in dict.fromkeys((family, address) for family, _, _, _, address in found):
                self._listeners.append(make_listener(family, address, BACKLOG))
        except OSError as error:
            self._close_listeners()
            raise OSError(error.errno, f"{host}:{port}: {error.strerror}") from error
        for listener in self._listeners:
            loop.add_reader(listener, self._accept, listener)
        opened = self._listeners[0].getsockname()
        return str(opened[0]), int(opened[1])

    def _accept(self, listener: socket.socket) -> None:
        """Accepts waiting connections; those over the limit are closed at once."""
        for _ in range(ACCEPTED_A_ROUND):
            try:
                taken, address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    raise
                log.warning("no connection can be accepted for a second: %s", error.strerror)
                loop = asyncio.get_running_loop()
                loop.remove_reader(listener)
                loop.call_later(RETRY_SECONDS, self._accept_again, listener)
                return
            client = names_itself(str(address[0]), self.proxies) or taken.fileno()
            try:
                self.sockets.take(client)
            except Overloaded as problem:
                taken.close()
                self._note_full(problem)
                continue
            task = asyncio.create_task(self._open(taken, client))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def _note_full(self, problem: Overloaded) -> None:
        """Logs rejected connections at most once a minute."""
        now = asyncio.get_running_loop().time()
        self._closed_at_once += 1
        if now >= self._note_at:
            log.warning("%d connections were closed at once: %s", self._closed_at_once, problem)
            self._note_at, self._closed_at_once = now + NOTE_SECONDS, 0

    def _accept_again(self, listener: socket.socket) -> None:
        if listener.fileno() >= 0:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def _open(self, taken: socket.socket, client: Client) -> None:
        assert self._http is not None, "the port is open"
        inner = self._http()

        def on_lost() -> None:
            self._connections.pop(inner, None)
            self.sockets.release(client)

        connection = self._connections[inner] = PacedConnection(self._pace, inner, on_lost)
        taken.setblocking(False)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, taken)
        except OSError:
            taken.close()
            on_lost()

    async def stop(self) -> None:
        """Closes the port and all connections, after a grace period for requests in progress."""
        self._close_listeners()
        if self._opening:
            await asyncio.wait(self._opening)
        if self._http is not None:
            self._http.pre_shutdown()
            await self._http.shutdown(self.limits.stop_seconds)

    def _close_listeners(self) -> None:
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            loop.remove_reader(listener)
            listener.close()
        self._listeners.clear()

    # Requests

    async def _serve(self, raw: web.BaseRequest) -> web.StreamResponse:
        connection = self._connections.get(raw.protocol)
        if connection is None or raw.transport is None:
            return self.respond(b"", 400)  # The connection is closed, so nobody reads the response.
        connection.begin_request(raw.content)
        peer = raw.transport.get_extra_info("peername")
        client = name_client(str(peer[0]) if peer else None, raw.headers, raw.protocol, self.proxies)
        request = Request(self, raw, connection, client)
        work_in_turns(self.turns, client)
        try:
            if raw.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise Refused(415, "bodies are taken without compression only (no Content-Encoding)")
            return await self._handle_request(request)
        except Overloaded as problem:
            return await self._refuse(200, f"{BUSY}{problem}")
        except Refused as problem:
            return await self._refuse(problem.status, str(problem))
        except (ConnectionError, web.RequestPayloadError) as error:
            log.debug("a client left: %s", error)
            cut_trace(error)  # aiohttp keeps the exception, whose traceback keeps the body alive.
            return self.respond(b"", 400)
        finally:
            request.release()

    async def _refuse(self, status: int, problem: str) -> web.Response:
        """Refuses a request and closes the connection, since its body may still be arriving."""
        await self._refusals.take(None)
        response = self.respond(dump_json(error_answer(problem)), status)
        response.force_close()
        return response

    def respond(self, answer: bytes, status: int = 200, content_type: str = JSON) -> web.Response:
        """Returns a response with the headers of this port."""
        return web.Response(body=answer, status=status, headers={**self._headers, "Content-Type": content_type})

    async def answer_json(self, request: Request, answer: Answer) -> web.StreamResponse:
        """Handles a JSON-RPC request when it is the client's turn. Raises Refused and Overloaded.

        A response that does not fit into the socket buffer counts as held until the client has read it.
        """
        body = await request.read_body()
        question = body if len(body) <= ID_BYTES_MAX else b""
        try:
            with self.requests.holding(request.client):
                await self.turns.take(request.client)
                answered = await answer(body)
            del body
            if self.fits(answered, request.raw.transport):
                return self.respond(answered)
            request.hold(len(answered))
        except Overloaded as problem:
            await self._refusals.take(None)
            return self.respond(dump_json(error_answer(f"{BUSY}{problem}", find_id(question))))
        return await self._write_parts(request, answered)

    async def _write_parts(self, request: Request, answer: bytes) -> web.StreamResponse:
        """Writes a large response in parts, yielding to other clients in between."""
        response = web.StreamResponse(headers={**self._headers, "Content-Type": JSON})
        response.content_length = len(answer)
        async with self.writing(request.connection):
            await response.prepare(request.raw)
            for at in range(0, len(answer), WRITE_BYTES):
                await response.write(answer[at : at + WRITE_BYTES])
                await request.connection.drain()
                await asyncio.sleep(0)
            await response.write_eof()
        return response

    def fits(self, answer: bytes, transport: asyncio.WriteTransport | None) -> bool:
        """Whether a response can be written at once, whatever the client does."""
        return len(answer) <= self.limits.small_bytes and (
            transport is not None and not transport.get_write_buffer_size()
        )

    @asynccontextmanager
    async def writing(self, connection: PacedConnection) -> AsyncIterator[None]:
        """Aborts the connection if the client does not read a response written in the `with` block in time."""
        try:
            async with asyncio.timeout(self.limits.write_seconds):
                yield
        except TimeoutError:
            log.warning("connection aborted: a response was not read for %g seconds", self.limits.write_seconds)
            if connection.transport is not None:
                connection.transport.abort()
            raise ConnectionResetError("the answer was not read") from None


def error_answer(problem: str, request_id: int | str | None = None) -> dict[str, Any]:
    """Returns the response with a JSON-RPC error of the node."""
    return {"jsonrpc": "2.0", "error": {"code": SERVER_ERROR, "message": problem}, "id": request_id}


def find_id(body: bytes) -> int | str | None:
    """Returns the id of a request that is being refused; None for a large or invalid one and a batch."""
    if len(body) > ID_BYTES_MAX:
        return None
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    found = message.get("id") if isinstance(message, dict) else None
    return found if isinstance(found, int | str) and not isinstance(found, bool) else None


def _too_large(limits: PortLimits) -> Refused:
    return Refused(413, f"a request may hold {limits.body_bytes_max} bytes")
