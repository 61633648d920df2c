"""The peer-to-peer network of a node: dispatches connection events, messages and timers, and reports statistics.

Parts: `handshake` (identity of peers), `sync` and `gossip` (fetching from peers), `serving` and `offering` (sending to
peers), `inquiries` (small requests), `dialling` and `guests` (outbound and inbound connections).

Source: libraries/net/node.cpp; timeouts are those of node_configuration.hpp unless stated otherwise.
"""

from chain.chain import Chain
from chain.config_record import compute_config_digest
from node.core.addresses import AddressBook, Ban
from node.core.admission import Admission
from node.core.applying import APPLY_TIMER
from node.core.deliveries import Deliveries
from node.core.dialling import Dialler
from node.core.figures import NetworkFigures, PeerFigures
from node.core.gossip import Gossip
from node.core.guests import Guests
from node.core.handshake import Handshake
from node.core.hello import NODE_ID_BYTES, OwnIdentity
from node.core.hub import Hub
from node.core.inquiries import Inquiries
from node.core.intake import Intake
from node.core.items import Items
from node.core.messages import Rooms
from node.core.notes import clean
from node.core.offering import OFFER_TIMER, Offering
from node.core.peer import Peer
from node.core.serving import SERVE_TIMER, Serving
from node.core.settings import NetworkSettings
from node.core.sync import Sync
from node.core.world import Link, World
from protocol.block import Block
from protocol.p2p.messages import Endpoint
from protocol.transaction import Transaction

TICK_TIMER = "peers"
TICK_MS = 1_000
SLOW_TICK_MS = 20_000
"""Interval at which addresses are requested and written, and old pending transactions are announced again."""

HANDSHAKE_MS_MAX = 10_000
SILENCE_MS_MAX = 5_000
"""Timeout for a silent peer during the handshake."""

KEEP_ALIVE_MS = 15_000
INACTIVE_MS_MAX = 30_000
STUCK_MS_MAX = 20_000
"""Timeout for a peer whose write buffer stays full."""


class Network:
    """The network of a node."""

    def __init__(self, world: World, chain: Chain, settings: NetworkSettings, intake: Intake) -> None:
        """Raises Rejected when the chain has a different block at the checkpoint's height."""
        self._world = world
        self._chain = chain
        self._own = OwnIdentity(
            settings.node_key, world.random_bytes(NODE_ID_BYTES), compute_config_digest(chain.config).hex()
        )
        hub = self._hub = Hub(world, chain.codec, AddressBook(world.disk, settings.seeds))
        items = Items()
        self._dialler = Dialler(hub, settings)
        self._guests = Guests(hub, settings)
        self._inquiries = Inquiries(hub)
        self._sync = Sync(hub, chain, intake, settings.checkpoint)
        self._offering = Offering(hub, chain, items, self._sync)
        self._gossip = Gossip(hub, chain, intake, items, self._sync, self._offering)
        self._serving = Serving(hub, chain, items, self._sync, self._offering)
        self._handshake = Handshake(
            hub, chain, self._own, self._dialler, self._guests, self._inquiries, self._sync, self._serving
        )
        deliveries = Deliveries(hub, chain, self._sync, self._gossip)
        rooms = Rooms(self._handshake, self._inquiries, self._sync, self._serving, self._gossip, deliveries)
        self._admission = Admission(hub, rooms)
        self._timers = {
            TICK_TIMER: self._on_tick,
            APPLY_TIMER: self._on_apply,
            OFFER_TIMER: self._offering.on_offer,
            SERVE_TIMER: self._serving.on_serve,
        }
        self._slow_tick_at_ms = 0

    # For the node and its operator

    @property
    def is_syncing(self) -> bool:
        """Whether peers have blocks that this node lacks, as far as it knows."""
        return self._sync.is_running

    @property
    def figures(self) -> NetworkFigures:
        """The figures of this moment."""
        hub = self._hub
        return NetworkFigures(
            tuple(map(self._describe, hub.peers.values())),
            self._sync.count_missing(),
            self._dialler.listen,
            len(hub.addresses),
            tuple(hub.bans.list(self._world.now_ms())),
            hub.traffic.sent_bytes,
            hub.traffic.received_bytes,
        )

    def _describe(self, peer: Peer) -> PeerFigures:
        return PeerFigures(
            str(peer.link.remote),
            str(peer.who.listens_at or ""),
            peer.direction.name.lower(),
            peer.is_active,
            clean(peer.who.user_agent),
            peer.who.node_id.hex(),
            (self._world.now_ms() - peer.connected_at_ms) // 1000,
            self._hub.silent_ms(peer) // 1000,
            *self._inquiries.measured(peer),
            self._sync.lacks_blocks_of(peer),
            self._offering.is_behind(peer),
        )

    def tell(self, event: str, **figures: object) -> None:
        """Reports an event caused by peers to the operator, rate limited."""
        self._hub.notes.tell(event, **figures)

    def set_listening(self, endpoint: Endpoint) -> None:
        """Sets the listening address when the system chose the port."""
        self._dialler.listen = endpoint

    def add_seed(self, endpoint: Endpoint) -> None:
        """Adds a seed, which is dialled whenever it is not connected."""
        self._hub.addresses.learn(endpoint).is_seed = True

    def is_banned(self, endpoint: Endpoint) -> bool:
        """Whether an address is banned."""
        return self._hub.bans.find(endpoint.address, self._world.now_ms()) is not None

    def ban(self, ban: Ban) -> None:
        """Bans an address and drops its connections."""
        self._hub.ban(ban)
        self._clear_away()

    def unban(self, address: int) -> bool:
        """Lifts a ban; False if there was none. Raises StoreWriteFailed."""
        return self._hub.bans.remove(address)

    def disconnect(self, endpoint: Endpoint) -> int:
        """Closes the connections to a peer that has this address or listens there; returns how many there were."""
        found = [peer for peer in self._hub.peers.values() if endpoint in (peer.link.remote, peer.who.listens_at)]
        for peer in found:
            self._hub.close(peer, "The operator closes this connection", is_error=False)
        self._clear_away()
        return len(found)

    def offer_block(self, block: Block) -> None:
        """Announces a block of the main chain that this node produced or a client submitted."""
        self._offering.offer_block(block)

    def offer_transaction(self, transaction: Transaction) -> None:
        """Announces a transaction that a client sent."""
        self._offering.offer_transactions((transaction,))

    def offer_pending(self) -> None:
        """Announces all pending transactions, as those of undone blocks are pending again."""
        self._offering.offer_transactions(self._chain.pending)

    # Events

    def on_start(self) -> None:
        """Starts connecting to peers."""
        self._world.set_timer(TICK_TIMER, self._world.now_ms())

    def on_stop(self) -> None:
        """Sends closing messages, and writes the address book."""
        for peer in list(self._hub.peers.values()):
            self._hub.close(peer, "This node is shutting down", is_error=False)
        self._dialler.save()

    def on_timer(self, name: str) -> None:
        """Handles a timer."""
        if name not in self._timers:
            raise ValueError(f"no such timer: {name}")
        self._timers[name]()
        self._clear_away()

    def on_connect(self, connection: int, link: Link) -> None:
        """Handles a new connection: sends a hello."""
        self._dialler.on_connect(link.remote)
        if self.is_banned(link.remote) or self._guests.are_crowded(link):
            self._world.disconnect(connection)
        else:
            self._handshake.greet(self._hub.add(connection, link))

    def on_connect_failed(self, endpoint: Endpoint, why: str) -> None:
        """Handles a failed dial."""
        self._dialler.on_failed(endpoint)

    def on_disconnect(self, connection: int, why: str) -> None:
        """Handles a closed connection."""
        self._hub.lose(connection, why)
        self._clear_away()

    def on_writable(self, connection: int) -> None:
        """Handles a write buffer that has room again."""
        peer = self._hub.peers.get(connection)
        if peer is not None:
            self._serving.serve(peer)

    def on_recovered(self, job: int) -> None:
        """Handles the recovered signers of a job."""
        self._sync.on_recovered(job)
        self._clear_away()

    def on_message(self, connection: int, number: int, payload: bytes) -> None:
        """Handles a message of a peer."""
        peer = self._hub.peers.get(connection)
        if peer is not None:
            self._hub.on_received(peer, len(payload))
            self._admission.take(peer, number, payload)
            self._clear_away()

    def _clear_away(self) -> None:
        """Cancels the outstanding requests of disconnected peers."""
        while self._hub.gone:
            peer = self._hub.gone.pop()
            if peer.link.is_outbound:
                self._dialler.on_failed(peer.link.remote)
            self._sync.on_gone(peer)
            self._gossip.on_gone(peer)

    def _on_apply(self) -> None:
        if self._sync.on_apply():
            self._offering.offer_head()

    # Periodic work

    def _on_tick(self) -> None:
        now_ms = self._world.now_ms()
        self._world.set_timer(TICK_TIMER, now_ms + TICK_MS)
        for peer in list(self._hub.peers.values()):
            self._look_at(peer)
            self._serving.answer(peer)
        for room in (self._guests, self._inquiries, self._sync, self._serving, self._gossip, self._offering):
            room.on_tick(now_ms)
        self._hub.traffic.sample(now_ms)
        self._hub.notes.on_tick(now_ms)
        self._dialler.on_tick(now_ms)
        if now_ms >= self._slow_tick_at_ms:
            self._slow_tick_at_ms = now_ms + SLOW_TICK_MS
            self._offering.offer_again()
            self._dialler.on_slow_tick()

    def _look_at(self, peer: Peer) -> None:
        """Disconnects a peer that is silent or does not read; sends a time request to an idle one as keep-alive."""
        silent_ms = self._hub.silent_ms(peer)
        if self._hub.stuck_ms(peer) > STUCK_MS_MAX:
            self._hub.drop(peer, "it does not read its messages")
        elif not peer.is_active:
            if silent_ms > SILENCE_MS_MAX or self._world.now_ms() - peer.connected_at_ms > HANDSHAKE_MS_MAX:
                self._hub.drop(peer, "handshake timed out")
        elif silent_ms > INACTIVE_MS_MAX:
            self._hub.close(peer, "Disconnecting due to inactivity", is_error=False)
        elif silent_ms > KEEP_ALIVE_MS:
            self._inquiries.ask_time(peer)
