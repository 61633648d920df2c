"""Long answers in slices: a method that may take long is a generator, and between its steps all others have their turn.

    @rpc_method(rows="accounts")
    def find_accounts(self, accounts: Names) -> Steps:
        for name in accounts:
            yield self.show(name)

What it yields is a member of the answer's list (`rows` names it; "" where the answer itself is the list), as a value or
as the bytes of its JSON, or PAUSE for a step without a member, or `Aside(work)`: work that needs no state is then done
in a second thread, and its result is what the `yield` gives. What it returns is the answer, or the further members of
an answer with rows.

An answer is of one state of the chain: when the head or the waiting transactions change between two slices, it is made
again. So asides come before the first look at the state or after the last one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple
from weakref import WeakValueDictionary

from protocol.steps import ResultT
from protocol.steps import Steps as Work
from rpc.errors import SERVER_ERROR, RpcError
from rpc.json_bytes import dump_json
from rpc.turns import current_client, next_turn
from state.engine.errors import ScanInvalidated

Steps = Generator[Any, Any, Any]
"""How an answer is made."""

StepsTo = Generator[Any, Any, ResultT]
"""Steps that many methods go through by `yield from`, and what they give."""

PAUSE: Final[Any] = object()
"""A step that gives no member of the list."""

SLICE_SECONDS = 0.005
"""How long an answer is worked on before it is the others' turn."""

ATTEMPTS_MAX = 5
"""How often an answer is begun. In the last attempt waiting transactions may come in between, but still no block."""

ANSWER_BYTES_MAX = 16 << 20
"""Bytes of the members of one answer."""

_DONE: Final[Any] = object()
_THREAD: Final = ThreadPoolExecutor(1, "rpc-aside")


class Aside(NamedTuple):
    """Work that needs no state."""

    work: Callable[[], Any]


def in_steps(work: Work[ResultT]) -> StepsTo[ResultT]:
    """Pauses where the work may be interrupted; returns its result."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: ResultT = stop.value
            return result
        yield PAUSE


def collect(members: Iterable[Any]) -> StepsTo[list[Any]]:
    """Pauses after each member; returns the list of them."""
    found = []
    for member in members:
        if member is not PAUSE:
            found.append(member)
        yield PAUSE
    return found


class Version(NamedTuple):
    """Which state the chain shows: its head, and how many changes waiting transactions made on top of it."""

    head_id: bytes
    pending_changes: int


class Made:
    """An answer as far as it is made: what the generator returned, and the JSON of the members it yielded."""

    def __init__(self, steps: Steps, rows: str | None) -> None:
        self.result: Any = None
        self._steps = steps
        self._given: Any = None
        self._rows = rows
        self._members: list[bytes] = []
        self._bytes = 0

    def advance(self, seconds: float) -> Any:
        """Works for so long; returns PAUSE, an Aside to be done, or _DONE. Raises RpcError for too large an answer."""
        ends = time.perf_counter() + seconds
        try:
            while True:
                step = self._steps.send(self._given)
                self._given = None
                if type(step) is Aside:
                    return step
                if step is not PAUSE:
                    self._add(step if type(step) is bytes else dump_json(step))
                if time.perf_counter() >= ends:
                    return PAUSE
        except StopIteration as stop:
            self.result = stop.value
            return _DONE

    def give(self, result: Any) -> None:
        """Takes the result of an Aside."""
        self._given = result

    def _add(self, member: bytes) -> None:
        self._bytes += len(member) + 1
        if self._bytes > ANSWER_BYTES_MAX:
            raise RpcError(SERVER_ERROR, f"the answer would exceed {ANSWER_BYTES_MAX} bytes: ask for less at once")
        if self._members:
            self._members.append(b",")
        self._members.append(member)

    def render(self) -> list[bytes]:
        """The JSON of the answer, in parts. Raises RpcError for one that is too large."""
        if self._rows is None:
            self._add(dump_json(self.result))
            return self._members
        members = [b"[", *self._members, b"]"]
        if not self._rows:
            return members
        others = dump_json(self.result)[1:-1] if self.result else b""
        return [b'{"%b":' % self._rows.encode(), *members, b"," if others else b"", others, b"}"]


class Slicer:
    """Makes answers in slices; the long ones of one client are made one after the other."""

    def __init__(self, get_version: Callable[[], Version]) -> None:
        self._get_version = get_version
        self._long: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def make(self, begin: Callable[[], Steps], rows: str | None) -> Made:
        """The whole answer. Raises RpcError when the chain went on too often or the answer is too large."""
        lock: asyncio.Lock | None = None
        try:
            for number in range(1, ATTEMPTS_MAX + 1):
                made = Made(begin(), rows)
                version = self._get_version()
                is_same = True
                while is_same:
                    try:
                        step = made.advance(SLICE_SECONDS)
                    except ScanInvalidated:
                        break
                    if step is _DONE:
                        return made
                    if step is not PAUSE:
                        made.give(await asyncio.get_running_loop().run_in_executor(_THREAD, step.work))
                        await next_turn()
                        version = self._get_version()
                        continue
                    if lock is None:
                        lock = await self._begin_long()
                    await next_turn()
                    is_same = self._is_same(version, number == ATTEMPTS_MAX)
        finally:
            if lock is not None:
                lock.release()
        text = f"the chain went on {ATTEMPTS_MAX} times while the answer was made: ask for less at once"
        raise RpcError(SERVER_ERROR, text)

    async def _begin_long(self) -> asyncio.Lock:
        """Waits until no other long answer of this client is being made."""
        lock = self._long.setdefault(current_client(), asyncio.Lock())
        await lock.acquire()
        return lock

    def _is_same(self, version: Version, is_last: bool) -> bool:
        now = self._get_version()
        return now.head_id == version.head_id if is_last else now == version


def make_at_once(steps: Steps, rows: str | None) -> list[bytes]:
    """The JSON of an answer, without a turn for others: for those who have the chain to themselves."""
    made = Made(steps, rows)
    while (step := made.advance(float("inf"))) is not _DONE:
        made.give(step.work())
    return made.render()
