"""Connections over real sockets: key exchange, messages in both directions, and others who do not keep to the rules."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any, TypeVar

import pytest

from node.core import Link, NetworkSettings
from node.shell import transport as transport_module
from node.shell.transport import Doorman, Transport
from protocol.keys import PrivateKey
from protocol.p2p.channel import PAYLOAD_BYTES_MAX, SecureChannel
from protocol.p2p.messages import Endpoint

T = TypeVar("T")
LOOPBACK = "127.0.0.1"


class Recorder:
    """A core that only writes down what it is told, and waits for it."""

    def __init__(self) -> None:
        self.links: dict[int, Link] = {}
        self.messages: asyncio.Queue[tuple[int, int, bytes]] = asyncio.Queue()
        self.ends: asyncio.Queue[tuple[object, str]] = asyncio.Queue()
        self.opened: asyncio.Queue[int] = asyncio.Queue()
        self.writable: asyncio.Queue[int] = asyncio.Queue()
        self.fault: Exception | None = None

    def on_connect(self, connection: int, link: Link) -> None:
        self.links[connection] = link
        self.opened.put_nowait(connection)

    def on_connect_failed(self, endpoint: Endpoint, why: str) -> None:
        self.ends.put_nowait((endpoint, why))

    def on_message(self, connection: int, number: int, payload: bytes) -> None:
        if self.fault is not None:
            raise self.fault
        self.messages.put_nowait((connection, number, payload))

    def on_disconnect(self, connection: int, why: str) -> None:
        self.ends.put_nowait((connection, why))

    def on_writable(self, connection: int) -> None:
        self.writable.put_nowait(connection)


class Side:
    """A transport with its recorder and, where it listens, its address."""

    def __init__(self) -> None:
        self.core = Recorder()
        self.transport = Transport(self.core)
        self.endpoint = Endpoint(0, 0)

    async def listen(self, **settings: Any) -> None:
        limits = NetworkSettings(PrivateKey(bytes([1]) * 32), connections_max=10)._replace(**settings)
        self.endpoint = await self.transport.listen(LOOPBACK, 0, limits)


@pytest.fixture
async def server() -> AsyncIterator[Side]:
    side = Side()
    await side.listen()
    yield side
    await side.transport.stop()


@pytest.fixture
async def client() -> AsyncIterator[Side]:
    side = Side()
    yield side
    await side.transport.stop()


async def soon(queue: asyncio.Queue[T]) -> T:
    return await asyncio.wait_for(queue.get(), 5)


async def connect(client: Side, server: Side) -> tuple[int, int]:
    client.transport.dial(server.endpoint)
    return await soon(client.core.opened), await soon(server.core.opened)


async def open_raw(server: Side) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(LOOPBACK, server.endpoint.port)


async def test_both_sides_see_one_link(client: Side, server: Side) -> None:
    ours, theirs = await connect(client, server)
    outbound, inbound = client.core.links[ours], server.core.links[theirs]
    assert outbound.is_outbound and not inbound.is_outbound
    assert outbound.remote == server.endpoint == inbound.local
    assert inbound.remote == outbound.local
    assert outbound.digest == inbound.digest


async def test_messages_arrive_whole_and_in_order(client: Side, server: Side) -> None:
    ours, theirs = await connect(client, server)
    sent = [(5001 + place, os.urandom(size)) for place, size in enumerate((0, 1, 8, 100_000, PAYLOAD_BYTES_MAX, 3))]
    for number, payload in sent:
        client.transport.send(ours, number, payload)
    assert [await soon(server.core.messages) for _ in sent] == [(theirs, *message) for message in sent]
    server.transport.send(theirs, 5009, b"back")
    assert await soon(client.core.messages) == (ours, 5009, b"back")


async def test_closing_flushes_what_was_sent_and_tells_the_other_side_only(client: Side, server: Side) -> None:
    ours, theirs = await connect(client, server)
    client.transport.send(ours, 5011, b"goodbye")
    client.transport.disconnect(ours)
    client.transport.send(ours, 5009, b"too late")
    assert await soon(server.core.messages) == (theirs, 5011, b"goodbye")
    assert (await soon(server.core.ends))[0] == theirs
    assert client.core.ends.empty()
    assert not client.transport.has_room(ours)


async def test_an_address_where_nobody_listens_fails(client: Side) -> None:
    free = Side()
    await free.listen()
    await free.transport.stop()
    client.transport.dial(free.endpoint)
    endpoint, why = await soon(client.core.ends)
    assert endpoint == free.endpoint
    assert why


async def test_an_address_that_speaks_another_protocol_fails(client: Side) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\nYou speak no HTTP.")

    web = await asyncio.start_server(answer, LOOPBACK, 0)
    endpoint = Endpoint.parse(f"{LOOPBACK}:{web.sockets[0].getsockname()[1]}")
    client.transport.dial(endpoint)
    assert (await soon(client.core.ends))[0] == endpoint
    web.close()


async def test_who_sends_no_key_is_cut_off(server: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "EXCHANGE_SECONDS", 0.1)
    reader, writer = await open_raw(server)
    await asyncio.wait_for(reader.read(-1), 5)
    writer.close()
    assert server.core.opened.empty()
    assert server.transport.opening == 0


async def test_who_sends_no_point_of_the_curve_is_cut_off(server: Side) -> None:
    reader, writer = await open_raw(server)
    writer.write(bytes(33))
    greeting = await asyncio.wait_for(reader.read(-1), 5)
    assert len(greeting) == 33
    writer.close()
    assert server.core.opened.empty()


async def test_an_oversize_frame_ends_the_connection(server: Side) -> None:
    reader, writer = await open_raw(server)
    channel = SecureChannel(PrivateKey(os.urandom(32)))
    writer.write(channel.greeting)
    channel.receive(await reader.readexactly(33))
    number = await soon(server.core.opened)
    assert channel._encryptor is not None
    head = (PAYLOAD_BYTES_MAX + 1).to_bytes(4, "little") + (1001).to_bytes(4, "little") + bytes(8)
    writer.write(channel._encryptor.update(head))
    connection, _why = await soon(server.core.ends)
    assert connection == number
    writer.close()


async def test_who_does_not_read_has_no_room_and_is_cut_off_at_last(server: Side) -> None:
    reader, writer = await open_raw(server)
    channel = SecureChannel(PrivateKey(os.urandom(32)))
    writer.write(channel.greeting)
    channel.receive(await reader.readexactly(33))
    number = await soon(server.core.opened)
    sent = 0
    while server.transport.has_room(number):
        server.transport.send(number, 1001, bytes(1 << 20))
        sent += 1
    assert sent < 16
    for _ in range(20):
        server.transport.send(number, 1001, bytes(1 << 20))
    assert await soon(server.core.ends) == (number, "it does not read its messages")
    writer.close()


async def test_room_comes_back_when_the_other_side_reads(server: Side) -> None:
    reader, writer = await open_raw(server)
    channel = SecureChannel(PrivateKey(os.urandom(32)))
    writer.write(channel.greeting)
    channel.receive(await reader.readexactly(33))
    number = await soon(server.core.opened)
    sent = 0
    while server.transport.has_room(number):
        server.transport.send(number, 1001, bytes(1 << 20))
        sent += 1
    received = 0
    while received < sent:
        received += len(channel.receive(await reader.read(1 << 20)))
    assert await soon(server.core.writable) == number
    assert server.transport.has_room(number)
    writer.close()


async def test_a_fault_of_ours_costs_one_connection(client: Side, server: Side) -> None:
    ours, theirs = await connect(client, server)
    server.core.fault = RuntimeError("a mistake")
    client.transport.send(ours, 5009, b"")
    assert await soon(server.core.ends) == (theirs, "internal error")
    server.core.fault = None
    again, _ = await connect(client, server)
    client.transport.send(again, 5009, b"")
    assert (await soon(server.core.messages))[1] == 5009


async def test_more_connections_than_allowed_are_closed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "OPENING_MAX", 1)
    side = Side()
    await side.listen(connections_max=0)
    first_reader, first_writer = await open_raw(side)
    assert len(await first_reader.readexactly(33)) == 33
    reader, writer = await open_raw(side)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(33), 5)
    first_writer.close()
    writer.close()
    await side.transport.stop()


async def test_connections_of_one_address_are_bounded_before_they_speak(
    server: Side, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "is_own_machine", lambda _address: False)
    server.transport.doorman = Doorman(NetworkSettings(PrivateKey(bytes([1]) * 32), per_address_max=2))
    open_ones = [await open_raw(server) for _ in range(2)]
    for reader, _writer in open_ones:
        assert len(await reader.readexactly(33)) == 33
    reader, writer = await open_raw(server)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(33), 5)
    open_ones[0][1].close()
    writer.close()
    while server.transport.doorman.count > 1:
        await asyncio.sleep(0.01)
    reader, writer = await open_raw(server)
    assert len(await asyncio.wait_for(reader.readexactly(33), 5)) == 33
    for _reader, other in (*open_ones, (reader, writer)):
        other.close()
    while server.transport.doorman.count:
        await asyncio.sleep(0.01)


async def test_no_key_is_made_for_who_is_not_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    def make(secret: bytes) -> PrivateKey:
        made.append(secret)
        return PrivateKey(secret)

    monkeypatch.setattr(transport_module, "PrivateKey", make)
    side = Side()
    await side.listen(handshakes_max=1)
    first_reader, first_writer = await open_raw(side)
    assert len(await first_reader.readexactly(33)) == 33
    reader, writer = await open_raw(side)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(33), 5)
    assert len(made) == 1
    first_writer.close()
    writer.close()
    await side.transport.stop()


def address(text: str) -> int:
    return Endpoint.parse(f"{text}:1").address


def test_the_doorman_counts_addresses_subnets_and_handshakes() -> None:
    limits = NetworkSettings(
        PrivateKey(bytes([1]) * 32),
        connections_max=8,
        per_address_max=2,
        per_subnet_max=3,
        handshakes_per_address=4,
        handshakes_max=40,
    )
    doorman = Doorman(limits)
    assert [doorman.admit(address("10.0.0.1"), 0) for _ in range(3)] == [True, True, False]
    assert [doorman.admit(address(f"10.0.0.{last}"), 0) for last in (2, 3)] == [True, False]
    assert all(doorman.admit(address("127.0.0.1"), 0) for _ in range(10)), "this machine counts towards the sums only"
    for _ in range(2):
        doorman.release(address("10.0.0.1"))
        assert doorman.admit(address("10.0.0.1"), 1_000)
    doorman.release(address("10.0.0.1"))
    assert not doorman.admit(address("10.0.0.1"), 2_000), "four handshakes a minute"
    assert doorman.admit(address("10.0.0.1"), 60_000)
    taken = sum(doorman.admit(address(f"10.{place}.0.1"), 60_000) for place in range(1, 100))
    assert taken == 40 - 1, "of all addresses together so many a minute"
    assert doorman.count <= 8 + transport_module.OPENING_MAX
    assert not Doorman(None).admit(address("10.0.0.1"), 0), "who does not listen admits nobody"
