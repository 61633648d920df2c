"""Connections and requests are freed when they end: no cycle of references keeps them until garbage is collected.

A collection frees what a thousand connections left behind at once, and holds the loop meanwhile.
"""

import asyncio
import gc
import gzip
import socket
import zlib
from collections import Counter

import orjson
import pytest

from rpc.port_limits import PortLimits
from tests.rpc.port import QUESTION, WEBSOCKET, Port
from tests.rpc.service import Service

TRANSFER = {"from": "alice", "to": "bob", "amount": "1.000 NOTHING", "memo": ""}
TRANSACTION = {
    "ref_block_num": 0,
    "ref_block_prefix": 0,
    "expiration": "2030-01-01T00:00:00",
    "operations": [["transfer", TRANSFER]],
    "extensions": [],
    "signatures": [],
}


def post(body: bytes, *lines: bytes, length: int | None = None) -> bytes:
    """An HTTP request."""
    head = (b"POST / HTTP/1.1", b"Host: x", b"Content-Length: %d" % (len(body) if length is None else length), *lines)
    return b"\r\n".join((*head, b"", b"")) + body


def call(method: str, *params: object) -> bytes:
    """An HTTP request with a JSON-RPC request in it."""
    return post(orjson.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}))


CONVERSATIONS = {
    "nothing": b"",
    "GET": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "many at once": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 20,
    "answered": post(QUESTION.encode()),
    "large answer": call("database_api.get_config"),
    "in slices": call("condenser_api.lookup_accounts", "", 1000),
    "wrong parameters": call("condenser_api.get_accounts", 1),
    "no such method": call("condenser_api.get_nothing"),
    "unreadable transaction": call("condenser_api.broadcast_transaction", TRANSACTION),
    "refused transaction": call("condenser_api.broadcast_transaction", TRANSACTION | {"operations": []}),
    "no JSON": post(b"{"),
    "TLS": b"\x16\x03\x01" + bytes(600),
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "no request line": b"A: b\r\n" * 10_000,
    "head without an end": b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000,
    "compressed": post(gzip.compress(b" " * 1_000_000), b"Content-Encoding: gzip"),
    "too large": post(b" ", length=1 << 30),
    "part of a body": post(b"abc", length=9),
    "websocket": WEBSOCKET + b"\x81\x81\0\0\0\0{",
    "part of a message": WEBSOCKET + b"\x01\x81\0\0\0\0x",
    "compressed message": WEBSOCKET + b"\xc1\x80\0\0\0\0" + zlib.compress(b""),
}
"""What a client sends before it leaves."""

CONNECTIONS = 3


async def converse(port: Port, data: bytes, *, resets: bool) -> None:
    """Sends bytes on some connections, reads for a moment what comes, and leaves."""
    loop = asyncio.get_running_loop()
    for _ in range(CONNECTIONS):
        client = socket.create_connection((port.host, port.port))
        client.setblocking(False)
        reading = asyncio.ensure_future(loop.sock_recv(client, 1 << 20))
        await asyncio.wait([asyncio.ensure_future(loop.sock_sendall(client, data)), reading], timeout=0.05)
        reading.cancel()
        if resets:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.close()
    await asyncio.sleep(0.05)


async def find_garbage(service: Service, data: bytes, *, resets: bool) -> Counter[str]:
    """The kinds of objects that are left in cycles after such connections."""
    port = Port(service, PortLimits(linger_seconds=0.01))
    await port.open()
    await converse(port, data, resets=resets)  # The first time is another: caches are filled.
    gc.collect()
    gc.disable()
    try:
        await converse(port, data, resets=resets)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return Counter(type(one).__qualname__ for one in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        await port.server.stop()


@pytest.mark.parametrize("resets", [False, True])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_nothing_is_left_to_the_garbage_collector(busy: Service, name: str, resets: bool) -> None:
    """In the loop that the node prefers: the transports of asyncio's own are in cycles by themselves."""
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert not runner.run(find_garbage(busy, CONVERSATIONS[name], resets=resets))
