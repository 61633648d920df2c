"""Cache of recent blocks and transactions, by the hash of their message."""

from collections import OrderedDict

from protocol.p2p.messages import BLOCK_ITEM, TRANSACTION_ITEM, message_id

SEEN_MAX = 200_000
BLOCKS_KEPT_MAX = 200
TRANSACTIONS_KEPT_MAX = 50_000
KEPT_BYTES_MAX = 64 << 20
"""Maximum bytes kept per type, to serve peers that request an announced item."""


class HashMemory:
    """A bounded set of hashes with timestamps; the oldest are evicted."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._times: OrderedDict[bytes, int] = OrderedDict()

    def __contains__(self, item: bytes) -> bool:
        return item in self._times

    def add(self, item: bytes, now_ms: int) -> None:
        """Adds a hash, or updates its time."""
        self._times[item] = now_ms
        self._times.move_to_end(item)
        if len(self._times) > self._count_max:
            self._times.popitem(last=False)

    def discard(self, item: bytes) -> None:
        """Removes a hash."""
        self._times.pop(item, None)

    def forget_before(self, time_ms: int) -> None:
        """Removes the hashes added before a moment."""
        while self._times and next(iter(self._times.values())) < time_ms:
            self._times.popitem(last=False)


class MessageCache:
    """Cache of messages of one type by hash, bounded in number and bytes."""

    def __init__(self, count_max: int) -> None:
        self._count_max = count_max
        self._messages: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0

    def add(self, item: bytes, payload: bytes) -> None:
        """Adds a message; the oldest are evicted."""
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


class Items:
    """The cache of announced items; `seen` also holds rejected ones, which are not fetched again for a while."""

    def __init__(self) -> None:
        self._kept = {
            BLOCK_ITEM: MessageCache(BLOCKS_KEPT_MAX),
            TRANSACTION_ITEM: MessageCache(TRANSACTIONS_KEPT_MAX),
        }
        self.seen = HashMemory(SEEN_MAX)

    def keep(self, number: int, payload: bytes, now_ms: int) -> bytes:
        """Caches a message; returns its hash."""
        item = message_id(payload)
        self._kept[number].add(item, payload)
        self.seen.add(item, now_ms)
        return item

    def find(self, item: bytes) -> tuple[int, bytes] | None:
        """Returns the number and the payload of a cached message, or None."""
        found = ((number, messages.find(item)) for number, messages in self._kept.items())
        return next(((number, payload) for number, payload in found if payload is not None), None)
