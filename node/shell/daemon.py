"""Runs a node in this process until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from chain.chain import Chain
from index.indexes import Indexes
from node.core import Disk, Node, NodeSettings
from node.core.network import Network
from node.failures import CommandError, explain, explain_port
from node.settings import Address
from node.shell.memory import tune_memory
from node.shell.node_shell import NodeShell
from node.shell.open_files import FilePlan, plan_files, raise_limit
from node.shell.peering import follow_seeds
from node.shell.recounts import recount_repeatedly
from protocol.errors import Invalid, ProtocolError
from rpc.port_limits import PortLimits
from state.engine.errors import StoreError

if TYPE_CHECKING:
    from node.ports.operator_ports import OperatorPorts

log = logging.getLogger("plaudit.node")

READ_WATCH_SECONDS = 0.5
"""Interval of checks that the state can still be read; no block is produced after the first failed read."""

ExtraApis = Callable[[NodeShell], Mapping[str, Any]]
OnReady = Callable[[NodeShell, str], None]


def run_daemon(
    chain: Chain,
    indexes: Indexes,
    settings: NodeSettings,
    rpc: Address,
    *,
    disk: Disk | None = None,
    p2p: Address | None = None,
    seeds: tuple[Address, ...] = (),
    extra_apis: ExtraApis | None = None,
    operator: OperatorPorts | None = None,
    on_ready: OnReady | None = None,
    proxies: Iterable[str] = (),
) -> None:
    """Serves JSON-RPC, connects to peers and produces blocks until SIGTERM or SIGINT, then shuts down. Raises
    CommandError.

    `proxies` are trusted to state the clients of JSON-RPC. `disk` stores the node's small files (None: in memory).
    With a network in the settings, peers connect to `p2p`, and `seeds` are dialled. `operator` has the ports for
    commands and metrics. `on_ready` is called with the URL of JSON-RPC once the node has started.
    """
    tune_memory()
    files = share_files(settings)
    if settings.network is not None:
        settings = settings._replace(network=settings.network._replace(connections_max=files.peers))
    clients = Clients(files.fit(PortLimits()), frozenset(proxies))
    with asyncio.Runner(loop_factory=_find_loop()) as runner:
        runner.run(_run(chain, indexes, settings, rpc, clients, disk, p2p, seeds, extra_apis, operator, on_ready))


class Clients(NamedTuple):
    """Limits of the clients of JSON-RPC, and the trusted proxies."""

    limits: PortLimits
    proxies: frozenset[str]


def share_files(settings: NodeSettings) -> FilePlan:
    """Divides the limit of open files, and warns when it is low."""
    peers = 0 if settings.network is None else settings.network.connections_max
    clients = PortLimits().connections.whole
    plan = plan_files(raise_limit(), peers, clients)
    if plan.peers < peers or plan.clients < clients:
        text = "open files are limited to %d: connections_max=%d clients_max=%d (LimitNOFILE of the unit, ulimit -n)"
        log.warning(text, plan.limit, plan.peers, plan.clients)
    return plan


def _find_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Returns the faster event loop where it is available."""
    if find_spec("uvloop") is None:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    return factory


async def _run(
    chain: Chain,
    indexes: Indexes,
    settings: NodeSettings,
    rpc: Address,
    clients: Clients,
    disk: Disk | None,
    p2p: Address | None,
    seeds: tuple[Address, ...],
    extra_apis: ExtraApis | None,
    operator: OperatorPorts | None,
    on_ready: OnReady | None,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    shell = _make_shell(chain, indexes, settings, disk, operator)
    beside: list[asyncio.Task[None]] = []
    try:
        host, port = await _open_port(shell, rpc, clients, extra_apis, operator)
        if operator is not None:
            await operator.start(shell.node)
        if shell.node.network is not None:
            if p2p is not None:
                await _open_p2p(shell, shell.node.network, p2p)
            beside.append(asyncio.create_task(follow_seeds(shell.node.network, seeds)))
        if settings.recounts:
            broken = shell.node.broken_invariants
            work = recount_repeatedly(chain, settings.recounts, settings.recount_minutes, broken)
            beside.append(asyncio.create_task(work))
        url = f"http://{Address(host, port)}"
        log.info("started rpc=%s head=%d irreversible=%d", url, chain.head_number, chain.irreversible_number)
        _start(shell)
        if on_ready is not None:
            on_ready(shell, url)
        problem = await _wait_for_end(stop, chain)
        if problem is not None:
            raise CommandError(f"The node ends: {explain(problem)}") from problem
        log.info("stopping head=%d", chain.head_number)
    finally:
        for task in beside:
            task.cancel()
        if operator is not None:
            await operator.stop()
        await _stop(shell)
    log.info("stopped head=%d irreversible=%d", chain.head_number, chain.irreversible_number)


async def _wait_for_end(stop: asyncio.Event, chain: Chain) -> StoreError | None:
    """Waits until the node is stopped, or until its state can no longer be read: then returns why."""
    while chain.problem is None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), READ_WATCH_SECONDS)
            return None
    return chain.problem


def _make_shell(
    chain: Chain, indexes: Indexes, settings: NodeSettings, disk: Disk | None, operator: OperatorPorts | None
) -> NodeShell:
    try:
        return NodeShell(chain, indexes, settings, disk, Node if operator is None else operator.make_node)
    except (ValueError, ProtocolError) as error:
        chain.close()
        text = error.message if isinstance(error, ProtocolError) else str(error)
        raise CommandError(f"The node can not start: {text}") from error


async def _open_p2p(shell: NodeShell, network: Network, p2p: Address) -> None:
    try:
        endpoint = await shell.start_p2p(p2p.host, p2p.port)
    except OSError as error:
        raise CommandError(explain_port("p2p", p2p, error)) from error
    except Invalid as error:
        raise CommandError(f"--p2p {p2p}: peers of this protocol have IPv4 addresses only") from error
    network.set_listening(endpoint)
    log.info("listening p2p=%s", endpoint)


async def _open_port(
    shell: NodeShell, rpc: Address, clients: Clients, extra_apis: ExtraApis | None, operator: OperatorPorts | None
) -> tuple[str, int]:
    apis = extra_apis(shell) if extra_apis else None
    try:
        return await shell.start_rpc(rpc.host, rpc.port, apis, operator.on_answer if operator else None, *clients)
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
