"""Clients that a busy node refuses: none of them sends its request again and again."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from node.ports.health import find_problem
from protocol.config import ChainConfig
from rpc.port_limits import PortLimits, Share
from rpc.server import RpcServer
from tests.clients.flow import client_command, client_environment, without_client
from tests.clients.install import HERE, NotInstalled
from tests.rpc.service import Service

WATCHED_SECONDS = 12.0
REQUESTS_MAX = 25
"""Some ask for the node's configuration first, and some try a few times with a pause; hundreds are none of this."""

CLIENTS = ("steem", "dsteem", "dhive", "beem", "lighthive", "steem-python")


class BusyNode:
    """A port on which no request is under way because none may be."""

    def __init__(self) -> None:
        service = Service()
        self.server = RpcServer(
            service.dispatcher,
            service.shell.get_status,
            find_problem,
            healthy_age_seconds=60,
            limits=PortLimits(requests=Share(0, 0)),
        )
        self.asked: list[float] = []
        take = self.server.port.requests.take

        def count(client: Any, amount: int = 1) -> None:
            self.asked.append(time.monotonic())
            take(client, amount)

        self.server.port.requests.take = count  # type: ignore[method-assign]


@pytest.mark.slow
@pytest.mark.parametrize("client", CLIENTS)
async def test_a_client_that_is_refused_does_not_hammer(client: str, tmp_path: Path) -> None:
    node = BusyNode()
    host, port = await node.server.start("127.0.0.1", 0)
    try:
        await watch(client, f"http://{host}:{port}", tmp_path)
    finally:
        await node.server.stop()
    print(client, len(node.asked))
    assert 1 <= len(node.asked) <= REQUESTS_MAX


async def watch(client: str, url: str, folder: Path) -> None:
    """Lets a client ask for a balance and send a transfer, and ends it when it still tries after some seconds."""
    is_script = client in ("steem", "dsteem", "dhive")
    script = "quick_flow.js" if is_script else f"quick_{client.replace('-', '_')}.py"
    try:
        command = client_command("js" if is_script else "python", client)
    except NotInstalled as problem:
        without_client(problem)
    config = ChainConfig.preset("dev")
    keys: dict[str, dict[str, str]] = {}
    for account, role, key in config.development_keys():
        keys.setdefault(account.name, {})[role] = key.to_wif()
    known = {"url": url, "chainId": config.chain_id.hex(), "prefix": "STM", "symbol": "STEEM", "keys": keys}
    pipe = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *(*command, str(HERE / script), json.dumps(known | {"client": client})),
        cwd=folder,
        env=client_environment(folder),
        stdout=pipe,
        stderr=pipe,
    )
    try:
        await asyncio.wait_for(process.wait(), WATCHED_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
