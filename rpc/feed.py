"""The block feed: events of the chain for websockets on the path /feed.

Each event is a JSON-RPC notification (no id, no answer): `plaudit_feed.applied` for a block that joined the main chain,
`plaudit_feed.undone` for a head block that was removed by a fork switch, `plaudit_feed.irreversible` for final blocks.
Events are ordered: a listener that applies and undoes blocks in this order agrees with the node after every reorg.
"""

import asyncio
from collections.abc import Hashable
from typing import Any

from chain.effects import Applied, FeedItem, Irreversible, Undone
from protocol.codec import Codec
from protocol.times import time_text
from rpc.json_bytes import dump_json

EVENTS_MAX = 1_000
"""Maximum number of queued events per listener; a slower one is disconnected, as a gap would mislead it."""

EVENTS_BYTES_MAX = 8 << 20
"""Maximum bytes of queued events per listener. All listeners share the encoded events."""

LISTENERS_MAX = 200
LISTENERS_OF_CLIENT_MAX = 20


class TooManyListeners(Exception):
    """The maximum number of listeners is reached."""


class Listener:
    """The event queue of one websocket."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[bytes] = asyncio.Queue(EVENTS_MAX)
        self._waiting_bytes = 0
        self.is_behind = False

    def put(self, event: bytes) -> None:
        """Queues an event, or marks the listener as too slow."""
        if self._events.full() or (self._waiting_bytes and self._waiting_bytes + len(event) > EVENTS_BYTES_MAX):
            self.is_behind = True
        else:
            self._events.put_nowait(event)
            self._waiting_bytes += len(event)

    async def next(self) -> bytes | None:
        """Waits for the next event; returns None once events have been dropped."""
        if self.is_behind:
            return None
        event = await self._events.get()
        self._waiting_bytes -= len(event)
        return event


class BlockFeed:
    """Sends events of the chain to all listeners."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._listeners: dict[Listener, Hashable] = {}

    def publish(self, items: tuple[FeedItem, ...]) -> None:
        """Sends the events of a change."""
        if not self._listeners:
            return
        for item in items:
            event = dump_json(self._describe(item))
            for listener in self._listeners:
                listener.put(event)

    def add(self, client: Hashable) -> Listener:
        """Adds a listener, which receives events from now on. Raises TooManyListeners."""
        if len(self._listeners) >= LISTENERS_MAX:
            raise TooManyListeners(f"the feed has {LISTENERS_MAX} listeners already")
        if list(self._listeners.values()).count(client) >= LISTENERS_OF_CLIENT_MAX:
            raise TooManyListeners(f"one client has {LISTENERS_OF_CLIENT_MAX} listeners already")
        listener = Listener()
        self._listeners[listener] = client
        return listener

    def remove(self, listener: Listener) -> None:
        """Removes a listener."""
        self._listeners.pop(listener, None)

    def _describe(self, item: FeedItem) -> dict[str, Any]:
        if isinstance(item, Undone):
            return _notification("undone", {"block_num": item.number, "block_id": item.id.hex()})
        if isinstance(item, Irreversible):
            return _notification("irreversible", {"block_num": item.number})
        return _notification("applied", self._describe_block(item))

    def _describe_block(self, item: Applied) -> dict[str, Any]:
        block, operations = item.block, item.effects.operations
        return {
            "block_num": block.number,
            "block_id": block.id.hex(),
            "previous": block.previous.hex(),
            "timestamp": time_text(block.timestamp),
            "witness": block.witness,
            "transaction_ids": [trx_id.hex() for trx_id in block.transaction_ids],
            "virtual_operations": [
                self._codec.operation_to_json(applied.op) for applied in operations if applied.virtual_op
            ],
        }


def _notification(event: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": f"plaudit_feed.{event}", "params": params}
