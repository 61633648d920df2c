"""Blocks and transactions that come: whether they were asked for, by synchronisation or by gossip, before decoding."""

from chain.chain import Chain
from node.core.gossip import Gossip
from node.core.hub import Hub
from node.core.peer import Peer
from node.core.sync import Sync
from protocol.errors import Invalid
from protocol.p2p import messages as p2p

LARGE_BLOCK_BYTES = 128 << 10
LARGE_BLOCK_COST = 2_000
"""What a larger block costs, which takes long to decode, if its witness did not sign it as far as the head's state
knows."""


class Deliveries:
    """Hands what was asked for to whoever asked."""

    def __init__(self, hub: Hub, chain: Chain, sync: Sync, gossip: Gossip) -> None:
        self._hub = hub
        self._chain = chain
        self._sync = sync
        self._gossip = gossip

    def on_block(self, peer: Peer, payload: bytes) -> None:
        """A block: synchronisation asks for its id, with which the message ends; gossip for the message's hash."""
        is_sync = self._sync.expects(peer, payload[-p2p.ID_BYTES :])
        if not (is_sync or self._admits_block(peer, payload)):
            return
        message = self._decode(peer, p2p.BLOCK_ITEM, payload, is_sync)
        if not isinstance(message, p2p.BlockMessage):
            return
        if message.block.id != message.block_id:
            self._refuse(peer, payload, "You sent me a block with an id that is not its own", is_sync)
        elif is_sync:
            self._sync.on_block(peer, message.block)
        else:
            self._gossip.on_item(peer, p2p.message_id(payload), message, payload)

    def _admits_block(self, peer: Peer, payload: bytes) -> bool:
        """Whether gossip asked for a block.

        A large one that its witness did not sign is dear: it is decoded, as keys change, but not often.
        """
        if not self._gossip.expects(peer, p2p.message_id(payload)):
            self._hub.close(peer, "You sent me a block that I didn't ask for")
            return False
        is_dear = len(payload) > LARGE_BLOCK_BYTES and not self._chain.switch.has_signed_header(payload)
        reason = "You sent me too many large blocks that their witnesses did not sign"
        return not is_dear or self._hub.charge(peer, LARGE_BLOCK_COST, reason)

    def on_transaction(self, peer: Peer, payload: bytes) -> None:
        """A transaction, by its message's hash."""
        item = p2p.message_id(payload)
        if not self._gossip.expects(peer, item):
            self._hub.close(peer, "You sent me a message that I didn't request")
        elif len(payload) > self._chain.ctx.gpo.maximum_block_size:
            self._gossip.refuse(peer, item, len(payload))
        else:
            message = self._decode(peer, p2p.TRANSACTION_ITEM, payload, is_sync=False)
            if isinstance(message, p2p.TransactionMessage):
                self._gossip.on_item(peer, item, message, payload)

    def _decode(self, peer: Peer, number: int, payload: bytes, is_sync: bool) -> p2p.Message | None:
        """Returns None for what cannot be decoded."""
        try:
            return p2p.unpack_message(self._hub.codec, number, payload)
        except Invalid as error:
            self._hub.notes.tell("malformed_message", peer=peer.name, number=number, error=error.message)
            self._refuse(peer, payload, "You sent a message that can not be decoded", is_sync)
            return None

    def _refuse(self, peer: Peer, payload: bytes, reason: str, is_sync: bool) -> None:
        """Something that was asked for is wrong; synchronisation cannot go on with its sender."""
        self._gossip.refuse(peer, p2p.message_id(payload), len(payload))
        self._hub.fault(peer, reason, closes=is_sync)

    def on_not_available(self, peer: Peer, message: p2p.ItemNotAvailable) -> None:
        """A peer does not have what it was asked for."""
        self._sync.on_not_available(peer, message.item_hash)
        self._gossip.on_not_available(peer, message.item_hash)
