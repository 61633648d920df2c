"""What clients may take of a port: requests, bytes, sockets; who a client is; and how a refusal looks."""

import asyncio
import zlib
from collections.abc import AsyncIterator

import aiohttp
import pytest

from rpc import http_port
from rpc.paced import HEAD_BYTES_MAX, READ_BYTES, PacedConnection
from rpc.port_limits import Gauge, Overloaded, PortLimits, Share, name_client, names_itself
from tests.rpc.port import QUESTION, WEBSOCKET, Port
from tests.rpc.service import Service

LIMITS = PortLimits(
    connections=Share(60, 60),
    requests=Share(6, 4),
    held_bytes=Share(6_000_000, 4_000_000),
    body_bytes_max=1_000_000,
    body_seconds=2.0,
)
PROXIES = frozenset({"127.0.0.1"})


def block(port: Port) -> asyncio.Event:
    """Lets all requests wait until the event that is returned."""
    goes_on = asyncio.Event()

    async def wait(body: bytes | str) -> bytes:
        await goes_on.wait()
        return b'{"jsonrpc":"2.0","result":"late","id":1}'

    port.service.dispatcher.answer = wait  # type: ignore[method-assign]
    return goes_on


@pytest.fixture
async def port(service: Service) -> AsyncIterator[Port]:
    opened = Port(service, LIMITS, healthy_age_seconds=10**10, proxies=PROXIES)
    await opened.open()
    yield opened
    await opened.server.stop()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as opened:
        yield opened


async def ask(port: Port, session: aiohttp.ClientSession, client: str, body: bytes | str = QUESTION) -> dict:  # type: ignore[type-arg]
    async with session.post(port.url, data=body, headers={"X-Forwarded-For": client}) as response:
        assert response.status == 200
        return dict(await response.json())


async def until_held(gauge: Gauge, amount: int) -> None:
    async with asyncio.timeout(5):
        while gauge.held != amount:
            await asyncio.sleep(0.01)


async def test_one_client_can_not_take_all_requests(port: Port, session: aiohttp.ClientSession) -> None:
    goes_on = block(port)
    waiting = [asyncio.create_task(ask(port, session, "192.0.2.1")) for _ in range(4)]
    await until_held(port.server.port.requests, 4)
    refused = await ask(port, session, "192.0.2.1", QUESTION.replace('"id":0', '"id":"mine"'))
    assert refused["id"] == "mine"
    assert refused["error"]["message"].startswith("this node is busy: requests under way of one client")
    other = [asyncio.create_task(ask(port, session, "192.0.2.2")) for _ in range(2)]
    await until_held(port.server.port.requests, 6)
    assert "of all clients together" in (await ask(port, session, "192.0.2.3"))["error"]["message"]
    async with session.get(port.url + "/health") as response:
        assert response.status == 200
    goes_on.set()
    assert [answer["result"] for answer in await asyncio.gather(*waiting, *other)] == ["late"] * 6
    assert port.server.port.requests.held == 0
    assert (await ask(port, session, "192.0.2.1"))["result"] == "late"


async def test_messages_of_websockets_are_requests_of_their_client(port: Port, session: aiohttp.ClientSession) -> None:
    goes_on = block(port)
    headers = {"X-Forwarded-For": "192.0.2.1"}
    async with session.ws_connect(port.url, headers=headers) as one, session.ws_connect(port.url) as other:
        for number in range(5):
            await one.send_str(QUESTION.replace('"id":0', f'"id":{number}'))
        refused = await one.receive_json(timeout=5)
        assert refused["id"] == 4
        assert "of one client" in refused["error"]["message"]
        assert "of one client" in (await ask(port, session, "192.0.2.1"))["error"]["message"]
        await other.send_str(QUESTION)
        await until_held(port.server.port.requests, 5)
        goes_on.set()
        assert (await other.receive_json(timeout=5))["result"] == "late"
        assert [(await one.receive_json(timeout=5))["result"] for _ in range(4)] == ["late"] * 4


async def send_body(port: Port, client: str, size: int, sent: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Begins a request and sends some of its body."""
    head = f"POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\nContent-Length: {size}\r\n\r\n"
    return await port.connect(head.encode() + b" " * sent)


async def test_bodies_on_their_way_are_bounded_together(port: Port, session: aiohttp.ClientSession) -> None:
    held = port.server.port.held
    bodies = [await send_body(port, f"192.0.2.{number}", 1_000_000, 999_999) for number in range(3)]
    await until_held(held, 3 * (2 * 999_999 - LIMITS.small_bytes))
    async with asyncio.timeout(5):
        refused = await ask(port, session, "192.0.2.9", b" " * 100_000)
        assert "ask again later" in refused["error"]["message"]
        assert (await ask(port, session, "192.0.2.9"))["result"] > 0  # Small ones find room.
        for reader, writer in bodies:
            assert (await reader.readline()).startswith(b"HTTP/1.1 408")
            writer.close()
    assert held.held == 0


async def test_a_websocket_takes_no_compression_and_no_message_that_never_ends(port: Port) -> None:
    reader, writer = await port.connect(WEBSOCKET)
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert b"101 Switching" in answer and b"xtensions" not in answer
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
    writer.write(b"\xc1\x80\0\0\0\0" + zlib.compress(b""))
    assert (await asyncio.wait_for(reader.read(), 5))[2:4] == (1002).to_bytes(2, "big")
    writer.close()
    reader, writer = await port.connect(WEBSOCKET)
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"\x01\x81\0\0\0\0x")
    for _ in range(3):
        await asyncio.sleep(0.05)
        writer.write(b"\x00\x81\0\0\0\0x")  # One more fragment of a message without an end.
    assert (await asyncio.wait_for(reader.read(), 5))[2:4] == (1008).to_bytes(2, "big")
    writer.close()


async def test_bytes_of_websockets_are_bounded_together(port: Port, session: aiohttp.ClientSession) -> None:
    held, sockets = port.server.port.held, []
    part = b"\x01\xff" + (900_000).to_bytes(8, "big") + bytes(4)
    for _ in range(4):
        socket = await session.ws_connect(port.url)
        sockets.append(socket)
        assert isinstance(socket._response, aiohttp.ClientResponse) and socket._response.connection is not None
        transport = socket._response.connection.transport
        assert transport is not None
        transport.write(part + b" " * 899_999)
    receiving = [asyncio.create_task(socket.receive()) for socket in sockets]
    done, waiting = await asyncio.wait(receiving, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    assert done and all(task.result().type is aiohttp.WSMsgType.CLOSE for task in done)
    for task in waiting:
        task.cancel()
    assert held.held <= LIMITS.held_bytes.whole
    for socket in sockets:
        await socket.close()
    await until_held(held, 0)


async def test_many_requests_in_one_read_and_endless_heads_are_bounded(port: Port) -> None:
    reader, writer = await port.connect(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 300)
    found = b""
    async with asyncio.timeout(20):
        while found.count(b"HTTP/1.1 200") < 300:
            found += await reader.read(1 << 16)
    writer.close()
    reader, writer = await port.connect(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 40_000)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readuntil(b"HTTP/1.1 200"), 5)
    writer.close()


async def test_a_connection_is_kept_however_many_requests_it_brings(port: Port) -> None:
    """Found by the network story: each request's bytes counted towards the largest head, and the connection was cut."""
    question = QUESTION if isinstance(QUESTION, bytes) else QUESTION.encode()
    count = 2 * HEAD_BYTES_MAX // len(question)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=1)) as one:
        for _ in range(count):
            assert "result" in await ask(port, one, "1.2.3.4")


async def test_what_is_read_of_aiohttp_means_what_it_meant(port: Port) -> None:
    """Should this fail after an update of aiohttp, rpc/aiohttp_side.py has to find out in another way."""
    reader, writer = await port.connect(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    (connection,) = port.server.port._connections.values()
    assert hasattr(connection.inner, "_messages"), f"aiohttp {aiohttp.__version__} keeps its requests elsewhere"
    assert not connection.inner.has_request and not connection.is_full
    connection.inner.data_received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
    assert connection.inner.has_request
    connection.inner.pause_reading()
    assert connection.is_full
    connection.inner.resume_reading()
    assert not connection.is_full
    connection.inner.data_received(b"}")
    await reader.readuntil(b"\r\n\r\n")
    assert not connection.inner.has_request
    writer.close()


async def test_no_more_is_read_than_was_handled(
    port: Port, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by the siege: aiohttp let the transport read on by itself, and megabytes were held that nobody counted."""
    held = []

    class Measured(PacedConnection):
        def buffer_updated(self, nbytes: int) -> None:
            super().buffer_updated(nbytes)
            held.append(len(self._held))

    monkeypatch.setattr(http_port, "PacedConnection", Measured)
    for _ in range(3):
        assert "error" in await ask(port, session, "192.0.2.1", b" " * 900_000)
    assert sum(held) > 900_000
    assert max(held) <= READ_BYTES


@pytest.mark.parametrize("path", ["/", "/health", "/health/", "//"])
async def test_head_answers_as_get_does(port: Port, session: aiohttp.ClientSession, path: str) -> None:
    for age, expected in ((10**10, 200), (1, 503 if "health" in path else 200)):
        port.server.healthy_age_seconds = age
        shown = []
        for verb in ("GET", "HEAD"):
            async with session.request(verb, port.url + path) as response:
                shown.append((response.status, response.headers["Content-Type"], response.headers["Content-Length"]))
                assert response.headers["Server"] == "plaudit"
                assert bool(await response.read()) == (verb == "GET")
        assert shown[0] == shown[1]
        assert shown[0][0] == expected


async def test_a_node_that_can_not_write_is_not_healthy(port: Port, session: aiohttp.ClientSession) -> None:
    status = port.service.shell.get_status() | {"can_write": False}
    port.server.get_status = lambda: status
    async with session.get(port.url + "/health") as response:
        assert response.status == 503
        assert (await response.json())["problem"] == "it can not write to its disk"


async def test_no_answer_names_a_version_and_no_client_fills_the_log(
    port: Port, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    async with session.post(port.url, data=QUESTION) as response:
        assert response.headers["Server"] == "plaudit"
    reader, writer = await port.connect(b"nonsense\r\n\r\n")
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.") and b"Server: plaudit\r\n" in answer
    assert b"aiohttp" not in answer and b"Python" not in answer
    assert not caplog.records
    writer.close()


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"Origin": "http://evil.example"}, "the Origin 'http://evil.example' is not this machine's own"),
        ({"Origin": "null"}, "the Origin 'null' is not"),
        ({"Host": "evil.example"}, "the Host 'evil.example' is not this machine's own"),
        ({"X-Forwarded-For": "127.0.0.1"}, "a proxy passed this request on"),
        ({"Origin": "http://localhost:3000"}, ""),
        ({"Host": "localhost:8090"}, ""),
        ({}, ""),
    ],
)
async def test_time_travel_is_for_this_machine(
    port: Port, session: aiohttp.ClientSession, headers: dict[str, str], words: str
) -> None:
    mine = {"jsonrpc": "2.0", "method": "dev_api.mine", "params": {}, "id": 1}
    async with session.post(port.url, json=mine, headers=headers) as response:
        answer = await response.json()
    assert words in answer["error"]["message"] if words else answer["result"]["block_nums"]
    async with session.ws_connect(port.url, headers=headers) as socket:
        await socket.send_json([mine])
        (answer,) = await socket.receive_json()
    assert words in answer["error"]["message"] if words else answer["result"]["block_nums"]


def test_who_a_client_is() -> None:
    proxies = frozenset({"10.0.0.1", "192.0.2.200"})
    assert name_client("8.8.8.8", {}, "c") == "8.8.8.8"
    assert name_client("8.8.8.8", {"X-Forwarded-For": "1.1.1.1"}, "c", proxies) == "8.8.8.8"
    assert name_client("::ffff:8.8.8.8", {}, "c") == "8.8.8.8"
    assert name_client("2a00::1", {}, "c") == name_client("2a00::2:1", {}, "d") != name_client("2a00:0:0:1::1", {}, "c")
    for unknown in ("127.0.0.1", "::1", "10.0.0.9", None, "", "nonsense"):
        assert name_client(unknown, {"X-Forwarded-For": "1.1.1.1"}, "c", proxies) == "c"
    seen = {"X-Forwarded-For": "6.6.6.6, 1.1.1.1, 192.0.2.200"}
    assert name_client("10.0.0.1", seen, "c", proxies) == "1.1.1.1"
    assert name_client("10.0.0.1", {"X-Forwarded-For": "1.1.1.1, rubbish"}, "c", proxies) == "c"
    assert name_client("10.0.0.1", {}, "c", proxies) == "c"
    assert names_itself("8.8.8.8", proxies) == "8.8.8.8"
    assert names_itself("10.0.0.1", proxies) is names_itself("127.0.0.1", proxies) is None


def test_a_gauge_counts_all_and_each() -> None:
    gauge = Gauge(Share(10, 6), "things")
    gauge.take("a", 6)
    with pytest.raises(Overloaded, match="things of one client"):
        gauge.take("a")
    with pytest.raises(Overloaded, match="things of all clients"):
        gauge.take("b", 5)
    gauge.take("b", 4)
    gauge.release("a", 6)
    gauge.release("b", 4)
    assert gauge.held == 0
    assert not gauge._by_client
