"""Which messages are worth decoding: it costs more than sending them, so they are judged by number and size first."""

from __future__ import annotations

from typing import Final

from chain.chain import Chain
from node.core.gossip import Gossip
from node.core.hub import Hub
from node.core.peer import Peer
from protocol.p2p.messages import BLOCK_ITEM, ID_BYTES, MESSAGES, TRANSACTION_ITEM, message_id

COSTS: Final = {5006: 20, 5009: 50, 5010: 50, 5016: 100}
"""What messages cost who sends them, by number; others cost 1, and items that were asked for nothing."""

BYTES_PER_COST = 1_024
"""How many bytes of a message cost one unit more."""

EARLY_NUMBERS = frozenset({5003, 5006, 5007, 5008, 5009, 5010, 5011, 5012})
"""Messages that are looked at before the handshake is done."""

UNASKED_NUMBERS = frozenset({5015, 5017})
"""Answers to questions that this node never asks; they are not even decoded."""

CLOSING_NUMBER = 5011
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
        if number == BLOCK_ITEM:
            return self._admits_block(peer, payload)
        if number == TRANSACTION_ITEM:
            return self._admits_transaction(peer, payload)
        if not peer.charge(COSTS.get(number, 1) + len(payload) // BYTES_PER_COST, peer.received_at_ms):
            self._hub.close(peer, "You ask for too much in too short a time")
            return False
        if number == CLOSING_NUMBER and len(payload) > CLOSING_BYTES_MAX:
            self._hub.drop(peer, "it closes, and tells a long story")
            return False
        return number not in UNASKED_NUMBERS and (peer.is_active or number in EARLY_NUMBERS or number not in MESSAGES)

    def _admits_block(self, peer: Peer, payload: bytes) -> bool:
        """Whether a block was asked for.

        Near the head a large one that its witness did not sign is dear: it is decoded, as keys change, but not often.
        """
        if payload[-ID_BYTES:] in peer.blocks_asked:
            return True
        if message_id(payload) not in peer.items_asked:
            self._hub.close(peer, "You sent me a block that I didn't ask for")
            return False
        is_dear = len(payload) > LARGE_BLOCK_BYTES and not self._chain.has_signed_header(payload)
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
            self._gossip.refuse(peer, item)
            return False
        return True
