"""Counts invalid messages and items by sender, and limits them.

Honest peers relay what their own rules accept, and many nodes may share an address, so one fault bans nobody: it counts
against the connection, the node and the address, each with its own limit.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address

from node.core.peer import Peer
from node.core.tally import Tally

WINDOW_MS = 3_600_000
"""How long a fault counts."""

CONNECTION_FAULTS_MAX = 3
"""Faults at which a connection is closed."""

NODE_FAULTS_MAX = 6
"""Faults at which a node, by the key that signed its hello, is refused for the rest of the window."""

ADDRESS_FAULTS_MAX = 20
"""Faults at which an address is banned, unless it is a loopback address."""


@dataclass(slots=True)
class Record:
    """Fault count of a connection."""

    faults: int = 0


class Faults:
    """Counts faults by connection, node and address."""

    def __init__(self) -> None:
        self._nodes: Tally[bytes] = Tally(WINDOW_MS)
        self._addresses: Tally[int] = Tally(WINDOW_MS)

    def add(self, peer: Peer, now_ms: int) -> None:
        """Counts a fault of a peer."""
        peer.part(Record).faults += 1
        if peer.who.node_key:
            self._nodes.add(peer.who.node_key, now_ms)
        if not is_own_machine(peer.link.remote.address):
            self._addresses.add(peer.link.remote.address, now_ms)

    def is_too_much(self, peer: Peer, now_ms: int) -> bool:
        """Whether a connection, or the node at its other end, has reached its limit."""
        return peer.part(Record).faults >= CONNECTION_FAULTS_MAX or self.is_unwelcome(peer, now_ms)

    def is_unwelcome(self, peer: Peer, now_ms: int) -> bool:
        """Whether the node at the other end has reached its limit, over all its connections."""
        return self._nodes.count(peer.who.node_key, now_ms) >= NODE_FAULTS_MAX

    def is_address_too_much(self, address: int, now_ms: int) -> bool:
        """Whether an address has reached its limit."""
        return self._addresses.count(address, now_ms) >= ADDRESS_FAULTS_MAX


def is_own_machine(address: int) -> bool:
    """Whether an address, as a number, is a loopback address (127.0.0.0/8)."""
    return IPv4Address(address).is_loopback
