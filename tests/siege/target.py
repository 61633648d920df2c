"""What an attacker knows of the node it attacks, and small tools that all attacks use."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, NamedTuple

import orjson

HOST = "127.0.0.1"


class Target(NamedTuple):
    """The node: its ports, the file of its chain, and for how long it is attacked."""

    rpc_port: int
    p2p_port: int
    chain_file: str
    seconds: float

    def to_text(self) -> str:
        """The target as one argument of a command."""
        return json.dumps(self)

    @classmethod
    def from_text(cls, text: str) -> Target:
        """Reads what `to_text` made."""
        return cls(*json.loads(text))


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Attack = Callable[[Target], Awaitable[None]]
ATTACKS: dict[str, tuple[str, Attack]] = {}
"""Each attack by its name: what it does, in words, and how."""


def attack(name: str) -> Callable[[Attack], Attack]:
    """Adds an attack; the first line of its docstring describes it."""

    def add(function: Attack) -> Attack:
        ATTACKS[name] = (function.__doc__ or "").split("\n")[0].removesuffix("."), function
        return function

    return add


async def again_and_again(target: Target, count: int, once: Callable[[], Awaitable[None]]) -> None:
    """Does something `count` times at once, and again whenever it ends, until the time is over."""
    end = monotonic() + target.seconds

    async def repeat() -> None:
        while monotonic() < end:
            with suppress(OSError, EOFError, TimeoutError):
                async with asyncio.timeout(max(0.1, end - monotonic())):
                    await once()
            await asyncio.sleep(0.01)

    await asyncio.gather(*(repeat() for _ in range(count)))


async def dial(port: int) -> Streams:
    """Opens a connection to the node."""
    return await asyncio.open_connection(HOST, port, limit=1 << 26)


@asynccontextmanager
async def connected(
    port: int, open_port: Callable[[int], Awaitable[Streams]] = dial, *, resets: bool = True
) -> AsyncIterator[Streams]:
    """A connection for the time of a `with` block; at its end it is reset, or closed as it should be."""
    reader, writer = await open_port(port)
    try:
        yield reader, writer
    finally:
        if resets:
            writer.transport.abort()
        else:
            writer.close()


def render_post(body: bytes, **headers: str) -> bytes:
    """An HTTP request."""
    lines = ["POST / HTTP/1.1", "Host: siege", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def render_call(method: str, params: Any, number: int = 1) -> bytes:
    """A JSON-RPC request."""
    return orjson.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": number})


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """Reads one HTTP answer with a Content-Length, and returns its body."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return await reader.readexactly(int(line.partition(b":")[2]))
    return b""


async def read_away(reader: asyncio.StreamReader) -> None:
    """Reads until the node closes the connection."""
    while await reader.read(1 << 16):
        pass


WEBSOCKET = (
    b"GET /feed HTTP/1.1\r\nHost: siege\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)


async def open_websocket(port: int) -> Streams:
    """Opens a websocket and reads the head of the node's answer."""
    reader, writer = await dial(port)
    writer.write(WEBSOCKET)
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def render_frame(payload: bytes, *, opcode: int = 1, is_last: bool = True, flags: int = 0) -> bytes:
    """A frame of a websocket, masked with zeros."""
    first = bytes((opcode | (0x80 if is_last else 0) | flags,))
    if len(payload) < 126:
        return first + bytes((0x80 | len(payload),)) + bytes(4) + payload
    if len(payload) < 1 << 16:
        return first + b"\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload
    return first + b"\xff" + len(payload).to_bytes(8, "big") + bytes(4) + payload
