"""The node's asyncio shell: timers, the ports for clients and peers, and clients that wait for their transaction.

It is the World of the node core and the NodeAccess of the APIs, and the only part of a node that waits.
"""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chain.chain import Chain
from chain.effects import Applied, FeedItem
from chain.pending import Dropped
from index.indexes import Indexes
from node.core import Disk, Node, NodeSettings
from node.core.world import MemoryDisk, World
from node.core.writes import COMMIT_TIMER
from node.ports.health import AGE_SECONDS_MAX, find_problem
from node.ports.status import describe_status
from node.shell.memory import Tidier
from node.shell.recovery import RecoveryAside
from node.shell.transport import Transport
from protocol.block import Block
from protocol.errors import ProtocolError
from protocol.p2p.messages import Endpoint
from protocol.transaction import Transaction
from rpc.apis.access import Inclusion
from rpc.apis.registry import build_dispatcher
from rpc.dispatch import OnAnswer
from rpc.feed import BlockFeed
from rpc.port_limits import PortLimits
from rpc.server import RpcServer
from state.engine.errors import StoreError

log = logging.getLogger("plaudit.node")

BATCH_LENGTH_MAX = 500
BATCH_SECONDS_MAX = 10.0
WAITERS_MAX = 100_000

MakeNode = Callable[[World, Chain, NodeSettings], Node]

LEVELS = dict.fromkeys(("missed", "peer_refused", "banned", "malformed_message", "block_refused"), logging.WARNING)
LEVELS |= dict.fromkeys(("no_common_block", "double_signed", "clock_differs"), logging.WARNING)
LEVELS |= dict.fromkeys(("production_failed", "disk_problem", "block_log_damaged", "invariant_broken"), logging.ERROR)
LEVELS |= dict.fromkeys(("peer_gone", "peer_closed"), logging.DEBUG)


class NodeShell:
    """Runs one node until it is stopped."""

    def __init__(
        self,
        chain: Chain,
        indexes: Indexes,
        settings: NodeSettings,
        disk: Disk | None = None,
        make_node: MakeNode = Node,
    ) -> None:
        """Serves the chain and its indexes; without a `disk` the small files are kept in memory.

        Raises ValueError when a file is damaged, Rejected when the chain conflicts with the checkpoint.
        """
        self.chain = chain
        self.indexes = indexes
        self.disk = disk or MemoryDisk()
        self.feed = BlockFeed(chain.codec)
        self.node = make_node(self, chain, settings)
        self._settings = settings
        self._transport = Transport(self.node)
        self._recovery = RecoveryAside(chain.config.chain_id, self.node.on_recovered)
        self._tidier = Tidier()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._waiting: dict[bytes, tuple[int, list[asyncio.Future[Inclusion]]]] = {}
        self._server: RpcServer | None = None

    # Life cycle

    async def start_rpc(
        self,
        host: str,
        port: int,
        extra_apis: Mapping[str, Any] | None = None,
        on_answer: OnAnswer | None = None,
        limits: PortLimits | None = None,
        proxies: frozenset[str] = frozenset(),
    ) -> tuple[str, int]:
        """Opens the JSON-RPC port; returns its address; `proxies` are trusted. Raises OSError when in use."""
        dispatcher = build_dispatcher(
            self,
            extra_apis,
            batch_length_max=BATCH_LENGTH_MAX,
            batch_seconds_max=BATCH_SECONDS_MAX,
            on_answer=on_answer,
        )
        self._server = RpcServer(
            dispatcher,
            self.get_status,
            find_problem,
            healthy_age_seconds=AGE_SECONDS_MAX,
            limits=limits,
            proxies=proxies,
            feed=self.feed,
        )
        return await self._server.start(host, port)

    async def start_p2p(self, host: str, port: int) -> Endpoint:
        """Opens the port for peers; returns its address. Raises OSError when it is in use."""
        network = self._settings.network
        assert network is not None, "the port is for nodes with a network"
        return await self._transport.listen(host, port, network)

    def start(self) -> None:
        """Starts timers and, with witness keys, block production."""
        self.node.on_start()

    async def stop(self) -> None:
        """Closes the ports, answers waiting clients, and closes the chain."""
        self.node.on_stop()
        await self._transport.stop()
        self._recovery.close()
        for timer in self._timers.values():
            timer.cancel()
        for _, futures in self._waiting.values():
            for future in futures:
                future.cancel()
        if self._server is not None:
            await self._server.stop()
        self.chain.close()

    # World

    def now_ms(self) -> int:
        """The wall clock in milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """A monotonic clock, in milliseconds."""
        return time.monotonic_ns() // 1_000_000

    def set_timer(self, name: str, at_ms: int) -> None:
        """Schedules `on_timer(name)` at a time, replacing an earlier timer of the same name."""
        if (earlier := self._timers.get(name)) is not None:
            earlier.cancel()
        delay = max(0, at_ms - self.now_ms()) / 1000
        self._timers[name] = asyncio.get_running_loop().call_later(delay, self._on_timer, name)

    def _on_timer(self, name: str) -> None:
        try:
            self.node.on_timer(name)
            if name == COMMIT_TIMER:
                asyncio.get_running_loop().call_soon(self._tidier.tidy)  # Runs in the next round of the event loop.
        except Exception as error:
            if isinstance(error, StoreError) and self.chain.problem is not None:
                return  # The daemon ends the node.
            log.exception("timer %s failed", name)
            self.set_timer(name, self.now_ms() + 1000)

    def random_bytes(self, count: int) -> bytes:
        """Returns cryptographically secure random bytes."""
        return os.urandom(count)

    def connect(self, endpoint: Endpoint) -> None:
        """Dials an address; `on_connect` or `on_connect_failed` follows."""
        self._transport.dial(endpoint)

    def send(self, connection: int, number: int, payload: bytes) -> None:
        """Queues a message for sending."""
        self._transport.send(connection, number, payload)

    def has_room(self, connection: int) -> bool:
        """Whether the write buffer has room."""
        return self._transport.has_room(connection)

    def disconnect(self, connection: int) -> None:
        """Closes a connection after the queued messages are written."""
        self._transport.disconnect(connection)

    def recover(self, job: int, blocks: list[Block]) -> None:
        """Starts signer recovery in a second process; `on_recovered(job)` follows."""
        self._recovery.recover(job, blocks)

    def publish(self, items: tuple[FeedItem, ...]) -> None:
        """Sends changes to websockets, and completes waiting broadcasts that are in a block or expired."""
        self.feed.publish(items)
        for item in items:
            if isinstance(item, Applied) and self._waiting:
                self._answer_waiting(item.block)

    def note(self, event: str, **figures: object) -> None:
        """Logs an event with its fields."""
        text = " ".join(f"{name}={value}" for name, value in figures.items())
        log.log(LEVELS.get(event, logging.INFO), "%s %s", event, text, extra={"event": event, "figures": figures})

    def tell_dropped(self, dropped: list[Dropped]) -> None:
        """Answers clients that wait for a dropped transaction, with the reason."""
        for trx_id, error in dropped:
            for future in self._waiting.pop(trx_id, (0, []))[1]:
                if not future.done():
                    future.set_exception(error)

    def _answer_waiting(self, block: Block) -> None:
        for position, transaction in enumerate(block.transactions):
            _, futures = self._waiting.pop(transaction.id, (0, []))
            for future in futures:
                _resolve(future, Inclusion(transaction.id, block.number, position, False))
        overdue = [trx_id for trx_id, (expiration, _) in self._waiting.items() if expiration < block.timestamp]
        for trx_id in overdue:
            for future in self._waiting.pop(trx_id)[1]:
                _resolve(future, Inclusion(trx_id, 0, 0, True))

    # NodeAccess

    def now(self) -> int:
        """The node's clock, in seconds since the epoch."""
        return self.node.clock.now_ms() // 1000

    def broadcast(self, transaction: Transaction) -> None:
        """Applies a client's transaction to the pending state. Raises ProtocolError."""
        self.node.on_transaction(transaction)

    def broadcast_and_wait(self, transaction: Transaction) -> Awaitable[Inclusion]:
        """Broadcasts, and completes when a block holds the transaction or it has expired. Raises ProtocolError."""
        if len(self._waiting) >= WAITERS_MAX:
            raise ProtocolError("_callbacks.size() < max", "too many requests wait for their transaction")
        self.node.on_transaction(transaction)
        future: asyncio.Future[Inclusion] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(transaction.id, (transaction.expiration, []))[1].append(future)
        return future

    def submit_block(self, block: Block) -> None:
        """Applies a block as if a peer had sent it. Raises ProtocolError."""
        self.node.on_block(block)

    # Status

    def get_status(self) -> dict[str, Any]:
        """The figures of GET /."""
        return describe_status(self.node)


def _resolve(future: asyncio.Future[Inclusion], inclusion: Inclusion) -> None:
    if not future.done():
        future.set_result(inclusion)
