"""Inbound connections: limits per address and subnet, and which peer is evicted when all slots are taken."""

from dataclasses import dataclass

from node.core.faults import is_own_machine
from node.core.hub import Hub
from node.core.peer import Direction, Peer
from node.core.settings import NetworkSettings
from node.core.world import Link

GRACE_MS = 120_000
"""Grace period in which a new connection is not evicted, though it has relayed nothing new yet."""

NEWS_MS = 300_000
"""Period over which new items are counted; the current and the previous period count."""


@dataclass(slots=True)
class News:
    """Number of blocks and transactions a peer was the first to relay, in the current and the previous period."""

    now: int = 0
    before: int = 0


def count_news(peer: Peer) -> None:
    """Counts a block or transaction that a peer was the first to relay."""
    peer.part(News).now += 1


class Guests:
    """The inbound connections; outbound ones are not counted."""

    def __init__(self, hub: Hub, settings: NetworkSettings) -> None:
        self._hub = hub
        self._settings = settings
        self._news_at_ms = hub.world.now_ms()

    def are_crowded(self, link: Link) -> bool:
        """Whether an IP address or its /24 subnet has too many connections."""
        address = link.remote.address
        if link.is_outbound or is_own_machine(address):
            return False
        others = [peer.link.remote.address for peer in self._hub.peers.values() if not peer.link.is_outbound]
        return (
            others.count(address) >= self._settings.per_address_max
            or [subnet_of(other) for other in others].count(subnet_of(address)) >= self._settings.per_subnet_max
        )

    def make_room(self, peer: Peer) -> bool:
        """Whether there is room for a new peer; evicts the peer that relayed the fewest new items.

        Of several such peers, the one connected last is evicted.
        """
        if peer.link.is_outbound:
            return True
        guests = [other for other in self._hub.peers.values() if _is_guest(other) and other is not peer]
        if len(guests) < self._settings.connections_max:
            return True
        before_ms = self._hub.world.now_ms() - GRACE_MS
        old = [guest for guest in guests if guest.connected_at_ms <= before_ms]
        if not old:
            return False
        least = min(old, key=lambda guest: (guest.part(News).now + guest.part(News).before, -guest.connection))
        self._hub.close(least, "All slots are taken, and you relayed the fewest new items", is_error=False)
        return True

    def on_tick(self, now_ms: int) -> None:
        """Starts a new counting period when one is over."""
        if 0 <= now_ms - self._news_at_ms < NEWS_MS:
            return
        self._news_at_ms = now_ms
        for peer in self._hub.peers.values():
            news = peer.part(News)
            news.before, news.now = news.now, 0


def subnet_of(address: int) -> int:
    """Returns the first 24 bits of an IPv4 address, as one owner often has the whole /24."""
    return address >> 8


def _is_guest(peer: Peer) -> bool:
    return peer.direction is Direction.INBOUND and peer.is_accepted
