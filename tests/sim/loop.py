"""Virtual time: what is due next, a record of all that happened, and the two ways in which a run can end early."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from typing import Any

TRACE_LINES_KEPT = 400
ACTIONS_MAX = 200_000
"""A run that does more than this never comes to rest."""


class SimulatedCrash(BaseException):
    """The process of a node dies here. Not an Exception, so that the node cannot catch it by mistake."""


class Failure(Exception):
    """A checker found something wrong; `checker` is its name."""

    def __init__(self, checker: str, text: str) -> None:
        super().__init__(f"[{checker}] {text}")
        self.checker = checker
        self.text = text


class Trace:
    """Every line that says what happened goes into one hash; the last lines are kept to be read."""

    def __init__(self, sink: Callable[[str], None] | None = None) -> None:
        self._hash = sha256()
        self._sink = sink
        self.lines: deque[str] = deque(maxlen=TRACE_LINES_KEPT)

    def add(self, line: str) -> None:
        """Records a line."""
        self._hash.update(line.encode(errors="backslashreplace"))
        self._hash.update(b"\n")
        self.lines.append(line)
        if self._sink is not None:
            self._sink(line)

    def digest(self) -> str:
        """The hash over all lines so far, in hexadecimal."""
        return self._hash.hexdigest()


class Loop:
    """Actions by the moment they are due, in milliseconds since the epoch; equal moments in the order of asking."""

    def __init__(self, start_ms: int) -> None:
        self.now_ms = start_ms
        self._due: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0
        self.done = 0

    def at(self, when_ms: int, action: Callable[..., None], *arguments: Any) -> None:
        """Has an action done at a moment, or at once when that is past."""
        self._count += 1
        heapq.heappush(self._due, (max(when_ms, self.now_ms), self._count, action, arguments))

    def after(self, delay_ms: int, action: Callable[..., None], *arguments: Any) -> None:
        """Has an action done after a while."""
        self.at(self.now_ms + delay_ms, action, *arguments)

    def run_until(self, end_ms: int) -> None:
        """Does everything that is due up to a moment. Raises Failure when that is too much for one run."""
        due = self._due
        while due and due[0][0] <= end_ms:
            self.done += 1
            if self.done > ACTIONS_MAX:
                raise Failure("the network comes to rest", f"more than {ACTIONS_MAX} actions, and no end")
            self.now_ms, _, action, arguments = heapq.heappop(due)
            action(*arguments)
        self.now_ms = end_ms
