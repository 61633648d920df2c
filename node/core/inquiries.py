"""Small questions between peers: what time it is, who can be reached, who is connected.

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
"""Over how long the rates of traffic are averages."""

MEASURE_US_MAX = DAY_SECONDS * 1_000_000
"""The greatest clock offset and delay that is believed, since a peer can tell any: one day."""

CLOCK_US_MAX = 1_000_000
"""How far the clocks of peers may be from this one's before the operator is told."""

CLOCK_PEERS_MIN = 3
CLOCK_PAUSE_MS = 600_000
"""How many peers must have told their time, and how long it is not said again."""

USER_DATA_TEXT_MAX = 100
"""The longest text of a peer's user data that is passed on."""


@dataclass(slots=True)
class Measured:
    """What a peer's answers to the question for the time showed, in microseconds."""

    is_told: bool = False
    clock_offset_us: int = 0
    round_trip_us: int = 0


class Inquiries:
    """Answers them, and keeps what the answers tell."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._warned_at_ms: int | None = None

    def on_tick(self, now_ms: int) -> None:
        """Tells the operator when the clocks of most peers differ from this one's; nothing else follows from it."""
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
        """Asks a peer for its clock."""
        self._hub.send(peer, p2p.CurrentTimeRequest(self._now_us()))

    def on_time_request(self, peer: Peer, message: p2p.CurrentTimeRequest) -> None:
        """Tells the clock."""
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
        """How far a peer's clock is ahead, and the round trip to it, in microseconds; 0 before it has told."""
        measured = peer.part(Measured)
        return measured.clock_offset_us, measured.round_trip_us

    def on_check_firewall(self, peer: Peer, message: p2p.CheckFirewall) -> None:
        """This node dials nobody because a peer says so, and answers as the reference does when it can not try.

        Zeros ask for a check of the asker itself.
        """
        node_id, endpoint = message
        if node_id == NO_NODE_ID:
            node_id, endpoint = peer.who.node_id, p2p.Endpoint(peer.link.remote.address, peer.who.inbound_port)
        self._hub.send(peer, p2p.CheckFirewallReply(node_id, endpoint, 0))

    def on_connections_request(self, peer: Peer, _message: p2p.GetCurrentConnectionsRequest) -> None:
        """Tells who is connected, and how busy the connections are."""
        now_ms = self._hub.world.now_ms()
        minute, quarter, hour = (
            self._hub.traffic.rates(seconds, now_ms) for seconds in (MINUTE_SECONDS, 15 * MINUTE_SECONDS, HOUR_SECONDS)
        )
        connections = tuple(_describe_connection(other, now_ms) for other in self._hub.active())
        self._hub.send(peer, p2p.GetCurrentConnectionsReply(*minute, *quarter, *hour, connections))

    def tell_addresses(self, peer: Peer) -> None:
        """Tells who is connected and where each can be dialled."""
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
    """What a peer told of its program, as far as that is short."""
    told = {name: who.user_data.get(name) for name in ("platform", "bitness")} | {"user_agent": who.user_agent}
    return {
        name: value
        for name, value in told.items()
        if isinstance(value, int) or (isinstance(value, str) and len(value) <= USER_DATA_TEXT_MAX)
    }


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)
