"""What a node knows of one peer, for as long as they are connected."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from node.core.world import Link
from protocol.p2p.messages import BLOCK_ITEM, TRANSACTION_ITEM, Endpoint, FetchBlockchainItemIds, Hello

NO_NODE_ID = bytes(33)

TOLD_MAX = 10_000
"""Item hashes remembered per peer as told to it, and as many as heard from it."""

OFFERS_MAX = {BLOCK_ITEM: 200, TRANSACTION_ITEM: 10_000}
"""Items of each type that a peer offered and that wait to be fetched; further ones are not heard."""

SERVED_MAX = 10_000
"""Items that a peer asked for and that wait until its connection has room."""

FETCH_ITEMS_MAX = 100
"""Items of gossip that one request asks a peer for. A node of the reference is asked for one at a time, as it does
itself: a list of which it has lost an item makes it close the connection."""

SYNOPSES_MAX = 10
"""Requests for block ids of one peer that wait. The reference asks anew for each block that it gets from others."""

COST_MAX = 10_000
"""What a peer may cost at once, in units of about 10 microseconds of work."""

COST_REFUND_PER_SECOND = 1_000
"""How much of it is forgiven each second: a hundredth of a processor."""

SERVED_COST_MAX = 30_000
SERVED_REFUND_PER_SECOND = 30_000
"""The same for what it is served: three tenths of a processor. What is beyond it is served later."""

DOUBTFUL_BYTES_PER_COST = 100
"""How many bytes of a block cost one unit that can not be applied, or that lies beside the main chain and that its
witness did not sign."""


class Direction(IntEnum):
    """Who dialled, as messages tell it."""

    UNKNOWN = 0
    INBOUND = 1
    OUTBOUND = 2


class Reach(IntEnum):
    """Whether a peer can be dialled, as messages tell it."""

    UNKNOWN = 0
    FIREWALLED = 1
    OPEN = 2


class AskedBlock(NamedTuple):
    """What is known of a block that a peer owes: the id of its parent, if any, and when it was asked for."""

    before: bytes | None
    at_ms: int


class HashMemory:
    """Hashes with the time they were noted at, bounded: the oldest make room."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._times: OrderedDict[bytes, int] = OrderedDict()

    def __contains__(self, item: bytes) -> bool:
        return item in self._times

    def __len__(self) -> int:
        return len(self._times)

    def add(self, item: bytes, now_ms: int) -> None:
        """Notes a hash, or notes it anew."""
        self._times[item] = now_ms
        self._times.move_to_end(item)
        if len(self._times) > self._count_max:
            self._times.popitem(last=False)

    def discard(self, item: bytes) -> None:
        """Forgets a hash."""
        self._times.pop(item, None)

    def forget_before(self, time_ms: int) -> None:
        """Forgets what was noted before a moment."""
        while self._times and next(iter(self._times.values())) < time_ms:
            self._times.popitem(last=False)


@dataclass(slots=True)
class Allowance:
    """What somebody may cost at once, and how much of it is forgiven each second."""

    cost_max: int
    refund_per_second: int
    cost: int = 0
    at_ms: int = 0

    def charge(self, cost: int, now_ms: int) -> bool:
        """Counts a cost; False when there was too much of it in a short time."""
        passed = now_ms - self.at_ms
        refund = passed * self.refund_per_second // 1000
        if refund or passed < 0:  # A clock that was set back begins again.
            self.cost = max(0, self.cost - max(0, refund))
            self.at_ms = now_ms
        self.cost += cost
        return self.cost <= self.cost_max


@dataclass(slots=True, eq=False)
class Peer:
    """One connection. Times are in milliseconds of the world's clock, `clock_offset_us` and delay in microseconds."""

    connection: int
    link: Link
    connected_at_ms: int
    received_at_ms: int
    is_active: bool = False
    is_refused: bool = False
    """Its hello was refused; it may still ask for addresses."""
    has_accepted_us: bool = False
    hello: Hello | None = None
    node_id: bytes = NO_NODE_ID
    """What it calls itself; anybody can say this, so it is nothing to recognise a peer by."""
    listens_at: Endpoint | None = None
    reach: Reach = Reach.UNKNOWN
    owes_addresses: bool = False
    clock_offset_us: int = 0
    has_told_time: bool = False
    round_trip_us: int = 0
    work: Allowance = field(default_factory=lambda: Allowance(COST_MAX, COST_REFUND_PER_SECOND))
    """What its messages cost."""
    served: Allowance = field(default_factory=lambda: Allowance(SERVED_COST_MAX, SERVED_REFUND_PER_SECOND))
    faults: int = 0
    """How much it sent that cannot be decoded or applied."""
    news: int = 0
    """Blocks and transactions that it was the first to bring in these minutes, and before them."""
    news_before: int = 0
    stuck_since_ms: int | None = None
    """Since when the connection has had no room for what waits."""

    # What we want of it
    we_need_its_blocks: bool = True
    synopsis: tuple[bytes, ...] | None = None
    """The ids of the request for block ids that it has not answered yet."""
    synopsis_at_ms: int = 0
    ids_to_fetch: deque[bytes] = field(default_factory=deque)
    remaining: int = 0
    """Blocks that it has beyond the ids it named."""
    blocks_asked: dict[bytes, AskedBlock] = field(default_factory=dict)
    """Ids of blocks that it owes."""
    blocks_at_ms: int = 0
    """When a block that was asked for came last, or was asked for."""
    look_again_at: int = 0
    """The height of the head from which on more of its blocks may be near enough to be fetched."""
    is_stranger: bool = False
    """Whether it said that it knows none of our newer blocks."""
    has_blocks: bool = True
    """Whether its chain has begun, as far as it tells."""
    last_common: bytes = b""
    """The newest block that it is known to have and that is linked here."""

    # What it wants of us
    needs_our_blocks: bool = True
    synopses: deque[FetchBlockchainItemIds] = field(default_factory=deque)
    """Its requests for block ids that wait until it has cost less."""
    to_serve: deque[tuple[int, bytes]] = field(default_factory=deque)

    # Gossip
    told: HashMemory = field(default_factory=lambda: HashMemory(TOLD_MAX))
    heard: HashMemory = field(default_factory=lambda: HashMemory(TOLD_MAX))
    offers: dict[int, OrderedDict[bytes, int]] = field(
        default_factory=lambda: {BLOCK_ITEM: OrderedDict(), TRANSACTION_ITEM: OrderedDict()}
    )
    """By item type: hashes of what it has, with the time it was heard of."""
    items_asked: dict[bytes, int] = field(default_factory=dict)
    """Hashes of items that it owes, with the time they were asked for."""
    items_at_ms: int = 0
    pending_told_at_ms: int | None = None
    """When it was offered all waiting transactions."""

    @property
    def name(self) -> str:
        """What log lines call it: its address."""
        return str(self.listens_at or self.link.remote)

    @property
    def fetch_max(self) -> int:
        """How many items one request may ask it for."""
        return FETCH_ITEMS_MAX if self.hello is not None and "config_digest" in self.hello.user_data else 1

    @property
    def identity(self) -> bytes:
        """Who it is: the key with which it signed this connection's secret, and the process it calls itself."""
        return b"" if self.hello is None else self.hello.node_public_key + self.node_id

    @property
    def direction(self) -> Direction:
        """Who dialled."""
        return Direction.OUTBOUND if self.link.is_outbound else Direction.INBOUND

    @property
    def is_accepted(self) -> bool:
        """Whether its hello was taken."""
        return self.hello is not None and not self.is_refused

    def charge(self, cost: int, now_ms: int) -> bool:
        """Counts what a message costs; False when the peer asks for too much in a short time."""
        return self.work.charge(cost, now_ms)

    def charge_doubtful(self, size: int, now_ms: int) -> bool:
        """Counts the bytes of a block that anybody may have made; False when there were too many of them."""
        return self.charge(size // DOUBTFUL_BYTES_PER_COST, now_ms)

    @property
    def is_cheap(self) -> bool:
        """Whether it has cost so little lately that it may be asked for more that could be refused."""
        return self.work.cost <= COST_MAX // 2
