"""The port: HTTP and websocket as clients, people and troublemakers use them."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from rpc.port_limits import PortLimits, Share
from rpc.server import BAD_PAYLOAD
from tests.rpc.port import QUESTION, Port
from tests.rpc.service import Service

BODY_BYTES_MAX = 100_000
LIMITS = PortLimits(
    connections=Share(50, 50),
    requests=Share(20, 10),
    held_bytes=Share(30_000_000, 25_000_000),
    body_bytes_max=BODY_BYTES_MAX,
    websocket_requests_max=4,
    body_seconds=0.3,
    write_seconds=0.5,
)


@pytest.fixture
async def port(service: Service) -> AsyncIterator[Port]:
    opened = Port(service, LIMITS)
    await opened.open()
    yield opened
    await opened.server.stop()


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


# HTTP


@pytest.mark.parametrize("content_type", ["application/json", "text/plain;charset=UTF-8", "application/octet-stream"])
@pytest.mark.parametrize("path", ["/", "/rpc", "/health"])
@pytest.mark.parametrize("verb", ["POST", "PUT", "GET"])
async def test_a_body_is_answered_whatever_path_verb_and_type(
    port: Port, client: aiohttp.ClientSession, content_type: str, path: str, verb: str
) -> None:
    headers = {"Content-Type": content_type}
    async with client.request(verb, port.url + path, data=QUESTION, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("application/json")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert (await response.json())["id"] == 0


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 50_000, b"[1,2]", b'"x"', b""])
async def test_errors_have_status_200(port: Port, client: aiohttp.ClientSession, body: bytes) -> None:
    async with client.post(port.url, data=body) as response:
        assert response.status == 200
        answer = await response.json()
    first = answer[0] if isinstance(answer, list) else answer
    assert "error" in first


async def test_chunked_bodies_are_read(port: Port, client: aiohttp.ClientSession) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(QUESTION), 10):
            yield QUESTION[at : at + 10].encode()

    async with client.post(port.url, data=chunks()) as response:
        assert (await response.json())["result"] > 0


async def test_a_body_that_is_too_large_is_refused(port: Port, client: aiohttp.ClientSession) -> None:
    async with client.post(port.url, data=b" " * BODY_BYTES_MAX) as response:
        assert response.status == 200
    async with client.post(port.url, data=b" " * (BODY_BYTES_MAX + 1)) as response:
        assert response.status == 413
        assert "100000 bytes" in (await response.json())["error"]["message"]

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield b" " * 10_000

    async with client.post(port.url, data=endless()) as response:
        assert response.status == 413


async def test_a_small_compressed_body_does_not_become_a_large_one(port: Port, client: aiohttp.ClientSession) -> None:
    for method in ("deflate", "gzip"):
        body = b" " * (50 * BODY_BYTES_MAX)
        async with client.post(port.url, data=body, compress=method) as response:
            assert response.status == 415
            assert "without compression" in (await response.json())["error"]["message"]


async def test_a_body_that_does_not_come_is_given_up(port: Port) -> None:
    started = time.monotonic()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"
    answer = await port.send_raw(head, until_close=True)
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("junk", [b"\r\n\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET", b"POST / HTTP/9.9\r\n\r\n"])
async def test_what_is_no_http_does_no_harm(port: Port, client: aiohttp.ClientSession, junk: bytes) -> None:
    _, writer = await asyncio.open_connection(port.host, port.port)
    writer.write(junk)
    await writer.drain()
    async with client.post(port.url, data=QUESTION) as response:
        assert response.status == 200
    writer.close()


async def test_requests_sent_at_once_on_one_connection_are_answered_in_order(port: Port) -> None:
    reader, writer = await asyncio.open_connection(port.host, port.port)
    for number in range(5):
        body = QUESTION.replace('"id":0', f'"id":{number}').encode()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    found = b""
    while found.count(b'"jsonrpc"') < 5:
        found += await asyncio.wait_for(reader.read(10_000), 5)
    places = [found.index(b'"id":%d}' % number) for number in range(5)]
    assert places == sorted(places)
    writer.close()


async def test_a_client_that_asks_first_is_told_to_go_on(port: Port) -> None:
    reader, writer = await asyncio.open_connection(port.host, port.port)
    head = f"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(QUESTION)}\r\n\r\n"
    writer.write(head.encode())
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 0.2) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(QUESTION.encode())
    assert (await asyncio.wait_for(reader.readuntil(b"}"), 5)).startswith(b"HTTP/1.1 200 OK")
    writer.close()


async def test_people_and_monitors_see_the_status(port: Port, client: aiohttp.ClientSession) -> None:
    async with client.get(port.url) as response:
        status = await response.json()
    assert status["name"] == "plaudit"
    assert status["head_block_number"] == 1
    async with client.get(port.url + "/health") as response:
        assert response.status == 503
        assert (await response.json())["status"] == "stale"
    port.server.healthy_age_seconds = 10**10
    async with client.get(port.url + "/health") as response:
        assert response.status == 200
        assert (await response.json())["status"] == "ok"


async def test_browsers_may_ask_from_anywhere(port: Port, client: aiohttp.ClientSession) -> None:
    async with client.options(port.url) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in response.headers["Access-Control-Allow-Methods"]


async def test_connections_beyond_the_limit_are_closed(port: Port) -> None:
    held = [await asyncio.open_connection(port.host, port.port) for _ in range(LIMITS.connections.whole)]
    await asyncio.sleep(0.05)
    reader, writer = await asyncio.open_connection(port.host, port.port)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    for _, other in held:
        other.close()
    await asyncio.sleep(0.05)
    assert (await port.send_raw(b"GET / HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.")


async def answer_much(body: bytes | str) -> bytes:
    return b"1" * 20_000_000


async def connect_unread(port: Port, request: bytes) -> asyncio.StreamWriter:
    """Asks on a connection of which nothing is read."""
    _, writer = await asyncio.open_connection(port.host, port.port)
    assert isinstance(writer.transport, asyncio.ReadTransport)
    writer.transport.pause_reading()
    writer.write(request)
    await writer.drain()
    return writer


HTTP_REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
WS_REQUEST = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x82\0\0\0\0{}"
)


@pytest.mark.parametrize("request_bytes", [HTTP_REQUEST, WS_REQUEST])
async def test_a_client_that_does_not_read_is_cut(port: Port, request_bytes: bytes) -> None:
    port.service.dispatcher.answer = answer_much  # type: ignore[method-assign]
    writer = await connect_unread(port, request_bytes)
    await asyncio.sleep(0.2)
    held, sockets = port.server.port.held, port.server.port.sockets
    assert sockets.held == 1
    assert 19_000_000 < held.held <= 20_000_000
    await asyncio.sleep(0.8)
    assert sockets.held == 0
    assert held.held == 0
    writer.close()


async def test_large_answers_are_refused_while_too_many_are_not_read(port: Port, client: aiohttp.ClientSession) -> None:
    port.service.dispatcher.answer = answer_much  # type: ignore[method-assign]
    writer = await connect_unread(port, HTTP_REQUEST)
    await asyncio.sleep(0.1)
    async with client.post(port.url, data=QUESTION) as response:
        assert response.status == 200
        assert "ask again later" in (await response.json())["error"]["message"]
    async with client.ws_connect(port.url, max_msg_size=0) as socket:
        await socket.send_str(QUESTION)
        assert "ask again later" in (await socket.receive_json())["error"]["message"]
        await asyncio.sleep(1)
        await socket.send_str(QUESTION)
        assert len(await socket.receive_str()) == 20_000_000
    async with client.post(port.url, data=QUESTION) as response:
        assert len(await response.read()) == 20_000_000
    writer.close()


async def test_stopping_closes_idle_connections(service: Service) -> None:
    port = Port(service, LIMITS)
    await port.open()
    reader, writer = await asyncio.open_connection(port.host, port.port)
    async with aiohttp.ClientSession() as session, session.ws_connect(port.url) as socket:
        await port.server.stop()
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    with pytest.raises(OSError):
        await asyncio.open_connection(port.host, port.port)


# Websocket


async def test_a_websocket_speaks_text(port: Port, client: aiohttp.ClientSession) -> None:
    async with client.ws_connect(port.url) as socket:
        await socket.send_str(QUESTION)
        assert (await socket.receive_json())["result"] > 0
        await socket.send_bytes(QUESTION.encode())
        assert await socket.receive_str() == BAD_PAYLOAD
        await socket.send_str("{")
        assert (await socket.receive_json())["error"]["code"] == -32000
        await socket.send_str(f"[{QUESTION},{QUESTION}]")
        assert len(await socket.receive_json()) == 2


async def test_frames_sent_at_once_are_all_answered(port: Port, client: aiohttp.ClientSession) -> None:
    async with client.ws_connect(port.url) as socket:
        for number in range(100):
            await socket.send_str(QUESTION.replace('"id":0', f'"id":{number}'))
        answers: list[Any] = [await socket.receive_json() for _ in range(100)]
    assert sorted(answer["id"] for answer in answers) == list(range(100))


async def test_a_frame_that_is_too_large_ends_the_websocket(port: Port, client: aiohttp.ClientSession) -> None:
    async with client.ws_connect(port.url) as socket:
        await socket.send_str(" " * (BODY_BYTES_MAX + 1))
        message = await socket.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_a_client_that_leaves_while_its_transaction_waits(port: Port, client: aiohttp.ClientSession) -> None:
    waiting = asyncio.Event()

    async def wait_for_ever(body: bytes | str) -> bytes:
        waiting.set()
        await asyncio.sleep(3600)
        return b""

    port.service.dispatcher.answer = wait_for_ever  # type: ignore[method-assign]
    async with client.ws_connect(port.url) as socket:
        await socket.send_str(QUESTION)
        await asyncio.wait_for(waiting.wait(), 5)
    await asyncio.sleep(0.05)
    assert not port.server._conversations
    del port.service.dispatcher.answer
    async with client.post(port.url, data=QUESTION) as response:
        assert response.status == 200
