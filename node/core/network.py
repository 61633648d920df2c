"""The node among its peers: connections, handshakes, and who handles which message.

A peer is active once both sides took each other's hello and it has answered with its addresses (or asks for blocks, as
a node that dials the reference may). Nothing but the handshake is spoken before.

Source: libraries/net/node.cpp; the numbers of seconds are those of node_configuration.hpp where nothing else is said.
"""

from __future__ import annotations

from typing import NamedTuple

from chain.chain import Chain
from chain.config_record import compute_config_digest
from node.core.addresses import AddressBook, Ban
from node.core.admission import Admission
from node.core.dialling import Dialler
from node.core.gossip import OFFER_TIMER, SERVE_TIMER, Gossip
from node.core.guests import Guests
from node.core.handshake import (
    NODE_ID_BYTES,
    PROTOCOL_VERSION,
    USER_AGENT,
    OwnIdentity,
    Refusal,
    Rejection,
    check_hello,
    find_listening,
    make_hello,
    read_node_id,
)
from node.core.hub import Hub, Intake
from node.core.inquiries import Inquiries
from node.core.messages import ROW_BY_NUMBER
from node.core.notes import clean
from node.core.peer import SYNOPSES_MAX, Peer
from node.core.settings import NetworkSettings
from node.core.sync import APPLY_TIMER, Sync
from node.core.world import Link, World
from protocol.block import Block
from protocol.errors import Invalid, Rejected
from protocol.p2p.messages import (
    BLOCK_ITEM,
    ID_BYTES,
    TRANSACTION_ITEM,
    AddressMessage,
    AddressRequest,
    BlockMessage,
    ClosingConnection,
    ConnectionAccepted,
    ConnectionRejected,
    Endpoint,
    FetchBlockchainItemIds,
    Hello,
    ItemNotAvailable,
    TransactionMessage,
    UnknownMessage,
    message_id,
    unpack_message,
)
from protocol.transaction import Transaction
from state.engine.errors import StoreWriteFailed

TICK_TIMER = "peers"
TICK_MS = 1_000
SLOW_TICK_MS = 20_000
"""How often addresses are asked for and written, and what waits for long is offered anew."""

HANDSHAKE_MS_MAX = 10_000
SILENCE_MS_MAX = 5_000
"""How long a peer may say nothing before its handshake is done."""

KEEP_ALIVE_MS = 15_000
INACTIVE_MS_MAX = 30_000
STUCK_MS_MAX = 20_000
"""How long a peer may leave unread what it is sent."""

EXTENSION_NUMBERS = range(5000, 5100)
"""Messages of these numbers that are unknown are from a later version, and not minded."""


class PeerView(NamedTuple):
    """What people are shown of a peer. Durations in seconds, offset and delay in microseconds."""

    endpoint: str
    listens_at: str
    direction: str
    is_active: bool
    user_agent: str
    node_id: str
    connected_seconds: int
    silent_seconds: int
    clock_offset_us: int
    round_trip_us: int
    we_need_its_blocks: bool
    needs_our_blocks: bool


class Network:
    """All that a node has to do with peers."""

    def __init__(self, world: World, chain: Chain, settings: NetworkSettings, intake: Intake) -> None:
        """Raises Rejected when the chain has another block where the checkpoint is."""
        self._world = world
        self._chain = chain
        self._settings = settings
        self._own = OwnIdentity(
            settings.node_key, world.random_bytes(NODE_ID_BYTES), compute_config_digest(chain.config).hex()
        )
        self.hub: Hub = Hub(world, chain.codec, AddressBook(world.disk, settings.seeds))
        self.sync: Sync = Sync(self.hub, chain, intake, settings.checkpoint)
        self.gossip: Gossip = Gossip(self.hub, chain, intake, self.sync)
        self.inquiries: Inquiries = Inquiries(self.hub)
        self._admission = Admission(self.hub, chain, self.gossip)
        self._dialler = Dialler(self.hub, settings)
        self._guests = Guests(self.hub, settings)
        self._slow_tick_at_ms = 0
        self._check_checkpoint()

    def _check_checkpoint(self) -> None:
        checkpoint = self._settings.checkpoint
        if checkpoint is None:
            return
        found = self._chain.reader.get_block_id(checkpoint.number)
        if found is not None and found != checkpoint.id:
            raise Rejected(
                "checkpoint",
                "block ${number} of this chain is ${found}, not ${wanted} as the checkpoint says",
                number=checkpoint.number,
                found=found.hex(),
                wanted=checkpoint.id.hex(),
            )

    # For the node

    @property
    def is_syncing(self) -> bool:
        """Whether peers have blocks that this node lacks, as far as it knows."""
        return self.sync.is_running

    @property
    def listens_at(self) -> Endpoint | None:
        """Where peers can connect, if they can."""
        return self._dialler.listen

    def list_peers(self) -> list[PeerView]:
        """Returns the connections, in the order in which they came."""
        return [self._view(peer) for peer in self.hub.peers.values()]

    def _view(self, peer: Peer) -> PeerView:
        now_ms = self._world.now_ms()
        return PeerView(
            str(peer.link.remote),
            str(peer.listens_at or ""),
            peer.direction.name.lower(),
            peer.is_active,
            clean(peer.hello.user_agent) if peer.hello else "",
            peer.node_id.hex(),
            (now_ms - peer.connected_at_ms) // 1000,
            (now_ms - peer.received_at_ms) // 1000,
            peer.clock_offset_us,
            peer.round_trip_us,
            peer.we_need_its_blocks,
            peer.needs_our_blocks,
        )

    def set_listening(self, endpoint: Endpoint) -> None:
        """Learns where peers can connect, when that was left to the system."""
        self._dialler.listen = endpoint

    def add_seed(self, endpoint: Endpoint) -> None:
        """Learns an address that is to be dialled whenever it is not connected."""
        address = self.hub.addresses.learn(endpoint)
        if not address.is_seed:
            address.is_seed, address.retry_at_ms = True, 0

    def ban(self, ban: Ban) -> None:
        """Bans an IP address and drops its connections."""
        self.hub.ban(ban)
        self._clear_away()

    def unban(self, address: int) -> bool:
        """Lifts a ban; False if there was none. Raises StoreWriteFailed."""
        return self.hub.bans.remove(address)

    def disconnect(self, endpoint: Endpoint) -> int:
        """Closes the connections to a peer that has this address or listens there; returns how many there were."""
        found = [peer for peer in self.hub.peers.values() if endpoint in (peer.link.remote, peer.listens_at)]
        for peer in found:
            self.hub.close(peer, "The operator closes this connection", is_error=False)
        self._clear_away()
        return len(found)

    def offer_block(self, block: Block) -> None:
        """Offers a block of the main chain that this node made or was given."""
        self.gossip.offer_block(block)

    def offer_transaction(self, transaction: Transaction) -> None:
        """Offers a transaction that a client sent."""
        self.gossip.offer_transactions((transaction,))

    def offer_pending(self) -> None:
        """Offers all waiting transactions: those of blocks that were undone wait again."""
        self.gossip.offer_transactions(self._chain.pending)

    # Events

    def on_start(self) -> None:
        """Begins to look for peers."""
        self._world.set_timer(TICK_TIMER, self._world.now_ms())

    def on_stop(self) -> None:
        """Says goodbye, and keeps the addresses."""
        for peer in list(self.hub.peers.values()):
            self.hub.close(peer, "This node is shutting down", is_error=False)
        self._save_addresses()

    def on_timer(self, name: str) -> None:
        """A timer that was asked for has come."""
        if name == TICK_TIMER:
            self._on_tick()
        elif name == APPLY_TIMER:
            if self.sync.on_apply():
                self._offer_head()
        elif name == OFFER_TIMER:
            self.gossip.on_offer()
        elif name == SERVE_TIMER:
            self.gossip.on_serve()
        else:
            raise ValueError(f"no such timer: {name}")
        self._clear_away()

    def on_connect(self, connection: int, link: Link) -> None:
        """A connection is there: both sides say hello."""
        now_ms = self._world.now_ms()
        self._dialler.on_connect(link.remote)
        if self.hub.bans.find(link.remote.address, now_ms) or self._guests.are_crowded(link):
            self._world.disconnect(connection)
            return
        peer = self.hub.peers[connection] = Peer(connection, link, now_ms, now_ms)
        self.hub.send(peer, make_hello(self._chain, self._own, self.listens_at, link))

    def on_connect_failed(self, endpoint: Endpoint, why: str) -> None:
        """An address does not answer."""
        self._dialler.on_failed(endpoint)

    def on_disconnect(self, connection: int, why: str) -> None:
        """A connection is gone."""
        peer = self.hub.peers.pop(connection, None)
        if peer is not None:
            self.hub.gone.append(peer)
            self.hub.notes.tell("peer_gone", peer=peer.name, reason=why)
        self._clear_away()

    def on_writable(self, connection: int) -> None:
        """A connection has room again."""
        peer = self.hub.peers.get(connection)
        if peer is not None:
            self.gossip.serve(peer)

    def on_recovered(self, job: int) -> None:
        """The signers of some blocks have been recovered."""
        self.sync.on_recovered(job)
        self._clear_away()

    def on_message(self, connection: int, number: int, payload: bytes) -> None:
        """A peer sent a message."""
        peer = self.hub.peers.get(connection)
        if peer is None:
            return
        self.hub.traffic.received_bytes += len(payload)
        peer.received_at_ms = self._world.now_ms()
        if self._admission.admits(peer, number, payload):
            self._decode(peer, number, payload)
        self._clear_away()

    def _decode(self, peer: Peer, number: int, payload: bytes) -> None:
        try:
            message = unpack_message(self._chain.codec, number, payload)
        except UnknownMessage:
            if number not in EXTENSION_NUMBERS:
                self.hub.close(peer, "You sent me a message that I didn't request")
        except Invalid as error:
            self.hub.notes.tell("malformed_message", peer=peer.name, number=number, error=error.message)
            self._refuse_undecoded(peer, number, payload)
        else:
            ROW_BY_NUMBER[number].handle(self, peer, message, payload)

    def _refuse_undecoded(self, peer: Peer, number: int, payload: bytes) -> None:
        """A message that cannot be decoded: the item that it should be is not asked for again."""
        is_sync = number == BLOCK_ITEM and payload[-ID_BYTES:] in peer.blocks_asked
        if number in (BLOCK_ITEM, TRANSACTION_ITEM) and not is_sync:
            self.gossip.refuse(peer, message_id(payload), len(payload))
        elif not peer.charge_doubtful(len(payload), peer.received_at_ms):
            self.hub.close(peer, "You ask for too much in too short a time")
        self.hub.fault(peer, "You sent a message that can not be decoded", closes=is_sync)

    def _clear_away(self) -> None:
        """Takes from sync and gossip what was expected of peers that are gone."""
        while self.hub.gone:
            peer = self.hub.gone.pop()
            if peer.link.is_outbound:
                self._dialler.on_failed(peer.link.remote)
            self.sync.on_gone(peer)
            self.gossip.on_gone(peer)

    # Handshake

    def on_hello(self, peer: Peer, hello: Hello) -> None:
        """A peer says who it is."""
        if peer.hello is not None:
            self.hub.close(peer, "Received an unexpected hello_message")
            return
        peer.hello = hello
        peer.node_id = read_node_id(hello)
        peer.listens_at, peer.reach = find_listening(hello, peer.link)
        peer.has_blocks = hello.user_data.get("last_known_block_number") != 0
        refusal = check_hello(self._chain, hello, peer.link, self._own.config_digest) or self._find_refusal(peer)
        if refusal is not None:
            self._refuse(peer, refusal)
            return
        self.hub.send(peer, ConnectionAccepted())

    def _find_refusal(self, peer: Peer) -> Refusal | None:
        """Whether a peer of our chain is refused all the same."""
        if peer.identity == self._own.node_key.public_key + self._own.node_id:
            if peer.link.is_outbound:
                self.hub.addresses.learn(peer.link.remote).is_self = True
            return Refusal(Rejection.CONNECTED_TO_SELF, "I'm connecting to myself")
        twin = self._find_twin(peer)
        if twin is not None:
            if not self._is_better(peer, twin):
                return Refusal(Rejection.ALREADY_CONNECTED, "I'm already connected to you")
            self.hub.close(twin, "We have two connections, and the other one stays", is_error=False)
        if self.hub.faults.is_unwelcome(peer, self._world.now_ms()):
            return Refusal(Rejection.BLOCKED, "You sent me too much that I can not use")
        if not self._guests.make_room(peer):
            return Refusal(Rejection.NOT_ACCEPTING, "not accepting any more incoming connections")
        return None

    def _find_twin(self, peer: Peer) -> Peer | None:
        """Another connection to the same node."""
        for other in self.hub.peers.values():
            if other is not peer and other.identity == peer.identity and other.is_accepted:
                return other
        return None

    def _is_better(self, peer: Peer, twin: Peer) -> bool:
        """Of two connections that are being made, both sides keep the one that the greater node id dialled."""
        if twin.is_active or twin.link.is_outbound == peer.link.is_outbound:
            return False
        return peer.link.is_outbound == (self._own.node_id > peer.node_id)

    def _refuse(self, peer: Peer, refusal: Refusal) -> None:
        """Tells a peer that it is refused; one of our chain may still ask for addresses."""
        peer.is_refused = True
        self.hub.notes.tell("peer_refused", peer=peer.name, reason=refusal.reason)
        endpoint = peer.link.remote
        self.hub.send(
            peer, ConnectionRejected(USER_AGENT, PROTOCOL_VERSION, endpoint, int(refusal.code), refusal.reason)
        )
        if refusal.code not in (Rejection.ALREADY_CONNECTED, Rejection.NOT_ACCEPTING):
            self.hub.close(peer, refusal.reason)

    def on_accepted(self, peer: Peer) -> None:
        """A peer took our hello."""
        peer.has_accepted_us = True
        if not peer.is_active:
            self._ask_addresses(peer)

    def on_goodbye(self, peer: Peer, message: ClosingConnection) -> None:
        """A peer is about to close the connection."""
        self.hub.drop(peer, f"it closes: {message.reason_for_closing}")

    def on_rejected(self, peer: Peer, message: ConnectionRejected) -> None:
        """A peer refused our hello."""
        if message.reason_code == Rejection.ALREADY_CONNECTED and peer.link.is_outbound and peer.is_accepted:
            self.hub.addresses.learn(peer.link.remote).identity = peer.identity
        self.hub.drop(peer, f"it refuses us: {message.reason_string}")

    def _activate(self, peer: Peer) -> None:
        """The handshake is done: both sides find out what they lack."""
        peer.is_active = True
        if peer.listens_at is not None and (peer.link.is_outbound or self._settings.discovers):
            address = self.hub.addresses.learn(peer.listens_at)
            if peer.link.is_outbound:
                self.hub.addresses.on_reached(address.endpoint, peer.identity, self._world.now_ms())
            else:
                address.identity = peer.identity
        agent = peer.hello.user_agent if peer.hello else ""
        self.hub.notes.tell("peer_joined", peer=peer.name, direction=peer.direction.name.lower(), agent=agent)
        self.inquiries.ask_time(peer)
        self.sync.begin(peer)

    # Addresses

    def _ask_addresses(self, peer: Peer) -> None:
        peer.owes_addresses = True
        self.hub.send(peer, AddressRequest())

    def on_address_request(self, peer: Peer) -> None:
        """A peer asks whom we are connected to."""
        self.hub.send(peer, AddressMessage(tuple(map(self.inquiries.describe_address, self.hub.active()))))
        if peer.is_refused:
            self.hub.close(peer, "I rejected your connection request (hello message) so I'm disconnecting", False)

    def on_addresses(self, peer: Peer, message: AddressMessage) -> None:
        """A peer tells whom it is connected to; the first answer ends the handshake."""
        is_answer, peer.owes_addresses = peer.owes_addresses, False
        if is_answer and peer.is_accepted:
            self._dialler.learn(peer, message.addresses)
        if not peer.is_active and peer.is_accepted and peer.has_accepted_us:
            self._activate(peer)

    # Blocks and transactions

    def on_synopsis(self, peer: Peer, message: FetchBlockchainItemIds) -> None:
        """A peer asks for block ids, which ends a handshake that only lacked its addresses."""
        if not peer.is_active:
            if not peer.is_accepted:
                return
            self._activate(peer)
        if len(peer.synopses) == SYNOPSES_MAX:
            self.hub.close(peer, "You ask for too much in too short a time")
            return
        peer.synopses.append(message)
        self._answer_synopses(peer)

    def _answer_synopses(self, peer: Peer) -> None:
        """Answers requests for block ids, one that costs much a little later."""
        peer.charge(0, self._world.now_ms())
        while peer.synopses and peer.is_cheap and peer.connection in self.hub.peers:
            if self.sync.on_synopsis(peer, peer.synopses.popleft()):
                self.gossip.offer_pending(peer)

    def on_not_available(self, peer: Peer, message: ItemNotAvailable) -> None:
        """A peer does not have what it was asked for."""
        self.sync.on_not_available(peer, message.item_hash)
        self.gossip.on_not_available(peer, message.item_hash)

    def on_transaction(self, peer: Peer, message: TransactionMessage, payload: bytes) -> None:
        """A transaction that was asked for."""
        self.gossip.on_item(peer, message_id(payload), message, payload)

    def on_block(self, peer: Peer, message: BlockMessage, payload: bytes) -> None:
        """A block that was asked for."""
        is_sync = payload[-ID_BYTES:] in peer.blocks_asked
        if message.block.id != message.block_id:
            self.gossip.refuse(peer, message_id(payload), len(payload))
            self.hub.fault(peer, "You sent me a block with an id that is not its own", closes=is_sync)
        elif is_sync:
            self.sync.on_block(peer, message.block)
        else:
            self.gossip.on_item(peer, message_id(payload), message, payload)

    # What has to be looked at every now and then

    def _on_tick(self) -> None:
        now_ms = self._world.now_ms()
        self._world.set_timer(TICK_TIMER, now_ms + TICK_MS)
        for peer in list(self.hub.peers.values()):
            self._look_at(peer, now_ms)
            self._answer_synopses(peer)
        self._guests.on_tick(now_ms)
        self.inquiries.on_tick(now_ms)
        self.sync.on_tick(now_ms)
        self.gossip.on_tick(now_ms)
        self.hub.traffic.sample(now_ms)
        self.hub.notes.on_tick(now_ms)
        self._dialler.on_tick(now_ms)
        if now_ms >= self._slow_tick_at_ms:
            self._slow_tick_at_ms = now_ms + SLOW_TICK_MS
            self._on_slow_tick()

    def _on_slow_tick(self) -> None:
        self.gossip.offer_again()
        self._save_addresses()
        if self._settings.discovers:
            for peer in self.hub.active():
                self._ask_addresses(peer)

    def _save_addresses(self) -> None:
        try:
            self.hub.addresses.save()
        except StoreWriteFailed as error:
            self._world.note("disk_problem", error=str(error), action="peer addresses are not kept for now")

    def _look_at(self, peer: Peer, now_ms: int) -> None:
        """Drops a peer that is silent or does not read; asks one that says nothing for the time."""
        silent_ms = now_ms - peer.received_at_ms
        self.hub.has_room(peer)
        if peer.stuck_since_ms is not None and now_ms - peer.stuck_since_ms > STUCK_MS_MAX:
            self.hub.drop(peer, "it does not read what it is sent")
        elif not peer.is_active:
            if silent_ms > SILENCE_MS_MAX or now_ms - peer.connected_at_ms > HANDSHAKE_MS_MAX:
                self.hub.drop(peer, "it does not finish its handshake")
        elif silent_ms > INACTIVE_MS_MAX:
            self.hub.close(peer, "Disconnecting due to inactivity", is_error=False)
        elif silent_ms > KEEP_ALIVE_MS:
            self.inquiries.ask_time(peer)

    def _offer_head(self) -> None:
        head = self._chain.reader.find_block_by_id(self._chain.head_id)
        if head is not None:
            self.gossip.offer_block(head)
