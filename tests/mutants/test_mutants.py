"""Planted faults and some mutants are shown by the tests that are there for them; what mutants are made of."""

import ast
import subprocess
import sys

import pytest

from tests.mutants.__main__ import read_accepted
from tests.mutants.operators import ROOT, compute_shares, draw, find_mutants, list_files


@pytest.mark.timeout(600)
def test_planted_faults_and_kept_mutants_are_found() -> None:
    """In a process of its own, which changes the program and forks."""
    command = [sys.executable, "-m", "tests.mutants", "kept"]
    run = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]


def test_each_mutant_is_another_program_and_has_a_name_of_its_own() -> None:
    file = "state/interest.py"
    mutants = find_mutants(file)
    original = ast.dump(ast.parse((ROOT / file).read_text()))
    programs = {ast.dump(mutant.tree()) for mutant in mutants}
    for mutant in mutants:
        compile(mutant.tree(), file, "exec")
    assert len(programs) == len({mutant.name for mutant in mutants}) == len(mutants) > 20
    assert original not in programs
    assert f"{file} compute_earned: now > due_after -> now >= due_after" in {mutant.name for mutant in mutants}


def test_the_draw_is_by_seed_and_in_shares_by_file() -> None:
    drawn = [mutant.name for mutant in draw(40, 1, ["consensus"])]
    assert drawn == [mutant.name for mutant in draw(40, 1, ["consensus"])]
    assert len(set(drawn)) == 40 and set(drawn) != {mutant.name for mutant in draw(40, 2, ["consensus"])}
    assert compute_shares({"a": 100, "b": 50, "c": 1}, 10) == {"a": 6, "b": 3, "c": 1}


def test_accepted_mutants_are_in_the_code_and_have_a_reason() -> None:
    accepted = read_accepted()
    files = {name.partition(" ")[0] for name in accepted}
    assert files <= set(list_files())
    assert accepted.keys() <= {mutant.name for file in files for mutant in find_mutants(file)}
    assert all(len(reason) > 10 for reason in accepted.values())
