"""Gossip: new transactions and blocks are offered by their hash, and fetched by whoever lacks them.

What is offered to a peer was not offered to it or by it lately, and the peer has caught up with this node's chain.
Only blocks of the main chain are offered: others were not applied, and may be invalid.

Source: libraries/net/node.cpp, advertise_inventory_loop, on_item_ids_inventory_message, fetch_items_loop,
on_fetch_items_message, process_ordinary_message and process_block_during_normal_operation.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable

from chain.chain import Chain
from node.core.hub import Hub, Intake, TooEarly
from node.core.peer import DOUBTFUL_BYTES_PER_COST, OFFERS_MAX, SERVED_MAX, Allowance, HashMemory, Peer
from node.core.sync import Sync
from protocol.block import Block
from protocol.errors import BlockLinkError, ProtocolError
from protocol.p2p.messages import (
    BLOCK_ITEM,
    TRANSACTION_ITEM,
    BlockMessage,
    FetchItems,
    ItemIdsInventory,
    ItemNotAvailable,
    TransactionMessage,
    message_id,
    pack_message,
)
from protocol.transaction import Transaction

OFFER_TIMER = "offer"

GATHER_MS = 50
"""How long transactions are gathered before they are offered together."""

INVENTORY_IDS_MAX = 1_000
"""Hashes in one of our inventories."""

ANSWER_MS_MAX = 6_000
"""A peer that owes an item for so long is dropped. Source: node_configuration.hpp."""

OFFER_MS_MAX = 60_000
"""Items that were offered so long ago are not fetched any more: 20 blocks, as in the reference."""

MEMORY_MS = 120_000
"""How long it is remembered what was told to and heard from a peer."""

SEEN_MS = 30_000
"""How long an item that was had, or that was refused, is not fetched again."""

PATIENCE_MS = 1_000
"""A peer that owes an item for so long may still send it, but another one that offers it is asked, too: whoever only
offers blocks must not keep them from spreading."""

PENDING_PAUSE_MS = 20_000
"""How long a peer that was offered all waiting transactions is not offered all of them again."""

SEEN_MAX = 200_000
BLOCKS_KEPT_MAX = 200
TRANSACTIONS_KEPT_MAX = 50_000
KEPT_BYTES_MAX = 64 << 20
"""What is kept of each type to answer those that were offered it."""

REFUSED_COST = 10
SIGNATURE_COST = 6
"""What it costs a peer to send something that is refused, and each signature in it; its bytes are counted, too."""

SERVE_TIMER = "serve"
SERVE_ITEMS_MAX = 100
SERVE_BYTES_MAX = 1 << 20
"""How much is sent at once to those who asked, all together, before other events have their turn."""

SERVED_COST = 5
BYTES_PER_COST = 1_024
READ_BYTES_PER_COST = 128
"""What it costs a peer to be served an item, and its bytes: those that are read from the chain cost their decoding."""

READ_COST_PER_SECOND = 50_000
"""What all peers together may be served from the chain in a second: half a processor. New items do not wait for it."""

BLOCKS_OFFERED_MAX = 10
"""Of the blocks that were applied at once, the newest ones are offered."""

AGAIN_MAX = 1_000
"""Transactions that still wait and are offered anew from time to time."""


class MessageCache:
    """Messages of one type by their hash, the newest up to a number and a size."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._messages: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    def add(self, item: bytes, payload: bytes) -> None:
        """Keeps a message; the oldest make room."""
        if item in self._messages:
            self._messages.move_to_end(item)
            return
        self._messages[item] = payload
        self._bytes += len(payload)
        while len(self._messages) > self._count_max or self._bytes > KEPT_BYTES_MAX:
            self._bytes -= len(self._messages.popitem(last=False)[1])

    def find(self, item: bytes) -> bytes | None:
        """Returns the payload of a message, or None."""
        return self._messages.get(item)


class Gossip:
    """What is offered, fetched and served."""

    def __init__(self, hub: Hub, chain: Chain, intake: Intake, sync: Sync) -> None:
        self._hub = hub
        self._chain = chain
        self._intake = intake
        self._sync = sync
        self._kept = {
            BLOCK_ITEM: MessageCache(BLOCKS_KEPT_MAX),
            TRANSACTION_ITEM: MessageCache(TRANSACTIONS_KEPT_MAX),
        }
        self._seen = HashMemory(SEEN_MAX)
        self._asked: dict[bytes, Peer] = {}
        self._reads = Allowance(READ_COST_PER_SECOND, READ_COST_PER_SECOND)
        self._to_offer: list[bytes] = []
        self._waited: tuple[bytes, ...] = ()
        """Ids of the transactions that waited when it was last looked."""

    # Offering

    def offer_block(self, block: Block, payload: bytes | None = None) -> None:
        """Offers a block of the main chain at once to all who have caught up and are not known to have it.

        `payload` is the message in which it came, if it came in one: it is passed on as it is.
        """
        item = self._keep(BLOCK_ITEM, payload or pack_message(self._hub.codec, BlockMessage(block, block.id)))
        for peer in self._hub.active():
            if peer.last_common != block.id:
                self._tell(peer, BLOCK_ITEM, (item,))

    def offer_transactions(self, transactions: Iterable[Transaction]) -> None:
        """Offers transactions to all who have caught up, together with others of the same moment."""
        self._gather(transaction.packed_signed for transaction in transactions)

    def _gather(self, payloads: Iterable[bytes]) -> None:
        is_gathering = bool(self._to_offer)
        for payload in payloads:
            self._to_offer.append(self._keep(TRANSACTION_ITEM, payload))
        if self._to_offer and not is_gathering:  # Later ones do not put off the earlier ones.
            self._hub.world.set_timer(OFFER_TIMER, self._hub.world.now_ms() + GATHER_MS)

    def on_offer(self) -> None:
        """Offers what was gathered."""
        items, self._to_offer = self._to_offer, []
        for peer in self._hub.active():
            self._tell(peer, TRANSACTION_ITEM, items)

    def offer_pending(self, peer: Peer) -> None:
        """Offers all waiting transactions to a peer that has caught up; it may have missed them."""
        now_ms, told_at_ms = self._hub.world.now_ms(), peer.pending_told_at_ms
        if told_at_ms is not None and 0 <= now_ms - told_at_ms < PENDING_PAUSE_MS:
            return
        peer.pending_told_at_ms = now_ms
        items = [self._keep(TRANSACTION_ITEM, waiting.packed_signed) for waiting in self._chain.pending]
        self._tell(peer, TRANSACTION_ITEM, items)

    def _keep(self, number: int, payload: bytes) -> bytes:
        item = message_id(payload)
        self._kept[number].add(item, payload)
        self._seen.add(item, self._hub.world.now_ms())
        return item

    def _tell(self, peer: Peer, item_type: int, items: Iterable[bytes]) -> None:
        if peer.needs_our_blocks:
            return
        now_ms = self._hub.world.now_ms()
        news = [item for item in items if item not in peer.told and item not in peer.heard]
        for item in news:
            peer.told.add(item, now_ms)
        for start in range(0, len(news), INVENTORY_IDS_MAX):
            self._hub.send(peer, ItemIdsInventory(item_type, tuple(news[start : start + INVENTORY_IDS_MAX])))

    def offer_again(self) -> None:
        """Offers transactions anew that wait for long: offers can be lost, and so can what was made of them."""
        waited = set(self._waited)
        again = [waiting for waiting in self._chain.pending if waiting.id in waited][:AGAIN_MAX]
        for transaction in again:
            item = message_id(transaction.packed_signed)
            for peer in self._hub.active():
                peer.told.discard(item)
        self.offer_transactions(again)
        self._waited = tuple(waiting.id for waiting in self._chain.pending)

    # Fetching

    def on_offers(self, peer: Peer, message: ItemIdsInventory) -> None:
        """A peer has items: those that are new are fetched, from it or from another that has them."""
        now_ms = self._hub.world.now_ms()
        offers = peer.offers.get(message.item_type)
        if offers is None:
            return
        count_max = OFFERS_MAX[message.item_type]
        for item in message.item_hashes_available[:count_max]:
            peer.heard.add(item, now_ms)
            if item not in self._seen and item not in offers and len(offers) < count_max:
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
        if peer.we_need_its_blocks or self._chain.finality.write_problem is not None:
            return
        if len(peer.items_asked) < peer.fetch_max:
            self._ask(peer, BLOCK_ITEM)
        if not peer.items_asked and peer.is_cheap:
            self._ask(peer, TRANSACTION_ITEM)

    def _ask(self, peer: Peer, item_type: int) -> None:
        offers = peer.offers[item_type]
        wanted: list[bytes] = []
        for item in list(offers):
            if item in self._seen:
                del offers[item]
            elif item not in self._asked:
                wanted.append(item)
                if len(wanted) == peer.fetch_max:
                    break
        if not wanted:
            return
        peer.items_at_ms = self._hub.world.now_ms()
        for item in wanted:
            del offers[item]
            self._asked[item] = peer
            peer.items_asked[item] = peer.items_at_ms
        self._hub.send(peer, FetchItems(item_type, tuple(wanted)))

    def on_item(self, peer: Peer, item: bytes, message: BlockMessage | TransactionMessage, payload: bytes) -> None:
        """An item that was asked for has come; what is passed on is its payload, as others know its hash."""
        self._forget_request(peer, item)
        peer.items_at_ms = self._hub.world.now_ms()
        self._seen.add(item, peer.items_at_ms)
        if isinstance(message, BlockMessage):
            self._take_block(peer, item, message.block, payload)
        elif not self._take_transaction(peer, message.transaction, payload):
            self._charge_refused(peer, len(payload), len(message.transaction.signatures))
        self._fetch_from(peer)

    def refuse(self, peer: Peer, item: bytes, size: int) -> None:
        """An item that was asked for has come, and is too large to be looked at, or cannot be decoded."""
        self._forget_request(peer, item)
        self._seen.add(item, self._hub.world.now_ms())
        self._charge_refused(peer, size, 0)

    def _charge_refused(self, peer: Peer, size: int, signatures: int) -> None:
        cost = REFUSED_COST + SIGNATURE_COST * signatures + size // DOUBTFUL_BYTES_PER_COST
        if not peer.charge(cost, self._hub.world.now_ms()):
            self._hub.close(peer, "You send me too much that I refuse")

    def _take_block(self, peer: Peer, item: bytes, block: Block, payload: bytes) -> None:
        """Takes a block in and offers it on if it is now part of the main chain."""
        if block.merkle_root() != block.transaction_merkle_root:
            self._hub.fault(peer, "You offered us a block whose transactions are not those of its header")
            self._charge_block(peer, block)
            return
        try:
            result = self._intake.take_block(block)
        except (BlockLinkError, TooEarly):  # Synchronisation fetches what is missing and waits for the time to come.
            self._seen.discard(item)
            self._charge_block(peer, block)
            self._sync.begin(peer)
            return
        except ProtocolError as error:
            self._hub.notes.tell("block_refused", number=block.number, peer=peer.name, error=error.message)
            if self._chain.reader.is_invalid_block(block.id):
                self._hub.fault(peer, "You offered me a block that I have deemed to be invalid")
            self._charge_block(peer, block)
            return
        if self._chain.reader.is_doubtful_block(block.id):
            self._charge_block(peer, block)
        for applied in result.applied[-BLOCKS_OFFERED_MAX:]:
            self.offer_block(applied.block, payload if applied.block.id == block.id else None)
        if result.applied:
            peer.news += 1
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
        if not peer.charge_doubtful(block.size, peer.items_at_ms):
            self._hub.close(peer, "You offer too many blocks that I can not apply")

    def _take_transaction(self, peer: Peer, transaction: Transaction, payload: bytes) -> bool:
        """Takes a transaction in and offers it on; False if it does not fit this node's state, which is no fault.

        Bytes that it does not pack to cost decoding and nobody's credits: who sends them is asked for less for a while.
        """
        peer.charge((len(payload) - transaction.size) // DOUBTFUL_BYTES_PER_COST, peer.items_at_ms)
        if self._chain.pool.knows(transaction.id):
            return True
        try:
            self._intake.take_transaction(transaction)
        except ProtocolError:
            return False
        peer.news += 1
        self._gather((payload,))
        return True

    def on_not_available(self, peer: Peer, item: bytes) -> None:
        """A peer does not have an item any more: another one that offered it is asked."""
        if item in peer.items_asked:
            self._forget_request(peer, item)
            self.fetch()

    def _forget_request(self, peer: Peer, item: bytes) -> None:
        peer.items_asked.pop(item, None)
        if self._asked.get(item) is peer:
            del self._asked[item]

    def on_gone(self, peer: Peer) -> None:
        """A peer left: what it was asked for is asked of others."""
        for item in list(peer.items_asked):
            self._forget_request(peer, item)
        self.fetch()

    # Serving

    def on_fetch(self, peer: Peer, message: FetchItems) -> None:
        """A peer asks for items: it gets them as fast as it reads them."""
        if len(peer.to_serve) + len(message.items_to_fetch) > SERVED_MAX:
            self._hub.close(peer, "You asked for more items than I keep in mind for you")
            return
        peer.to_serve += ((message.item_type, item) for item in message.items_to_fetch)
        self.serve(peer)

    def serve(self, peer: Peer) -> None:
        """Sends what a peer asked for: soon, in turn with what others asked for."""
        if peer.to_serve:
            self._hub.world.set_timer(SERVE_TIMER, self._hub.world.now_ms())

    def on_serve(self) -> None:
        """Sends some of what was asked for to every peer whose connection has room."""
        items, size = 0, 0
        now_ms = self._hub.world.now_ms()
        waiting = (peer for peer in self._hub.active() if peer.to_serve and self._may_be_served(peer, now_ms))
        hungry = deque(sorted(waiting, key=lambda peer: peer.served.cost))
        while hungry and items < SERVE_ITEMS_MAX and size < SERVE_BYTES_MAX:
            peer = hungry.popleft()
            size += self._serve_one(peer, now_ms)
            items += 1
            if peer.to_serve and self._may_be_served(peer, now_ms):
                hungry.append(peer)
        if hungry:
            self._hub.world.set_timer(SERVE_TIMER, self._hub.world.now_ms())

    def _may_be_served(self, peer: Peer, now_ms: int) -> bool:
        """Whether a connection has room, and its peer, or from the chain all peers, had not too much lately."""
        if not (self._hub.has_room(peer) and peer.served.charge(0, now_ms)):
            return False
        return self._reads.charge(0, now_ms) or self._find_kept(peer.to_serve[0][1]) is not None

    def _serve_one(self, peer: Peer, now_ms: int) -> int:
        """Sends the next item to a peer, or that it is not there, and charges it; returns its bytes."""
        item_type, item = peer.to_serve.popleft()
        kept = self._find_kept(item)
        number, payload = kept or self._find_in_chain(item) or (0, b"")
        cost = SERVED_COST + len(payload) // (BYTES_PER_COST if kept else READ_BYTES_PER_COST)
        peer.served.charge(cost, now_ms)
        if kept is None:
            self._reads.charge(cost, now_ms)
        if number:
            self._hub.send_packed(peer, number, payload)
        else:
            self._hub.send(peer, ItemNotAvailable(item_type, item))
        return len(payload)

    def _find_kept(self, item: bytes) -> tuple[int, bytes] | None:
        for number, messages in self._kept.items():
            payload = messages.find(item)
            if payload is not None:
                return number, payload
        return None

    def _find_in_chain(self, item: bytes) -> tuple[int, bytes] | None:
        """A block by its id, or a waiting transaction by its."""
        try:
            block = self._chain.reader.find_block_by_id(item)
        except ProtocolError as error:
            self._hub.notes.tell("block_log_damaged", error=error.message)
            return None
        if block is not None:
            return BLOCK_ITEM, block.packed + block.id
        transaction = self._chain.pending.find(item)
        return None if transaction is None else (TRANSACTION_ITEM, transaction.packed_signed)

    # What has to be looked at every now and then

    def on_tick(self, now_ms: int) -> None:
        """Drops peers that do not answer, and forgets what is old."""
        self._seen.forget_before(now_ms - SEEN_MS)
        for peer in self._hub.active():
            if peer.items_asked and peer.items_at_ms < now_ms - ANSWER_MS_MAX:
                self._hub.drop(peer, "it does not send what it offered")
                continue
            peer.charge(0, now_ms)
            self.serve(peer)
            for item, asked_at_ms in peer.items_asked.items():
                if asked_at_ms < now_ms - PATIENCE_MS and self._asked.get(item) is peer:
                    del self._asked[item]
            for memory in (peer.told, peer.heard):
                memory.forget_before(now_ms - MEMORY_MS)
            for offers in peer.offers.values():
                while offers and next(iter(offers.values())) < now_ms - OFFER_MS_MAX:
                    offers.popitem(last=False)
        self.fetch()

    def count_waiting(self) -> tuple[int, int, int, int]:
        """Returns how many items are asked for, kept, remembered as seen, and gathered to be offered."""
        kept = sum(len(messages) for messages in self._kept.values())
        return len(self._asked), kept, len(self._seen), len(self._to_offer)
