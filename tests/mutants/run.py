"""Runs tests against mutants: everything is collected once, and each mutant is tried in a fork of that process."""

from __future__ import annotations

import _lsprof
import gc
import json
import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, Phase, settings

from tests.mutants.operators import ROOT, Mutant
from tests.mutants.planting import Functions, find_functions, import_changed, place_of, replace_functions

TEST_SECONDS_MAX = 1.5
"""A test that takes more CPU seconds while its calls are counted is left to `make test`."""
BASE_SECONDS_MAX = 6
"""CPU seconds that the tests of one mutant take at most without it."""
FORK_SECONDS_MAX = 4 * BASE_SECONDS_MAX
MEMORY_BYTES_MAX = 3 << 30
PYTEST_OPTIONS = [
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--tb=no",
    "--no-header",
    "-m",
    "not slow",
    "-o",
    "addopts=",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",  # Hypothesis is imported before pytest begins.
]


class Reach(NamedTuple):
    """What a test calls, and the CPU seconds it takes alone."""

    seconds: float
    functions: frozenset[str]
    """`file name` of each function of the program that it enters."""


class Verdict(NamedTuple):
    """What became of a mutant."""

    outcome: str
    """killed, survived, not reached (by any test), late (to be planted before the program is imported)."""
    test: str = ""
    """The test that failed; empty where the process ran out of time or memory."""
    seconds: float = 0.0


def prepare_hypothesis() -> None:
    """Examples are the same in each run, and a failing one is not shrunk. To be called before tests are imported."""
    settings.register_profile(
        "mutants",
        phases=[Phase.explicit, Phase.generate],
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")


def in_fork(work: Callable[[], object], seconds_max: float) -> tuple[object, float]:
    """Does some work in a forked process; returns its answer, None when it did not end well, and its CPU seconds."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(read)
            limit = int(seconds_max) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
            quiet = os.open(os.devnull, os.O_WRONLY)
            for stream in (1, 2):
                os.dup2(quiet, stream)
            answer = json.dumps(work())
            with os.fdopen(write, "w") as pipe:
                pipe.write(answer)
        finally:
            os._exit(0)
    os.close(write)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(60 + 20 * int(seconds_max))
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    signal.alarm(0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    try:
        return json.loads(text), used
    except ValueError:
        return None, used


def _fail_first(items: Sequence[pytest.Item]) -> str:
    """The first test that fails; empty when all pass."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        if any(report.failed for report in runtestprotocol(item, nextitem=following, log=False)):
            return item.nodeid
    return ""


def _reach(item: pytest.Item) -> list[object] | None:
    profiler = _lsprof.Profiler(subcalls=False, builtins=False)
    begin = time.process_time()
    profiler.enable()
    failed = _fail_first([item])
    profiler.disable()
    return None if failed else [time.process_time() - begin, sorted(_name_called(profiler))]


def _name_called(profiler: _lsprof.Profiler) -> set[str]:
    places = (place_of(entry.code) for entry in profiler.getstats() if not isinstance(entry.code, str))
    return {_name(place[0], place[1]) for place in places if place is not None and not place[0].startswith("tests/")}


def _name(file: str, qualname: str) -> str:
    return f"{file} {qualname.partition('.<locals>')[0]}"


class Map:
    """Which test reaches which function, kept in a file of one line a test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reaches: dict[str, Reach] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            test, seconds, functions = json.loads(line)
            self.reaches[test] = Reach(seconds, frozenset(functions))

    def add(self, test: str, reach: object) -> None:
        """Notes a test; one that fails without a mutant reaches nothing."""
        seconds, functions = reach if isinstance(reach, list) else (0.0, ())
        assert isinstance(seconds, float) and isinstance(functions, list | tuple)
        self.reaches[test] = Reach(seconds, frozenset(functions))
        with self.path.open("a") as file:
            file.write(json.dumps([test, round(seconds, 4), list(functions)]) + "\n")

    def choose(self, mutant: Mutant, seconds_max: float = BASE_SECONDS_MAX) -> list[str]:
        """Tests that reach a mutant's function (its class, its module), the cheapest first, within a time."""
        chosen = []
        for test, reach in sorted(self.reaches.items(), key=lambda item: item[1].seconds):
            is_reached = mutant.full_scope in reach.functions or (
                not mutant.is_in_function and any(name.startswith(mutant.full_scope) for name in reach.functions)
            )
            if is_reached:
                seconds_max -= reach.seconds
                if seconds_max < 0:
                    break
                chosen.append(test)
        return chosen


class ForkServer:
    """A pytest plugin: instead of running what was collected it tries mutants, each in a fork."""

    def __init__(
        self,
        mutants: Sequence[Mutant],
        choose: Callable[[Mutant], Sequence[str]],
        tell: Callable[[Mutant, Verdict], None],
        reaches: Map | None = None,
    ) -> None:
        self._mutants, self._choose, self._tell, self._map = mutants, choose, tell, reaches
        self._killers: dict[str, list[str]] = {}
        self._called_at_import: set[str] = set()
        self._profiler = _lsprof.Profiler(subcalls=False, builtins=False)
        self._profiler.enable()

    def pytest_collection_finish(self) -> None:
        """Called by pytest after all tests have been imported."""
        self._profiler.disable()
        self._called_at_import = _name_called(self._profiler)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Called by pytest in order to run the tests."""
        items = {item.nodeid: item for item in session.items}
        functions = find_functions()
        gc.collect()
        gc.freeze()  # What no fork writes to is copied for none.
        if self._map is not None:
            for test in items.keys() - self._map.reaches.keys():
                self._map.add(test, in_fork(partial(_reach, items[test]), TEST_SECONDS_MAX)[0])
        for mutant in self._mutants:
            chosen = [items[test] for test in self._order(mutant) if test in items]
            verdict = self._try(mutant, functions, chosen) if chosen else Verdict("not reached")
            if verdict.outcome == "not reached" and mutant.full_scope in self._called_at_import:
                verdict = verdict._replace(outcome="late")
            if verdict.outcome == "killed" and verdict.test:
                known = self._killers.setdefault(mutant.file, [])
                known[:] = list(dict.fromkeys([verdict.test, *known]))[:5]
            self._tell(mutant, verdict)
        return True

    def _order(self, mutant: Mutant) -> Iterable[str]:
        """The tests for a mutant; those that killed others of the file are the first."""
        tests = self._choose(mutant)
        known = [test for test in self._killers.get(mutant.file, ()) if test in tests]
        return dict.fromkeys([*known, *tests])

    @staticmethod
    def _try(mutant: Mutant, functions: Functions, chosen: Sequence[pytest.Item]) -> Verdict:
        if not mutant.is_in_function:
            return Verdict("late")
        code = compile(mutant.tree(), str(ROOT / mutant.file), "exec")

        def work() -> object:
            is_planted = replace_functions(functions, mutant.file, code, mutant.scope)
            return _fail_first(chosen) if is_planted else "late"

        answer, seconds = in_fork(work, FORK_SECONDS_MAX)
        if answer == "late":
            return Verdict("late")
        return _judge(answer, seconds)


def _judge(answer: object, seconds: float) -> Verdict:
    """A process that does not end in time, or dies, has shown its mutant as well."""
    return Verdict("survived" if answer == "" else "killed", str(answer or ""), round(seconds, 2))


def run_server(server: ForkServer, paths: Iterable[str]) -> None:
    """Collects the tests of some paths and tries the server's mutants."""
    prepare_hypothesis()
    pytest.main([*PYTEST_OPTIONS, *paths], [server])


def try_fresh(mutant: Mutant, tests: Sequence[str]) -> Verdict:
    """Tries a mutant in a process that imports the program after it was planted; here nothing of it was imported."""

    def work() -> object:
        import_changed(mutant.file, compile(mutant.tree(), str(ROOT / mutant.file), "exec"))
        prepare_hypothesis()
        failed = _FirstFailed()
        code = pytest.main([*PYTEST_OPTIONS, "-x", *tests], [failed])
        return failed.test or ("" if code == 0 else "(import)")

    answer, seconds = in_fork(work, 60)
    return _judge(answer, seconds)


class _FirstFailed:
    test = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest after each part of a test."""
        if report.failed and not self.test:
            self.test = report.nodeid
