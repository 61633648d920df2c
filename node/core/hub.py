"""The connected peers: sending, charging, disconnecting and banning."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from node.core.addresses import AddressBook, Ban, Bans
from node.core.faults import Faults
from node.core.notes import Notes
from node.core.peer import Peer
from node.core.traffic import Traffic
from node.core.world import Link, World
from protocol.codec import Codec
from protocol.p2p.channel import PAYLOAD_BYTES_MAX
from protocol.p2p.messages import ClosingConnection, Message, message_number, pack_message
from state.engine.errors import StoreWriteFailed

BAN_MS = 3_600_000
"""How long an address is banned after too many faults."""

TOO_MUCH = "Rate limit exceeded"


@dataclass(slots=True)
class Line:
    """Timestamps of a connection, in milliseconds of the world's clock."""

    received_at_ms: int = 0
    stuck_since_ms: int | None = None
    """Since when its write buffer has been full."""


class Hub:
    """All connections. A peer that is closed leaves `peers` at once and stays in `gone` until it is cleaned up."""

    def __init__(self, world: World, codec: Codec, addresses: AddressBook) -> None:
        self.world = world
        self.codec = codec
        self.addresses = addresses
        self.bans = Bans(world.disk)
        self.faults = Faults()
        self.notes = Notes(world)
        self.traffic = Traffic(world.now_ms())
        self.peers: dict[int, Peer] = {}
        self.gone: list[Peer] = []

    def active(self) -> Iterator[Peer]:
        """The peers whose handshake is done, in order of connection."""
        return (peer for peer in list(self.peers.values()) if peer.is_active)

    def add(self, connection: int, link: Link) -> Peer:
        """Registers a connection."""
        now_ms = self.world.now_ms()
        peer = self.peers[connection] = Peer(connection, link, now_ms)
        peer.part(Line).received_at_ms = now_ms
        return peer

    def on_received(self, peer: Peer, size: int) -> None:
        """Counts received bytes."""
        self.traffic.received_bytes += size
        peer.part(Line).received_at_ms = self.world.now_ms()

    def silent_ms(self, peer: Peer) -> int:
        """How long nothing has been received from a peer."""
        return self.world.now_ms() - peer.part(Line).received_at_ms

    def stuck_ms(self, peer: Peer) -> int:
        """How long a peer's write buffer has been full; 0 if it has room."""
        since_ms = None if self.has_room(peer) else peer.part(Line).stuck_since_ms
        return 0 if since_ms is None else self.world.now_ms() - since_ms

    def send(self, peer: Peer, message: Message) -> None:
        """Sends a message."""
        self.send_packed(peer, message_number(message), pack_message(self.codec, message))

    def send_packed(self, peer: Peer, number: int, payload: bytes) -> None:
        """Sends an encoded message; one above the size limit of peers is skipped."""
        if len(payload) > PAYLOAD_BYTES_MAX:
            self.notes.tell("too_large_to_send", peer=peer.name, number=number, bytes=len(payload))
        elif peer.connection in self.peers:
            self.traffic.sent_bytes += len(payload)
            self.world.send(peer.connection, number, payload)

    def has_room(self, peer: Peer) -> bool:
        """Whether a peer's write buffer has room."""
        has_room, line = self.world.has_room(peer.connection), peer.part(Line)
        if has_room:
            line.stuck_since_ms = None
        elif line.stuck_since_ms is None:
            line.stuck_since_ms = self.world.now_ms()
        return has_room

    def close(self, peer: Peer, reason: str, is_error: bool = True) -> None:
        """Closes the connection after a message with the reason."""
        if peer.connection not in self.peers:
            return
        self.send(peer, ClosingConnection(reason, is_error, None))
        self.drop(peer, reason)

    def drop(self, peer: Peer, reason: str) -> None:
        """Closes the connection without a message."""
        if self.peers.pop(peer.connection, None) is not None:
            self.world.disconnect(peer.connection)
            self.gone.append(peer)
            self.notes.tell("peer_closed", peer=peer.name, reason=reason)

    def lose(self, connection: int, reason: str) -> None:
        """Removes a connection that was closed by the peer."""
        peer = self.peers.pop(connection, None)
        if peer is not None:
            self.gone.append(peer)
            self.notes.tell("peer_gone", peer=peer.name, reason=reason)

    def charge(self, peer: Peer, cost: int, reason: str = TOO_MUCH) -> bool:
        """Charges a peer; when its limit is exceeded, closes the connection and returns False."""
        is_bearable = peer.work.charge(cost, self.world.now_ms())
        if not is_bearable:
            self.close(peer, reason)
        return is_bearable

    def fault(self, peer: Peer, reason: str, closes: bool = False) -> None:
        """Counts a fault; at the limits, closes connections and bans the address.

        With `closes`, the connection is closed at once, as it can not continue.
        """
        now_ms, address = self.world.now_ms(), peer.link.remote.address
        self.faults.add(peer, now_ms)
        self.notes.tell("peer_fault", peer=peer.name, address=str(IPv4Address(address)), reason=reason)
        if closes or self.faults.is_too_much(peer, now_ms):
            self.close(peer, reason)
        if self.faults.is_address_too_much(address, now_ms):
            self.ban(Ban(address, now_ms + BAN_MS, reason))

    def ban(self, ban: Ban) -> None:
        """Bans an address and drops its connections. If it cannot be written to disk, the ban holds until the next
        start."""
        try:
            self.bans.add(ban)
        except StoreWriteFailed as error:
            self.world.note("disk_problem", error=str(error), action="the ban holds until the next start")
        for peer in list(self.peers.values()):
            if peer.link.remote.address == ban.address:
                self.drop(peer, f"banned: {ban.reason}")
        self.notes.tell("banned", address=ban.host, reason=ban.reason)
