"""Gossip: fetches items that peers announce by hash, applies them, and announces them to other peers.

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
"""Maximum number of announced items per peer and type that wait to be fetched; further announcements are ignored."""

ANSWER_MS_MAX = 6_000
"""Timeout after which a peer that has not sent a requested item is disconnected. Source: node_configuration.hpp."""

OFFER_MS_MAX = 60_000
"""Announcements older than this are dropped: 20 blocks, as in the reference."""

SEEN_MS = 30_000
"""How long an item that was received or rejected is not fetched again."""

PATIENCE_MS = 1_000
"""Delay after which an outstanding item is also requested from another peer that announced it, so that a peer that
announces blocks and never sends them cannot stop them from spreading."""

REFUSED_COST = 10
SIGNATURE_COST = 6
"""Cost of a rejected item and of each signature in it, in addition to the cost of its bytes."""

BLOCKS_OFFERED_MAX = 10
"""Maximum number of blocks announced when several are applied at once: the newest ones."""


Delivered = p2p.BlockMessage | p2p.TransactionMessage


@dataclass(slots=True)
class Offers:
    """Items that a peer has announced: hashes by item type, with the time of the announcement."""

    by_type: dict[int, OrderedDict[bytes, int]] = field(
        default_factory=lambda: {item_type: OrderedDict() for item_type in OFFERS_MAX}
    )


class Gossip:
    """Fetches announced items and processes them."""

    def __init__(self, hub: Hub, chain: Chain, intake: Intake, items: Items, sync: Sync, offering: Offering) -> None:
        self._hub = hub
        self._chain = chain
        self._intake = intake
        self._items = items
        self._sync = sync
        self._offering = offering
        self._requests = Requests()

    def expects(self, peer: Peer, item: bytes) -> bool:
        """Whether a request for an item to a peer is outstanding."""
        return item in self._requests.owed(peer)

    # Fetching

    def on_offers(self, peer: Peer, message: p2p.ItemIdsInventory) -> None:
        """Handles an announcement: new items are fetched from this peer or another that has them."""
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
        """Requests from each peer the items it announced that are not requested elsewhere."""
        for peer in self._hub.active():
            self._fetch_from(peer)

    def _fetch_from(self, peer: Peer) -> None:
        """Requests a peer's announced blocks at once, and its transactions when it has sent the previous ones.

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
        """Handles a peer's answer that it no longer has an item: requests it from another peer."""
        if self.expects(peer, item):
            self._requests.settle(peer, item, self._hub.world.now_ms())
            self.fetch()

    def on_gone(self, peer: Peer) -> None:
        """Handles a disconnected peer: its outstanding items are requested from others."""
        self._requests.drop(peer)
        self.fetch()

    # Taking

    def on_item(self, peer: Peer, item: bytes, message: Delivered, payload: bytes) -> None:
        """Processes a requested item; the payload is relayed unchanged, since other peers know its hash."""
        self._settle(peer, item)
        if isinstance(message, p2p.BlockMessage):
            self._take_block(peer, item, message.block, payload)
        elif not self._take_transaction(peer, message.transaction, payload):
            self._charge_refused(peer, len(payload), len(message.transaction.signatures))
        self._fetch_from(peer)

    def refuse(self, peer: Peer, item: bytes, size: int) -> None:
        """Handles a requested item that is too large or cannot be decoded."""
        self._settle(peer, item)
        self._charge_refused(peer, size, 0)

    def _settle(self, peer: Peer, item: bytes) -> None:
        now_ms = self._hub.world.now_ms()
        self._requests.settle(peer, item, now_ms)
        self._items.seen.add(item, now_ms)

    def _charge_refused(self, peer: Peer, size: int, signatures: int) -> None:
        cost = REFUSED_COST + SIGNATURE_COST * signatures + size // DOUBTFUL_BYTES_PER_COST
        self._hub.charge(peer, cost, "You send too many items that I reject")

    def _take_block(self, peer: Peer, item: bytes, block: Block, payload: bytes) -> None:
        """Applies a block and announces it if it is now part of the main chain."""
        if block.merkle_root() != block.transaction_merkle_root:
            self._hub.fault(peer, "You offered us a block whose transactions are not those of its header")
            self._charge_block(peer, block)
            return
        try:
            result = self._intake.take_block(block)
        except (BlockLinkError, TooEarly):  # Synchronisation fetches missing parents and holds early blocks.
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
        """Charges a peer for a block that was not applied, since such blocks are cheap to make."""
        cost = block.size // DOUBTFUL_BYTES_PER_COST
        self._hub.charge(peer, cost, "You send too many blocks that I can not apply")

    def _take_transaction(self, peer: Peer, transaction: Transaction, payload: bytes) -> bool:
        """Applies a transaction and announces it; returns False if it fails here, which is not a fault of the peer.

        A transaction that is not encoded canonically costs decoding but no resource credits, so its sender is charged.
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

    # Periodic work

    def on_tick(self, now_ms: int) -> None:
        """Disconnects peers that do not answer, and expires old entries."""
        self._items.seen.forget_before(now_ms - SEEN_MS)
        for peer in self._hub.active():
            if self._requests.is_late(peer, now_ms - ANSWER_MS_MAX):
                self._hub.drop(peer, "it did not send an item that it announced")
                continue
            self._requests.share(peer, now_ms - PATIENCE_MS)
            for offers in peer.part(Offers).by_type.values():
                while offers and next(iter(offers.values())) < now_ms - OFFER_MS_MAX:
                    offers.popitem(last=False)
        self.fetch()
