"""Connections whose bytes are handled in turn, a few small parts in each round of the event loop.

A thousand sockets may be ready at one moment, and each may bring a thousand requests in one read. What is read is kept,
at most one buffer of each connection, and nothing more is read from it until that is handled.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol, cast

from aiohttp import StreamReader

from rpc.aiohttp_side import Handler

READ_BYTES: Final = 8 << 10
"""What is read from one connection at once."""

PART_BYTES: Final = 2 << 10
"""What is handled of one connection before it is the others' turn."""

BODY_PART_BYTES: Final = 256
"""The least that is handled of a body."""

HEAD_END: Final = b"\r\n\r\n"
PARTS_A_ROUND: Final = 4
HEAD_BYTES_MAX: Final = 48 << 10
"""Bytes that may come before a request is complete to its body."""


class Upgraded(Protocol):
    """What takes the bytes of a connection that speaks HTTP no more."""

    def step(self) -> bool:
        """Handles some of what was fed; returns whether more of it can be handled now."""

    @property
    def is_full(self) -> bool:
        """Whether nothing more is to be fed now."""


class Pace:
    """Gives connections their turn."""

    def __init__(self) -> None:
        self._ready: deque[PacedConnection] = deque()
        self._is_scheduled = False
        self.buffer = bytearray(READ_BYTES)

    def add(self, connection: PacedConnection) -> None:
        """Has a connection handle what it holds."""
        if not connection.is_queued:
            connection.is_queued = True
            self._ready.append(connection)
        if not self._is_scheduled:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        for _ in range(min(PARTS_A_ROUND, len(self._ready))):
            connection = self._ready.popleft()
            connection.is_queued = False
            if connection.transport is None:
                connection.end()
                break  # Its requests end with it, and they may be many.
            if connection.handle_part():
                connection.is_queued = True
                self._ready.append(connection)
        self._is_scheduled = bool(self._ready)
        if self._is_scheduled:
            asyncio.get_running_loop().call_soon(self._run)


class _InnerTransport:
    """The transport as aiohttp sees it, all but reading: whether that goes on is the connection's to say."""

    def __init__(self, connection: PacedConnection, transport: asyncio.Transport) -> None:
        self._connection = connection
        self._transport = transport

    def pause_reading(self) -> None:
        """aiohttp has enough."""
        self._connection.is_full = True

    def resume_reading(self) -> None:
        """aiohttp wants more: first of what is held."""
        self._connection.is_full = False
        self._connection.wake()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class PacedConnection(asyncio.BufferedProtocol):
    """One connection: keeps what was read and feeds it to aiohttp's protocol in parts."""

    def __init__(self, pace: Pace, inner: Handler, on_lost: Callable[[], None]) -> None:
        self.inner = inner
        self.is_queued = False
        self.is_full = False
        """Whether aiohttp wants no more bytes now."""
        self.body: StreamReader | None = None
        """Where the body of the request goes that is handled now."""
        self.upgraded: Upgraded | None = None
        self.transport: asyncio.Transport | None = None
        self._pace = pace
        self._on_lost = on_lost
        self._held = b""
        self._at = 0
        self._head_bytes = 0
        self._lost: Exception | None = None
        self._room: asyncio.Future[None] | None = None

    # asyncio.BufferedProtocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection is open."""
        self.transport = cast(asyncio.Transport, transport)
        self.inner.connection_made(cast(asyncio.Transport, _InnerTransport(self, self.transport)))

    def get_buffer(self, sizehint: int) -> bytearray:
        """Where the next bytes are read to: all connections share it, because it is emptied at once."""
        return self._pace.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes were read: no more of them until these are handled."""
        self._held = self._held[self._at :] + self._pace.buffer[:nbytes]
        self._at = 0
        if self.transport is not None:
            self.transport.pause_reading()
        self._pace.add(self)

    def eof_received(self) -> None:
        """The client sends no more, and the connection is closed."""
        self.inner.eof_received()

    def pause_writing(self) -> None:
        """Much waits to be read by the client."""
        self.inner.pause_writing()
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The client has read most of it."""
        self.inner.resume_writing()
        self._wake_writer()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is closed; what follows from it is done in turn, too, because many may go at one moment."""
        self.transport = None
        self._held = b""
        self._at = 0
        self._lost = exc or ConnectionResetError("the connection is closed")
        self._wake_writer()
        self._pace.add(self)

    def _wake_writer(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None

    async def drain(self) -> None:
        """Waits until there is room for more to write. Raises ConnectionResetError when the connection is gone."""
        while self._room is not None:
            await asyncio.shield(self._room)
        if self.transport is None:
            raise ConnectionResetError("the connection is closed")

    # Parts

    def begin_request(self, body: StreamReader) -> None:
        """The head of a request is complete: goes on with its body, and with what follows."""
        self.body = body
        self._head_bytes = 0
        self.wake()

    def wake(self) -> None:
        """Goes on with what is held."""
        if self.transport is not None:
            self._pace.add(self)

    def handle_part(self) -> bool:
        """Handles the next part of what is held; returns whether to come again."""
        if self.upgraded is not None:
            if self.upgraded.is_full:
                return False
            if self.upgraded.step():
                return True
        elif self.inner.has_request:
            return False  # It goes on when the request that waits is handled.
        if self._at < len(self._held):
            end = self._find_end()
            self._feed(self._held[self._at : end])
            self._at = end
            return True
        self._read_on()
        return False

    def _find_end(self) -> int:
        """Where the next part ends: behind the next head at the latest, so that requests come one by one."""
        end = self._at + PART_BYTES
        begin = self._at if self._awaits_head else self._at + BODY_PART_BYTES
        head_end = self._held.find(HEAD_END, begin, end)
        return end if head_end < 0 else head_end + len(HEAD_END)

    @property
    def _awaits_head(self) -> bool:
        return self.body is None or self.body.is_eof()

    def end(self) -> None:
        """Does what follows from the end of the connection."""
        if self._lost is not None:
            lost, self._lost = self._lost, None
            self.inner.connection_lost(lost)
            self.upgraded = None  # It knows this connection.
            self._on_lost()

    def _read_on(self) -> None:
        self._held = b""
        self._at = 0
        if self.transport is not None and not self.is_full:
            self.transport.resume_reading()

    def _feed(self, part: bytes) -> None:
        is_head = self.upgraded is None and self._awaits_head
        self._head_bytes = self._head_bytes + len(part) if is_head else 0
        if self._head_bytes > HEAD_BYTES_MAX and self.transport is not None:
            self.transport.abort()
            return
        self.inner.data_received(part)


def make_listener(family: int, address: tuple[Any, ...], backlog: int) -> socket.socket:
    """Opens a socket that listens. Raises OSError."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(address)
        listener.listen(backlog)
    except OSError:
        listener.close()
        raise
    return listener
