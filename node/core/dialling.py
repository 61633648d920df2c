"""Outbound connections: seeds are always redialled, other addresses until there are enough outbound connections.

Inbound connections do not count, or an attacker could isolate the node by dialling it often (an eclipse attack).
"""

from dataclasses import dataclass
from ipaddress import IPv4Address

from node.core.addresses import Address
from node.core.hub import Hub
from node.core.peer import Peer, Reach
from node.core.settings import NetworkSettings
from protocol.p2p.messages import AddressMessage, AddressRequest, Endpoint
from state.engine.errors import StoreWriteFailed

DIALS_MAX = 8
"""Maximum number of connections being opened at once."""

ADDRESSES_LEARNED_MAX = 100
"""Maximum number of addresses accepted from one answer."""


@dataclass(slots=True)
class AddressDebt:
    """Whether an address request to a peer is outstanding."""

    is_open: bool = False


class Dialler:
    """Learns addresses and dials them; `listen` is this node's own address."""

    def __init__(self, hub: Hub, settings: NetworkSettings) -> None:
        self._hub = hub
        self._settings = settings
        self._dialling: set[Endpoint] = set()
        self.listen = settings.listen

    # Learning

    def ask(self, peer: Peer) -> None:
        """Requests addresses from a peer."""
        peer.part(AddressDebt).is_open = True
        self._hub.send(peer, AddressRequest())

    def on_addresses(self, peer: Peer, message: AddressMessage) -> None:
        """Adds the addresses that a peer sent, if they were requested and can be dialled."""
        debt = peer.part(AddressDebt)
        is_answer, debt.is_open = debt.is_open, False
        if not (is_answer and peer.is_accepted and self._settings.discovers):
            return
        for info in message.addresses[:ADDRESSES_LEARNED_MAX]:
            if info.firewalled == Reach.OPEN and _may_be_dialled(info.remote_endpoint, peer.link.remote):
                self._hub.addresses.learn(info.remote_endpoint)

    def on_active(self, peer: Peer) -> None:
        """Records the address of a peer whose handshake is done: where it was dialled, or where it says it listens."""
        endpoint, identity = peer.who.listens_at, peer.who.identity
        if endpoint is not None and peer.link.is_outbound:
            self._hub.addresses.on_reached(endpoint, identity, self._hub.world.now_ms())
        elif endpoint is not None and self._settings.discovers:
            self._hub.addresses.learn(endpoint).identity = identity

    def on_slow_tick(self) -> None:
        """Writes the address book and requests more addresses."""
        self.save()
        if self._settings.discovers:
            for peer in self._hub.active():
                self.ask(peer)

    def save(self) -> None:
        """Writes the address book if the disk can be written."""
        try:
            self._hub.addresses.save()
        except StoreWriteFailed as error:
            self._hub.world.note("disk_problem", error=str(error), action="peer addresses are not written for now")

    # Dialling

    def on_tick(self, now_ms: int) -> None:
        """Dials disconnected seeds and, while more connections are wanted, other addresses."""
        for address in self._hub.addresses.list_due(now_ms, is_seed=True):
            self._dial(address, now_ms)
        if not self._settings.discovers:
            return
        dialled = sum(peer.link.is_outbound for peer in self._hub.peers.values())
        for address in self._hub.addresses.list_due(now_ms, is_seed=False):
            if dialled + len(self._dialling) >= self._settings.connections_wanted:
                return
            self._dial(address, now_ms)

    def _dial(self, address: Address, now_ms: int) -> None:
        if len(self._dialling) >= DIALS_MAX or address.endpoint in self._dialling or self._is_connected(address):
            return
        if address.endpoint == self.listen or self._hub.bans.find(address.endpoint.address, now_ms):
            return
        self._dialling.add(address.endpoint)
        self._hub.world.connect(address.endpoint)

    def _is_connected(self, address: Address) -> bool:
        """Whether the node at this address is connected, inbound or outbound."""
        return any(
            peer.link.remote == address.endpoint
            or peer.who.listens_at == address.endpoint
            or (address.identity and peer.who.identity == address.identity)
            for peer in self._hub.peers.values()
        )

    def on_connect(self, endpoint: Endpoint) -> None:
        """Handles an open outbound connection."""
        self._dialling.discard(endpoint)

    def on_failed(self, endpoint: Endpoint) -> None:
        """Handles a failed dial or a closed connection; the address is redialled later."""
        self._dialling.discard(endpoint)
        self._hub.addresses.on_failed(endpoint, self._hub.world.now_ms(), self._jitter_ms())

    def _jitter_ms(self) -> int:
        """Returns a random delay of up to a second, so that two nodes do not keep dialling each other at the same
        moment."""
        return int.from_bytes(self._hub.world.random_bytes(2), "big") * 1000 >> 16


def _may_be_dialled(endpoint: Endpoint, told_by: Endpoint) -> bool:
    """Whether an address may be dialled; loopback and private ones are accepted only from peers with such addresses."""
    address, teller = IPv4Address(endpoint.address), IPv4Address(told_by.address)
    if endpoint.port == 0 or address.is_multicast or address.is_unspecified or address.is_reserved:
        return False
    if address.is_loopback:
        return teller.is_loopback
    return not address.is_private or teller.is_private
