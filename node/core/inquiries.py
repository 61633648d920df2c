"""Small requests between peers: clock, firewall check, current connections.

Source: libraries/net/node.cpp, on_current_time_reply_message, on_check_firewall_message and
on_get_current_connections_request_message.
"""

from dataclasses import dataclass
from typing import Any

from node.core.hub import Hub
from node.core.peer import NO_NODE_ID, Introduction, Peer
from protocol.p2p import messages as p2p
from protocol.units import DAY_SECONDS, HOUR_SECONDS, MINUTE_SECONDS

RATE_SECONDS = (MINUTE_SECONDS, 15 * MINUTE_SECONDS, HOUR_SECONDS)
"""Periods over which traffic rates are averaged."""

MEASURE_US_MAX = DAY_SECONDS * 1_000_000
"""Maximum clock offset and delay that is accepted from a peer: one day."""

CLOCK_US_MAX = 1_000_000
"""Maximum clock offset of peers before the operator is warned."""

CLOCK_PEERS_MIN = 3
CLOCK_PAUSE_MS = 600_000
"""Minimum number of measured peers for a warning, and the pause between two warnings."""

USER_DATA_TEXT_MAX = 100
"""Maximum length of a text from a peer's user data that is passed on."""


@dataclass(slots=True)
class Measured:
    """Clock offset and delay of a peer, in microseconds."""

    is_told: bool = False
    clock_offset_us: int = 0
    round_trip_us: int = 0


class Inquiries:
    """Answers these requests, and stores the measurements."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._warned_at_ms: int | None = None

    def on_tick(self, now_ms: int) -> None:
        """Warns the operator when the clocks of most peers differ from this one's; the clock is not changed."""
        if self._warned_at_ms is not None and 0 <= now_ms - self._warned_at_ms < CLOCK_PAUSE_MS:
            return
        measured = (peer.part(Measured) for peer in self._hub.active())
        offsets = sorted(one.clock_offset_us for one in measured if one.is_told)
        if len(offsets) < CLOCK_PEERS_MIN:
            return
        middle = offsets[len(offsets) // 2]
        if abs(middle) > CLOCK_US_MAX:
            self._warned_at_ms = now_ms
            self._hub.world.note("clock_differs", peers=len(offsets), milliseconds=middle // 1000)

    def ask_time(self, peer: Peer) -> None:
        """Requests a peer's time."""
        self._hub.send(peer, p2p.CurrentTimeRequest(self._now_us()))

    def on_time_request(self, peer: Peer, message: p2p.CurrentTimeRequest) -> None:
        """Answers a time request."""
        now_us = self._now_us()
        self._hub.send(peer, p2p.CurrentTimeReply(message.request_sent_time, now_us, now_us))

    def on_time_reply(self, peer: Peer, message: p2p.CurrentTimeReply) -> None:
        """Measures clock offset and round trip."""
        now_us = self._now_us()
        sent, received, replied = message
        offset_us = _clamp(((received - sent) + (replied - now_us)) // 2, -MEASURE_US_MAX, MEASURE_US_MAX)
        measured = peer.part(Measured)
        measured.is_told, measured.clock_offset_us = True, offset_us
        measured.round_trip_us = _clamp((now_us - sent) - (replied - received), 0, MEASURE_US_MAX)

    def measured(self, peer: Peer) -> tuple[int, int]:
        """Returns a peer's clock offset and round-trip delay in microseconds; 0 before the first answer."""
        measured = peer.part(Measured)
        return measured.clock_offset_us, measured.round_trip_us

    def on_check_firewall(self, peer: Peer, message: p2p.CheckFirewall) -> None:
        """Answers like a reference node that cannot check: this node does not dial an address on a peer's request.

        An address of zeros asks for a check of the requesting peer.
        """
        node_id, endpoint = message
        if node_id == NO_NODE_ID:
            node_id, endpoint = peer.who.node_id, p2p.Endpoint(peer.link.remote.address, peer.who.inbound_port)
        self._hub.send(peer, p2p.CheckFirewallReply(node_id, endpoint, 0))

    def on_connections_request(self, peer: Peer, _message: p2p.GetCurrentConnectionsRequest) -> None:
        """Answers with the connected peers and traffic rates."""
        now_ms = self._hub.world.now_ms()
        minute, quarter, hour = (
            self._hub.traffic.rates(seconds, now_ms) for seconds in (MINUTE_SECONDS, 15 * MINUTE_SECONDS, HOUR_SECONDS)
        )
        connections = tuple(_describe_connection(other, now_ms) for other in self._hub.active())
        self._hub.send(peer, p2p.GetCurrentConnectionsReply(*minute, *quarter, *hour, connections))

    def tell_addresses(self, peer: Peer) -> None:
        """Sends the connected peers and their dialling addresses."""
        self._hub.send(peer, p2p.AddressMessage(tuple(map(self._describe_address, self._hub.active()))))

    def _describe_address(self, peer: Peer) -> p2p.AddressInfo:
        return p2p.AddressInfo(
            peer.who.listens_at or peer.link.remote,
            self._hub.world.now_ms() // 1000,
            peer.part(Measured).round_trip_us,
            peer.who.node_id,
            int(peer.direction),
            int(peer.who.reach),
        )

    def _now_us(self) -> int:
        return self._hub.world.now_ms() * 1000


def _describe_connection(peer: Peer, now_ms: int) -> p2p.CurrentConnection:
    return p2p.CurrentConnection(
        max(0, now_ms - peer.connected_at_ms) // 1000,
        peer.link.remote,
        peer.who.node_id,
        peer.part(Measured).clock_offset_us,
        peer.part(Measured).round_trip_us,
        int(peer.direction),
        int(peer.who.reach),
        _describe_software(peer.who),
    )


def _describe_software(who: Introduction) -> dict[str, Any]:
    """Returns a peer's platform and user agent as it states them, without long texts."""
    told = {name: who.user_data.get(name) for name in ("platform", "bitness")} | {"user_agent": who.user_agent}
    return {
        name: value
        for name, value in told.items()
        if isinstance(value, int) or (isinstance(value, str) and len(value) <= USER_DATA_TEXT_MAX)
    }


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)
