"""Announces new blocks and transactions, by the hash of their message, to peers that may not have them.

An item is announced to a peer that is in sync and that has neither announced it nor been told about it recently. Only
blocks of the main chain are announced: others were not applied, and may be invalid.

Source: libraries/net/node.cpp, advertise_inventory_loop.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from chain.chain import Chain
from node.core.hub import Hub
from node.core.items import HashMemory, Items
from node.core.peer import Peer
from node.core.sync import Sync
from protocol.block import Block
from protocol.p2p import messages as p2p
from protocol.transaction import Transaction

OFFER_TIMER = "offer"

GATHER_MS = 50
"""How long transactions are gathered before they are announced together."""

INVENTORY_IDS_MAX = 1_000
"""Maximum number of hashes in an inventory message of this node."""

MEMORY_MS = 120_000
"""How long the items announced to and by a peer are remembered."""

TOLD_MAX = 10_000
"""Maximum number of hashes remembered per peer as announced to it, and also as announced by it."""

PENDING_PAUSE_MS = 20_000
"""Minimum time between two announcements of all pending transactions to a peer."""

AGAIN_MAX = 1_000
"""Maximum number of pending transactions that are announced again in one interval."""


@dataclass(slots=True)
class Listener:
    """Announcement state of a peer."""

    is_behind: bool = True
    """Whether the peer is known to lack blocks of this node; if so, nothing is announced to it."""
    told: HashMemory = field(default_factory=lambda: HashMemory(TOLD_MAX))
    heard: HashMemory = field(default_factory=lambda: HashMemory(TOLD_MAX))
    pending_told_at_ms: int | None = None
    """When all pending transactions were last announced to it."""


class Offering:
    """Announces items, and caches them for peers that request them."""

    def __init__(self, hub: Hub, chain: Chain, items: Items, sync: Sync) -> None:
        self._hub = hub
        self._chain = chain
        self._items = items
        self._sync = sync
        self._to_offer: list[bytes] = []
        self._waited: tuple[bytes, ...] = ()
        """Ids of the transactions that were pending at the last check."""

    def is_behind(self, peer: Peer) -> bool:
        """Whether a peer is known to lack blocks of this node."""
        return peer.part(Listener).is_behind

    def on_position(self, peer: Peer, is_behind: bool) -> None:
        """Handles a peer's position in the chain; once it is in sync, pending transactions it may have missed are
        announced."""
        listener = peer.part(Listener)
        was_behind, listener.is_behind = listener.is_behind, is_behind
        if was_behind and not is_behind:
            self.offer_pending(peer)

    def on_heard(self, peer: Peer, item: bytes) -> None:
        """Records that a peer has an item, so that it is not announced to it."""
        peer.part(Listener).heard.add(item, self._hub.world.now_ms())

    # Blocks

    def offer_block(self, block: Block, payload: bytes | None = None) -> None:
        """Announces a block of the main chain at once to all peers in sync that are not known to have it.

        `payload` is the message it was received in, if any: it is relayed unchanged.
        """
        item = self._keep(p2p.BLOCK_ITEM, payload or block.packed + block.id)
        for peer in self._hub.active():
            if not self._sync.has_last(peer, block.id):
                self._tell(peer, p2p.BLOCK_ITEM, (item,))

    def offer_head(self) -> None:
        """Announces the head block."""
        head = self._chain.reader.find_block_by_id(self._chain.head_id)
        if head is not None:
            self.offer_block(head)

    # Transactions

    def offer_transactions(self, transactions: Iterable[Transaction]) -> None:
        """Announces transactions to all peers in sync, batched with others of the same moment."""
        self.gather(transaction.packed_signed for transaction in transactions)

    def gather(self, payloads: Iterable[bytes]) -> None:
        """Announces transactions, given as encoded messages, like `offer_transactions`."""
        is_gathering = bool(self._to_offer)
        self._to_offer += (self._keep(p2p.TRANSACTION_ITEM, payload) for payload in payloads)
        if self._to_offer and not is_gathering:  # Later transactions do not delay earlier ones.
            self._hub.world.set_timer(OFFER_TIMER, self._hub.world.now_ms() + GATHER_MS)

    def on_offer(self) -> None:
        """Announces the gathered transactions."""
        items, self._to_offer = self._to_offer, []
        for peer in self._hub.active():
            self._tell(peer, p2p.TRANSACTION_ITEM, items)

    def offer_pending(self, peer: Peer) -> None:
        """Announces all pending transactions to a peer, unless that was done recently."""
        now_ms, told_at_ms = self._hub.world.now_ms(), peer.part(Listener).pending_told_at_ms
        if told_at_ms is not None and 0 <= now_ms - told_at_ms < PENDING_PAUSE_MS:
            return
        peer.part(Listener).pending_told_at_ms = now_ms
        items = [self._keep(p2p.TRANSACTION_ITEM, waiting.packed_signed) for waiting in self._chain.pending]
        self._tell(peer, p2p.TRANSACTION_ITEM, items)

    def offer_again(self) -> None:
        """Announces long-pending transactions again, as announcements, or blocks that held them, can be lost."""
        waited = set(self._waited)
        again = [waiting for waiting in self._chain.pending if waiting.id in waited][:AGAIN_MAX]
        for transaction in again:
            item = p2p.message_id(transaction.packed_signed)
            for peer in self._hub.active():
                peer.part(Listener).told.discard(item)
        self.offer_transactions(again)
        self._waited = tuple(waiting.id for waiting in self._chain.pending)

    def _keep(self, number: int, payload: bytes) -> bytes:
        return self._items.keep(number, payload, self._hub.world.now_ms())

    def _tell(self, peer: Peer, item_type: int, items: Iterable[bytes]) -> None:
        listener, now_ms = peer.part(Listener), self._hub.world.now_ms()
        if listener.is_behind:
            return
        news = [item for item in items if item not in listener.told and item not in listener.heard]
        for item in news:
            listener.told.add(item, now_ms)
        for start in range(0, len(news), INVENTORY_IDS_MAX):
            self._hub.send(peer, p2p.ItemIdsInventory(item_type, tuple(news[start : start + INVENTORY_IDS_MAX])))

    def on_tick(self, now_ms: int) -> None:
        """Expires old announcements."""
        for peer in self._hub.active():
            listener = peer.part(Listener)
            listener.told.forget_before(now_ms - MEMORY_MS)
            listener.heard.forget_before(now_ms - MEMORY_MS)
