"""A node over a chain in memory, asked through its dispatcher as a client would."""

from typing import Any

import orjson

from node.core import NodeSettings
from node.dev.api import DevApi
from node.dev.chain import dev_settings
from node.shell.node_shell import NodeShell
from operations.market import LimitOrderCreate
from operations.vesting import DelegateVestingShares, SetWithdrawVestingRoute, WithdrawVesting
from rpc.apis.registry import build_dispatcher
from tests.harness import Harness, dev_config, sbd, steem, vests

BATCH_LENGTH_MAX = 20


def _settings(world: Harness) -> NodeSettings:
    """Preset dev makes a block for each transaction; other chains make none by themselves."""
    return dev_settings(world.config, automine=True) if world.config.chain.name == "dev" else NodeSettings()


class Service:
    """A harness chain (preset dev) with the APIs over it."""

    def __init__(self, world: Harness | None = None) -> None:
        self.world = world or Harness(dev_config())
        self.shell = NodeShell(self.world.chain, self.world.indexes, _settings(self.world))
        self.dispatcher = build_dispatcher(
            self.shell,
            {"dev_api": DevApi(self.shell.node)},
            batch_length_max=BATCH_LENGTH_MAX,
            batch_seconds_max=5.0,
        )

    async def send(self, message: Any) -> Any:
        """The answer to a message (a JSON value, or raw bytes)."""
        body = message if isinstance(message, bytes | str) else orjson.dumps(message)
        return orjson.loads(await self.dispatcher.answer(body))

    async def ask(self, method: str, params: Any = None) -> Any:
        """The whole answer to a call."""
        message = {"jsonrpc": "2.0", "method": method, "id": 1}
        if params is not None:
            message["params"] = params
        return await self.send(message)

    async def result(self, method: str, params: Any = None) -> Any:
        """The result of a call that must succeed."""
        answer = await self.ask(method, params)
        assert "error" not in answer, answer
        return answer["result"]

    async def error(self, method: str, params: Any = None) -> dict[str, Any]:
        """The error of a call that must fail."""
        answer = await self.ask(method, params)
        assert "result" not in answer, answer
        error: dict[str, Any] = answer["error"]
        return error


def busy_world() -> Harness:
    """Preset dev with posts, votes, a reply, a delegation, orders and a power down."""
    world = Harness(dev_config())
    world.post("alice", "first", body="Grüße")
    world.generate_block()
    world.post("bob", "re-first", parent=("alice", "first"))
    world.vote("bob", "alice", "first")
    world.vote("carol", "alice", "first", 5000)
    world.vote_witness("alice", "initminer")
    world.push(DelegateVestingShares("alice", "bob", vests(1_000_000_000_000)))
    world.push(WithdrawVesting("carol", vests(1_000_000_000_000)))
    world.push(SetWithdrawVestingRoute("carol", "dave", 5000, False))
    world.push(LimitOrderCreate("alice", 7, steem(1000), sbd(300), False, world.now + 3600))
    world.push(LimitOrderCreate("bob", 8, sbd(100), steem(1000), False, world.now + 3600))
    world.generate_block()
    world.generate_block()
    return world
