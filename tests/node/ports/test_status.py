"""`plaudit status`, GET / and plaudit_api.get_status: what is said of a node, and the exit code for monitors."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from node.core import ProductionOutcome
from node.dev.chain import dev_settings
from node.ports.health import find_problem
from operations.transfer import Transfer
from tests.harness import Harness, dev_config, steem
from tests.node.operated import Operated, free_port, operated, run_command


@asynccontextmanager
async def fresh_node(has_network: bool = False) -> AsyncIterator[Operated]:
    """A node that has just made a block."""
    world = Harness(dev_config(), first_block=False)
    settings = dev_settings(world.config, automine=False)
    async with operated(world=world, settings=settings, has_network=has_network) as node:
        yield node


async def test_a_healthy_node_is_shown_to_people_with_exit_code_0() -> None:
    async with fresh_node() as node:
        text = (await node.command("status")).output
        head_id = node.shell.chain.head_id.hex()
    assert text.splitlines()[0] == "healthy"
    for wanted in ("chain         dev, id ", f"head block    1, id {head_id}", "irreversible  1, 0 behind the head"):
        assert wanted in text
    assert "peers         none: the node has no network" in text
    assert "production    0 blocks made since the start, slots missed: none" in text
    assert "pending       0 transactions, 0 bytes" in text
    assert "plaudit 0." in text


async def test_programs_get_json_and_get_is_the_same() -> None:
    async with fresh_node(has_network=True) as node:
        node.shell.node.producer.counts.update([ProductionOutcome.PRODUCED, ProductionOutcome.LAG])
        node.world.push(Transfer("alice", "bob", steem(1), ""))
        shown = json.loads((await node.command("status", "--json")).output)
        async with aiohttp.ClientSession() as session, session.get(node.url) as response:
            plain = await response.json()
        by_method = (await node.ask("plaudit_api.get_status"))["result"]
    assert (shown.pop("healthy"), shown.pop("problem")) == (True, None)
    assert shown == plain == by_method
    assert shown["production"] == {"produced": 1, "missed": {"lag": 1}}
    assert shown["peers"] == {"inbound": 0, "outbound": 0}
    assert (shown["pending_transactions"], shown["missing_blocks"], shown["can_write"]) == (1, 0, True)
    assert shown["pending_bytes"] > 100
    assert (shown["name"], shown["chain"], shown["head_block_number"]) == ("plaudit", "dev", 1)


async def test_the_figures_of_a_witness_node_and_of_its_peers_are_counted(tmp_path: Path) -> None:
    async with fresh_node(has_network=True) as node, operated("other") as other:
        node.shell.node.producer.counts.update([ProductionOutcome.PRODUCED, ProductionOutcome.NOT_MY_TURN])
        assert other.shell.node.network is not None
        other.shell.node.network.add_seed(node.endpoint)
        shown = ""
        while "1 (1 inbound, 0 outbound)" not in shown:
            shown = (await node.command("status")).output
            await asyncio.sleep(0.05)
        assert re.search(r"production    [1-9]\d* blocks made since the start, slots missed: none", shown)
        assert "1 (0 inbound, 1 outbound)" in (await other.command("status", "--max-age", 10**9)).output
        assert "production    no witness here" in (await other.command("status", "--max-age", 10**9)).output


async def test_a_stale_node_is_not_healthy() -> None:
    async with operated(has_network=False) as node:
        text = (await node.command("status", code=1)).output
        shown = json.loads((await node.command("status", "--json", code=1)).output)
        assert (await node.command("status", "--max-age", 10**9)).output.startswith("healthy\n")
    assert text.startswith("not healthy: its head block is ")
    assert "head block    1, id" in text
    assert shown["healthy"] is False
    assert shown["problem"].endswith(" old")


async def test_a_node_that_does_not_answer_is_not_healthy() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    text = (await run_command("status", "--node", url, code=1)).output
    assert text == f"not healthy: the node at {url} cannot be reached: connection refused\n"
    shown = json.loads((await run_command("status", "--node", url, "--json", code=1)).output)
    assert shown == {"healthy": False, "problem": f"the node at {url} cannot be reached: connection refused"}
    assert "is not the address of a node" in (await run_command("status", "--node", "nonsense", code=2)).output
    assert "0 is not in the range" in (await run_command("status", "--max-age", "0", code=2)).output


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            b'{"jsonrpc":"2.0","id":1,"result":{"head_block_unix_time":"x"}}',
            "does not answer like a node of this version",
        ),
        (b'{"jsonrpc":"2.0","id":1,"result":[]}', "does not answer like a node of this version"),
        (
            b'{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"Could not find method get_status"}}',
            "get_status",
        ),
        (b"<html>", "does not answer like a node"),
    ],
)
async def test_what_is_no_node_is_not_healthy(answer: bytes, words: str) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
        writer.close()

    server = await asyncio.start_server(reply, "127.0.0.1", 0)
    async with server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        text = (await run_command("status", "--node", url, code=1)).output
    assert text.startswith("not healthy: ")
    assert words in text


def test_what_is_wrong_with_a_node_is_said() -> None:
    now = int(time.time())
    clock = {"unix_time": now, "skipped_seconds": 0, "jumped_ms": 0}
    healthy = {"head_block_unix_time": now - 3, "can_write": True, "missing_blocks": 0, "clock": clock}
    assert find_problem(healthy, now, 60) == ""
    ahead = healthy | {"head_block_unix_time": now + 900}
    assert find_problem(ahead, now, 60) == "its head block is 15 minutes ahead of the time: a clock is or was wrong"
    assert find_problem(ahead | {"clock": clock | {"skipped_seconds": 900}}, now, 60) == "", "a development chain"
    jumped = healthy | {"clock": clock | {"jumped_ms": -40_000}}
    assert "its clock jumped by -40 s" in find_problem(jumped, now, 60)
    assert find_problem(healthy | {"can_write": False}, now, 60) == "it can not write to its disk"
    old = healthy | {"head_block_unix_time": now - 61, "missing_blocks": 20}
    assert (
        find_problem(old, now, 60) == "its head block is 1 minute 1 second old, and it lacks 20 blocks that peers have"
    )
    with pytest.raises(KeyError):
        find_problem({}, now, 60)
