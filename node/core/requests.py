"""Outstanding requests to peers."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from node.core.peer import Peer


class Asked(NamedTuple):
    """When an item was requested, and for a block of synchronisation the id of its parent, if known."""

    at_ms: int
    before: bytes | None = None


@dataclass(slots=True)
class Owed:
    """Outstanding requests to one peer."""

    items: dict[bytes, Asked] = field(default_factory=dict)
    moved_at_ms: int = 0
    """When it was last sent a request or last answered."""


class Requests:
    """Requested items by hash or id: each is requested from one peer, and from another when that one is slow or
    gone."""

    def __init__(self) -> None:
        self._asked: dict[bytes, Peer] = {}
        self._owed: defaultdict[Peer, Owed] = defaultdict(Owed)

    def __len__(self) -> int:
        return len(self._asked)

    def __contains__(self, item: bytes) -> bool:
        """Whether an item is requested from a peer that is not slow."""
        return item in self._asked

    def owed(self, peer: Peer) -> Mapping[bytes, Asked]:
        """Returns the outstanding requests to a peer, including those since requested from others."""
        return self._owed[peer].items

    def add(self, peer: Peer, items: Mapping[bytes, bytes | None], now_ms: int) -> None:
        """Records a request for items, each given with the id of its parent."""
        owed = self._owed[peer]
        owed.moved_at_ms = now_ms
        for item, before in items.items():
            self._asked[item] = peer
            owed.items[item] = Asked(now_ms, before)

    def settle(self, peer: Peer, item: bytes, now_ms: int) -> None:
        """Removes a request when the peer sent the item or does not have it."""
        owed = self._owed[peer]
        owed.moved_at_ms = now_ms
        if owed.items.pop(item, None) is not None:
            self._release(peer, item)

    def _release(self, peer: Peer, item: bytes) -> None:
        if self._asked.get(item) is peer:
            del self._asked[item]

    def is_late(self, peer: Peer, before_ms: int) -> bool:
        """Whether a peer has outstanding requests and has sent nothing since a moment."""
        owed = self._owed[peer]
        return bool(owed.items) and owed.moved_at_ms < before_ms

    def share(self, peer: Peer, before_ms: int) -> None:
        """Frees items requested before a moment for requests to other peers; the slow peer may still send them."""
        for item, asked in self._owed[peer].items.items():
            if asked.at_ms < before_ms:
                self._release(peer, item)

    def drop(self, peer: Peer) -> None:
        """Removes all requests to a peer."""
        for item in self._owed.pop(peer, Owed()).items:
            self._release(peer, item)
