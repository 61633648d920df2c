"""Gossip: what peers offer by its hash is fetched from one of them, taken in, and offered on.

Source: libraries/net/node.cpp, on_item_ids_inventory_message, fetch_items_loop, process_ordinary_message and
process_block_during_normal_operation.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from chain.chain import Chain
from node.core.guests import count_news
from node.core.hub import Hub
from node.core.intake import Intake, TooEarly
from node.core.items import Items
from node.core.offering import Offering
from node.core.peer import DOUBTFUL_BYTES_PER_COST, Peer
from node.core.requests import Requests
from node.core.sync import Sync
from protocol.block import Block
from protocol.errors import BlockLinkError, ProtocolError
from protocol.p2p import messages as p2p
from protocol.transaction import Transaction

OFFERS_MAX = {p2p.BLOCK_ITEM: 200, p2p.TRANSACTION_ITEM: 10_000}
"""Items of each type that a peer offered and that wait to be fetched; further ones are not heard."""

ANSWER_MS_MAX = 6_000
"""A peer that owes an item for so long is dropped. Source: node_configuration.hpp."""

OFFER_MS_MAX = 60_000
"""Items that were offered so long ago are not fetched any more: 20 blocks, as in the reference."""

SEEN_MS = 30_000
"""How long an item that was had, or that was refused, is not fetched again."""

PATIENCE_MS = 1_000
"""A peer that owes an item for so long may still send it, but another one that offers it is asked, too: whoever only
offers blocks must not keep them from spreading."""

REFUSED_COST = 10
SIGNATURE_COST = 6
"""What it costs a peer to send something that is refused, and each signature in it; its bytes are counted, too."""

BLOCKS_OFFERED_MAX = 10
"""Of the blocks that were applied at once, the newest ones are offered."""


Delivered = p2p.BlockMessage | p2p.TransactionMessage


@dataclass(slots=True)
class Offers:
    """What a peer has, by item type: hashes, with the time they were heard of."""

    by_type: dict[int, OrderedDict[bytes, int]] = field(
        default_factory=lambda: {item_type: OrderedDict() for item_type in OFFERS_MAX}
    )


class Gossip:
    """What is fetched from whom, and what becomes of it."""

    def __init__(self, hub: Hub, chain: Chain, intake: Intake, items: Items, sync: Sync, offering: Offering) -> None:
        self._hub = hub
        self._chain = chain
        self._intake = intake
        self._items = items
        self._sync = sync
        self._offering = offering
        self._requests = Requests()

    def expects(self, peer: Peer, item: bytes) -> bool:
        """Whether a peer was asked for an item and owes it."""
        return item in self._requests.owed(peer)

    # Fetching

    def on_offers(self, peer: Peer, message: p2p.ItemIdsInventory) -> None:
        """A peer has items: those that are new are fetched, from it or from another that has them."""
        offers = peer.part(Offers).by_type.get(message.item_type)
        if offers is None:
            return
        now_ms, count_max = self._hub.world.now_ms(), OFFERS_MAX[message.item_type]
        for item in message.item_hashes_available[:count_max]:
            self._offering.on_heard(peer, item)
            if item not in self._items.seen and item not in offers and len(offers) < count_max:
                offers[item] = now_ms
        self._fetch_from(peer)

    def fetch(self) -> None:
        """Asks every peer for what it offered, if nobody else was asked for it."""
        for peer in self._hub.active():
            self._fetch_from(peer)

    def _fetch_from(self, peer: Peer) -> None:
        """Asks for the blocks that a peer offered at once, and for its transactions when it has sent the last ones.

        While this node lacks blocks of the peer, synchronisation fetches them, and transactions would not fit yet.
        """
        if self._sync.lacks_blocks_of(peer) or self._chain.finality.write_problem is not None:
            return
        owed = self._requests.owed(peer)
        if len(owed) < peer.who.fetch_max:
            self._ask(peer, p2p.BLOCK_ITEM)
        if not owed and peer.is_cheap:
            self._ask(peer, p2p.TRANSACTION_ITEM)

    def _ask(self, peer: Peer, item_type: int) -> None:
        offers = peer.part(Offers).by_type[item_type]
        wanted: list[bytes] = []
        for item in list(offers):
            if item in self._items.seen:
                del offers[item]
            elif item not in self._requests:
                wanted.append(item)
                if len(wanted) == peer.who.fetch_max:
                    break
        if not wanted:
            return
        for item in wanted:
            del offers[item]
        self._requests.add(peer, dict.fromkeys(wanted), self._hub.world.now_ms())
        self._hub.send(peer, p2p.FetchItems(item_type, tuple(wanted)))

    def on_not_available(self, peer: Peer, item: bytes) -> None:
        """A peer does not have an item any more: another one that offered it is asked."""
        if self.expects(peer, item):
            self._requests.settle(peer, item, self._hub.world.now_ms())
            self.fetch()

    def on_gone(self, peer: Peer) -> None:
        """A peer left: what it was asked for is asked of others."""
        self._requests.drop(peer)
        self.fetch()

    # Taking

    def on_item(self, peer: Peer, item: bytes, message: Delivered, payload: bytes) -> None:
        """An item that was asked for has come; what is passed on is its payload, as others know its hash."""
        self._settle(peer, item)
        if isinstance(message, p2p.BlockMessage):
            self._take_block(peer, item, message.block, payload)
        elif not self._take_transaction(peer, message.transaction, payload):
            self._charge_refused(peer, len(payload), len(message.transaction.signatures))
        self._fetch_from(peer)

    def refuse(self, peer: Peer, item: bytes, size: int) -> None:
        """An item that was asked for has come, and is too large to be looked at, or cannot be decoded."""
        self._settle(peer, item)
        self._charge_refused(peer, size, 0)

    def _settle(self, peer: Peer, item: bytes) -> None:
        now_ms = self._hub.world.now_ms()
        self._requests.settle(peer, item, now_ms)
        self._items.seen.add(item, now_ms)

    def _charge_refused(self, peer: Peer, size: int, signatures: int) -> None:
        cost = REFUSED_COST + SIGNATURE_COST * signatures + size // DOUBTFUL_BYTES_PER_COST
        self._hub.charge(peer, cost, "You send me too much that I refuse")

    def _take_block(self, peer: Peer, item: bytes, block: Block, payload: bytes) -> None:
        """Takes a block in and offers it on if it is now part of the main chain."""
        if block.merkle_root() != block.transaction_merkle_root:
            self._hub.fault(peer, "You offered us a block whose transactions are not those of its header")
            self._charge_block(peer, block)
            return
        try:
            result = self._intake.take_block(block)
        except (BlockLinkError, TooEarly):  # Synchronisation fetches what is missing and waits for the time to come.
            self._items.seen.discard(item)
            self._charge_block(peer, block)
            self._sync.begin(peer)
            return
        except ProtocolError as error:
            self._hub.notes.tell("block_refused", number=block.number, peer=peer.name, error=error.message)
            if self._chain.reader.is_invalid_block(block.id):
                self._hub.fault(peer, "You offered me a block that I have deemed to be invalid")
            self._charge_block(peer, block)
            return
        if self._chain.reader.is_unsigned_side_block(block.id):
            self._charge_block(peer, block)
        for applied in result.applied[-BLOCKS_OFFERED_MAX:]:
            self._offering.offer_block(applied.block, payload if applied.block.id == block.id else None)
        if result.applied:
            count_news(peer)
            self._hub.world.note(
                "received",
                number=block.number,
                witness=block.witness,
                transactions=len(block.transactions),
                undone=len(result.undone),
                age_ms=self._hub.world.now_ms() - block.timestamp * 1000,
            )

    def _charge_block(self, peer: Peer, block: Block) -> None:
        """Counts a block that was not applied: anybody can make those."""
        cost = block.size // DOUBTFUL_BYTES_PER_COST
        self._hub.charge(peer, cost, "You offer too many blocks that I can not apply")

    def _take_transaction(self, peer: Peer, transaction: Transaction, payload: bytes) -> bool:
        """Takes a transaction in and offers it on; False if it does not fit this node's state, which is no fault.

        Bytes that it does not pack to cost decoding and nobody's credits: who sends them is asked for less for a while.
        """
        now_ms = self._hub.world.now_ms()
        peer.work.charge((len(payload) - transaction.size) // DOUBTFUL_BYTES_PER_COST, now_ms)
        if self._chain.pool.knows(transaction.id):
            return True
        try:
            self._intake.take_transaction(transaction)
        except ProtocolError:
            return False
        count_news(peer)
        self._offering.gather((payload,))
        return True

    # What has to be looked at every now and then

    def on_tick(self, now_ms: int) -> None:
        """Drops peers that do not answer, and forgets what is old."""
        self._items.seen.forget_before(now_ms - SEEN_MS)
        for peer in self._hub.active():
            if self._requests.is_late(peer, now_ms - ANSWER_MS_MAX):
                self._hub.drop(peer, "it does not send what it offered")
                continue
            self._requests.share(peer, now_ms - PATIENCE_MS)
            for offers in peer.part(Offers).by_type.values():
                while offers and next(iter(offers.values())) < now_ms - OFFER_MS_MAX:
                    offers.popitem(last=False)
        self.fetch()
