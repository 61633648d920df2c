"""HTTP and websocket on one port: reads requests, hands them to the dispatcher, writes what it answers.

Whatever the path and the verb, a body is a JSON-RPC request and the status is 200, errors included: clients of the
reference take another status for a broken connection and try again. GET / and GET /health answer people and monitors.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from rpc.dispatch import Dispatcher

log = logging.getLogger("plaudit.rpc")

JSON = "application/json"
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
BAD_PAYLOAD = "error: string payload expected"


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
    ) -> None:
        self.dispatcher = dispatcher
        self.get_status = get_status
        self.body_bytes_max = body_bytes_max
        self.healthy_age_seconds = healthy_age_seconds
        self.websocket_requests_max = websocket_requests_max
        self._runner: web.ServerRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Opens the port and returns the address it listens on. Raises OSError when it is taken."""
        server = web.Server(self._handle, access_log=None, keepalive_timeout=75)
        self._runner = web.ServerRunner(server)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, backlog=1024)
        await site.start()
        address = self._runner.addresses[0]
        return str(address[0]), int(address[1])

    async def stop(self) -> None:
        """Closes the port and every connection."""
        for socket in list(self._sockets):
            await socket.close(code=1001, message=b"the node stops")
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "GET":
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._serve_websocket(request)
            if not request.body_exists:
                return self._answer_get(request.path)
        elif request.method == "OPTIONS":
            return web.Response(status=204, headers=CORS_HEADERS)
        body = await self._read_body(request)
        if body is None:
            text = f"a request may hold {self.body_bytes_max} bytes"
            return _json_response({"jsonrpc": "2.0", "error": {"code": -32000, "message": text}, "id": None}, 413)
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
                await socket.send_str(answer.decode())
        except ConnectionError:
            log.debug("a websocket client left before its answer")
        finally:
            slots.release()


def _json_response(value: dict[str, Any], status: int) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type=JSON, headers=CORS_HEADERS)
