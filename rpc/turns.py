"""Fair scheduling of requests: one at a time, round-robin over clients, with a round of the event loop in between.

If all ready requests were answered before the event loop checks its timers, block production would wait for them. So
each request waits for its turn, and a long response waits for another turn between its parts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from contextvars import ContextVar


class Turns:
    """Grants one turn per round of the event loop, to the client whose last turn is longest ago."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}
        self._is_scheduled = False

    async def take(self, client: Hashable) -> None:
        """Waits for a turn of a client; a client's turns are granted in order (FIFO)."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._give)
        await turn

    def _give(self) -> None:
        """Grants the next turn; skips waiters that have been cancelled."""
        is_given = False
        while self._waiting and not is_given:
            client = next(iter(self._waiting))
            turns = self._waiting.pop(client)
            turn = turns.popleft()
            if turns:
                self._waiting[client] = turns
            if not turn.done():
                turn.set_result(None)
                is_given = True
        self._is_scheduled = is_given
        if is_given:
            asyncio.get_running_loop().call_soon(self._give)


_current: ContextVar[tuple[Turns, Hashable] | None] = ContextVar("turns", default=None)


def work_in_turns(turns: Turns, client: Hashable) -> None:
    """Makes `next_turn` in this task wait for these turns."""
    _current.set((turns, client))


def current_client() -> Hashable:
    """Returns the client whose request this task handles; None without scheduling."""
    current = _current.get()
    return None if current is None else current[1]


async def next_turn() -> None:
    """Yields to all other clients; awaited between two parts of a long response."""
    current = _current.get()
    if current is None:
        await asyncio.sleep(0)
    else:
        await current[0].take(current[1])
