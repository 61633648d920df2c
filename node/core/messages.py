"""Dispatch table of peer messages: one row per message.

A message that is added to protocol/p2p/messages.py needs a row here, and the handler that the row names.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from node.core.deliveries import Deliveries
from node.core.gossip import Gossip
from node.core.handshake import Handshake
from node.core.inquiries import Inquiries
from node.core.peer import Peer
from node.core.serving import Serving
from node.core.states import Phase
from node.core.sync import Sync
from protocol.p2p import messages as p2p


class Rooms(NamedTuple):
    """The objects whose methods handle messages."""

    handshake: Handshake
    inquiries: Inquiries
    sync: Sync
    serving: Serving
    gossip: Gossip
    deliveries: Deliveries


class MessageRow(NamedTuple):
    """One message: its class, what it costs its sender in units of about 10 microseconds, its phase, its handler.

    The handler takes the peer and the message; for phase ASKED, the peer and the undecoded payload.
    """

    declared: type[Any]
    cost: int
    phase: Phase
    find_handler: Callable[[Rooms], Callable[[Peer, Any], None]]


def _ignore(_peer: Peer, _message: object) -> None:
    """Ignores a message."""


ROWS: Final = (
    MessageRow(p2p.TransactionMessage, 0, Phase.ASKED, lambda to: to.deliveries.on_transaction),
    MessageRow(p2p.BlockMessage, 0, Phase.ASKED, lambda to: to.deliveries.on_block),
    MessageRow(p2p.ItemIdsInventory, 1, Phase.ACTIVE, lambda to: to.gossip.on_offers),
    MessageRow(p2p.BlockchainItemIdsInventory, 1, Phase.ACTIVE, lambda to: to.sync.on_ids),
    MessageRow(p2p.FetchBlockchainItemIds, 1, Phase.HANDSHAKE, lambda to: to.handshake.on_synopsis),
    MessageRow(p2p.FetchItems, 1, Phase.ACTIVE, lambda to: to.serving.on_fetch),
    MessageRow(p2p.ItemNotAvailable, 1, Phase.ACTIVE, lambda to: to.deliveries.on_not_available),
    MessageRow(p2p.Hello, 20, Phase.HANDSHAKE, lambda to: to.handshake.on_hello),
    MessageRow(p2p.ConnectionAccepted, 1, Phase.HANDSHAKE, lambda to: to.handshake.on_accepted),
    MessageRow(p2p.ConnectionRejected, 1, Phase.HANDSHAKE, lambda to: to.handshake.on_rejected),
    MessageRow(p2p.AddressRequest, 50, Phase.HANDSHAKE, lambda to: to.handshake.on_address_request),
    MessageRow(p2p.AddressMessage, 50, Phase.HANDSHAKE, lambda to: to.handshake.on_addresses),
    MessageRow(p2p.ClosingConnection, 1, Phase.HANDSHAKE, lambda to: to.handshake.on_goodbye),
    MessageRow(p2p.CurrentTimeRequest, 1, Phase.HANDSHAKE, lambda to: to.inquiries.on_time_request),
    MessageRow(p2p.CurrentTimeReply, 1, Phase.ACTIVE, lambda to: to.inquiries.on_time_reply),
    MessageRow(p2p.CheckFirewall, 1, Phase.ACTIVE, lambda to: to.inquiries.on_check_firewall),
    MessageRow(p2p.CheckFirewallReply, 1, Phase.NEVER, lambda _to: _ignore),
    MessageRow(p2p.GetCurrentConnectionsRequest, 100, Phase.ACTIVE, lambda to: to.inquiries.on_connections_request),
    MessageRow(p2p.GetCurrentConnectionsReply, 1, Phase.NEVER, lambda _to: _ignore),
)

_BY_CLASS = {row.declared: row for row in ROWS}
ROW_BY_NUMBER: Final = {number: _BY_CLASS[declared] for number, declared in p2p.MESSAGES.items()}
"""Each message's row by its number on the wire; a message without a row fails at import."""
