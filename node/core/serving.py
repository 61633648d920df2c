"""What peers ask this node for: block ids behind a synopsis, and items by hash or id.

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
"""Requests for block ids of one peer that wait. The reference asks again for each block that it gets from others."""

SYNOPSIS_COST = 10
IDS_PER_COST = 5
"""What it costs a peer to ask for block ids, and how many ids cost one unit more."""

SERVED_MAX = 10_000
"""Items that a peer asked for and that wait until its connection has room."""

SERVE_TIMER = "serve"
SERVE_ITEMS_MAX = 100
SERVE_BYTES_MAX = 1 << 20
"""How much is sent at once to those who asked, all together, before other events have their turn."""

SERVED_COST = 5
BYTES_PER_COST = 1_024
READ_BYTES_PER_COST = 128
"""What it costs a peer to be served an item, and its bytes: those that are read from the chain cost their decoding."""

SERVED_COST_MAX = 30_000
SERVED_REFUND_PER_SECOND = 30_000
"""What a peer may be served, as its messages' cost is counted: three tenths of a processor. The rest it gets later."""

READ_COST_PER_SECOND = 50_000
"""What all peers together may be served from the chain in a second: half a processor. New items do not wait for it."""


@dataclass(slots=True)
class Wants:
    """What a peer asked for and has not got."""

    synopses: deque[p2p.FetchBlockchainItemIds] = field(default_factory=deque)
    items: deque[tuple[int, bytes]] = field(default_factory=deque)
    served: Allowance = field(default_factory=lambda: Allowance(SERVED_COST_MAX, SERVED_REFUND_PER_SECOND))


class Serving:
    """Answers, each peer in its turn and at its cost."""

    def __init__(self, hub: Hub, chain: Chain, items: Items, sync: Sync, offering: Offering) -> None:
        self._hub = hub
        self._chain = chain
        self._items = items
        self._sync = sync
        self._offering = offering
        self._reads = Allowance(READ_COST_PER_SECOND, READ_COST_PER_SECOND)

    # Block ids

    def on_synopsis(self, peer: Peer, message: p2p.FetchBlockchainItemIds) -> None:
        """A peer asks for block ids."""
        synopses = peer.part(Wants).synopses
        if len(synopses) == SYNOPSES_MAX:
            self._hub.close(peer, TOO_MUCH)
            return
        synopses.append(message)
        self.answer(peer)

    def answer(self, peer: Peer) -> None:
        """Answers requests for block ids; a peer that has cost much gets its answer a little later."""
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
        """A peer asks for items: it gets them as fast as it reads them."""
        items = peer.part(Wants).items
        if len(items) + len(message.items_to_fetch) > SERVED_MAX:
            self._hub.close(peer, "You asked for more items than I keep in mind for you")
            return
        items += ((message.item_type, item) for item in message.items_to_fetch)
        self.serve(peer)

    def serve(self, peer: Peer) -> None:
        """Sends what a peer asked for: soon, in turn with what others asked for."""
        if peer.part(Wants).items:
            self._hub.world.set_timer(SERVE_TIMER, self._hub.world.now_ms())

    def on_serve(self) -> None:
        """Sends some of what was asked for to every peer whose connection has room."""
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
        """Whether a peer waits, its connection has room, and it (from the chain: all peers) had not too much lately."""
        wants = peer.part(Wants)
        if not (wants.items and self._hub.has_room(peer) and wants.served.charge(0, now_ms)):
            return False
        return self._reads.charge(0, now_ms) or self._items.find(wants.items[0][1]) is not None

    def _serve_one(self, peer: Peer, now_ms: int) -> int:
        """Sends the next item to a peer, or that it is not there, and charges it; returns its bytes."""
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
        """A block by its id, or a waiting transaction by its."""
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
        """Goes on with peers that had too much, or whose connection had no room."""
        for peer in self._hub.active():
            self.serve(peer)
