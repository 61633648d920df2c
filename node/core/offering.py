"""What this node offers: new blocks and transactions, by the hash of their message, to whoever may lack them.

What is offered to a peer was not offered to it or by it lately, and the peer has caught up with this node's chain.
Only blocks of the main chain are offered: others were not applied, and may be invalid.

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
"""How long transactions are gathered before they are offered together."""

INVENTORY_IDS_MAX = 1_000
"""Hashes in one of our inventories."""

MEMORY_MS = 120_000
"""How long it is remembered what was told to and heard from a peer."""

TOLD_MAX = 10_000
"""Item hashes remembered per peer as told to it, and as many as heard from it."""

PENDING_PAUSE_MS = 20_000
"""How long a peer that was offered all waiting transactions is not offered all of them again."""

AGAIN_MAX = 1_000
"""Transactions that still wait and are offered once more from time to time."""


@dataclass(slots=True)
class Listener:
    """What a peer has been told of."""

    is_behind: bool = True
    """Whether it lacks blocks of ours, as far as it told: then it is offered nothing."""
    told: HashMemory = field(default_factory=lambda: HashMemory(TOLD_MAX))
    heard: HashMemory = field(default_factory=lambda: HashMemory(TOLD_MAX))
    pending_told_at_ms: int | None = None
    """When it was offered all waiting transactions."""


class Offering:
    """Offers items, and keeps them for whoever asks."""

    def __init__(self, hub: Hub, chain: Chain, items: Items, sync: Sync) -> None:
        self._hub = hub
        self._chain = chain
        self._items = items
        self._sync = sync
        self._to_offer: list[bytes] = []
        self._waited: tuple[bytes, ...] = ()
        """Ids of the transactions that waited when it was last looked."""

    def is_behind(self, peer: Peer) -> bool:
        """Whether a peer lacks blocks of ours, as far as it told."""
        return peer.part(Listener).is_behind

    def on_position(self, peer: Peer, is_behind: bool) -> None:
        """A peer told where its chain ends; once it has caught up, it may have missed transactions."""
        listener = peer.part(Listener)
        was_behind, listener.is_behind = listener.is_behind, is_behind
        if was_behind and not is_behind:
            self.offer_pending(peer)

    def on_heard(self, peer: Peer, item: bytes) -> None:
        """A peer has an item: it is not told of it."""
        peer.part(Listener).heard.add(item, self._hub.world.now_ms())

    # Blocks

    def offer_block(self, block: Block, payload: bytes | None = None) -> None:
        """Offers a block of the main chain at once to all who have caught up and are not known to have it.

        `payload` is the message in which it came, if it came in one: it is passed on as it is.
        """
        item = self._keep(p2p.BLOCK_ITEM, payload or block.packed + block.id)
        for peer in self._hub.active():
            if not self._sync.has_last(peer, block.id):
                self._tell(peer, p2p.BLOCK_ITEM, (item,))

    def offer_head(self) -> None:
        """Offers the newest block of the main chain."""
        head = self._chain.reader.find_block_by_id(self._chain.head_id)
        if head is not None:
            self.offer_block(head)

    # Transactions

    def offer_transactions(self, transactions: Iterable[Transaction]) -> None:
        """Offers transactions to all who have caught up, together with others of the same moment."""
        self.gather(transaction.packed_signed for transaction in transactions)

    def gather(self, payloads: Iterable[bytes]) -> None:
        """Offers transactions, given as the messages in which they came, like `offer_transactions`."""
        is_gathering = bool(self._to_offer)
        self._to_offer += (self._keep(p2p.TRANSACTION_ITEM, payload) for payload in payloads)
        if self._to_offer and not is_gathering:  # Later ones do not put off the earlier ones.
            self._hub.world.set_timer(OFFER_TIMER, self._hub.world.now_ms() + GATHER_MS)

    def on_offer(self) -> None:
        """Offers what was gathered."""
        items, self._to_offer = self._to_offer, []
        for peer in self._hub.active():
            self._tell(peer, p2p.TRANSACTION_ITEM, items)

    def offer_pending(self, peer: Peer) -> None:
        """Offers all waiting transactions to a peer, unless it was offered all of them lately."""
        now_ms, told_at_ms = self._hub.world.now_ms(), peer.part(Listener).pending_told_at_ms
        if told_at_ms is not None and 0 <= now_ms - told_at_ms < PENDING_PAUSE_MS:
            return
        peer.part(Listener).pending_told_at_ms = now_ms
        items = [self._keep(p2p.TRANSACTION_ITEM, waiting.packed_signed) for waiting in self._chain.pending]
        self._tell(peer, p2p.TRANSACTION_ITEM, items)

    def offer_again(self) -> None:
        """Offers transactions once more that wait for long: offers can be lost, and so can what was made of them."""
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
        """Forgets what was told and heard long ago."""
        for peer in self._hub.active():
            listener = peer.part(Listener)
            listener.told.forget_before(now_ms - MEMORY_MS)
            listener.heard.forget_before(now_ms - MEMORY_MS)
