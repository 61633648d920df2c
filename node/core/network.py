"""The node among its peers: connections come and go, messages and timers find their rooms, and figures are told.

The rooms: `handshake` (who they are), `sync` and `gossip` (what this node wants of them), `serving` and `offering`
(what they want of it), `inquiries` (small questions), `dialling` and `guests` (whom to be connected to).

Source: libraries/net/node.cpp; the numbers of seconds are those of node_configuration.hpp where nothing else is said.
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
"""How often addresses are asked for and written, and what waits for long is offered once more."""

HANDSHAKE_MS_MAX = 10_000
SILENCE_MS_MAX = 5_000
"""How long a peer may say nothing before its handshake is done."""

KEEP_ALIVE_MS = 15_000
INACTIVE_MS_MAX = 30_000
STUCK_MS_MAX = 20_000
"""How long a peer may leave unread what it is sent."""


class Network:
    """All that a node has to do with peers."""

    def __init__(self, world: World, chain: Chain, settings: NetworkSettings, intake: Intake) -> None:
        """Raises Rejected when the chain has another block where the checkpoint is."""
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
        """Hands on what peers cause, but not too often."""
        self._hub.notes.tell(event, **figures)

    def set_listening(self, endpoint: Endpoint) -> None:
        """Learns where peers can connect, when that was left to the system."""
        self._dialler.listen = endpoint

    def add_seed(self, endpoint: Endpoint) -> None:
        """Learns an address that is to be dialled whenever it is not connected."""
        self._hub.addresses.learn(endpoint).is_seed = True

    def is_banned(self, endpoint: Endpoint) -> bool:
        """Whether an address is not welcome."""
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
        """Offers a block of the main chain that this node made or was given."""
        self._offering.offer_block(block)

    def offer_transaction(self, transaction: Transaction) -> None:
        """Offers a transaction that a client sent."""
        self._offering.offer_transactions((transaction,))

    def offer_pending(self) -> None:
        """Offers all waiting transactions: those of blocks that were undone wait again."""
        self._offering.offer_transactions(self._chain.pending)

    # Events

    def on_start(self) -> None:
        """Begins to look for peers."""
        self._world.set_timer(TICK_TIMER, self._world.now_ms())

    def on_stop(self) -> None:
        """Says goodbye, and keeps the addresses."""
        for peer in list(self._hub.peers.values()):
            self._hub.close(peer, "This node is shutting down", is_error=False)
        self._dialler.save()

    def on_timer(self, name: str) -> None:
        """A timer that was asked for has come."""
        if name not in self._timers:
            raise ValueError(f"no such timer: {name}")
        self._timers[name]()
        self._clear_away()

    def on_connect(self, connection: int, link: Link) -> None:
        """A connection is there: both sides say hello."""
        self._dialler.on_connect(link.remote)
        if self.is_banned(link.remote) or self._guests.are_crowded(link):
            self._world.disconnect(connection)
        else:
            self._handshake.greet(self._hub.add(connection, link))

    def on_connect_failed(self, endpoint: Endpoint, why: str) -> None:
        """An address does not answer."""
        self._dialler.on_failed(endpoint)

    def on_disconnect(self, connection: int, why: str) -> None:
        """A connection is gone."""
        self._hub.lose(connection, why)
        self._clear_away()

    def on_writable(self, connection: int) -> None:
        """A connection has room again."""
        peer = self._hub.peers.get(connection)
        if peer is not None:
            self._serving.serve(peer)

    def on_recovered(self, job: int) -> None:
        """The signers of some blocks have been recovered."""
        self._sync.on_recovered(job)
        self._clear_away()

    def on_message(self, connection: int, number: int, payload: bytes) -> None:
        """A peer sent a message."""
        peer = self._hub.peers.get(connection)
        if peer is not None:
            self._hub.on_received(peer, len(payload))
            self._admission.take(peer, number, payload)
            self._clear_away()

    def _clear_away(self) -> None:
        """Takes from sync and gossip what was expected of peers that are gone."""
        while self._hub.gone:
            peer = self._hub.gone.pop()
            if peer.link.is_outbound:
                self._dialler.on_failed(peer.link.remote)
            self._sync.on_gone(peer)
            self._gossip.on_gone(peer)

    def _on_apply(self) -> None:
        if self._sync.on_apply():
            self._offering.offer_head()

    # What has to be looked at every now and then

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
        """Drops a peer that is silent or does not read; asks one that says nothing for the time."""
        silent_ms = self._hub.silent_ms(peer)
        if self._hub.stuck_ms(peer) > STUCK_MS_MAX:
            self._hub.drop(peer, "it does not read what it is sent")
        elif not peer.is_active:
            if silent_ms > SILENCE_MS_MAX or self._world.now_ms() - peer.connected_at_ms > HANDSHAKE_MS_MAX:
                self._hub.drop(peer, "it does not finish its handshake")
        elif silent_ms > INACTIVE_MS_MAX:
            self._hub.close(peer, "Disconnecting due to inactivity", is_error=False)
        elif silent_ms > KEEP_ALIVE_MS:
            self._inquiries.ask_time(peer)
