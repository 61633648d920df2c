"""The handshake: both sides send a hello and accept or reject the other's. No other message comes before (see
states.py).

Source: libraries/net/node.cpp, on_hello_message, on_connection_accepted_message, on_connection_rejected_message and
on_address_message.
"""

from chain.chain import Chain
from node.core.dialling import Dialler
from node.core.guests import Guests
from node.core.hello import (
    PROTOCOL_VERSION,
    USER_AGENT,
    OwnIdentity,
    Refusal,
    Rejection,
    check_hello,
    introduce,
    make_hello,
)
from node.core.hub import Hub
from node.core.inquiries import Inquiries
from node.core.peer import Peer
from node.core.serving import Serving
from node.core.states import STAGES, Event, State
from node.core.sync import Sync
from protocol.p2p import messages as p2p


class Handshake:
    """The state machine of the handshake; the only writer of `state` and `who`."""

    def __init__(
        self,
        hub: Hub,
        chain: Chain,
        own: OwnIdentity,
        dialler: Dialler,
        guests: Guests,
        inquiries: Inquiries,
        sync: Sync,
        serving: Serving,
    ) -> None:
        self._hub = hub
        self._chain = chain
        self.own = own
        self._dialler = dialler
        self._guests = guests
        self._inquiries = inquiries
        self._sync = sync
        self._serving = serving

    def greet(self, peer: Peer) -> None:
        """Sends a hello."""
        self._hub.send(peer, make_hello(self._chain, self.own, self._dialler.listen, peer.link))

    def _move(self, peer: Peer, event: Event) -> None:
        former = peer.state
        peer.state = STAGES[former].moves.get(event, former)
        if peer.is_active and peer.state is not former:
            self._begin(peer)

    def _begin(self, peer: Peer) -> None:
        """Completes the handshake and starts synchronisation."""
        self._dialler.on_active(peer)
        direction, agent = peer.direction.name.lower(), peer.who.user_agent
        self._hub.notes.tell("peer_joined", peer=peer.name, direction=direction, agent=agent)
        self._inquiries.ask_time(peer)
        self._sync.on_active(peer)

    # Messages

    def on_hello(self, peer: Peer, hello: p2p.Hello) -> None:
        """Handles a peer's hello."""
        if Event.HELLO not in STAGES[peer.state].moves:
            self._hub.close(peer, "Received an unexpected hello_message")
            return
        peer.who = introduce(hello, peer.link)
        refusal = check_hello(self._chain, hello, peer.link, self.own.config_digest) or self._find_refusal(peer)
        if refusal is not None:
            self._refuse(peer, refusal)
            return
        self._move(peer, Event.HELLO)
        self._hub.send(peer, p2p.ConnectionAccepted())

    def on_accepted(self, peer: Peer, _message: p2p.ConnectionAccepted) -> None:
        """Handles the peer's acceptance of this node's hello."""
        self._move(peer, Event.ACCEPTED)
        if not peer.is_active:
            self._dialler.ask(peer)

    def on_rejected(self, peer: Peer, message: p2p.ConnectionRejected) -> None:
        """Handles the peer's rejection of this node's hello."""
        if message.reason_code == Rejection.ALREADY_CONNECTED and peer.link.is_outbound and peer.is_accepted:
            self._hub.addresses.learn(peer.link.remote).identity = peer.who.identity
        self._hub.drop(peer, f"rejected by peer: {message.reason_string}")

    def on_address_request(self, peer: Peer, _message: p2p.AddressRequest) -> None:
        """Answers an address request, the last message that a rejected peer sends."""
        self._inquiries.tell_addresses(peer)
        if peer.state is State.REFUSED:
            self._hub.close(peer, "I rejected your connection request (hello message) so I'm disconnecting", False)

    def on_addresses(self, peer: Peer, message: p2p.AddressMessage) -> None:
        """Handles the addresses of a peer; the first answer completes the handshake."""
        self._dialler.on_addresses(peer, message)
        self._move(peer, Event.ADDRESSES)

    def on_synopsis(self, peer: Peer, message: p2p.FetchBlockchainItemIds) -> None:
        """Handles a request for block ids, which completes a handshake that only waited for addresses."""
        self._move(peer, Event.SYNOPSIS)
        if peer.is_active:
            self._serving.on_synopsis(peer, message)

    def on_goodbye(self, peer: Peer, message: p2p.ClosingConnection) -> None:
        """Handles a peer's announcement that it closes the connection."""
        self._hub.drop(peer, f"it closes: {message.reason_for_closing}")

    # Rejections

    def _find_refusal(self, peer: Peer) -> Refusal | None:
        """Returns why a peer of the same chain is rejected, or None."""
        if peer.who.identity == self.own.node_key.public_key + self.own.node_id:
            if peer.link.is_outbound:
                self._hub.addresses.learn(peer.link.remote).is_self = True
            return Refusal(Rejection.CONNECTED_TO_SELF, "I'm connecting to myself")
        twin = self._find_twin(peer)
        if twin is not None:
            if not self._is_better(peer, twin):
                return Refusal(Rejection.ALREADY_CONNECTED, "I'm already connected to you")
            self._hub.close(twin, "We have two connections, and the other one stays", is_error=False)
        if self._hub.faults.is_unwelcome(peer, self._hub.world.now_ms()):
            return Refusal(Rejection.BLOCKED, "You sent too many invalid messages")
        if not self._guests.make_room(peer):
            return Refusal(Rejection.NOT_ACCEPTING, "not accepting any more incoming connections")
        return None

    def _find_twin(self, peer: Peer) -> Peer | None:
        """Returns another connection to the same node, or None."""
        for other in self._hub.peers.values():
            if other is not peer and other.who.identity == peer.who.identity and other.is_accepted:
                return other
        return None

    def _is_better(self, peer: Peer, twin: Peer) -> bool:
        """Of two connections between the same nodes, both sides keep the one that the node with the greater id
        dialled."""
        if twin.is_active or twin.link.is_outbound == peer.link.is_outbound:
            return False
        return peer.link.is_outbound == (self.own.node_id > peer.who.node_id)

    def _refuse(self, peer: Peer, refusal: Refusal) -> None:
        """Rejects a peer; one of the same chain may still request addresses."""
        self._move(peer, Event.REFUSAL)
        self._hub.notes.tell("peer_refused", peer=peer.name, reason=refusal.reason)
        endpoint = peer.link.remote
        self._hub.send(
            peer, p2p.ConnectionRejected(USER_AGENT, PROTOCOL_VERSION, endpoint, int(refusal.code), refusal.reason)
        )
        if refusal.code not in (Rejection.ALREADY_CONNECTED, Rejection.NOT_ACCEPTING):
            self._hub.close(peer, refusal.reason)
