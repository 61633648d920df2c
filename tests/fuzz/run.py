"""Feeds targets, and finds what must not happen: exceptions, hangs, growth, traces of what was refused."""

from __future__ import annotations

import gc
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from types import FrameType
from typing import NamedTuple

from tests.fuzz.target import Target
from tests.processes import read_resident_bytes

INPUT_SECONDS_MAX = 5.0
"""An input that takes longer hangs the program. On a busy machine the processor's time counts, not the clock's."""

CHECK_EVERY = 1_000
GROWTH_MIB_MAX = 96
"""How much larger the process may be at the end than when a tenth of the inputs had been fed."""

FAILURES_MAX = 20
"""A target with so many failures is fed no more."""


class Hang(BaseException):
    """An input took too long; no BaseException is caught by what is fuzzed."""


class Failure(NamedTuple):
    """An input that did what it must not."""

    target: str
    number: int
    data: bytes
    what: str
    trace: str


class Report(NamedTuple):
    """What came of feeding one target."""

    name: str
    inputs: int
    accepted: int
    refused: int
    seconds: float
    slowest_ms: float
    growth_mib: float | None
    failures: tuple[Failure, ...]


def read_resident_mib() -> float | None:
    """The memory of this process, None where the system does not tell."""
    try:
        return read_resident_bytes() / (1 << 20)
    except (OSError, ValueError, IndexError):
        return None


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raises Hang in what runs inside when it has used the processor for so long."""

    def on_alarm(_number: int, _frame: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGVTALRM, on_alarm)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def feed(target: Target, data: bytes, index: int) -> tuple[bool, Failure | None]:
    """Feeds one input; returns whether it was accepted, and what went wrong."""
    try:
        with bounded(INPUT_SECONDS_MAX):
            return target.run(data), None
    except Hang:
        return False, Failure(target.name, index, data, f"hangs for {INPUT_SECONDS_MAX} s", traceback.format_exc())
    except Exception as error:
        what = f"{type(error).__name__}: {error}"[:300]
        return False, Failure(target.name, index, data, what, traceback.format_exc())


class Run:
    """One target and its counters."""

    def __init__(self, target: Target, inputs: int) -> None:
        self.target = target
        self.inputs = inputs
        self.accepted = 0
        self.done = 0
        self.failures: list[Failure] = []
        self.slowest = 0.0
        self._begin_mib: float | None = None

    def play(self, on_progress: Callable[[int], None] = lambda done: None) -> Report:
        """Feeds all inputs, or as many as there are before too many fail."""
        begin = time.perf_counter()
        while self.done < self.inputs and len(self.failures) < FAILURES_MAX:
            self._feed_next()
            if self.done % 100 == 0:
                on_progress(self.done)
            if self.done == self.inputs // 10:
                self._begin_mib = self._measure()
        self._check()
        on_progress(self.done)
        growth = self._find_growth()
        return Report(
            self.target.name,
            self.done,
            self.accepted,
            self.done - self.accepted - len(self.failures),
            time.perf_counter() - begin,
            self.slowest * 1000,
            growth,
            tuple(self.failures),
        )

    def _feed_next(self) -> None:
        index = self.done
        data = self.target.make()
        begin = time.process_time()
        is_accepted, failure = feed(self.target, data, index)
        self.slowest = max(self.slowest, time.process_time() - begin)
        self.accepted += is_accepted
        self.done += 1
        if failure is not None:
            self.failures.append(failure)
        elif self.done % CHECK_EVERY == 0:
            self._check()

    def _check(self) -> None:
        try:
            self.target.check()
        except Exception as error:
            what = f"after some inputs {type(error).__name__}: {error}"[:300]
            self.failures.append(Failure(self.target.name, self.done, b"", what, traceback.format_exc()))

    @staticmethod
    def _measure() -> float | None:
        gc.collect()
        return read_resident_mib()

    def _find_growth(self) -> float | None:
        end = self._measure()
        if end is None or self._begin_mib is None:
            return None
        growth = end - self._begin_mib
        if growth > GROWTH_MIB_MAX:
            what = f"the process grew by {growth:.0f} MiB, at most {GROWTH_MIB_MAX} allowed"
            self.failures.append(Failure(self.target.name, self.done, b"", what, ""))
        return growth


def make_target(kind: type[Target], seed: int) -> Target:
    """A target whose inputs follow from a seed."""
    return kind(Random(f"{seed} {kind.name}"))
