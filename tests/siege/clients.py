"""Attacks on the port for clients: sockets, bodies, websockets, requests that cost much."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import zlib

from tests.siege.requests import list_requests
from tests.siege.target import (
    Target,
    again_and_again,
    attack,
    connected,
    dial,
    open_websocket,
    read_answer,
    read_away,
    render_call,
    render_frame,
    render_post,
)

BODY_BYTES = 4 << 20
STATUS = render_call("condenser_api.get_dynamic_global_properties", [])


@attack("idle sockets")
async def idle(target: Target) -> None:
    """1,100 connections that say nothing."""

    async def once() -> None:
        async with connected(target.rpc_port, resets=False) as (reader, _):
            await reader.read(1)
            await asyncio.sleep(0.5)

    await again_and_again(target, 1100, once)


@attack("new connections")
async def connect(target: Target) -> None:
    """Connections one after the other, as fast as they can be had."""

    async def once() -> None:
        _, writer = await dial(target.rpc_port)
        writer.transport.abort()

    await again_and_again(target, 100, once)


@attack("slow bodies")
async def slow_bodies(target: Target) -> None:
    """300 bodies of which a byte comes now and then."""

    async def once() -> None:
        async with connected(target.rpc_port, resets=False) as (_, writer):
            writer.write(render_post(b"")[:-2].replace(b"Length: 0", b"Length: %d" % BODY_BYTES) + b"\r\n")
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.2)

    await again_and_again(target, 300, once)


@attack("large bodies")
async def large_bodies(target: Target) -> None:
    """250 bodies of 4 MB at once, whose last byte is held back for a while."""
    request = render_post(b" " * BODY_BYTES)

    async def once() -> None:
        async with connected(target.rpc_port) as (reader, writer):
            writer.write(memoryview(request)[:-1])
            await writer.drain()
            await asyncio.sleep(1)
            writer.write(b" ")
            await read_answer(reader)

    await again_and_again(target, 250, once)


@attack("compressed bodies")
async def compressed_bodies(target: Target) -> None:
    """Bodies of 49 kB that inflate to 50 MB."""
    zeros = b" " * 50_000_000
    requests = itertools.cycle(
        [
            render_post(gzip.compress(zeros), Content_Encoding="gzip"),
            render_post(zlib.compress(zeros), Content_Encoding="deflate"),
        ]
    )

    async def once() -> None:
        async with connected(target.rpc_port, resets=False) as (reader, writer):
            writer.write(next(requests))
            await read_answer(reader)

    await again_and_again(target, 50, once)


@attack("requests at once")
async def pipelined(target: Target) -> None:
    """200 connections with a thousand requests in one write each."""
    many = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 500 + render_post(STATUS) * 500

    async def once() -> None:
        async with connected(target.rpc_port) as (reader, writer):
            writer.write(many)
            await read_away(reader)

    await again_and_again(target, 200, once)


@attack("no HTTP")
async def no_http(target: Target) -> None:
    """100 connections that send what is no HTTP."""
    rubbish = itertools.cycle([b"\x16\x03\x01" + bytes(600), b"GET / HTTP/1.1\r\n\r\n", b"A: b\r\n" * 10_000])

    async def once() -> None:
        async with connected(target.rpc_port) as (reader, writer):
            writer.write(next(rubbish))
            await read_away(reader)

    await again_and_again(target, 100, once)


@attack("dense JSON")
async def dense_json(target: Target) -> None:
    """Bodies of 4 MB that hold a million values."""
    count = BODY_BYTES // 4
    requests = itertools.cycle(
        render_post(b'{"jsonrpc":"2.0","method":"call","id":1,"params":[' + b",".join([value] * count)[:-60] + b"]}")
        for value in (b"[]", b"{}", b"0", b'""', b"0.1")
    )

    async def once() -> None:
        async with connected(target.rpc_port, resets=False) as (reader, writer):
            writer.write(next(requests))
            await read_answer(reader)

    await again_and_again(target, 6, once)


@attack("websocket messages")
async def websocket_messages(target: Target) -> None:
    """64 websockets with requests, pings and empty fragments as fast as they are taken."""
    burst = render_frame(STATUS) * 20 + render_frame(b"x" * 100, opcode=9) * 100
    burst += render_frame(b" ", is_last=False) + render_frame(b"", opcode=0, is_last=False) * 500
    burst += render_frame(b"", opcode=0)

    async def once() -> None:
        async with connected(target.rpc_port, open_websocket) as (reader, writer):
            reading = asyncio.create_task(read_away(reader))
            try:
                while not reading.done():
                    writer.write(burst)
                    await writer.drain()
            finally:
                reading.cancel()

    await again_and_again(target, 64, once)


@attack("websocket fragments")
async def websocket_fragments(target: Target) -> None:
    """32 websockets with messages of 4 MB that never end, in fragments and compressed."""
    fragments = render_frame(b" ", is_last=False) + render_frame(b" " * 65_000, opcode=0, is_last=False) * 64
    inflating = render_frame(zlib.compress(b" " * 50_000_000)[2:-4], flags=0x40)
    writes = itertools.cycle([fragments, fragments, inflating])

    async def once() -> None:
        async with connected(target.rpc_port, open_websocket) as (reader, writer):
            writer.write(next(writes))
            await read_away(reader)

    await again_and_again(target, 32, once)


@attack("unread answers")
async def unread(target: Target) -> None:
    """100 clients that ask for large answers and read none of them."""
    call = b"[" + b",".join([render_call("database_api.get_config", {})] * 500) + b"]"

    async def once() -> None:
        async with connected(target.rpc_port) as (_, writer):
            transport = writer.transport
            assert isinstance(transport, asyncio.ReadTransport)
            transport.pause_reading()
            writer.write(render_post(call) * 3)
            await asyncio.sleep(5)

    await again_and_again(target, 100, once)


@attack("dear requests")
async def dear(target: Target) -> None:
    """Each method at the most that it takes, on 16 connections and 4 websockets."""
    calls = itertools.cycle(list_requests(target))

    async def once() -> None:
        async with connected(target.rpc_port, resets=False) as (reader, writer):
            for _ in range(20):
                writer.write(render_post(next(calls)))
                await read_answer(reader)

    async def talk() -> None:
        async with connected(target.rpc_port, open_websocket) as (reader, writer):
            reading = asyncio.create_task(read_away(reader))
            try:
                while not reading.done():
                    writer.write(render_frame(next(calls)))
                    await writer.drain()
                    await asyncio.sleep(0)
            finally:
                reading.cancel()

    await asyncio.gather(again_and_again(target, 16, once), again_and_again(target, 4, talk))
