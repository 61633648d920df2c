"""Runs a node in this process until it is told to stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from chain.chain import Chain
from node.core import NodeSettings
from node.failures import CommandError, explain, explain_port
from node.settings import Address
from node.shell import NodeShell
from protocol.errors import ProtocolError
from state.errors import StoreError

log = logging.getLogger("plaudit.node")

ExtraApis = Callable[[NodeShell], Mapping[str, Any]]
OnReady = Callable[[NodeShell, str], None]

GC_THRESHOLDS = (100_000, 50, 100)
"""Rows are immutable and rarely in cycles; the default thresholds double the cost of changing many of them."""


def tune_memory() -> None:
    """Lets the garbage collector look at new objects only, and seldom."""
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()


def run_daemon(
    chain: Chain,
    settings: NodeSettings,
    rpc: Address,
    *,
    extra_apis: ExtraApis | None = None,
    on_ready: OnReady | None = None,
) -> None:
    """Serves JSON-RPC and makes blocks until SIGTERM or SIGINT; then closes port and chain. Raises CommandError.

    `on_ready` is called with the URL of the port when the node has begun to work.
    """
    tune_memory()
    with asyncio.Runner(loop_factory=_find_loop()) as runner:
        runner.run(_run(chain, settings, rpc, extra_apis, on_ready))


def _find_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster event loop, on systems that have it."""
    if find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return factory


async def _run(
    chain: Chain, settings: NodeSettings, rpc: Address, extra_apis: ExtraApis | None, on_ready: OnReady | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    shell = NodeShell(chain, settings)
    try:
        host, port = await _open_port(shell, rpc, extra_apis)
        url = f"http://{Address(host, port)}"
        log.info("started rpc=%s head=%d irreversible=%d", url, chain.head_number, chain.irreversible_number)
        _start(shell)
        if on_ready is not None:
            on_ready(shell, url)
        await stop.wait()
        log.info("stopping head=%d", chain.head_number)
    finally:
        await _stop(shell)
    log.info("stopped head=%d irreversible=%d", chain.head_number, chain.irreversible_number)


async def _open_port(shell: NodeShell, rpc: Address, extra_apis: ExtraApis | None) -> tuple[str, int]:
    try:
        return await shell.start_rpc(rpc.host, rpc.port, extra_apis(shell) if extra_apis else None)
    except OSError as error:
        raise CommandError(explain_port("rpc", rpc, error)) from error


def _start(shell: NodeShell) -> None:
    try:
        shell.start()
    except ProtocolError as error:
        raise CommandError(f"The node can not make its first block: {error.message}") from error


async def _stop(shell: NodeShell) -> None:
    try:
        await shell.stop()
    except (StoreError, ProtocolError) as error:
        raise CommandError(f"The node could not write everything when it stopped: {explain(error)}") from error
