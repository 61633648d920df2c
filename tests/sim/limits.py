"""Measures every collection that a node's network keeps, and compares it with its named limit.

The walk follows the attributes of all objects of node.core from `Node.network` on. A collection without a limit here is
a failure, too, so that a new one cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Sized
from typing import Any, Final

import node.core.addresses as addresses
import node.core.dialling as dialling
import node.core.gossip as gossip
import node.core.items as items
import node.core.peer as peer
import node.core.serving as serving
import node.core.sync as sync
import node.core.tally as tally
import node.core.traffic as traffic
import node.core.waiting_blocks as waiting_blocks
from chain.pending import PENDING_OPERATIONS_MAX
from node.core import Node
from protocol.p2p.messages import BLOCK_IDS_MAX, MESSAGES, SYNOPSIS_IDS_MAX

PEERS_MAX: Final = 400
"""Connections in a network of at most nine hosts, those that are being closed included."""

PARTS_MAX: Final = 10
"""Parts of a peer: each is a class in node/core."""

LIMITS: Final[dict[str, int]] = {
    "AddressBook._addresses": addresses.ADDRESSES_MAX,
    "Admission._handlers": len(MESSAGES),
    "Bans._bans": addresses.BANS_MAX,
    "Dialler._dialling": dialling.DIALS_MAX,
    "HashMemory._times": items.SEEN_MAX,
    "Hub.gone": PEERS_MAX,
    "Hub.peers": PEERS_MAX,
    "Items._kept": 2,
    "MessageCache._messages": items.TRANSACTIONS_KEPT_MAX,
    "Network._timers": 4,
    "Notes._counts": 20,
    "Offering._to_offer": PENDING_OPERATIONS_MAX,
    "Offering._waited": PENDING_OPERATIONS_MAX,
    "Offers.by_type": 2,
    "Offers.by_type[]": max(gossip.OFFERS_MAX.values()),
    "Owed.items": max(2 * sync.BATCH_BLOCKS, 3 * peer.FETCH_ITEMS_MAX),
    "Peer._parts": PARTS_MAX,
    "Requests._asked": PEERS_MAX * max(sync.BATCH_BLOCKS, 3 * peer.FETCH_ITEMS_MAX),
    "Requests._owed": PEERS_MAX,
    "Source.ids": sync.IDS_AHEAD_MAX + BLOCK_IDS_MAX,
    "Source.synopsis": SYNOPSIS_IDS_MAX,
    "Tally._counts": tally.KEYS_MAX,
    "Traffic._samples": traffic.SAMPLES_MAX + 1,
    "WaitingBlocks._children": sync.WINDOW_BLOCKS * PEERS_MAX,
    "WaitingBlocks._children[]": PEERS_MAX,
    "WaitingBlocks._gathered": waiting_blocks.JOB_SIGNATURES,
    "WaitingBlocks._jobs": PEERS_MAX * sync.BATCH_BLOCKS,
    "WaitingBlocks._jobs[]": waiting_blocks.JOB_SIGNATURES,
    "WaitingBlocks._postponed": sync.WINDOW_BLOCKS * PEERS_MAX,
    "WaitingBlocks._queue": sync.WINDOW_BLOCKS * PEERS_MAX,
    "WaitingBlocks._ready": sync.WINDOW_BLOCKS * PEERS_MAX,
    "WaitingBlocks._received": sync.WINDOW_BLOCKS * PEERS_MAX,
    "Wants.items": serving.SERVED_MAX,
    "Wants.synopses": serving.SYNOPSES_MAX,
}
"""The largest number of entries of each collection, by class and attribute; `[]` is each collection inside of it."""


def find_excess(node: Node, largest: dict[str, int]) -> str | None:
    """Returns which collection is beyond its limit, or None; keeps the largest sizes seen."""
    if node.network is None:
        return None
    for name, size in _measure(node.network):
        if size > largest.get(name, 0):
            largest[name] = size
        limit = LIMITS.get(name)
        if limit is None:
            return f"{name} has no named limit"
        if size > limit:
            return f"{name} has {size} entries, at most {limit} allowed"
    return None


def _measure(root: Any) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    waiting, seen = [root], {id(root)}
    while waiting:
        thing = waiting.pop()
        for name in _attributes(thing):
            value = getattr(thing, name, None)
            if isinstance(value, (str, bytes, int, type(None))) or hasattr(value, "_fields") or callable(value):
                continue
            if isinstance(value, Collection) and not _is_ours(value):
                found.append((f"{type(thing).__name__}.{name}", len(value)))
                values = list(value.values()) if isinstance(value, dict) else list(value)
                inner = [item for item in values if _is_ours(item)]
                for item in values:
                    if isinstance(item, Sized) and not _is_ours(item) and not isinstance(item, (str, bytes, tuple)):
                        found.append((f"{type(thing).__name__}.{name}[]", len(item)))
            else:
                inner = [value] if _is_ours(value) else []
            for item in inner:
                if id(item) not in seen:
                    seen.add(id(item))
                    waiting.append(item)
    return found


def _is_ours(value: Any) -> bool:
    kind = type(value)
    return kind.__module__.startswith("node.core.") and not isinstance(value, tuple) and kind is not Node


def _attributes(thing: Any) -> list[str]:
    names = list(getattr(thing, "__dict__", ()))
    for kind in type(thing).__mro__:
        names += getattr(kind, "__slots__", ())
    return names
