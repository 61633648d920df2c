"""What was asked for of peers."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from node.core.peer import Peer


class Asked(NamedTuple):
    """When something was asked for, and if it is a block of a chain, the id of its parent, where that is known."""

    at_ms: int
    before: bytes | None = None


@dataclass(slots=True)
class Owed:
    """What one peer owes."""

    items: dict[bytes, Asked] = field(default_factory=dict)
    moved_at_ms: int = 0
    """When it was asked or answered last."""


class Requests:
    """Items, by hash or id: each is asked of one peer at a time, and of another when that one is slow or gone."""

    def __init__(self) -> None:
        self._asked: dict[bytes, Peer] = {}
        self._owed: defaultdict[Peer, Owed] = defaultdict(Owed)

    def __len__(self) -> int:
        return len(self._asked)

    def __contains__(self, item: bytes) -> bool:
        """Whether a peer that is not slow was asked for an item."""
        return item in self._asked

    def owed(self, peer: Peer) -> Mapping[bytes, Asked]:
        """What a peer owes, also what others were asked for meanwhile."""
        return self._owed[peer].items

    def add(self, peer: Peer, items: Mapping[bytes, bytes | None], now_ms: int) -> None:
        """A peer is asked for items, each given with the id of its parent."""
        owed = self._owed[peer]
        owed.moved_at_ms = now_ms
        for item, before in items.items():
            self._asked[item] = peer
            owed.items[item] = Asked(now_ms, before)

    def settle(self, peer: Peer, item: bytes, now_ms: int) -> None:
        """A peer sent an item, or does not have it."""
        owed = self._owed[peer]
        owed.moved_at_ms = now_ms
        if owed.items.pop(item, None) is not None:
            self._release(peer, item)

    def _release(self, peer: Peer, item: bytes) -> None:
        if self._asked.get(item) is peer:
            del self._asked[item]

    def is_late(self, peer: Peer, before_ms: int) -> bool:
        """Whether a peer owes something and has sent nothing since a moment."""
        owed = self._owed[peer]
        return bool(owed.items) and owed.moved_at_ms < before_ms

    def share(self, peer: Peer, before_ms: int) -> None:
        """Lets others be asked for what a peer was asked for before a moment, though it may still send it."""
        for item, asked in self._owed[peer].items.items():
            if asked.at_ms < before_ms:
                self._release(peer, item)

    def drop(self, peer: Peer) -> None:
        """Expects nothing of a peer any more."""
        for item in self._owed.pop(peer, Owed()).items:
            self._release(peer, item)
