"""One machine of a simulated network: its disks, its clock, and the process on it, which can die and start again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from zlib import crc32

from chain.chain import Chain
from chain.effects import Applied, FeedItem, Irreversible, Undone
from chain.finality import Mode
from chain.pending import Dropped
from index.indexes import Indexes
from node.core import NetworkSettings, Node, NodeSettings
from protocol.block import Block
from protocol.errors import BlockLogError, ProtocolError
from protocol.keys import PrivateKey, is_canonical, sign_digest
from protocol.p2p.messages import Endpoint
from protocol.transaction import Transaction
from state.engine.errors import StoreWriteFailed
from tests.sim.loop import Failure, SimulatedCrash
from tests.sim.storage import SimDisk, Storage
from tests.sim.weather import HostPlan
from tests.sim.wires import endpoint_of

if TYPE_CHECKING:
    from tests.sim.run import Simulation


class SimWorld:
    """What one process of a node sees of the world; it is dead when the host has another one."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self._sim = host.sim
        self._timers: dict[str, int] = {}
        self._timer_count = 0

    @property
    def is_running(self) -> bool:
        """Whether the process is still alive."""
        return self.host.world is self

    @property
    def disk(self) -> SimDisk:
        return self.host.storage.disk

    def now_ms(self) -> int:
        return self.host.local_ms()

    def monotonic_ms(self) -> int:
        return self._sim.loop.now_ms

    def tell_dropped(self, dropped: list[Dropped]) -> None:
        for trx_id, error in dropped:
            self._sim.trace.add(f"  {self.host.index} dropped {trx_id.hex()} {error.name}")

    def set_timer(self, name: str, at_ms: int) -> None:
        self._timer_count += 1
        self._timers[name] = self._timer_count
        self._sim.loop.at(self.host.true_ms(at_ms) + self._sim.draw_lateness(), self._fire, name, self._timer_count)

    def _fire(self, name: str, count: int) -> None:
        if self.is_running and self._timers.get(name) == count:
            del self._timers[name]
            self.host.call(self, "on_timer", name)

    def random_bytes(self, count: int) -> bytes:
        return self._sim.random.randbytes(count)

    def publish(self, items: tuple[FeedItem, ...]) -> None:
        self.host.storage.fuse.check()
        self.host.on_published(items)

    def note(self, event: str, **figures: object) -> None:
        self._sim.trace.add(f"  {self.host.index} {event} {' '.join(f'{key}={figures[key]}' for key in figures)}")
        self._sim.checker.on_note(self.host, event, figures)

    def connect(self, endpoint: Endpoint) -> None:
        self._sim.wires.dial(self, endpoint)

    def send(self, connection: int, number: int, payload: bytes) -> None:
        self.host.storage.fuse.check()
        self._sim.wires.send(self, connection, number, payload)

    def has_room(self, connection: int) -> bool:
        return self._sim.wires.has_room(self, connection)

    def disconnect(self, connection: int) -> None:
        self._sim.wires.close(self, connection)

    def intercept(self, _connection: int, _number: int, payload: bytes) -> bytes | None:
        """What of a message reaches the node; for faulty worlds."""
        return payload

    def recover(self, job: int, blocks: list[Block]) -> None:
        delay = self._sim.random.randint(0, self._sim.plan.recovery_ms)
        self._sim.loop.after(delay, self.host.call, self, "on_recovered", job)


class Host:
    """One machine. `world`, `node` and `chain` are those of the running process, None while there is none."""

    def __init__(self, sim: Simulation, index: int, plan: HostPlan) -> None:
        self.sim = sim
        self.index = index
        self.plan = plan
        is_empty = sim.plan.from_genesis or plan.joins_at_ms > 0
        snapshot = sim.chain.genesis if is_empty else sim.chain.beginning
        self.storage = Storage(snapshot, sim.chain.codec, plan.has_real_log)
        self.world: SimWorld | None = None
        self.node: Node | None = None
        self.chain: Chain | None = None
        self.offset_ms = plan.clock_offset_ms
        self.drift_ppm = plan.clock_drift_ppm
        self.lives = 0
        self.told_head: bytes | None = None
        self.told_final = 0
        self.restart_at_ms = 0
        self.clock_back_ms = 0
        self._connections = 0

    def __repr__(self) -> str:
        return f"host {self.index}"

    @property
    def is_honest(self) -> bool:
        """Whether its node and its witnesses do nothing but what the program does."""
        return self.plan.fault is None

    # The clock

    def local_ms(self) -> int:
        """What the machine's clock shows."""
        now = self.sim.loop.now_ms
        return now + self.offset_ms + (now - self.sim.start_ms) * self.drift_ppm // 1_000_000

    def true_ms(self, local_ms: int) -> int:
        """When the clock will show a time, as far as can be said now; not before now."""
        left = local_ms - self.local_ms()
        return self.sim.loop.now_ms + max(0, -(-left * 1_000_000 // (1_000_000 + self.drift_ppm)))

    # The process

    def start(self) -> None:
        """Starts a process on what the disks hold."""
        sim = self.sim
        self.lives += 1
        world = self.world = sim.make_world(self)
        chain_ = sim.chain
        try:
            followers = (Indexes(),) if self.plan.has_history else ()
            storage = self.storage
            chain = Chain(chain_.config, storage.backend, storage.store, chain_.codec, followers=followers)
            self.chain = chain
            if self.plan.twin_of is not None:
                _sign_otherwise(chain, chain_.block_keys)
            sim.trace.add(f"{sim.loop.now_ms} start {self.index} at {chain.head_number} {chain.head_id.hex()}")
            sim.checker.on_start(self, chain)
            self.node = Node(world, chain, self._settings())
            self.node.on_start()
        except SimulatedCrash:
            self.die(is_power_lost=True)
            sim.loop.after(1_000, self.start_again)
        except Failure:
            raise
        except Exception as error:
            if not (self.storage.fuse.is_disk_full and isinstance(error, StoreWriteFailed | BlockLogError)):
                raise Failure("no exception", f"{self} cannot start: {type(error).__name__}: {error}") from error
            self.die(is_power_lost=False)  # What has to write to begin ends with this error, and is tried again.
            sim.loop.after(1_000, self.start_again)

    def start_again(self) -> None:
        """Starts a process if there is none."""
        if self.world is None:
            self.offset_ms -= self.clock_back_ms
            self.clock_back_ms = 0
            self.start()

    def _settings(self) -> NodeSettings:
        plan, sim = self.plan, self.sim
        witnesses = () if not sim.holds_keys(self) else plan.witnesses
        keys = [sim.chain.block_keys[name] for name in witnesses]
        return NodeSettings(
            witnesses=witnesses,
            witness_keys={key.public_key: key for key in keys},
            stale_production=plan.stale_production,
            participation_min_bp=plan.participation_min_bp,
            network=NetworkSettings(
                node_key=PrivateKey.from_seed(f"node {self.index}"),
                seeds=tuple(endpoint_of(index) for index in plan.seeds),
                listen=endpoint_of(self.index),
                discovers=plan.discovers,
            ),
        )

    def next_connection(self) -> int:
        """The number of a new connection."""
        self._connections += 1
        return self._connections

    def call(self, world: SimWorld, method: str, *arguments: Any) -> None:
        """Tells the process something, if it is still the same one."""
        if self.world is not world or self.node is None:
            return
        self.sim.trace.add(f"{self.sim.loop.now_ms} {self.index} {method} {_describe(arguments)}")
        try:
            getattr(self.node, method)(*arguments)
        except SimulatedCrash:
            self.sim.count("crashes in the middle")
            self.die(self.storage.fuse.is_power_lost)
            self._plan_restart()
            return
        except Failure:
            raise
        except Exception as error:
            raise Failure("no exception", f"{self} {method}: {type(error).__name__}: {error}") from error
        self.sim.checker.after_event(self)

    def deliver(self, world: SimWorld, connection: int, number: int, payload: bytes) -> None:
        """A message arrives."""
        left = world.intercept(connection, number, payload) if world.is_running else None
        if left is not None:
            self.call(world, "on_message", connection, number, left)

    def submit(self, transaction: Transaction) -> bool:
        """A client sends a transaction; returns whether the node took it."""
        node = self.node
        if node is None:
            return False
        try:
            node.on_transaction(transaction)
        except ProtocolError as error:
            self.sim.trace.add(f"{self.sim.loop.now_ms} {self.index} refused {transaction.id.hex()} {error.name}")
            return False
        except SimulatedCrash:
            self.die(self.storage.fuse.is_power_lost)
            self._plan_restart()
            return False
        self.sim.trace.add(f"{self.sim.loop.now_ms} {self.index} took {transaction.id.hex()}")
        return True

    def die(self, is_power_lost: bool) -> None:
        """The process ends as it stands."""
        sim = self.sim
        self.world = None
        chain = self.chain
        is_whole = not (self.storage.fuse.is_blown or is_power_lost)
        head = None
        if is_whole and chain is not None and chain.finality.write_problem is None and chain.mode is not Mode.BULK:
            head = chain.head_number, chain.head_id
        self.node = self.chain = None
        sim.wires.on_death(self, is_power_lost)
        lost = self.storage.lose(sim.random, is_power_lost)
        sim.checker.on_death(self, head)
        sim.trace.add(f"{sim.loop.now_ms} crash {self.index} {lost}")

    def _plan_restart(self) -> None:
        self.sim.loop.at(max(self.restart_at_ms, self.sim.loop.now_ms + 500), self.start_again)

    def stop(self) -> None:
        """The process ends in order."""
        if self.node is None or self.chain is None or self.world is None:
            return
        head = self.chain.head_number, self.chain.head_id
        try:
            self.node.on_stop()
            self.chain.close()
        except SimulatedCrash:
            self.die(is_power_lost=True)
            return
        except (StoreWriteFailed, BlockLogError) as error:
            if not self.storage.fuse.is_disk_full:
                raise Failure("no exception", f"{self} cannot stop: {error}") from error
            self.die(is_power_lost=False)  # What is irreversible could not be written: it ends as if it were killed.
            return
        except Exception as error:
            raise Failure("no exception", f"{self} cannot stop: {type(error).__name__}: {error}") from error
        self.world = self.node = self.chain = None
        self.sim.wires.on_death(self, False)
        self.sim.checker.on_death(self, head)
        self.sim.trace.add(f"{self.sim.loop.now_ms} stop {self.index}")

    # What happened to the chain

    def on_published(self, items: Iterable[FeedItem]) -> None:
        """Hands the changes of the chain to the checker."""
        trace = self.sim.trace
        for item in items:
            if isinstance(item, Applied):
                trace.add(f"  {self.index} + {item.block.number} {item.block.id.hex()}")
            elif isinstance(item, Undone):
                trace.add(f"  {self.index} - {item.number} {item.id.hex()}")
            elif isinstance(item, Irreversible):
                trace.add(f"  {self.index} ! {item.number}")
        self.sim.checker.on_published(self, tuple(items))


def _describe(arguments: tuple[Any, ...]) -> str:
    return " ".join(f"{crc32(part):08x}+{len(part)}" if isinstance(part, bytes) else str(part) for part in arguments)


def _sign_otherwise(chain: Chain, keys: dict[str, PrivateKey]) -> None:
    """Lets a chain sign with other numbers than its twin, so that two blocks of one content have two ids."""
    original = chain.build_block

    def build_block(*arguments: Any, **options: Any) -> Block:
        return sign_again(original(*arguments, **options), keys)

    chain.build_block = build_block  # type: ignore[method-assign]


def sign_again(block: Block, keys: dict[str, PrivateKey]) -> Block:
    """The block with another valid signature of its witness, and so with another id."""
    former = block.witness_signature

    def accept(signature: bytes) -> bool:
        return is_canonical(signature) and signature != former

    return block.with_signature(sign_digest(block.digest, keys[block.witness], accept))
