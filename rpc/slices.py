"""Time-sliced responses: a long-running method is a generator, and other requests are handled between its steps.

    @rpc_method(rows="accounts")
    def find_accounts(self, accounts: Names) -> Steps:
        for name in accounts:
            yield self.show(name)

It yields members of the result's list (named by `rows`; "" if the result itself is the list), as values or as JSON
bytes, or PAUSE for a step without a member, or `Aside(work)` to run work that needs no state in a second thread, whose
result is the value of the `yield`. It returns the result, or the other members of a result with rows.

A response shows a single state of the chain: when the head or the pending transactions change between two slices, it is
started over. So asides must come before the first access to the state or after the last one.
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
"""The steps of a method."""

StepsTo = Generator[Any, Any, ResultT]
"""Steps shared by methods through `yield from`, and their result."""

PAUSE: Final[Any] = object()
"""A step that yields no member of the list."""

SLICE_SECONDS = 0.005
"""Maximum time of a slice before other requests have their turn."""

ATTEMPTS_MAX = 5
"""Maximum number of attempts. In the last one, pending transactions may change in between, but not the head."""

ANSWER_BYTES_MAX = 16 << 20
"""Maximum bytes of the list of one response."""

_DONE: Final[Any] = object()
_THREAD: Final = ThreadPoolExecutor(1, "rpc-aside")


class Aside(NamedTuple):
    """Work that needs no state."""

    work: Callable[[], Any]


def in_steps(work: Work[ResultT]) -> StepsTo[ResultT]:
    """Runs a generator as steps, pausing at each yield; returns its result."""
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: ResultT = stop.value
            return result
        yield PAUSE


def collect(members: Iterable[Any]) -> StepsTo[list[Any]]:
    """Collects the members of an iterable, pausing after each."""
    found = []
    for member in members:
        if member is not PAUSE:
            found.append(member)
        yield PAUSE
    return found


class Version(NamedTuple):
    """The version of the state: head, and number of changes by pending transactions."""

    head_id: bytes
    pending_changes: int


class Made:
    """A response in progress: the JSON of the yielded members, and the generator's result."""

    def __init__(self, steps: Steps, rows: str | None) -> None:
        self.result: Any = None
        self._steps = steps
        self._given: Any = None
        self._rows = rows
        self._members: list[bytes] = []
        self._bytes = 0

    def advance(self, seconds: float) -> Any:
        """Runs for a time; returns PAUSE, an Aside to run, or _DONE. Raises RpcError for too large a response."""
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
        """Sets the result of an Aside."""
        self._given = result

    def _add(self, member: bytes) -> None:
        self._bytes += len(member) + 1
        if self._bytes > ANSWER_BYTES_MAX:
            raise RpcError(SERVER_ERROR, f"the answer would exceed {ANSWER_BYTES_MAX} bytes: ask for less at once")
        if self._members:
            self._members.append(b",")
        self._members.append(member)

    def render(self) -> list[bytes]:
        """Returns the JSON of the response, in parts. Raises RpcError if it is too large."""
        if self._rows is None:
            self._add(dump_json(self.result))
            return self._members
        members = [b"[", *self._members, b"]"]
        if not self._rows:
            return members
        others = dump_json(self.result)[1:-1] if self.result else b""
        return [b'{"%b":' % self._rows.encode(), *members, b"," if others else b"", others, b"}"]


class Slicer:
    """Runs methods in slices; the long ones of one client run one after the other."""

    def __init__(self, get_version: Callable[[], Version]) -> None:
        self._get_version = get_version
        self._long: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    async def make(self, begin: Callable[[], Steps], rows: str | None) -> Made:
        """Returns the response. Raises RpcError when the state changed too often or the response is too large."""
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
        """Waits until no other long response of this client is in progress."""
        lock = self._long.setdefault(current_client(), asyncio.Lock())
        await lock.acquire()
        return lock

    def _is_same(self, version: Version, is_last: bool) -> bool:
        now = self._get_version()
        return now.head_id == version.head_id if is_last else now == version


def make_at_once(steps: Steps, rows: str | None) -> list[bytes]:
    """Returns the JSON of a response without yielding to others, for exclusive users of the chain."""
    made = Made(steps, rows)
    while (step := made.advance(float("inf"))) is not _DONE:
        made.give(step.work())
    return made.render()
