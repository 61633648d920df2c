"""Small questions between peers: what time it is, who can be reached, who is connected.

Source: libraries/net/node.cpp, on_current_time_reply_message, on_check_firewall_message and
on_get_current_connections_request_message.
"""

from __future__ import annotations

from typing import Any

from node.core.hub import Hub
from node.core.peer import NO_NODE_ID, Peer
from protocol.p2p.messages import (
    AddressInfo,
    CheckFirewall,
    CheckFirewallReply,
    CurrentConnection,
    CurrentTimeReply,
    CurrentTimeRequest,
    Endpoint,
    GetCurrentConnectionsReply,
    GetCurrentConnectionsRequest,
)

MEASURE_US_MAX = 86_400_000_000
"""The greatest clock offset and delay that is believed, since a peer can tell any: one day."""

CLOCK_US_MAX = 1_000_000
"""How far the clocks of peers may be from this one's before the operator is told."""

CLOCK_PEERS_MIN = 3
CLOCK_PAUSE_MS = 600_000
"""How many peers must have told their time, and how long it is not said again."""

USER_DATA_TEXT_MAX = 100
"""The longest text of a peer's user data that is passed on."""


class Inquiries:
    """Answers them, and keeps what the answers tell."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._warned_at_ms: int | None = None

    def on_tick(self, now_ms: int) -> None:
        """Tells the operator when the clocks of most peers differ from this one's; nothing else follows from it."""
        if self._warned_at_ms is not None and 0 <= now_ms - self._warned_at_ms < CLOCK_PAUSE_MS:
            return
        offsets = sorted(peer.clock_offset_us for peer in self._hub.active() if peer.has_told_time)
        if len(offsets) < CLOCK_PEERS_MIN:
            return
        middle = offsets[len(offsets) // 2]
        if abs(middle) > CLOCK_US_MAX:
            self._warned_at_ms = now_ms
            self._hub.world.note("clock_differs", peers=len(offsets), milliseconds=middle // 1000)

    def ask_time(self, peer: Peer) -> None:
        """Asks a peer for its clock."""
        self._hub.send(peer, CurrentTimeRequest(self._now_us()))

    def on_time_request(self, peer: Peer, message: CurrentTimeRequest) -> None:
        """Tells the clock."""
        now_us = self._now_us()
        self._hub.send(peer, CurrentTimeReply(message.request_sent_time, now_us, now_us))

    def on_time_reply(self, peer: Peer, message: CurrentTimeReply) -> None:
        """Measures clock offset and round trip."""
        now_us = self._now_us()
        sent, received, replied = message
        peer.has_told_time = True
        peer.clock_offset_us = _clamp(((received - sent) + (replied - now_us)) // 2, -MEASURE_US_MAX, MEASURE_US_MAX)
        peer.round_trip_us = _clamp((now_us - sent) - (replied - received), 0, MEASURE_US_MAX)

    def on_check_firewall(self, peer: Peer, message: CheckFirewall) -> None:
        """This node dials nobody because a peer says so, and answers as the reference does when it can not try.

        Zeros ask for a check of the asker itself.
        """
        node_id, endpoint = message
        if node_id == NO_NODE_ID and peer.hello is not None:
            node_id, endpoint = peer.node_id, Endpoint(peer.link.remote.address, peer.hello.inbound_port)
        self._hub.send(peer, CheckFirewallReply(node_id, endpoint, 0))

    def on_connections_request(self, peer: Peer, _message: GetCurrentConnectionsRequest) -> None:
        """Tells who is connected, and how busy the connections are."""
        now_ms = self._hub.world.now_ms()
        minute, quarter, hour = (self._hub.traffic.rates(seconds, now_ms) for seconds in (60, 900, 3600))
        connections = tuple(_describe_connection(other, now_ms) for other in self._hub.active())
        self._hub.send(peer, GetCurrentConnectionsReply(*minute, *quarter, *hour, connections))

    def describe_address(self, peer: Peer) -> AddressInfo:
        """A peer as an address message tells it."""
        return AddressInfo(
            peer.listens_at or peer.link.remote,
            self._hub.world.now_ms() // 1000,
            peer.round_trip_us,
            peer.node_id,
            int(peer.direction),
            int(peer.reach),
        )

    def _now_us(self) -> int:
        return self._hub.world.now_ms() * 1000


def _describe_connection(peer: Peer, now_ms: int) -> CurrentConnection:
    return CurrentConnection(
        max(0, now_ms - peer.connected_at_ms) // 1000,
        peer.link.remote,
        peer.node_id,
        peer.clock_offset_us,
        peer.round_trip_us,
        int(peer.direction),
        int(peer.reach),
        _describe_software(peer),
    )


def _describe_software(peer: Peer) -> dict[str, Any]:
    """What a peer told of its program, as far as that is short."""
    if peer.hello is None:
        return {}
    told = {name: peer.hello.user_data.get(name) for name in ("platform", "bitness")}
    told["user_agent"] = peer.hello.user_agent
    return {
        name: value
        for name, value in told.items()
        if isinstance(value, int) or (isinstance(value, str) and len(value) <= USER_DATA_TEXT_MAX)
    }


def _clamp(value: int, low: int, high: int) -> int:
    return min(max(value, low), high)
