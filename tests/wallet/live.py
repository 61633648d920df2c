"""A live development node in a thread of the test: preset dev in memory, a block for every transaction."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from index.indexes import open_chain
from node.core import NodeSettings
from node.dev.api import DevApi
from node.shell.node_shell import NodeShell
from protocol.config import ChainConfig
from protocol.keys import PrivateKey

START_SECONDS_MAX = 60


def _settings(config: ChainConfig) -> NodeSettings:
    """The first witness of the genesis with its key, which is one of its account's own."""
    name = config.genesis.witnesses[0].owner
    wanted = config.public_key(config.genesis.witnesses[0].signing_key)
    password = next(account.password for account in config.genesis.accounts if account.name == name)
    candidates = [PrivateKey.from_password(name, role, password) for role in ("owner", "active", "posting", "signing")]
    key = next(candidate for candidate in candidates if candidate.public_key == wanted)
    return NodeSettings(witnesses=(name,), witness_keys={key.public_key: key}, automine=True)


@contextmanager
def running_node() -> Iterator[str]:
    """Yields the URL of a node that runs until the end of the block."""
    ready = threading.Event()
    state: dict[str, object] = {}

    async def run() -> None:
        preset = ChainConfig.preset("dev")
        # The chain begins now: nothing has time to expire before its first block.
        genesis = preset.genesis.model_copy(update={"time": int(time.time()) // 3 * 3 - 3})
        config = preset.model_copy(update={"genesis": genesis})
        shell = NodeShell(*open_chain(config), _settings(config))
        stop = asyncio.Event()
        host, port = await shell.start_rpc("127.0.0.1", 0, {"dev_api": DevApi(shell.node)})
        shell.start()
        state.update(url=f"http://{host}:{port}", loop=asyncio.get_running_loop(), stop=stop)
        ready.set()
        await stop.wait()
        await shell.stop()

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            state["error"] = error
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    assert ready.wait(START_SECONDS_MAX), "the node did not start"
    if "url" not in state:
        raise RuntimeError(f"the node did not start: {state.get('error')}")
    try:
        yield str(state["url"])
    finally:
        loop, stop = state["loop"], state["stop"]
        assert isinstance(loop, asyncio.AbstractEventLoop)
        assert isinstance(stop, asyncio.Event)
        loop.call_soon_threadsafe(stop.set)
        thread.join(START_SECONDS_MAX)
