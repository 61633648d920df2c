"""The connected peers, and how they are spoken to."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Protocol

from chain.effects import PushResult
from node.core.addresses import AddressBook, Ban, Bans
from node.core.faults import Faults
from node.core.notes import Notes
from node.core.peer import Peer
from node.core.traffic import Traffic
from node.core.world import World
from protocol.block import Block
from protocol.codec import Codec
from protocol.errors import Rejected
from protocol.p2p.channel import PAYLOAD_BYTES_MAX
from protocol.p2p.messages import ClosingConnection, Message, message_number, pack_message
from protocol.transaction import Transaction
from state.engine.errors import StoreWriteFailed

BAN_MS = 3_600_000
"""How long an address is not welcome from which too much came that cannot be decoded or applied."""


class TooEarly(Rejected):
    """The time of a block has not come yet: by so many seconds it is ahead of this node's clock."""

    def __init__(self, number: int, seconds: int, seconds_max: int) -> None:
        super().__init__(
            "block time is not far in the future",
            "block ${number} is ${ahead} s ahead of this node's clock; at most ${max} s are allowed",
            number=number,
            ahead=seconds,
            max=seconds_max,
        )
        self.seconds = seconds


class Intake(Protocol):
    """Who takes in what peers send."""

    def take_block(self, block: Block, skip_signatures: bool = False) -> PushResult:
        """Adds a block to the chain. Raises ProtocolError, of it TooEarly when only the block's time has not come."""

    def take_transaction(self, transaction: Transaction) -> None:
        """Applies a transaction to the pending state. Raises ProtocolError."""


class Hub:
    """All connections. A peer that is closed here leaves `peers` at once and waits in `gone` to be cleared away."""

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
        """The peers whose handshake is done, in the order in which they came."""
        return (peer for peer in list(self.peers.values()) if peer.is_active)

    def send(self, peer: Peer, message: Message) -> None:
        """Sends a message."""
        self.send_packed(peer, message_number(message), pack_message(self.codec, message))

    def send_packed(self, peer: Peer, number: int, payload: bytes) -> None:
        """Sends a message that is packed already; one that peers would not take is left out."""
        if len(payload) > PAYLOAD_BYTES_MAX:
            self.notes.tell("too_large_to_send", peer=peer.name, number=number, bytes=len(payload))
        elif peer.connection in self.peers:
            self.traffic.sent_bytes += len(payload)
            self.world.send(peer.connection, number, payload)

    def has_room(self, peer: Peer) -> bool:
        """Whether a peer reads what it is sent."""
        has_room = self.world.has_room(peer.connection)
        if has_room:
            peer.stuck_since_ms = None
        elif peer.stuck_since_ms is None:
            peer.stuck_since_ms = self.world.now_ms()
        return has_room

    def close(self, peer: Peer, reason: str, is_error: bool = True) -> None:
        """Says why and closes the connection."""
        if peer.connection not in self.peers:
            return
        self.send(peer, ClosingConnection(reason, is_error, None))
        self.drop(peer, reason)

    def drop(self, peer: Peer, reason: str) -> None:
        """Closes the connection without a word."""
        if self.peers.pop(peer.connection, None) is not None:
            self.world.disconnect(peer.connection)
            self.gone.append(peer)
            self.notes.tell("peer_closed", peer=peer.name, reason=reason)

    def fault(self, peer: Peer, reason: str, closes: bool = False) -> None:
        """Counts something that cannot be decoded or applied; what is too much ends connections, and bans an address.

        `closes` ends this connection at once, where it can not go on.
        """
        now_ms, address = self.world.now_ms(), peer.link.remote.address
        self.faults.add(peer, now_ms)
        self.notes.tell("peer_fault", peer=peer.name, address=str(IPv4Address(address)), reason=reason)
        if closes or self.faults.is_too_much(peer, now_ms):
            self.close(peer, reason)
        if self.faults.is_address_too_much(address, now_ms):
            self.ban(Ban(address, now_ms + BAN_MS, reason))

    def ban(self, ban: Ban) -> None:
        """Bans an address and drops its connections. When the disk refuses, the ban holds until the next start."""
        try:
            self.bans.add(ban)
        except StoreWriteFailed as error:
            self.world.note("disk_problem", error=str(error), action="the ban holds until the next start")
        for peer in list(self.peers.values()):
            if peer.link.remote.address == ban.address:
                self.drop(peer, f"banned: {ban.reason}")
        self.notes.tell("banned", address=ban.host, reason=ban.reason)
