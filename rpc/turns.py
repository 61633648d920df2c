"""Who works next: requests are worked on one at a time, each client in its turn, and the loop runs in between.

Many requests may be ready at one moment. If all of them were answered before the loop looks at its timers again, a
block would wait for them all. So each waits for its turn, and a long answer waits for another one between its parts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Hashable
from contextvars import ContextVar


class Turns:
    """Gives one turn in each round of the event loop, to the client that waited longest since its last one."""

    def __init__(self) -> None:
        self._waiting: dict[Hashable, deque[asyncio.Future[None]]] = {}
        self._is_scheduled = False

    async def take(self, client: Hashable) -> None:
        """Waits for a turn of a client. Its turns come in the order in which they were asked for."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        if not self._is_scheduled:
            self._is_scheduled = True
            loop.call_soon(self._give)
        await turn

    def _give(self) -> None:
        """Gives the next turn; who has left in the meantime is passed over."""
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
    """Lets `next_turn` in this task wait among these turns."""
    _current.set((turns, client))


def current_client() -> Hashable:
    """Whose request this task works on; None where requests do not wait for turns."""
    current = _current.get()
    return None if current is None else current[1]


async def next_turn() -> None:
    """Lets all others go first: to be awaited between two parts of a long answer."""
    current = _current.get()
    if current is None:
        await asyncio.sleep(0)
    else:
        await current[0].take(current[1])
