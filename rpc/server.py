"""JSON-RPC over HTTP and websockets on one port.

With any path and method, a body is a JSON-RPC request, and the status is 200 even for errors: clients of the reference
treat any other status as a broken connection and retry. GET / and GET /health are for people and monitoring.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from aiohttp import web

from rpc.aiohttp_side import SERVER
from rpc.dispatch import Dispatcher
from rpc.feed import BlockFeed, TooManyListeners
from rpc.http_port import BUSY, HttpPort, Refused, Request, error_answer, find_id
from rpc.json_bytes import dump_json
from rpc.port_limits import Overloaded, PortLimits
from rpc.this_machine import find_stranger, meet_stranger
from rpc.websocket import Code, Opcode, Upgrade, WebSocket

log = logging.getLogger("plaudit.rpc")

CORS_HEADERS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
FEED_PATH: Final = "/feed"
HEALTH_PATH: Final = "/health"
BAD_PAYLOAD: Final = "error: string payload expected"


FindProblem = Callable[[dict[str, Any], int, int], str]
"""Returns what is unhealthy by the node's status, the time, and the maximum age of the head in seconds; or an empty
text."""


class RpcServer:
    """Serves a dispatcher on one host and port.

    `get_status` returns the JSON object of GET /. GET /health responds with 503 when `find_problem` finds it unhealthy,
    for example when the head is older than `healthy_age_seconds`. Websockets on FEED_PATH also receive the `feed`.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        get_status: Callable[[], dict[str, Any]],
        find_problem: FindProblem,
        *,
        healthy_age_seconds: int,
        limits: PortLimits | None = None,
        proxies: frozenset[str] = frozenset(),
        feed: BlockFeed | None = None,
    ) -> None:
        self.dispatcher = dispatcher
        self.feed = feed
        self.get_status = get_status
        self.find_problem = find_problem
        self.healthy_age_seconds = healthy_age_seconds
        self.port = HttpPort(self._handle, limits, proxies, CORS_HEADERS)
        self._conversations: set[Conversation] = set()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Opens the port; returns the listening address. Raises OSError when it is in use."""
        return await self.port.start(host, port)

    async def stop(self) -> None:
        """Closes the port and all connections, after a grace period for requests in progress."""
        for conversation in list(self._conversations):
            conversation.socket.close(Code.GOING_AWAY, "the node stops")
        await self.port.stop()

    async def _handle(self, request: Request) -> web.StreamResponse:
        meet_stranger(find_stranger(request.raw.headers))
        if request.is_websocket:
            return await self._serve_websocket(request)
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=CORS_HEADERS)
        if request.method == "GET" and not request.raw.body_exists:
            await self.port.turns.take(request.client)
            return self._answer_get(request.path)
        return await self.port.answer_json(request, self.dispatcher.answer)

    def _answer_get(self, path: str) -> web.Response:
        status = self.get_status()
        if path != HEALTH_PATH:
            return self.port.respond(dump_json(status))
        now = int(time.time())
        problem = self.find_problem(status, now, self.healthy_age_seconds)
        age = max(0, now - int(status["head_block_unix_time"]))
        health = {
            "status": "ok" if not problem else "stale" if age > self.healthy_age_seconds else "unhealthy",
            "problem": problem or None,
            "head_block_number": status["head_block_number"],
            "head_block_age_seconds": age,
            "healthy_age_seconds": self.healthy_age_seconds,
        }
        return self.port.respond(dump_json(health), 503 if problem else 200)

    async def _serve_websocket(self, request: Request) -> web.StreamResponse:
        try:
            response = Upgrade(request.raw)
        except ValueError as error:
            raise Refused(400, str(error)) from error
        response.headers["Server"] = SERVER
        await response.prepare(request.raw)
        conversation = Conversation(self, request)
        self._conversations.add(conversation)
        try:
            await conversation.hold()
        finally:
            self._conversations.discard(conversation)
        return response


class Conversation:
    """A client's session on a websocket."""

    def __init__(self, server: RpcServer, request: Request) -> None:
        limits = server.port.limits
        self._server = server
        self._port = server.port
        self._request = request
        self._arriving_bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(limits.websocket_requests_max)
        self.socket = WebSocket(request.connection, limits.body_bytes_max, limits.body_seconds, self._charge)
        request.connection.upgraded = self.socket
        request.raw.protocol.keep_alive(False)
        request.raw.protocol.set_parser(self.socket)  # type: ignore[arg-type]  # It needs the two methods that feed.
        request.connection.wake()

    def _charge(self, size: int) -> None:
        """Counts the bytes of an arriving message. Raises Overloaded."""
        counted = 2 * max(0, size - self._port.limits.small_bytes)  # The message is in memory twice for a moment.
        if counted > self._arriving_bytes:
            self._port.held.take(self._request.client, counted - self._arriving_bytes)
            self._arriving_bytes = counted

    async def hold(self) -> None:
        """Answers messages until the connection is closed."""
        server, socket = self._server, self.socket
        if server.feed is not None and self._request.path == FEED_PATH:
            self._begin(self._send_feed(server.feed))
        try:
            while (message := await socket.receive()) is not None:
                held, self._arriving_bytes = self._arriving_bytes, 0
                try:
                    await self._slots.acquire()
                except asyncio.CancelledError:
                    self._port.held.release(self._request.client, held)
                    raise
                self._begin(self._answer(*message, held))
        finally:
            for task in self._tasks:
                task.cancel()
            self._port.held.release(self._request.client, self._arriving_bytes)
            self._arriving_bytes = 0

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, opcode: Opcode, body: bytes, held: int) -> None:
        """Answers a message; responses to concurrent messages may be out of order."""
        client = self._request.client
        try:
            if opcode == Opcode.BINARY:
                await self._send(BAD_PAYLOAD.encode())
                return
            try:
                with self._port.requests.holding(client):
                    await self._port.turns.take(client)
                    answer = await self._server.dispatcher.answer(body)
            except Overloaded as problem:
                answer = dump_json(error_answer(f"{BUSY}{problem}", find_id(body)))
            if not self.socket.is_closed:
                await self._send(answer, find_id(body))
        except ConnectionError:
            log.debug("a websocket client left before its answer")
        finally:
            self._port.held.release(client, held)
            self._slots.release()

    async def _send_feed(self, feed: BlockFeed) -> None:
        """Sends the block feed until the client disconnects or falls behind."""
        try:
            listener = feed.add(self._request.client)
        except TooManyListeners as error:
            self.socket.close(Code.TRY_AGAIN_LATER, str(error))
            return
        try:
            while (event := await listener.next()) is not None:
                await self._port.events.take(listener)
                await self._write(event)
            self.socket.close(Code.TRY_AGAIN_LATER, "events were dropped: the listener is too slow")
        except Overloaded as problem:
            self.socket.close(Code.TRY_AGAIN_LATER, str(problem))
        except ConnectionError:
            log.debug("a listener left")
        finally:
            feed.remove(listener)

    async def _send(self, answer: bytes, request_id: int | str | None = None) -> None:
        """Sends a response, or an error when too many are unread. Raises ConnectionError."""
        try:
            await self._write(answer)
        except Overloaded as problem:
            await self.socket.send(dump_json(error_answer(f"{BUSY}{problem}", request_id)))

    async def _write(self, text: bytes) -> None:
        """Sends a message; one that does not fit into the socket buffer counts as held until it is read. Raises
        Overloaded and ConnectionError."""
        if self._port.fits(text, self._request.connection.transport):
            await self.socket.send(text)
            return
        with self._port.held.holding(self._request.client, len(text)):
            async with self._port.writing(self._request.connection):
                await self.socket.send(text)
