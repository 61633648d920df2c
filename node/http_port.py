"""A small HTTP port for the operator's own tools: few connections, each request handled by one function."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from rpc.server import Refusal

CONNECTIONS_MAX: Final = 16
"""Connections at one time; more are closed at once."""

IDLE_SECONDS: Final = 75
LINGER_SECONDS: Final = 1
STOP_SECONDS: Final = 2
"""How long requests under way may take when the port closes."""

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class HttpPort:
    """One listening address."""

    def __init__(self, handle: Handler) -> None:
        self._server = web.Server(
            handle, access_log=None, keepalive_timeout=IDLE_SECONDS, lingering_time=LINGER_SECONDS
        )
        self._port: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Opens the port and returns the address it listens on. Raises OSError when it is taken."""
        self._port = await asyncio.get_running_loop().create_server(self._accept, host, port)
        address = self._port.sockets[0].getsockname()
        return str(address[0]), int(address[1])

    def _accept(self) -> asyncio.Protocol:
        """Who handles a new connection."""
        return Refusal() if len(self._server.connections) >= CONNECTIONS_MAX else self._server()

    async def stop(self) -> None:
        """Closes the port and every connection."""
        if self._port is not None:
            self._port.close()
        self._server.pre_shutdown()
        await self._server.shutdown(STOP_SECONDS)
