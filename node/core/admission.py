"""Which messages are worth decoding: it costs more than sending them, so they are judged by number and size first."""

from __future__ import annotations

from chain.chain import Chain
from node.core.gossip import Gossip
from node.core.hub import Hub
from node.core.messages import ROW_BY_NUMBER, Phase
from node.core.peer import Peer
from protocol.p2p.messages import BLOCK_ITEM, ID_BYTES, ClosingConnection, message_id

BYTES_PER_COST = 1_024
"""How many bytes of a message cost one unit more; items that were asked for cost nothing."""

UNKNOWN_COST = 1
"""What a message of a number costs that this version does not know."""

CLOSING_BYTES_MAX = 65_536
"""A goodbye that is longer is taken for one without being decoded."""

LARGE_BLOCK_BYTES = 128 << 10
LARGE_BLOCK_COST = 2_000
"""What a larger block costs, which takes long to decode, if its witness did not sign it as far as the head's state
knows."""


class Admission:
    """Judges messages; what is bad closes the connection."""

    def __init__(self, hub: Hub, chain: Chain, gossip: Gossip) -> None:
        self._hub = hub
        self._chain = chain
        self._gossip = gossip

    def admits(self, peer: Peer, number: int, payload: bytes) -> bool:
        """Whether a message is to be decoded."""
        row = ROW_BY_NUMBER.get(number)
        if row is not None and row.phase is Phase.ASKED:
            return (
                self._admits_block(peer, payload) if number == BLOCK_ITEM else self._admits_transaction(peer, payload)
            )
        cost = UNKNOWN_COST if row is None else row.cost
        if not peer.charge(cost + len(payload) // BYTES_PER_COST, peer.received_at_ms):
            self._hub.close(peer, "You ask for too much in too short a time")
            return False
        if row is None:
            return True
        if row.declared is ClosingConnection and len(payload) > CLOSING_BYTES_MAX:
            self._hub.drop(peer, "it closes, and tells a long story")
            return False
        return row.phase <= (Phase.ACTIVE if peer.is_active else Phase.HANDSHAKE)

    def _admits_block(self, peer: Peer, payload: bytes) -> bool:
        """Whether a block was asked for.

        Near the head a large one that its witness did not sign is dear: it is decoded, as keys change, but not often.
        """
        if payload[-ID_BYTES:] in peer.blocks_asked:
            return True
        if message_id(payload) not in peer.items_asked:
            self._hub.close(peer, "You sent me a block that I didn't ask for")
            return False
        is_dear = len(payload) > LARGE_BLOCK_BYTES and not self._chain.switch.has_signed_header(payload)
        if is_dear and not peer.charge(LARGE_BLOCK_COST, peer.received_at_ms):
            self._hub.close(peer, "You sent me too many large blocks that their witnesses did not sign")
            return False
        return True

    def _admits_transaction(self, peer: Peer, payload: bytes) -> bool:
        item = message_id(payload)
        if item not in peer.items_asked:
            self._hub.close(peer, "You sent me a message that I didn't request")
            return False
        if len(payload) > self._chain.ctx.gpo.maximum_block_size:
            self._gossip.refuse(peer, item, len(payload))
            return False
        return True
