"""`python -m tests.mutants [run|small|planted]`: docs/testing.md says what each does."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random

from tests.mutants.operators import PACKAGES, ROOT, Mutant, draw
from tests.mutants.planted import read_planted
from tests.mutants.run import ForkServer, Map, Verdict, run_server, try_fresh

CACHE = ROOT / ".cache/mutants"
ACCEPTED = Path(__file__).parent / "accepted.toml"
TESTS = PACKAGES
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
    results_path, map_path = CACHE / "results.jsonl", CACHE / "map.jsonl"
    results = Results(results_path)
    mutants = draw(options.total, options.seed, options.packages)
    again = ("survived", "not reached") if options.again else ()
    todo = [mutant for mutant in mutants if (found := results.get(mutant)) is None or found.outcome in again]
    if options.shown:
        return report(mutants, results)
    if todo:
        child = os.fork()  # Here nothing of the program is imported, for those that are planted before it is.
        if child == 0:
            reaches = Map(map_path)
            tests = [f"tests/{name}" for name in TESTS]
            Random(options.seed).shuffle(todo)  # A part of a run is a fair sample.
            run_server(ForkServer(todo, reaches.choose, results.tell, reaches), tests)
            os._exit(0)
        os.waitpid(child, 0)
        results, reaches = Results(results_path), Map(map_path)
        for mutant in mutants:
            found = results.get(mutant)
            if found is not None and found.outcome == "late":
                results.tell(mutant, try_fresh(mutant, choose_fresh(mutant, reaches)))
    return report(mutants, results)


def choose_fresh(mutant: Mutant, reaches: Map) -> list[str]:
    """Some cheap tests, of different functions where they can be."""
    return reaches.choose(mutant)[:FRESH_TESTS] or [f"tests/{mutant.file.partition('/')[0]}"]


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
    mutants = {fault: fault.as_mutant() for fault in faults}
    tests = {mutant.name: [fault.test] for fault, mutant in mutants.items()}
    verdicts: dict[str, Verdict] = {}

    def tell(mutant: Mutant, verdict: Verdict) -> None:
        verdicts[mutant.name] = verdict

    paths = dict.fromkeys(fault.test.partition("::")[0] for fault in faults)
    run_server(ForkServer(list(mutants.values()), lambda mutant: tests[mutant.name], tell), paths)
    missed = 0
    for fault, mutant in mutants.items():
        outcome = verdicts[mutant.name].outcome if mutant.name in verdicts else "not tried"
        missed += outcome != "killed"
        print(f"{outcome:10} | {fault.name} | {fault.file}:{mutant.line} | {fault.test}")
    print(f"{len(faults) - missed} of {len(faults)} planted faults are found")
    return 1 if missed else 0


def main(arguments: Iterable[str]) -> int:
    """Runs a command."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("run", help="try the mutants of a seed; goes on where the last run stopped")
    command.add_argument("--total", type=int, default=1500)
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--packages", nargs="+", default=PACKAGES)
    command.add_argument("--again", action="store_true", help="try survivors again")
    command.add_argument("--shown", action="store_true", help="report only")
    command.set_defaults(run=run)
    command = commands.add_parser("planted", help="plant the faults of planted.toml, each with the test that finds it")
    command.add_argument("words", nargs="*", help="only faults whose names hold one of these")
    command.set_defaults(run=plant)
    options = parser.parse_args(list(arguments))
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
