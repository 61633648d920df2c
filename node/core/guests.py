"""Those who dial this node: how many of them there may be, from where, and who goes when there is no more room."""

from dataclasses import dataclass

from node.core.faults import is_own_machine
from node.core.hub import Hub
from node.core.peer import Direction, Peer
from node.core.settings import NetworkSettings
from node.core.world import Link

GRACE_MS = 120_000
"""How long a connection has time to bring something new before it may have to make room."""

NEWS_MS = 300_000
"""What a peer brought counts for this long, and for as long again."""


@dataclass(slots=True)
class News:
    """How many blocks and transactions a peer was the first to bring, in these minutes and in those before them."""

    now: int = 0
    before: int = 0


def count_news(peer: Peer) -> None:
    """A peer was the first to bring a block or transaction."""
    peer.part(News).now += 1


class Guests:
    """The inbound connections. Those that this node dials are not counted with them."""

    def __init__(self, hub: Hub, settings: NetworkSettings) -> None:
        self._hub = hub
        self._settings = settings
        self._news_at_ms = hub.world.now_ms()

    def are_crowded(self, link: Link) -> bool:
        """Whether one IP address, or its neighbourhood, has too many connections here."""
        address = link.remote.address
        if link.is_outbound or is_own_machine(address):
            return False
        others = [peer.link.remote.address for peer in self._hub.peers.values() if not peer.link.is_outbound]
        return (
            others.count(address) >= self._settings.per_address_max
            or [subnet_of(other) for other in others].count(subnet_of(address)) >= self._settings.per_subnet_max
        )

    def make_room(self, peer: Peer) -> bool:
        """Whether there is room for a peer that says hello: the one goes that brought least that was new.

        Of those that brought as little, the one goes that came last.
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
        self._hub.close(least, "I make room for others, and you brought least that was new", is_error=False)
        return True

    def on_tick(self, now_ms: int) -> None:
        """Forgets what peers brought long ago."""
        if 0 <= now_ms - self._news_at_ms < NEWS_MS:
            return
        self._news_at_ms = now_ms
        for peer in self._hub.peers.values():
            news = peer.part(News)
            news.before, news.now = news.now, 0


def subnet_of(address: int) -> int:
    """The first 24 bits of an IPv4 address: whoever has one address of them often has them all."""
    return address >> 8


def _is_guest(peer: Peer) -> bool:
    return peer.direction is Direction.INBOUND and peer.is_accepted
