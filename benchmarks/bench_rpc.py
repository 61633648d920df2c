"""Requests per second over JSON-RPC: python -m benchmarks.bench_rpc [seconds].

A node with a chain in memory runs in a second process and makes blocks; this process sends requests over keep-alive
connections, the next one on each as soon as the last is answered. So both share the machine: on two cores each has one.
The first figure is an HTTP server that answers a constant, through the same port code: what HTTP alone takes.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

import orjson

from benchmarks.timing import USERS, bench_config, show
from index.indexes import open_chain
from node.dev.chain import dev_settings
from node.shell.node_shell import NodeShell
from operations.transfer import Transfer
from protocol.assets import STEEM, Asset
from protocol.codec import codec_for
from protocol.config import ChainConfig
from protocol.keys import PrivateKey, sign_digest
from protocol.transaction import Transaction
from rpc.dispatch import Dispatcher
from rpc.server import RpcServer

SECONDS = 4.0
WARM_UP_SECONDS = 0.5
READ_CONNECTIONS = 64
BROADCAST_CONNECTIONS = 32
ACCOUNTS_TARGET = 5000
BROADCAST_TARGET = 2000
KEY = PrivateKey.from_seed("init_key")

Requests = Iterator[bytes]


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's, where it is installed, as the node takes it."""
    try:
        import uvloop  # noqa: PLC0415 - it is optional
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


# The node


def run_node(ready: Connection, is_empty: bool) -> None:
    """Runs a node until the other end of `ready` says stop; with `is_empty` it answers every body with a constant."""
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_serve(ready, is_empty))


async def _serve(ready: Connection, is_empty: bool) -> None:
    config = bench_config()
    shell = NodeShell(*open_chain(config), dev_settings(config, automine=False))
    server: RpcServer | None = None
    if is_empty:
        server = RpcServer(Constant({}, 1, 1), dict, lambda status, now, age_max: "", healthy_age_seconds=60)
        _, port = await server.start("127.0.0.1", 0)
    else:
        _, port = await shell.start_rpc("127.0.0.1", 0)
        shell.start()
    ready.send(port)
    while not ready.poll():
        await asyncio.sleep(0.05)
    if server is not None:
        await server.stop()
    await shell.stop()


class Constant(Dispatcher):
    """Answers everything alike."""

    async def answer(self, body: bytes | str) -> bytes:
        """The constant."""
        return b'{"jsonrpc":"2.0","result":{},"id":1}'


# The load


class Client(asyncio.Protocol):
    """One connection that always has one request under way."""

    def __init__(self, requests: Requests, count: Callable[[bytes], None]) -> None:
        self._requests = requests
        self._count = count
        self._buffer = bytearray()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """Sends the first request."""
        self._transport = transport
        transport.write(next(self._requests))

    def data_received(self, data: bytes) -> None:
        """Takes in an answer and sends the next request."""
        buffer = self._buffer
        buffer += data
        head = buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        at = buffer.lower().find(b"content-length:", 0, head)
        end = head + 4 + int(buffer[at + 15 : buffer.find(b"\r", at)])
        if len(buffer) < end:
            return
        self._count(bytes(buffer[head + 4 : end]))
        buffer.clear()
        try:
            self._transport.write(next(self._requests))
        except StopIteration:
            self._transport.close()


def http_post(body: bytes) -> bytes:
    """One request as bytes."""
    head = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def load(port: int, requests: Requests, connections: int, seconds: float) -> float:
    """Requests answered per second; raises when one is answered with an error."""
    answered = 0
    failed: list[bytes] = []

    def count(answer: bytes) -> None:
        nonlocal answered
        answered += 1
        if b'"error":' in answer[:40]:
            failed.append(answer)

    loop = asyncio.get_running_loop()
    clients = [
        await loop.create_connection(lambda: Client(requests, count), "127.0.0.1", port) for _ in range(connections)
    ]
    await asyncio.sleep(WARM_UP_SECONDS)
    before, started = answered, time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (answered - before) / (time.perf_counter() - started)
    for transport, _ in clients:
        transport.close()
    if failed:
        raise RuntimeError(f"{len(failed)} of {answered} requests failed, the first with {failed[0]!r}")
    return rate


def call(method: str, params: Any) -> bytes:
    """The HTTP request for a call."""
    return http_post(orjson.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}))


def cycle(requests: list[bytes]) -> Requests:
    """The requests again and again."""
    while True:
        yield from requests


def sign_transfers(config: ChainConfig, count: int) -> list[bytes]:
    """Broadcasts of distinct signed transfers."""
    codec = codec_for(config.identity)
    now = int(time.time())
    result = []
    for number in range(count):
        sender, receiver = USERS[number % len(USERS)], USERS[(number + 1) % len(USERS)]
        transaction = Transaction.make(
            codec,
            ref_block_num=0xFFFF,
            ref_block_prefix=0,
            expiration=now + 1800,
            operations=[Transfer(sender, receiver, Asset(1, STEEM), str(number))],
        )
        signature = sign_digest(transaction.digest(config.chain_id), KEY)
        signed = transaction.with_signatures([signature])
        result.append(call("condenser_api.broadcast_transaction", [signed.to_json(codec, True)]))
    return result


# The runs


def run(requests: Requests, connections: int, seconds: float, *, is_empty: bool = False) -> float:
    """Starts a node, loads it, stops it; returns requests per second."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=run_node, args=(there, is_empty), daemon=True)
    process.start()
    try:
        port = here.recv()
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(load(port, requests, connections, seconds))
    finally:
        here.send("stop")
        process.join(10)


def main(seconds: float = SECONDS) -> None:
    """Prints the figures."""
    get_properties = call("condenser_api.get_dynamic_global_properties", [])
    get_accounts = [call("condenser_api.get_accounts", [[name]]) for name in USERS]
    many = f"{READ_CONNECTIONS} connections"
    empty = run(cycle([get_properties]), READ_CONNECTIONS, seconds, is_empty=True)
    show("a constant answer", empty, "requests/s", many)
    properties = run(cycle([get_properties]), READ_CONNECTIONS, seconds)
    show("get_dynamic_global_properties", properties, "requests/s", f"{many}, {properties / empty:.2f} of a constant")
    accounts = run(cycle(get_accounts), READ_CONNECTIONS, seconds)
    note = f"{many}, target {ACCOUNTS_TARGET}; properties : accounts = {properties / accounts:.2f} : 1"
    show("get_accounts of one account", accounts, "requests/s", note)
    transfers = sign_transfers(bench_config(), int(6000 * (seconds + 1)))
    broadcasts = run(iter(transfers), BROADCAST_CONNECTIONS, seconds)
    note = f"{BROADCAST_CONNECTIONS} connections, target {BROADCAST_TARGET}"
    show("broadcast_transaction of a signed transfer", broadcasts, "requests/s", note)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
