"""Network statistics for status pages and metrics, taken at one moment."""

from typing import NamedTuple

from node.core.addresses import Ban
from protocol.p2p.messages import Endpoint


class PeerFigures(NamedTuple):
    """Statistics of one peer. Durations in seconds, offset and delay in microseconds; `is_active` once the handshake is
    done."""

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


class PeerCounts(NamedTuple):
    """Number of peers by direction."""

    inbound: int
    outbound: int


class NetworkFigures(NamedTuple):
    """Statistics of the network: peers in order of connection, and bytes of messages since the start."""

    peers: tuple[PeerFigures, ...]
    missing_blocks: int
    listens_at: Endpoint | None
    known_addresses: int
    bans: tuple[Ban, ...]
    sent_bytes: int
    received_bytes: int

    @property
    def active(self) -> PeerCounts:
        """The peers whose handshake is done."""
        directions = [peer.direction for peer in self.peers if peer.is_active]
        return PeerCounts(directions.count("inbound"), directions.count("outbound"))
