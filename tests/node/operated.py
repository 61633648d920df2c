"""Nodes in this process with the ports for their operator, asked over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from click.testing import CliRunner, Result

from node.cli import main
from node.core import NetworkSettings, NodeSettings
from node.ports.operator_ports import OperatorPorts
from node.settings import Address
from node.shell.node_shell import NodeShell
from protocol.keys import PrivateKey
from protocol.p2p.messages import Endpoint
from tests.harness import Harness, dev_config

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nobody uses at this moment."""
    with socket.socket() as found:
        found.bind((LOOPBACK, 0))
        return int(found.getsockname()[1])


class Operated:
    """A node over a chain in memory, with JSON-RPC, admin and metrics ports and, if it has a network, one for peers."""

    def __init__(self, world: Harness, settings: NodeSettings, snapshots: Path | None) -> None:
        self.world = world
        self.admin = Address(LOOPBACK, free_port())
        self.metrics = Address(LOOPBACK, free_port())
        self.ports = OperatorPorts(self.admin, self.metrics, snapshots)
        self.shell = NodeShell(world.chain, world.indexes, settings, make_node=self.ports.make_node)
        self.url = ""
        self.endpoint = Endpoint(0, 0)

    async def start(self) -> None:
        host, port = await self.shell.start_rpc(LOOPBACK, 0, on_answer=self.ports.on_answer)
        self.url = f"http://{host}:{port}"
        await self.ports.start(self.shell.node)
        if self.shell.node.network is not None:
            self.endpoint = await self.shell.start_p2p(LOOPBACK, 0)
            self.shell.node.network.set_listening(self.endpoint)
        self.shell.start()

    async def stop(self) -> None:
        await self.ports.stop()
        await self.shell.stop()

    async def ask(self, method: str, **params: Any) -> Any:
        """The whole answer to a JSON-RPC request to the port for clients."""
        return await post(self.url, method, params)

    async def ask_admin(self, method: str, **params: Any) -> Any:
        """The result of a method of node_api, or its error."""
        answer = await post(f"http://{self.admin}", f"node_api.{method}", params)
        return answer.get("result") or answer["error"]

    async def command(self, *words: object, code: int = 0) -> Result:
        """Runs a command of plaudit that asks this node."""
        variables = {"PLAUDIT_NODE": self.url, "PLAUDIT_ADMIN": str(self.admin)}
        return await run_command(*words, code=code, **variables)

    async def read_metrics(self) -> dict[str, float]:
        """The metrics by name and labels, as they stand in the text."""
        async with aiohttp.ClientSession() as session, session.get(f"http://{self.metrics}/metrics") as response:
            assert response.status == 200
            text = await response.text()
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}


async def run_command(*words: object, code: int = 0, **variables: str) -> Result:
    """Runs a command in a thread of its own; an error must not be a stack trace."""
    arguments = [str(word) for word in words]
    result = await asyncio.to_thread(CliRunner(env=variables).invoke, main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result


async def post(url: str, method: str, params: Any) -> Any:
    """The answer to a JSON-RPC request."""
    body = {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        return await response.json()


@asynccontextmanager
async def operated(
    name: str = "node",
    *,
    has_network: bool = True,
    world: Harness | None = None,
    settings: NodeSettings | None = None,
    snapshots: Path | None = None,
) -> AsyncIterator[Operated]:
    """A node that runs for the time of a `with` block; `name` makes its node key."""
    network = NetworkSettings(PrivateKey.from_seed(name), discovers=False) if has_network else None
    chosen = (settings or NodeSettings())._replace(network=network)
    node = Operated(world or Harness(dev_config()), chosen, snapshots)
    try:
        await node.start()
        yield node
    finally:
        await node.stop()


async def until(look: Any, seconds: float = 10.0) -> Any:
    """Waits until something is true and returns it."""
    end = asyncio.get_running_loop().time() + seconds
    while not (found := look()):
        assert asyncio.get_running_loop().time() < end, "it did not happen in time"
        await asyncio.sleep(0.02)
    return found
