"""Prometheus metrics, served on a separate port.

Only counters are updated while blocks are applied and requests answered. All else is read from the node on a scrape,
between two events, and formatted in another thread, so that no slot is delayed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from statistics import median_low
from typing import Final

from aiohttp import web
from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from chain.chain import Chain
from chain.effects import PushResult
from consensus.slots import get_participation_rate
from node.core import Node, NodeSettings
from node.core.production import ProductionOutcome
from node.core.world import World
from node.ports.status import count_missed, find_version
from protocol.block import Block
from protocol.errors import PluginRefused, ProtocolError
from protocol.resources import RESOURCE_NAMES
from protocol.transaction import Transaction
from protocol.units import BASIS_POINTS
from rpc.http_port import HttpPort, Request
from rpc.method import Method
from rpc.port_limits import OPERATOR_LIMITS
from state.context import SINGLETON

PATH: Final = "/metrics"
BLOCK_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0)
ROUND_MS: Final = (2, 5, 10, 12, 14, 16, 18, 20, 22, 25, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000)
ROUND_BUCKETS: Final = tuple(ms / 1000 for ms in ROUND_MS)
CALL_BUCKETS: Final = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
UNKNOWN_METHOD: Final = "unknown"
"""The label of unknown methods, so that clients cannot create labels."""


class Metrics:
    """All metrics of a node: those counted by events, and those read on a scrape."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._block_seconds = Histogram(
            "plaudit_block_apply_seconds",
            "Time to add one block: checks, application, and finality.",
            registry=self.registry,
            buckets=BLOCK_BUCKETS,
        )
        self._transactions = Counter(
            "plaudit_transactions",
            "Transactions received outside of blocks, by source and result.",
            ("source", "result"),
            registry=self.registry,
        )
        self._call_seconds = Histogram(
            "plaudit_rpc_seconds",
            "Time to answer one JSON-RPC request, by method.",
            ("method",),
            registry=self.registry,
            buckets=CALL_BUCKETS,
        )
        self._call_histograms: dict[str, Histogram] = {}
        self._call_errors = Counter(
            "plaudit_rpc_errors",
            "JSON-RPC requests that were answered with an error, by method.",
            ("method",),
            registry=self.registry,
        )
        self._round_seconds = Histogram(
            "plaudit_loop_held_seconds",
            "CPU time of event loop rounds over one millisecond, with and without a block.",
            ("work",),
            registry=self.registry,
            buckets=ROUND_BUCKETS,
        )
        self._rounds = {work: self._round_seconds.labels(work) for work in ("block", "other")}
        self._has_block = False
        self._figures = NodeFigures()
        self.registry.register(self._figures)

    def make_node(self, world: World, chain: Chain, settings: NodeSettings) -> Node:
        """Creates the measured node. Raises as Node."""
        node = MeasuredNode(world, chain, settings, self)
        self._figures.node = node
        return node

    def on_block(self, seconds: float) -> None:
        """Measures an added block."""
        self._has_block = True
        self._block_seconds.observe(seconds)

    def on_round(self, seconds: float) -> None:
        """Measures a round of the event loop, which may have included a block."""
        self._rounds["block" if self._has_block else "other"].observe(seconds)
        self._has_block = False

    def on_transaction(self, source: str, error: ProtocolError | None) -> None:
        """Counts a transaction of a client or peer, accepted if there is no error."""
        result = "accepted" if error is None else "no_credits" if _lacks_credits(error) else "refused"
        self._transactions.labels(source, result).inc()

    def on_answer(self, method: Method | None, seconds: float, is_error: bool) -> None:
        """Measures a JSON-RPC response; the method is None if unknown."""
        name = UNKNOWN_METHOD if method is None else method.full_name
        histogram = self._call_histograms.get(name)
        if histogram is None:
            histogram = self._call_histograms[name] = self._call_seconds.labels(name)
        histogram.observe(seconds)
        if is_error:
            self._call_errors.labels(name).inc()

    async def render(self, accepted: str) -> tuple[bytes, str]:
        """Returns the metrics and their content type, negotiated by the header Accept."""
        self._figures.read()
        encode, content_type = choose_encoder(accepted)
        text = await asyncio.to_thread(encode, self.registry)
        return text, content_type


def _lacks_credits(error: ProtocolError) -> bool:
    return isinstance(error, PluginRefused) and "rc_missing" in (error.advice or {})


class MeasuredNode(Node):
    """A node that measures blocks and counts the outcomes of transactions."""

    def __init__(self, world: World, chain: Chain, settings: NodeSettings, metrics: Metrics) -> None:
        self._metrics = metrics
        super().__init__(world, chain, settings)

    def take_block(self, block: Block, skip_signatures: bool = False) -> PushResult:
        """Adds a block to the chain and publishes the effects. Raises ProtocolError."""
        begun = time.perf_counter()
        result = super().take_block(block, skip_signatures)
        self._metrics.on_block(time.perf_counter() - begun)
        return result

    def take_transaction(self, transaction: Transaction) -> None:
        """Applies a peer's transaction to the pending state. Raises ProtocolError."""
        try:
            super().take_transaction(transaction)
        except ProtocolError as error:
            self._metrics.on_transaction("peer", error)
            raise
        self._metrics.on_transaction("peer", None)

    def on_transaction(self, transaction: Transaction) -> None:
        """Applies a client's transaction. Raises ProtocolError."""
        try:
            super().on_transaction(transaction)
        except ProtocolError as error:
            self._metrics.on_transaction("client", error)
            raise
        self._metrics.on_transaction("client", None)


class NodeFigures(Collector):
    """Metrics read from the node: `read` in its thread, `collect` in any."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self._families: list[Metric] = []

    def read(self) -> None:
        """Reads the current values."""
        if self.node is not None:
            self._families = [
                *_read_chain(self.node),
                *_read_network(self.node),
                *_read_production(self.node),
                *_read_credits(self.node),
            ]

    def collect(self) -> Iterator[Metric]:
        """Returns the values read last."""
        return iter(self._families)


def _read_chain(node: Node) -> Iterator[Metric]:
    chain = node.chain
    names = {"version": find_version(), "chain": chain.config.chain.name, "chain_id": chain.config.chain_id.hex()}
    info = GaugeMetricFamily("plaudit_info", "The version of the node and its chain; always 1.", labels=list(names))
    info.add_metric(list(names.values()), 1)
    yield info
    yield GaugeMetricFamily("plaudit_head_block_number", "Number of the head block.", chain.head_number)
    # A block may be produced slightly before its slot begins.
    age = max(0.0, node.clock.now_ms() / 1000 - chain.head_time)
    yield GaugeMetricFamily("plaudit_head_block_age_seconds", "Time since the head block's time.", age)
    number = chain.irreversible_number
    yield GaugeMetricFamily("plaudit_irreversible_block_number", "Number of the last irreversible block.", number)
    part = get_participation_rate(chain.ctx) / BASIS_POINTS
    yield GaugeMetricFamily("plaudit_participation_ratio", "Share of the last 128 slots that have a block.", part)
    pending = chain.pending
    yield GaugeMetricFamily("plaudit_pending_transactions", "Pending transactions.", len(pending))
    yield GaugeMetricFamily("plaudit_pending_bytes", "Bytes of the pending transactions.", pending.size_bytes)
    broken = CounterMetricFamily(
        "plaudit_invariants_broken", "Invariants that did not hold, by name.", labels=["invariant"]
    )
    for name, count in node.broken_invariants.counts.items():
        broken.add_metric([name], count)
    yield broken
    can_write = int(node.writes.problem is None)
    yield GaugeMetricFamily("plaudit_can_write", "1 if the node can write to its disk, else 0.", can_write)


def _read_network(node: Node) -> Iterator[Metric]:
    if node.network is None:
        return
    figures = node.network.figures
    peers = GaugeMetricFamily("plaudit_peers", "Peers with a completed handshake, by direction.", labels=["direction"])
    for direction, count in figures.active._asdict().items():
        peers.add_metric([direction], count)
    yield peers
    missing = figures.missing_blocks
    yield GaugeMetricFamily("plaudit_missing_blocks", "Blocks that peers have and this node lacks.", missing)
    offsets = [peer.clock_offset_us for peer in figures.peers if peer.is_active]
    if offsets:
        ahead = median_low(offsets) / 1_000_000
        yield GaugeMetricFamily("plaudit_peers_clock_offset_seconds", "Clock offsets of peers.", ahead)
    yield GaugeMetricFamily("plaudit_bans", "IP addresses that are banned.", len(figures.bans))
    yield CounterMetricFamily("plaudit_p2p_sent_bytes", "Bytes of messages sent to peers.", figures.sent_bytes)
    received = figures.received_bytes
    yield CounterMetricFamily("plaudit_p2p_received_bytes", "Bytes of messages received from peers.", received)


def _read_production(node: Node) -> Iterator[Metric]:
    if not node.settings.witnesses:
        return
    produced = node.producer.counts[ProductionOutcome.PRODUCED]
    yield CounterMetricFamily("plaudit_blocks_produced", "Blocks produced by this node.", produced)
    missed = CounterMetricFamily("plaudit_slots_missed", "Slots missed by this node.", labels=["reason"])
    for reason, count in count_missed(node).items():
        missed.add_metric([reason], count)
    yield missed
    of_chain = CounterMetricFamily(
        "plaudit_witness_missed_blocks",
        "Missed blocks of the node's witnesses as counted by the chain.",
        labels=["witness"],
    )
    for name in node.settings.witnesses:
        row = node.chain.ctx.tables.witnesses.find(name)
        if row is not None:
            of_chain.add_metric([name], row.total_missed)
    yield of_chain


def _read_credits(node: Node) -> Iterator[Metric]:
    row = node.chain.ctx.tables.rc_pools.find(SINGLETON)
    pools = GaugeMetricFamily("plaudit_rc_pool", "Available amount of each resource pool.", labels=["resource"])
    for name, pool in zip(RESOURCE_NAMES, row.pools if row else (), strict=False):
        pools.add_metric([name], pool)
    yield pools


class MetricsPort:
    """Serves the metrics of a node over HTTP."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._port = HttpPort(self._answer, OPERATOR_LIMITS)
        self._one_at_a_time = asyncio.Lock()

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Opens the port; returns the listening address. Raises OSError when it is in use."""
        return await self._port.start(host, port)

    async def stop(self) -> None:
        """Closes the port."""
        await self._port.stop()

    async def _answer(self, request: Request) -> web.StreamResponse:
        if request.method != "GET":
            return web.Response(status=405, text="Metrics are read with GET.\n", headers={"Allow": "GET, HEAD"})
        if request.path != PATH:
            return web.Response(status=404, text=f"There is nothing here but {PATH}.\n")
        async with self._one_at_a_time:
            text, content_type = await self._metrics.render(request.raw.headers.get("Accept", ""))
        return self._port.respond(text, content_type=content_type)
