"""The node without I/O: receives events by method calls and acts through the World interface.

Every `on_` method runs to completion and never waits. Time comes from the world in milliseconds, so a test can run any
number of nodes on a virtual clock. The effects of applied blocks are published by `world.publish`, in order.
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
    """One node: chain, pending transactions, block production and, if its settings say so, peers."""

    def __init__(self, world: World, chain: Chain, settings: NodeSettings) -> None:
        """Raises ValueError when a file is damaged, Rejected when the chain conflicts with the checkpoint."""
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
        """Starts timers. Raises ProtocolError when a block is to be mined at the start and cannot be."""
        self.writes.look()
        for refused in self.chain.refused_at_start:
            self.world.note("reversible_block_refused", number=refused.number, error=refused.error.message)
        if self.network is not None:
            self.network.on_start()
        self.miner.on_start()

    def on_stop(self) -> None:
        """Closes the connections to peers and writes the address book."""
        if self.network is not None:
            self.network.on_stop()

    def on_timer(self, name: str) -> None:
        """Handles a timer."""
        handle = self._timers.get(name)
        if handle is None:
            self._net.on_timer(name)
        else:
            handle()

    def on_transaction(self, transaction: Transaction) -> None:
        """Applies a client's transaction to the pending state and announces it to peers.

        Raises ProtocolError.
        """
        self.writes.require()
        self.miner.before_transaction(transaction)
        self._push_transaction(transaction)
        if self.network is not None:
            self.network.offer_transaction(transaction)
        self.miner.after_transaction()

    def on_block(self, block: Block) -> PushResult:
        """Adds a client's block. Raises ProtocolError; effects before the error have been published."""
        result = self.take_block(block)
        if self.network is not None:
            for applied in result.applied:
                self.network.offer_block(applied.block)
        return result

    def on_connect(self, connection: int, link: Link) -> None:
        """Handles a connection to a peer whose key exchange is done."""
        self._net.on_connect(connection, link)

    def on_connect_failed(self, endpoint: Endpoint, why: str) -> None:
        """Handles a dial that failed, also in the key exchange."""
        self._net.on_connect_failed(endpoint, why)

    def on_message(self, connection: int, number: int, payload: bytes) -> None:
        """Handles a message of a peer."""
        self._net.on_message(connection, number, payload)

    def on_disconnect(self, connection: int, why: str) -> None:
        """Handles a closed connection."""
        self._net.on_disconnect(connection, why)

    def on_writable(self, connection: int) -> None:
        """Handles a write buffer that has room again."""
        self._net.on_writable(connection)

    def on_recovered(self, job: int) -> None:
        """Handles the recovered signers of a job's blocks; some may be missing."""
        self._net.on_recovered(job)

    @property
    def _net(self) -> Network:
        assert self.network is not None, "only nodes with a network have connections"
        return self.network

    # Blocks and transactions

    def take_transaction(self, transaction: Transaction) -> None:
        """Applies a peer's transaction to the pending state. Raises ProtocolError."""
        self.writes.require()
        self._push_transaction(transaction)

    def _push_transaction(self, transaction: Transaction) -> None:
        self.chain.push_transaction(transaction)
        self._reapplier.tell_dropped()

    def take_block(self, block: Block, skip_signatures: bool = False) -> PushResult:
        """Adds a block to the chain and publishes the effects. Raises ProtocolError.

        `skip_signatures` skips those of its transactions; the witness's signature is always checked.
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
        """Reports two different blocks of one witness for one slot (double production)."""
        reader = self.chain.reader
        twin = reader.find_twin(block)
        if twin is None or reader.is_unsigned_side_block(block.id) or reader.is_unsigned_side_block(twin):
            return
        tell = self.world.note if self.network is None else self.network.tell
        tell("double_signed", witness=block.witness, number=block.number, one=twin.hex(), other=block.id.hex())

    def _reuse_checks(self, block: Block) -> None:
        """Reuses the recovered keys and checks of transactions that were seen before their block."""
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
