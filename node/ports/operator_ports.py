"""The operator's ports: admin commands (--admin) and metrics (--metrics)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Protocol

from node.core import Node
from node.failures import CommandError, explain_port
from node.ports.admin import AdminPort, NodeApi
from node.ports.metrics import Metrics, MetricsPort
from node.settings import Address
from node.shell.loop_watch import LoopWatch
from node.shell.node_shell import MakeNode
from rpc.dispatch import OnAnswer

log = logging.getLogger("plaudit.node")


class Port(Protocol):
    """A port that can be opened and closed."""

    async def start(self, host: str, port: int) -> tuple[str, int]: ...

    async def stop(self) -> None: ...


class OperatorPorts:
    """Opens those of the two ports that have an address; `snapshots` is the folder of requested snapshots.

    `make_node` and `on_answer` measure; without an address for metrics they do not.
    """

    def __init__(self, admin: Address | None, metrics: Address | None, snapshots: Path | None = None) -> None:
        self._admin = admin
        self._metrics = metrics
        self._snapshots = snapshots
        self._measures = None if metrics is None else Metrics()
        self._open: list[Port] = []
        self._watch: LoopWatch | None = None

    @property
    def make_node(self) -> MakeNode:
        """Creates the node, a measured one if there are metrics."""
        return Node if self._measures is None else self._measures.make_node

    @property
    def on_answer(self) -> OnAnswer | None:
        """The callback for each response."""
        return None if self._measures is None else self._measures.on_answer

    async def start(self, node: Node) -> None:
        """Opens the ports. Raises CommandError when one is in use."""
        if self._admin is not None:
            await self._start("admin", self._admin, AdminPort(NodeApi(node, self._snapshots)))
        if self._metrics is not None and self._measures is not None:
            await self._start("metrics", self._metrics, MetricsPort(self._measures))
            self._watch = LoopWatch(self._measures.on_round)

    async def _start(self, name: str, address: Address, port: Port) -> None:
        try:
            found = Address(*await port.start(address.host, address.port))
        except OSError as error:
            raise CommandError(explain_port(name, address, error)) from error
        self._open.append(port)
        log.info("listening %s=http://%s", name, found)

    async def stop(self) -> None:
        """Closes the ports."""
        if self._watch is not None:
            self._watch.stop()
        for port in self._open:
            await port.stop()
