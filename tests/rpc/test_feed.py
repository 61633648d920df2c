"""The feed of /feed: applied, undone and irreversible blocks, in an order that always describes one chain."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import orjson
import pytest

from chain.effects import Applied
from node.core import NodeSettings
from node.shell.node_shell import NodeShell
from operations.transfer import Transfer
from rpc import feed as feed_module
from tests.harness import Harness, config_with, steem

QUESTION = '{"jsonrpc":"2.0","method":"condenser_api.get_account_count","params":[],"id":0}'


class Live:
    """A node with an open port over a chain whose blocks stay reversible for a while."""

    def __init__(self) -> None:
        self.world = Harness(config_with("dev", irreversible_by_witness_from_block=1_000_000))
        self.shell = NodeShell(self.world.chain, self.world.indexes, NodeSettings())
        self.url = ""

    async def open(self) -> None:
        host, port = await self.shell.start_rpc("127.0.0.1", 0)
        self.url = f"ws://{host}:{port}/feed"


@pytest.fixture
async def live() -> AsyncIterator[Live]:
    opened = Live()
    await opened.open()
    yield opened
    await opened.shell.stop()


def branch_of(world: Harness, skip_seconds: int) -> Harness:
    """Another node's chain with the same blocks so far."""
    other = world.twin()
    other.generate_block(skip_seconds)
    return other


async def read(socket: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    message: dict[str, Any] = orjson.loads(await asyncio.wait_for(socket.receive_str(), 5))
    return message


async def test_a_fork_is_told_as_undone_and_applied(live: Live) -> None:
    world, node = live.world, live.shell.node
    other = branch_of(world, 30)
    other.push(Transfer("alice", "bob", steem(1), "kept"))
    other.generate_block()
    async with aiohttp.ClientSession() as session, session.ws_connect(live.url) as socket:
        await asyncio.sleep(0.05)
        ours = world.generate_block()
        for item in world.chain.push_block(ours).feed:
            assert not isinstance(item, Applied), "the harness pushed it already"
        for number in (2, 3):
            block = other.chain.reader.get_block(number)
            assert block is not None
            node.on_block(block)
        events = [await read(socket) for _ in range(3)]
    assert [event["method"] for event in events] == [
        "plaudit_feed.undone",
        "plaudit_feed.applied",
        "plaudit_feed.applied",
    ]
    assert events[0]["params"] == {"block_num": 2, "block_id": ours.id.hex()}
    last = other.chain.reader.get_block(3)
    assert last is not None
    assert events[2]["params"]["block_id"] == last.id.hex()
    assert events[2]["params"]["transaction_ids"] == [last.transactions[0].id.hex()]
    assert events[2]["params"]["previous"] == events[1]["params"]["block_id"]
    assert {"producer_reward_operation"} <= {op["type"] for op in events[2]["params"]["virtual_operations"]}


async def test_requests_are_answered_beside_the_feed(live: Live) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(live.url) as socket:
        await socket.send_str(QUESTION)
        assert (await read(socket))["id"] == 0


async def test_other_paths_hear_no_events(live: Live) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(live.url.removesuffix("/feed")) as socket:
        live.shell.node.on_block(branch_of(live.world, 0).chain.reader.get_block(2))  # type: ignore[arg-type]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket.receive(), 0.2)


async def test_a_listener_that_falls_behind_is_cut_off(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "EVENTS_MAX", 2)
    other = branch_of(live.world, 0)
    for _ in range(5):
        other.generate_block()
    async with aiohttp.ClientSession() as session, session.ws_connect(live.url) as socket:
        await asyncio.sleep(0.05)
        for number in range(2, 7):
            live.shell.node.on_block(other.chain.reader.get_block(number))  # type: ignore[arg-type]
        closed = None
        while closed is None or closed.type is aiohttp.WSMsgType.TEXT:
            closed = await asyncio.wait_for(socket.receive(), 5)
        assert closed.type is aiohttp.WSMsgType.CLOSE
        assert closed.data == aiohttp.WSCloseCode.TRY_AGAIN_LATER


async def test_one_listener_too_many_is_refused(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "LISTENERS_MAX", 0)
    async with aiohttp.ClientSession() as session, session.ws_connect(live.url) as socket:
        closed = await asyncio.wait_for(socket.receive(), 5)
        assert closed.type is aiohttp.WSMsgType.CLOSE
        assert "listeners already" in str(closed.extra)
