"""`python -m tests.mutants [run|small|planted]`: docs/testing.md says what each does."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.mutants.operators import PACKAGES, ROOT, Mutant, draw, find_mutants, list_files
from tests.mutants.planted import read_planted
from tests.mutants.run import ForkServer, Map, Verdict, run_server, try_fresh

CACHE = ROOT / ".cache/mutants"
ACCEPTED = Path(__file__).parent / "accepted.toml"
KEPT = Path(__file__).parent / "kept.jsonl"
KEPT_EACH = 6
"""Mutants of each package that are tried in every run of the tests."""
KEPT_SECONDS_MAX = 0.5
KEPT_MIN = 0.7
"""The part of the kept mutants that must still be in the code."""
KILLED_MIN = 0.95
FRESH_TESTS = 12
"""How many tests are tried on a mutant that needs a process of its own."""


class Results:
    """What became of the mutants, in a file of one line each; what was found out about other code counts no more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[tuple[str, str], Verdict] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            name, source, *verdict = json.loads(line)
            self._found[name, source] = Verdict(*verdict)

    def get(self, mutant: Mutant) -> Verdict | None:
        """The newest verdict about a mutant."""
        return self._found.get((mutant.name, mutant.source))

    def read_again(self) -> Results:
        """The results with what other processes have added."""
        return Results(self._path)

    def tell(self, mutant: Mutant, verdict: Verdict) -> None:
        """Keeps a verdict."""
        self._found[mutant.name, mutant.source] = verdict
        with self._path.open("a") as file:
            file.write(json.dumps([mutant.name, mutant.source, *verdict]) + "\n")


def read_accepted() -> dict[str, str]:
    """Mutants that no test can or need kill, with the reason."""
    entries = tomllib.loads(ACCEPTED.read_text())["accepted"]
    return {entry["mutant"]: entry["reason"] for entry in entries}


def run(options: argparse.Namespace) -> int:
    """Tries the mutants of a seed that have not been tried yet, and reports."""
    CACHE.mkdir(parents=True, exist_ok=True)
    results, reaches = Results(CACHE / "results.jsonl"), Map(CACHE / "map.jsonl")
    mutants = draw(options.total, options.seed, options.packages)
    if options.boundaries is not None:
        every = [mutant for file in list_files(options.packages) for mutant in find_mutants(file)]
        mutants = [
            mutant for mutant in every if mutant.is_boundary and any(word in mutant.name for word in options.boundaries)
        ]
    again = ("survived", "not reached") if options.again else ()
    todo = [mutant for mutant in mutants if (found := results.get(mutant)) is None or found.outcome in again]
    if not options.shown:
        Random(options.seed).shuffle(todo)  # A part of a run is a fair sample.
        paths = [f"tests/{name}" for name in PACKAGES]
        results = try_all(todo, results, reaches.choose, paths, None if options.known else reaches)
    return report(mutants, results)


def try_all(
    mutants: Sequence[Mutant],
    results: Results,
    choose: Callable[[Mutant], list[str]],
    paths: Iterable[str],
    reaches: Map | None = None,
) -> Results:
    """Tries mutants with tests of some paths: in place of living functions, and where that shows nothing, at import."""
    if not mutants:
        return results
    child = os.fork()  # Here nothing of the program is imported, for those that are planted before it is.
    if child == 0:
        run_server(ForkServer(mutants, choose, results.tell, reaches), paths)
        os._exit(0)
    os.waitpid(child, 0)
    results = results.read_again()
    if reaches is not None:
        choose = Map(reaches.path).choose
    for mutant in mutants:
        found = results.get(mutant)
        if found is not None and found.outcome == "late":
            tests = choose(mutant)[:FRESH_TESTS] or [f"tests/{mutant.file.partition('/')[0]}"]
            results.tell(mutant, try_fresh(mutant, tests))
    return results


def report(mutants: Sequence[Mutant], results: Results) -> int:
    """Prints what survives and the shares by package; 1 when too few die or one survives that nobody accepted."""
    accepted = read_accepted()
    counts: dict[str, Counter[str]] = {}
    unknown = 0
    for mutant in mutants:
        found = results.get(mutant)
        outcome = "to do" if found is None else found.outcome
        if outcome in ("survived", "not reached") and mutant.name in accepted:
            outcome = "accepted"
        counts.setdefault(mutant.file.partition("/")[0], Counter())[outcome] += 1
        if outcome in ("survived", "not reached", "late"):
            unknown += 1
            print(f"{outcome}: line {mutant.line} of {mutant.name}")
    whole = sum(counts.values(), Counter[str]())
    for package, count in {**counts, "all": whole}.items():
        tried = count.total() - count["to do"]
        share = f"{count['killed'] / tried:.1%}" if tried else "-"
        print(f"{package:12} {tried:5} of {count.total()} tried, {share} killed: {_show(count)}")
    tried = whole.total() - whole["to do"]
    return 1 if unknown or whole["killed"] < KILLED_MIN * tried else 0


def _show(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))


def plant(options: argparse.Namespace) -> int:
    """Plants each fault of the list, or those whose names hold a word, and prints a table; 1 when a test misses one."""
    faults = [fault for fault in read_planted() if any(word in fault.name for word in options.words or [""])]
    planted, controls = [fault.as_mutant() for fault in faults], [fault.as_control() for fault in faults]
    results = try_named(list(zip([*planted, *controls], [fault.test for fault in faults] * 2, strict=True)))
    missed = 0
    for fault, mutant, control in zip(faults, planted, controls, strict=True):
        outcomes = [None if found is None else found.outcome for found in map(results.get, (mutant, control))]
        missed += outcomes != ["killed", "survived"]
        shown = {"killed": "found", "survived": "MISSED"}.get(outcomes[0] or "", "NOT TRIED")
        print(
            f"{shown if outcomes[1] == 'survived' else 'FAILS WITHOUT IT'} | {fault.name} | {fault.file} | {fault.test}"
        )
    print(f"{len(faults) - missed} of {len(faults)} planted faults are found")
    return 1 if missed else 0


def keep(options: argparse.Namespace) -> int:
    """Tries the planted faults and the kept mutants; 1 when one survives, or too many are no longer in the code."""
    if options.write:
        return write_kept(options)
    named = [(fault.as_mutant(), fault.test) for fault in read_planted()]
    kept: dict[str, str] = dict(map(json.loads, KEPT.read_text().splitlines()))
    files = dict.fromkeys(name.partition(" ")[0] for name in kept)
    there = [mutant for file in files if (ROOT / file).exists() for mutant in find_mutants(file) if mutant.name in kept]
    named += [(mutant, kept[mutant.name]) for mutant in there]
    results = try_named(named)
    alive = [mutant for mutant, _ in named if (found := results.get(mutant)) is None or found.outcome != "killed"]
    for mutant in alive:
        print(f"survives its test: line {mutant.line} of {mutant.name}")
    print(
        f"{len(named) - len(alive)} of {len(named)} die; {len(kept) - len(there)} kept mutants are gone from the code"
    )
    if len(there) < KEPT_MIN * len(kept):
        print("draw others: python -m tests.mutants run, then python -m tests.mutants kept --write")
        return 1
    return 1 if alive else 0


def write_kept(options: argparse.Namespace) -> int:
    """Chooses mutants that died soon, of all packages, by the seed, and keeps each with the test that it died by."""
    results = Results(CACHE / "results.jsonl")
    counts: Counter[str] = Counter()
    lines = []
    mutants = draw(1500, options.seed)
    Random(options.seed).shuffle(mutants)
    for mutant in mutants:
        found, package = results.get(mutant), mutant.file.partition("/")[0]
        is_fit = found is not None and found.outcome == "killed" and found.test and found.seconds < KEPT_SECONDS_MAX
        if found is not None and is_fit and found.test.startswith(f"tests/{package}") and counts[package] < KEPT_EACH:
            counts[package] += 1
            lines.append(json.dumps([mutant.name, found.test]))
    KEPT.write_text("\n".join(sorted(lines)) + "\n")
    print(f"{len(lines)} mutants are kept in {KEPT.relative_to(ROOT)}")
    return 0


def try_named(named: Sequence[tuple[Mutant, str]]) -> Results:
    """Tries mutants, each with one test."""
    tests = {(mutant.name, mutant.source): test for mutant, test in named}
    paths = dict.fromkeys(test.partition("::")[0] for _, test in named)
    with TemporaryDirectory() as folder:
        results = Results(Path(folder) / "results.jsonl")
        mutants = [mutant for mutant, _ in named]
        return try_all(mutants, results, lambda mutant: [tests[mutant.name, mutant.source]], paths)


def main(arguments: Iterable[str]) -> int:
    """Runs a command."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("run", help="try the mutants of a seed; goes on where the last run stopped")
    command.add_argument("--total", type=int, default=1500)
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--packages", nargs="+", default=PACKAGES)
    command.add_argument("--again", action="store_true", help="try survivors again")
    command.add_argument(
        "--boundaries", nargs="*", help="all comparisons moved by one whose text holds a word, instead of the drawn"
    )
    command.add_argument("--known", action="store_true", help="use only tests whose functions are known already")
    command.add_argument("--shown", action="store_true", help="report only")
    command.set_defaults(run=run)
    command = commands.add_parser("planted", help="plant the faults of planted.toml, each with the test that finds it")
    command.add_argument("words", nargs="*", help="only faults whose names hold one of these")
    command.set_defaults(run=plant)
    command = commands.add_parser("kept", help="try the planted faults and some mutants that must die soon")
    command.add_argument("--write", action="store_true", help="choose the mutants from the results of a run")
    command.add_argument("--seed", type=int, default=1)
    command.set_defaults(run=keep)
    options = parser.parse_args(list(arguments))
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
