"""Received blocks and transactions: matched with requests of synchronisation or gossip before they are decoded."""

from chain.chain import Chain
from node.core.gossip import Gossip
from node.core.hub import Hub
from node.core.peer import Peer
from node.core.sync import Sync
from protocol.errors import Invalid
from protocol.p2p import messages as p2p

LARGE_BLOCK_BYTES = 128 << 10
LARGE_BLOCK_COST = 2_000
"""Cost of a large block that, by the state at the head, its witness did not sign: it takes long to decode."""


class Deliveries:
    """Routes requested items to synchronisation or gossip."""

    def __init__(self, hub: Hub, chain: Chain, sync: Sync, gossip: Gossip) -> None:
        self._hub = hub
        self._chain = chain
        self._sync = sync
        self._gossip = gossip

    def on_block(self, peer: Peer, payload: bytes) -> None:
        """Handles a block. Synchronisation requests it by its id, with which the message ends; gossip by the message's
        hash."""
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
        """Whether gossip requested a block.

        A large block not signed by its witness is decoded, since keys change, but at a high cost.
        """
        if not self._gossip.expects(peer, p2p.message_id(payload)):
            self._hub.close(peer, "You sent me a block that I didn't ask for")
            return False
        is_dear = len(payload) > LARGE_BLOCK_BYTES and not self._chain.switch.has_signed_header(payload)
        reason = "You sent too many large blocks not signed by their witnesses"
        return not is_dear or self._hub.charge(peer, LARGE_BLOCK_COST, reason)

    def on_transaction(self, peer: Peer, payload: bytes) -> None:
        """Handles a transaction, requested by its message's hash."""
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
        """Handles an invalid item that was requested; synchronisation drops its sender."""
        self._gossip.refuse(peer, p2p.message_id(payload), len(payload))
        self._hub.fault(peer, reason, closes=is_sync)

    def on_not_available(self, peer: Peer, message: p2p.ItemNotAvailable) -> None:
        """Handles a peer's answer that it does not have a requested item."""
        self._sync.on_not_available(peer, message.item_hash)
        self._gossip.on_not_available(peer, message.item_hash)
