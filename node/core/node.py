"""The node without I/O: it is told what happens, and acts through a small world.

Every `on_` method runs to completion and never waits. Time comes from the world in milliseconds, so a test can run any
number of nodes under a clock of its own. What applying blocks did goes out through `world.publish`, in order.
"""

from chain.chain import Chain
from chain.effects import PushResult
from chain.finality import Mode
from node.core.clock import MS_PER_SECOND, Clock
from node.core.intake import FUTURE_SECONDS_MAX, TooEarly
from node.core.invariants import BrokenInvariants
from node.core.mining import PRODUCTION_TIMER, Miner
from node.core.network import Network
from node.core.production import Producer
from node.core.reapplying import REAPPLY_TIMER, Reapplier
from node.core.settings import NodeSettings
from node.core.world import Link, World
from node.core.writes import COMMIT_TIMER, DISK_TIMER, Writes
from protocol.block import Block
from protocol.p2p.messages import Endpoint
from protocol.transaction import Transaction


class Node:
    """One node: a chain, what waits to be included, block production, and peers if its settings name a network."""

    def __init__(self, world: World, chain: Chain, settings: NodeSettings) -> None:
        """Raises ValueError when one of its files is damaged, Rejected when the chain misses the checkpoint."""
        self.world = world
        self.chain = chain
        self.settings = settings
        self.clock = Clock(world)
        self.producer = Producer(world, chain, settings, self.clock)
        self.network = None if settings.network is None else Network(world, chain, settings.network, self)
        self.writes = Writes(world, chain, self.producer.guard)
        self.broken_invariants = BrokenInvariants(world)
        self._reapplier = Reapplier(world, chain.pool)
        self.miner = Miner(
            world, chain, settings, self.clock, self.producer, self.writes, self._reapplier, self.network, self
        )
        self._timers = {
            PRODUCTION_TIMER: self.miner.on_timer,
            COMMIT_TIMER: self.writes.on_commit,
            DISK_TIMER: self.writes.on_retry,
            REAPPLY_TIMER: self._reapplier.on_timer,
        }
        chain.enter(Mode.LIVE)

    # Events

    def on_start(self) -> None:
        """Begins to keep time. Raises ProtocolError when it is to mine at the start and cannot."""
        self.writes.look()
        for refused in self.chain.refused_at_start:
            self.world.note("reversible_block_refused", number=refused.number, error=refused.error.message)
        if self.network is not None:
            self.network.on_start()
        self.miner.on_start()

    def on_stop(self) -> None:
        """Says goodbye to the peers and keeps their addresses."""
        if self.network is not None:
            self.network.on_stop()

    def on_timer(self, name: str) -> None:
        """A timer that was asked for has come."""
        handle = self._timers.get(name)
        if handle is None:
            self._net.on_timer(name)
        else:
            handle()

    def on_transaction(self, transaction: Transaction) -> None:
        """A client sent a transaction: it is applied to the pending state and offered to the peers.

        Raises ProtocolError.
        """
        self.writes.require()
        self.miner.before_transaction(transaction)
        self._push_transaction(transaction)
        if self.network is not None:
            self.network.offer_transaction(transaction)
        self.miner.after_transaction()

    def on_block(self, block: Block) -> PushResult:
        """A client sent a block. Raises ProtocolError; what came before the error has been published."""
        result = self.take_block(block)
        if self.network is not None:
            for applied in result.applied:
                self.network.offer_block(applied.block)
        return result

    def on_connect(self, connection: int, link: Link) -> None:
        """A connection to a peer is there, and its keys have been exchanged."""
        self._net.on_connect(connection, link)

    def on_connect_failed(self, endpoint: Endpoint, why: str) -> None:
        """An address that was dialled does not answer, or not as a peer would."""
        self._net.on_connect_failed(endpoint, why)

    def on_message(self, connection: int, number: int, payload: bytes) -> None:
        """A peer sent a message."""
        self._net.on_message(connection, number, payload)

    def on_disconnect(self, connection: int, why: str) -> None:
        """A connection is gone."""
        self._net.on_disconnect(connection, why)

    def on_writable(self, connection: int) -> None:
        """A connection that had no room has room again."""
        self._net.on_writable(connection)

    def on_recovered(self, job: int) -> None:
        """The signers of the blocks of a job have been recovered, where that was possible."""
        self._net.on_recovered(job)

    @property
    def _net(self) -> Network:
        assert self.network is not None, "only nodes with a network have connections"
        return self.network

    # What is taken in

    def take_transaction(self, transaction: Transaction) -> None:
        """Applies a peer's transaction to the pending state. Raises ProtocolError."""
        self.writes.require()
        self._push_transaction(transaction)

    def _push_transaction(self, transaction: Transaction) -> None:
        self.chain.push_transaction(transaction)
        self._reapplier.tell_dropped()

    def take_block(self, block: Block, skip_signatures: bool = False) -> PushResult:
        """Adds a block to the chain and publishes what that did. Raises ProtocolError.

        `skip_signatures` leaves out those of its transactions; its witness must have signed it in any case.
        """
        self.writes.require()
        ahead = block.timestamp - self.clock.now_ms() // MS_PER_SECOND
        if ahead > FUTURE_SECONDS_MAX:
            raise TooEarly(block.number, ahead)
        self._reuse_checks(block)
        result = self.chain.push_block(block, skip_authorities=skip_signatures)
        self.producer.on_block(block)
        self._publish(result)
        self._look_for_twin(block)
        return result

    def _look_for_twin(self, block: Block) -> None:
        """Two different blocks of one witness for one slot: its key is used in two places, or it cheats."""
        reader = self.chain.reader
        twin = reader.find_twin(block)
        if twin is None or reader.is_unsigned_side_block(block.id) or reader.is_unsigned_side_block(twin):
            return
        tell = self.world.note if self.network is None else self.network.tell
        tell("double_signed", witness=block.witness, number=block.number, one=twin.hex(), other=block.id.hex())

    def _reuse_checks(self, block: Block) -> None:
        """What was recovered and proved when a transaction came alone need not be done again in its block."""
        for transaction in block.transactions:
            waiting = self.chain.pending.find(transaction.id)
            if waiting is not None:
                transaction.take_checks(waiting)

    def _publish(self, result: PushResult) -> None:
        self.world.publish(result.feed)
        self.broken_invariants.on_blocks(result.applied)
        self._reapplier.tell_dropped()
        self._reapplier.begin()
        if self.network is not None and result.undone:
            self.network.offer_pending()
        if result.irreversible is not None:
            self.writes.commit_later()
        self.writes.look()
