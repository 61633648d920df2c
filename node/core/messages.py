"""What this node does with each message of peers: one row a message.

A message that is added to protocol/p2p/messages.py needs a row here, and the handler that the row names.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from protocol.p2p.messages import (
    MESSAGES,
    AddressMessage,
    AddressRequest,
    BlockchainItemIdsInventory,
    BlockMessage,
    CheckFirewall,
    CheckFirewallReply,
    ClosingConnection,
    ConnectionAccepted,
    ConnectionRejected,
    CurrentTimeReply,
    CurrentTimeRequest,
    FetchBlockchainItemIds,
    FetchItems,
    GetCurrentConnectionsReply,
    GetCurrentConnectionsRequest,
    Hello,
    ItemIdsInventory,
    ItemNotAvailable,
    TransactionMessage,
)

if TYPE_CHECKING:
    from node.core.network import Network
    from node.core.peer import Peer


class Phase(IntEnum):
    """From when on a message is looked at."""

    HANDSHAKE = 0
    """From the first moment."""
    ACTIVE = 1
    """Once the handshake is done."""
    ASKED = 2
    """If this node asked for it, by its hash or id."""
    NEVER = 3
    """It answers a question that this node never asks, and is not even decoded."""


Handler = Callable[["Network", "Peer", Any, bytes], None]
"""Takes the network, the peer, the message and its payload."""


class MessageRow(NamedTuple):
    """One message: its class, what it costs its sender in units of about 10 microseconds, its phase, its handler."""

    declared: type[Any]
    cost: int
    phase: Phase
    handle: Handler


def _leave(_on: Network, _peer: Peer, _message: Any, _payload: bytes) -> None:
    """Nothing is done with it."""


ROWS: Final = (
    MessageRow(TransactionMessage, 0, Phase.ASKED, lambda on, peer, it, payload: on.on_transaction(peer, it, payload)),
    MessageRow(BlockMessage, 0, Phase.ASKED, lambda on, peer, it, payload: on.on_block(peer, it, payload)),
    MessageRow(ItemIdsInventory, 1, Phase.ACTIVE, lambda on, peer, it, _: on.gossip.on_offers(peer, it)),
    MessageRow(BlockchainItemIdsInventory, 1, Phase.ACTIVE, lambda on, peer, it, _: on.sync.on_ids(peer, it)),
    MessageRow(FetchBlockchainItemIds, 1, Phase.HANDSHAKE, lambda on, peer, it, _: on.on_synopsis(peer, it)),
    MessageRow(FetchItems, 1, Phase.ACTIVE, lambda on, peer, it, _: on.gossip.on_fetch(peer, it)),
    MessageRow(ItemNotAvailable, 1, Phase.ACTIVE, lambda on, peer, it, _: on.on_not_available(peer, it)),
    MessageRow(Hello, 20, Phase.HANDSHAKE, lambda on, peer, it, _: on.on_hello(peer, it)),
    MessageRow(ConnectionAccepted, 1, Phase.HANDSHAKE, lambda on, peer, _it, _: on.on_accepted(peer)),
    MessageRow(ConnectionRejected, 1, Phase.HANDSHAKE, lambda on, peer, it, _: on.on_rejected(peer, it)),
    MessageRow(AddressRequest, 50, Phase.HANDSHAKE, lambda on, peer, _it, _: on.on_address_request(peer)),
    MessageRow(AddressMessage, 50, Phase.HANDSHAKE, lambda on, peer, it, _: on.on_addresses(peer, it)),
    MessageRow(ClosingConnection, 1, Phase.HANDSHAKE, lambda on, peer, it, _: on.on_goodbye(peer, it)),
    MessageRow(CurrentTimeRequest, 1, Phase.HANDSHAKE, lambda on, peer, it, _: on.inquiries.on_time_request(peer, it)),
    MessageRow(CurrentTimeReply, 1, Phase.ACTIVE, lambda on, peer, it, _: on.inquiries.on_time_reply(peer, it)),
    MessageRow(CheckFirewall, 1, Phase.ACTIVE, lambda on, peer, it, _: on.inquiries.on_check_firewall(peer, it)),
    MessageRow(CheckFirewallReply, 1, Phase.NEVER, _leave),
    MessageRow(
        GetCurrentConnectionsRequest,
        100,
        Phase.ACTIVE,
        lambda on, peer, it, _: on.inquiries.on_connections_request(peer, it),
    ),
    MessageRow(GetCurrentConnectionsReply, 1, Phase.NEVER, _leave),
)

_BY_CLASS = {row.declared: row for row in ROWS}
ROW_BY_NUMBER: Final = {number: _BY_CLASS[declared] for number, declared in MESSAGES.items()}
"""Every message's row by its number on the wire; a message without a row fails here."""
