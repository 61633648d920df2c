"""TCP connections to peers: sockets, key exchange, and the buffers between the node core and the network."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address
from typing import Protocol, cast

from node.core import Link, NetworkSettings
from node.core.faults import is_own_machine
from node.core.guests import subnet_of
from node.core.tally import Tally
from protocol.errors import Invalid
from protocol.keys import PrivateKey
from protocol.p2p.channel import ChannelError, SecureChannel
from protocol.p2p.messages import Endpoint

log = logging.getLogger("plaudit.p2p")

EXCHANGE_SECONDS = 5
"""Timeout of the key exchange."""

DIAL_SECONDS = 5
BUFFER_BYTES = 1 << 20
"""High-water mark of a peer's write buffer; above it, requested items are not sent until the buffer has drained."""

BUFFER_BYTES_MAX = 6 << 20
"""Maximum size of a peer's write buffer; above it, the connection is aborted."""

FLUSH_SECONDS = 3
"""Timeout for sending the remaining bytes of a closed connection."""

OPENING_MAX = 64
"""Inbound connections allowed beyond the maximum number of peers, for pending handshakes."""

MINUTE_MS = 60_000


class PeerEvents(Protocol):
    """Callbacks for events of connections, implemented by the node core."""

    def on_connect(self, connection: int, link: Link) -> None: ...

    def on_connect_failed(self, endpoint: Endpoint, why: str) -> None: ...

    def on_message(self, connection: int, number: int, payload: bytes) -> None: ...

    def on_disconnect(self, connection: int, why: str) -> None: ...

    def on_writable(self, connection: int) -> None: ...


class Transport:
    """All TCP connections, by the core's connection number."""

    def __init__(self, events: PeerEvents) -> None:
        self.events = events
        self.opening = 0
        self.doorman = Doorman(None)
        self._connections: dict[int, PeerConnection] = {}
        self._last = 0
        self._server: asyncio.Server | None = None
        self._dials: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int, settings: NetworkSettings) -> Endpoint:
        """Opens the port for peers; returns the listening address. Raises OSError when it is in use."""
        self.doorman = Doorman(settings)
        self._server = await asyncio.get_running_loop().create_server(lambda: PeerConnection(self, None), host, port)
        address = self._server.sockets[0].getsockname()
        return Endpoint.parse(f"{address[0]}:{address[1]}")

    def dial(self, endpoint: Endpoint) -> None:
        """Opens a connection; `on_connect` or `on_connect_failed` follows."""
        task = asyncio.get_running_loop().create_task(self._dial(endpoint))
        self._dials.add(task)
        task.add_done_callback(self._dials.discard)

    async def _dial(self, endpoint: Endpoint) -> None:
        host, _, port = str(endpoint).partition(":")
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                await asyncio.get_running_loop().create_connection(
                    lambda: PeerConnection(self, endpoint), host, int(port)
                )
        except (OSError, TimeoutError) as error:
            self.events.on_connect_failed(endpoint, str(error) or "no answer")

    async def stop(self) -> None:
        """Closes the port and, after queued messages are written, all connections."""
        if self._server is not None:
            self._server.close()
        for task in list(self._dials):
            task.cancel()
        for connection in list(self._connections.values()):
            connection.close()
        await asyncio.sleep(0)

    # Called by the core

    def send(self, connection: int, number: int, payload: bytes) -> None:
        """Sends a message."""
        found = self._connections.get(connection)
        if found is not None:
            found.send(number, payload)

    def has_room(self, connection: int) -> bool:
        """Whether the write buffer is below its high-water mark."""
        found = self._connections.get(connection)
        return found is not None and found.has_room

    def disconnect(self, connection: int) -> None:
        """Closes a connection after queued messages are written; the core gets no event."""
        found = self._connections.pop(connection, None)
        if found is not None:
            found.close()

    # Called by connections

    def add(self, connection: PeerConnection) -> int:
        """Registers a connection; returns its number."""
        self._last += 1
        self._connections[self._last] = connection
        return self._last

    def remove(self, connection: int) -> bool:
        """Unregisters a connection; returns False if the core had closed it."""
        return self._connections.pop(connection, None) is not None


class Doorman:
    """Limits inbound connections before the key exchange, which is the most expensive step.

    Loopback connections count towards the totals only.
    """

    def __init__(self, settings: NetworkSettings | None) -> None:
        self._settings = settings
        self._addresses: Counter[int] = Counter()
        self._subnets: Counter[int] = Counter()
        self._handshakes_by_address: Tally[int] = Tally(MINUTE_MS)
        self._handshakes: Tally[None] = Tally(MINUTE_MS)

    @property
    def count(self) -> int:
        """Number of inbound connections."""
        return self._addresses.total()

    def admit(self, address: int, now_ms: int) -> bool:
        """Counts a connection of an address; returns False, without counting it, at a limit."""
        limits = self._settings
        if limits is None or self.count >= limits.connections_max + OPENING_MAX:
            return False
        if not is_own_machine(address) and (
            self._addresses[address] >= limits.per_address_max
            or self._subnets[subnet_of(address)] >= limits.per_subnet_max
            or self._handshakes_by_address.add(address, now_ms) > limits.handshakes_per_address
        ):
            return False
        if self._handshakes.add(None, now_ms) > limits.handshakes_max:
            return False
        self._addresses[address] += 1
        self._subnets[subnet_of(address)] += 1
        return True

    def release(self, address: int) -> None:
        """Releases a counted connection of an address."""
        for counts, key in ((self._addresses, address), (self._subnets, subnet_of(address))):
            counts[key] -= 1
            if not counts[key]:
                del counts[key]


class PeerConnection(asyncio.Protocol):
    """One connection: key exchange, then messages."""

    def __init__(self, owner: Transport, dialled: Endpoint | None) -> None:
        self._owner = owner
        self._dialled = dialled
        self._transport: asyncio.Transport | None = None
        self._number = 0
        self._is_opening = False
        self._is_closed = False
        self._timer: asyncio.TimerHandle | None = None
        self._admitted: int | None = None
        """The address under which it is counted, if it is inbound."""
        self.has_room = True

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Starts the key exchange."""
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass.
        if not self._is_admitted(transport):
            self._is_closed = True
            transport.abort()
            return
        self._channel = SecureChannel(PrivateKey(os.urandom(32)))
        self._is_opening = True
        self._owner.opening += 1
        transport.set_write_buffer_limits(high=BUFFER_BYTES, low=BUFFER_BYTES // 4)
        transport.write(self._channel.greeting)
        self._timer = asyncio.get_running_loop().call_later(EXCHANGE_SECONDS, self._fail, "no key came")

    def _is_admitted(self, transport: asyncio.Transport) -> bool:
        """Whether the limits allow the connection; outbound ones are always allowed."""
        if self._dialled is not None:
            return True
        remote = transport.get_extra_info("peername")
        try:
            address = int(IPv4Address(remote[0])) if remote else 0
        except AddressValueError:
            return False
        now_ms = int(asyncio.get_running_loop().time() * 1000)
        if self._owner.doorman.admit(address, now_ms):
            self._admitted = address
        return self._admitted is not None

    def data_received(self, data: bytes) -> None:
        """Handles received bytes: keys, or complete or partial messages."""
        if self._is_closed:
            return
        try:
            frames = self._channel.receive(data)
            if self._channel.is_open and not self._number:
                self._open()
        except ChannelError as error:
            self._fail(str(error))
            return
        for frame in frames:
            if self._is_closed:
                return
            self._guarded(self._owner.events.on_message, self._number, frame.number, frame.payload)

    def pause_writing(self) -> None:
        """The write buffer is above its high-water mark."""
        self.has_room = False

    def resume_writing(self) -> None:
        """The write buffer is below its low-water mark."""
        self.has_room = True
        if self._number and not self._is_closed:
            self._guarded(self._owner.events.on_writable, self._number)

    def connection_lost(self, error: Exception | None) -> None:
        """The socket is closed."""
        if self._admitted is not None:
            self._owner.doorman.release(self._admitted)
            self._admitted = None
        self._end(str(error) if error else "it closed the connection")

    # Opening and closing

    def _open(self) -> None:
        self._settle()
        assert self._transport is not None
        remote, local = self._transport.get_extra_info("peername"), self._transport.get_extra_info("sockname")
        if remote is None or local is None:
            self._fail("it closed the connection")
            return
        try:
            link = Link(
                self._dialled is not None,
                self._dialled or Endpoint.parse(f"{remote[0]}:{remote[1]}"),
                Endpoint.parse(f"{local[0]}:{local[1]}"),
                self._channel.digest,
            )
        except Invalid:
            self._fail("it has no IPv4 address")
            return
        self._number = self._owner.add(self)
        self._guarded(self._owner.events.on_connect, self._number, link)

    def _settle(self) -> None:
        """The key exchange is done or has failed."""
        if self._is_opening:
            self._is_opening = False
            self._owner.opening -= 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _guarded(self, call: Callable[..., None], *arguments: object) -> None:
        """Calls the core; an internal error closes this connection but does not stop the node."""
        try:
            call(*arguments)
        except Exception:
            log.exception("connection %d: a message could not be handled", self._number)
            self._fail("internal error")

    def _fail(self, why: str) -> None:
        """Aborts the connection."""
        if self._transport is not None:
            self._transport.abort()
        self._end(why)

    def _end(self, why: str) -> None:
        was_closed, self._is_closed = self._is_closed, True
        self._settle()
        if was_closed:
            return
        if self._number:
            if self._owner.remove(self._number):
                self._owner.events.on_disconnect(self._number, why)
        elif self._dialled is not None:
            self._owner.events.on_connect_failed(self._dialled, why)

    def close(self) -> None:
        """Closes after queued messages are written, or after a timeout."""
        self._is_closed = True
        self._settle()
        if self._transport is not None:
            self._transport.close()
            asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._transport.abort)

    def send(self, number: int, payload: bytes) -> None:
        """Sends a message; aborts the connection when the write buffer is too large."""
        if self._is_closed or self._transport is None:
            return
        self._transport.write(self._channel.seal(number, payload))
        if self._transport.get_write_buffer_size() > BUFFER_BYTES_MAX:
            asyncio.get_running_loop().call_soon(self._fail, "it does not read its messages")
