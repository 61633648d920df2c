"""Fair scheduling of connections: received bytes are processed in small parts, in turn, per round of the event loop.

A thousand sockets may be ready at once, each with a thousand requests in one read. At most one buffer per connection is
kept; reading is paused until it is processed (backpressure).
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
"""Maximum bytes per read."""

PART_BYTES: Final = 2 << 10
"""Maximum bytes of a connection processed before other connections have their turn."""

BODY_PART_BYTES: Final = 256
"""Minimum part of a body processed per turn."""

HEAD_END: Final = b"\r\n\r\n"
PARTS_A_ROUND: Final = 4
HEAD_BYTES_MAX: Final = 48 << 10
"""Maximum bytes of a request line with headers."""


class Upgraded(Protocol):
    """The receiver of bytes after a protocol upgrade."""

    def step(self) -> bool:
        """Processes some of the bytes; returns whether more can be processed now."""

    @property
    def is_full(self) -> bool:
        """Whether it accepts no more bytes now."""


class Pace:
    """Schedules connections in turn."""

    def __init__(self) -> None:
        self._ready: deque[PacedConnection] = deque()
        self._is_scheduled = False
        self.buffer = bytearray(READ_BYTES)

    def add(self, connection: PacedConnection) -> None:
        """Queues a connection for its turn."""
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
                break  # Closing it cancels its requests, and there may be many.
            if connection.handle_part():
                connection.is_queued = True
                self._ready.append(connection)
        self._is_scheduled = bool(self._ready)
        if self._is_scheduled:
            asyncio.get_running_loop().call_soon(self._run)


class _InnerTransport:
    """The transport as aiohttp sees it; pausing and resuming reads is left to the connection."""

    def __init__(self, connection: PacedConnection, transport: asyncio.Transport) -> None:
        self._connection = connection
        self._transport = transport

    def pause_reading(self) -> None:
        """aiohttp wants no more bytes."""
        self._connection.is_full = True

    def resume_reading(self) -> None:
        """aiohttp wants more bytes; buffered ones come first."""
        self._connection.is_full = False
        self._connection.wake()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class PacedConnection(asyncio.BufferedProtocol):
    """A connection that buffers received bytes and feeds them to aiohttp's protocol in parts."""

    def __init__(self, pace: Pace, inner: Handler, on_lost: Callable[[], None]) -> None:
        self.inner = inner
        self.is_queued = False
        self.is_full = False
        """Whether aiohttp wants no more bytes now."""
        self.body: StreamReader | None = None
        """The stream of the current request's body."""
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
        """Returns the read buffer, shared by all connections because it is emptied at once."""
        return self._pace.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Stores the bytes that were read, and pauses reading until they are processed."""
        self._held = self._held[self._at :] + self._pace.buffer[:nbytes]
        self._at = 0
        if self.transport is not None:
            self.transport.pause_reading()
        self._pace.add(self)

    def eof_received(self) -> None:
        """Closes the connection when the client has finished sending."""
        self.inner.eof_received()

    def pause_writing(self) -> None:
        """The write buffer is above its high-water mark."""
        self.inner.pause_writing()
        self._room = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        """The write buffer is below its low-water mark."""
        self.inner.resume_writing()
        self._wake_writer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Handles a closed connection; cleanup is scheduled in turn, too, because many may close at once."""
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
        """Waits until the write buffer has room. Raises ConnectionResetError when the connection is closed."""
        while self._room is not None:
            await asyncio.shield(self._room)
        if self.transport is None:
            raise ConnectionResetError("the connection is closed")

    # Parts

    def begin_request(self, body: StreamReader) -> None:
        """The headers of a request are complete: continues with its body."""
        self.body = body
        self._head_bytes = 0
        self.wake()

    def wake(self) -> None:
        """Continues with the buffered bytes."""
        if self.transport is not None:
            self._pace.add(self)

    def handle_part(self) -> bool:
        """Processes the next part of the buffer; returns whether to schedule another turn."""
        if self.upgraded is not None:
            if self.upgraded.is_full:
                return False
            if self.upgraded.step():
                return True
        elif self.inner.has_request:
            return False  # Continues when the waiting request is handled.
        if self._at < len(self._held):
            end = self._find_end()
            self._feed(self._held[self._at : end])
            self._at = end
            return True
        self._read_on()
        return False

    def _find_end(self) -> int:
        """Returns the end of the next part: at most the end of the next headers, so that requests come one by one."""
        end = self._at + PART_BYTES
        begin = self._at if self._awaits_head else self._at + BODY_PART_BYTES
        head_end = self._held.find(HEAD_END, begin, end)
        return end if head_end < 0 else head_end + len(HEAD_END)

    @property
    def _awaits_head(self) -> bool:
        return self.body is None or self.body.is_eof()

    def end(self) -> None:
        """Runs the cleanup of a closed connection."""
        if self._lost is not None:
            lost, self._lost = self._lost, None
            self.inner.connection_lost(lost)
            self.upgraded = None  # Breaks a reference cycle.
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
    """Opens a listening socket. Raises OSError."""
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
