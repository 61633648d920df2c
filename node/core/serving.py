"""Serves peers: block ids after a synopsis, and items by hash or id.

Source: libraries/net/node.cpp, on_fetch_blockchain_item_ids_message and on_fetch_items_message.
"""

from collections import deque
from dataclasses import dataclass, field

from chain.chain import Chain
from node.core.allowance import Allowance
from node.core.hub import TOO_MUCH, Hub
from node.core.items import Items
from node.core.offering import Offering
from node.core.peer import Peer
from node.core.sync import Sync
from node.core.synopsis import find_ids
from protocol.errors import ProtocolError
from protocol.p2p import messages as p2p

SYNOPSES_MAX = 10
"""Maximum number of queued requests for block ids per peer. The reference repeats its request for each block that it
receives from others."""

SYNOPSIS_COST = 10
IDS_PER_COST = 5
"""Base cost of a request for block ids, and ids per extra cost unit."""

SERVED_MAX = 10_000
"""Maximum number of requested items per peer that wait for room in its write buffer."""

SERVE_TIMER = "serve"
SERVE_ITEMS_MAX = 100
SERVE_BYTES_MAX = 1 << 20
"""Maximum bytes sent to all peers together before other events are handled."""

SERVED_COST = 5
BYTES_PER_COST = 1_024
READ_BYTES_PER_COST = 128
"""Base cost of a served item, and bytes per extra cost unit: items read from the chain have to be decoded."""

SERVED_COST_MAX = 30_000
SERVED_REFUND_PER_SECOND = 30_000
"""Rate limit of items served to one peer, in cost units: 30 % of a CPU. What exceeds it is sent later."""

READ_COST_PER_SECOND = 50_000
"""Rate limit of items served to all peers from the chain: 50 % of a CPU. Cached new items are exempt."""


@dataclass(slots=True)
class Wants:
    """Requests of a peer that have not been answered yet."""

    synopses: deque[p2p.FetchBlockchainItemIds] = field(default_factory=deque)
    items: deque[tuple[int, bytes]] = field(default_factory=deque)
    served: Allowance = field(default_factory=lambda: Allowance(SERVED_COST_MAX, SERVED_REFUND_PER_SECOND))


class Serving:
    """Answers requests, peers in turn and each within its limit."""

    def __init__(self, hub: Hub, chain: Chain, items: Items, sync: Sync, offering: Offering) -> None:
        self._hub = hub
        self._chain = chain
        self._items = items
        self._sync = sync
        self._offering = offering
        self._reads = Allowance(READ_COST_PER_SECOND, READ_COST_PER_SECOND)

    # Block ids

    def on_synopsis(self, peer: Peer, message: p2p.FetchBlockchainItemIds) -> None:
        """Queues a request for block ids."""
        synopses = peer.part(Wants).synopses
        if len(synopses) == SYNOPSES_MAX:
            self._hub.close(peer, TOO_MUCH)
            return
        synopses.append(message)
        self.answer(peer)

    def answer(self, peer: Peer) -> None:
        """Answers requests for block ids; the answer is delayed for peers that are over their limit."""
        synopses = peer.part(Wants).synopses
        peer.work.charge(0, self._hub.world.now_ms())
        while synopses and peer.is_cheap and peer.connection in self._hub.peers:
            self._tell_ids(peer, synopses.popleft().blockchain_synopsis)

    def _tell_ids(self, peer: Peer, synopsis: tuple[bytes, ...]) -> None:
        ids, remaining = find_ids(self._chain, synopsis)
        self._hub.send(peer, p2p.BlockchainItemIdsInventory(remaining, p2p.BLOCK_ITEM, ids))
        peer.work.charge(SYNOPSIS_COST + len(ids) // IDS_PER_COST, self._hub.world.now_ms())
        self._sync.on_synopsis(peer, synopsis)
        self._offering.on_position(peer, is_behind=bool(ids) and not (len(ids) == 1 and ids[0] in synopsis))

    # Items

    def on_fetch(self, peer: Peer, message: p2p.FetchItems) -> None:
        """Queues a request for items; they are sent as fast as the peer reads them."""
        items = peer.part(Wants).items
        if len(items) + len(message.items_to_fetch) > SERVED_MAX:
            self._hub.close(peer, "You requested too many items at once")
            return
        items += ((message.item_type, item) for item in message.items_to_fetch)
        self.serve(peer)

    def serve(self, peer: Peer) -> None:
        """Schedules sending of requested items."""
        if peer.part(Wants).items:
            self._hub.world.set_timer(SERVE_TIMER, self._hub.world.now_ms())

    def on_serve(self) -> None:
        """Sends some requested items to each peer whose write buffer has room."""
        count, size = 0, 0
        now_ms = self._hub.world.now_ms()
        waiting = (peer for peer in self._hub.active() if self._may_be_served(peer, now_ms))
        hungry = deque(sorted(waiting, key=lambda peer: peer.part(Wants).served.cost))
        while hungry and count < SERVE_ITEMS_MAX and size < SERVE_BYTES_MAX:
            peer = hungry.popleft()
            size += self._serve_one(peer, now_ms)
            count += 1
            if self._may_be_served(peer, now_ms):
                hungry.append(peer)
        if hungry:
            self._hub.world.set_timer(SERVE_TIMER, self._hub.world.now_ms())

    def _may_be_served(self, peer: Peer, now_ms: int) -> bool:
        """Whether a peer has requests, its write buffer has room, and the limits (its own, and that of the chain) allow
        it."""
        wants = peer.part(Wants)
        if not (wants.items and self._hub.has_room(peer) and wants.served.charge(0, now_ms)):
            return False
        return self._reads.charge(0, now_ms) or self._items.find(wants.items[0][1]) is not None

    def _serve_one(self, peer: Peer, now_ms: int) -> int:
        """Sends the next item to a peer, or that it is not available, and charges it; returns the bytes sent."""
        wants = peer.part(Wants)
        item_type, item = wants.items.popleft()
        kept = self._items.find(item)
        number, payload = kept or self._find_in_chain(item) or (0, b"")
        cost = SERVED_COST + len(payload) // (BYTES_PER_COST if kept else READ_BYTES_PER_COST)
        wants.served.charge(cost, now_ms)
        if kept is None:
            self._reads.charge(cost, now_ms)
        if number:
            self._hub.send_packed(peer, number, payload)
        else:
            self._hub.send(peer, p2p.ItemNotAvailable(item_type, item))
        return len(payload)

    def _find_in_chain(self, item: bytes) -> tuple[int, bytes] | None:
        """Returns a block or a pending transaction by its id."""
        try:
            block = self._chain.reader.find_block_by_id(item)
        except ProtocolError as error:
            self._hub.notes.tell("block_log_damaged", error=error.message)
            return None
        if block is not None:
            return p2p.BLOCK_ITEM, block.packed + block.id
        transaction = self._chain.pending.find(item)
        return None if transaction is None else (p2p.TRANSACTION_ITEM, transaction.packed_signed)

    def on_tick(self, _now_ms: int) -> None:
        """Resumes peers that were over their limit or whose write buffer was full."""
        for peer in self._hub.active():
            self.serve(peer)
