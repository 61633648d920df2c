"""docs/reference-parity.md names tests that exist, and each enabled operation has its three kinds of test."""

import ast
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from operations.registry import ALL_OPERATIONS
from protocol.config import ChainConfig
from protocol.operation import Operation
from protocol.rules import Rules, section_of
from tests import chains
from tests.operations.samples import SAMPLES
from tests.operations.test_authorities import EXPECTED
from tests.operations.test_validate import CASES, REFUSED_FOR_GOOD
from tests.parity import (
    KINDS,
    NOT_APPLICABLE,
    ROOT,
    Named,
    Recorder,
    Row,
    find_faults,
    read_cases,
    read_cells,
    read_names,
    read_page,
    read_sections,
)


@cache
def read_functions(path: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions of a test module by name."""
    file = ROOT / path
    if not file.exists():
        return {}
    body = ast.parse(file.read_text(encoding="utf-8")).body
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def get_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    return [argument.arg for argument in function.args.args]


def recounts(path: str, name: str) -> bool:
    """Whether a function, or a fixture that it gets, counts the supplies again."""
    functions = read_functions(path)
    nearby = read_functions(str(Path(path).parent / "conftest.py"))
    function = functions.get(name) or nearby.get(name)
    if function is None:
        return False
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    called = {call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls}
    if called & {"recount", "assert_invariants"}:
        return True
    return any(recounts(path, argument) for argument in get_arguments(function) if argument != name)


def enabled_operations() -> list[str]:
    """Operations that do something: neither events nor without effect nor refused for good."""
    return [
        cls.wire_name
        for cls in ALL_OPERATIONS.values()
        if not cls.virtual and cls.apply is not Operation.apply and cls.wire_name not in REFUSED_FOR_GOOD
    ]


def read_kinds() -> dict[str, list[str]]:
    """The cells of the table of kinds by operation: validate, authorities, apply."""
    return {row[0]: row[1:] for row in read_cells(read_sections(read_page())[KINDS])}


def test_every_named_test_exists() -> None:
    names = read_names(read_page())
    missing = sorted({f"{named.path}::{named.name}" for named in names if named.name not in read_functions(named.path)})
    assert not missing, "\n".join(missing)


def test_nothing_that_looks_like_a_test_was_overlooked() -> None:
    text = read_page()
    assert text.count("::") == len(read_names(text))


def test_every_case_has_a_row() -> None:
    assert find_faults(read_cases(read_page())) == []


def test_parameters_are_those_of_the_tests() -> None:
    """A name in brackets is an operation with a sample, or it or its last part stands in the module as a text."""
    for named in read_names(read_page()):
        if named.parameter and named.parameter not in SAMPLES:
            text = (ROOT / named.path).read_text(encoding="utf-8")
            assert any(f'"{part}"' in text for part in (named.parameter, named.parameter.partition("-")[2])), named


def test_the_table_of_kinds_holds_the_enabled_operations() -> None:
    assert sorted(read_kinds()) == sorted(enabled_operations())


@pytest.mark.parametrize("name", enabled_operations())
def test_each_operation_has_its_three_kinds_of_test(name: str) -> None:
    validate, authorities, apply = (read_names(cell) for cell in read_kinds()[name])
    assert validate and authorities and apply
    assert name in {case[0] for case in CASES}, "no broken instance"
    assert name in SAMPLES, "no valid instance"
    assert set(EXPECTED) <= set(SAMPLES)
    for named in apply:
        assert recounts(named.path, named.name), f"{named.path}::{named.name} does not end in a recount"


def test_what_is_wrong_with_the_rows_is_found() -> None:
    cases = read_cases(read_page())
    rows = cases["bmic_tests.cpp"]
    more = cases | {"bmic_tests.cpp": [*rows, rows[0]]}
    assert find_faults(more) == ["bmic_tests.cpp: 7 rows for 6 cases", f"bmic_tests.cpp: {rows[0].case} has two rows"]
    untested = cases | {"bmic_tests.cpp": [*rows[1:], Row("new", [], "", "")]}
    assert find_faults(untested) == ["bmic_tests.cpp: new has no test"]
    unexplained = cases | {"bmic_tests.cpp": [*rows[1:], Row("new", [], NOT_APPLICABLE, "")]}
    assert find_faults(unexplained) == ["bmic_tests.cpp: new does not apply, but why?"]
    left_out = [row._replace(tests=[], cell=NOT_APPLICABLE, remark="why") for row in cases["block_tests.cpp"]]
    assert find_faults(cases | {"block_tests.cpp": left_out}) == ["16 cases do not apply; at most 15 may"]


def test_how_a_named_test_ended() -> None:
    recorder = Recorder()
    path = "tests/test_x.py"
    for parameter, outcome in (("a", "passed"), ("one-b", "failed"), ("one two", "skipped")):
        recorder.outcomes[f"{path}::test_y[{parameter}]"] = outcome
    assert recorder.find(Named(path, "test_y", "")) == ["passed", "failed", "skipped"]
    assert recorder.find(Named(path, "test_y", "b")) == ["failed"]
    assert recorder.find(Named(path, "test_y", "one-b")) == ["failed"]
    assert recorder.find(Named(path, "test_y", "two")) == []
    assert recorder.find(Named(path, "test_z", "")) == []
    assert not Named(path, "test_y", "").exists()
    assert Named("tests/test_parity.py", "test_how_a_named_test_ended", "").exists()


def test_on_chains_of_other_names_and_windows_the_rest_of_the_cases_pass() -> None:
    """A part of `make parity`: the operations that money, authority and the rules' own accounts depend on most."""
    files = [f"tests/operations/test_{name}.py" for name in ("account", "savings", "transfer", "witness", "recovery")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files, "tests/rewards/test_supply.py"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        command, env=environment | {chains.VARIABLE: "other"}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_the_other_chain_shares_no_name_and_no_window_with_the_preset() -> None:
    preset = ChainConfig.preset("testnet")
    other = chains.rename(preset, longer_windows=True)
    for name, field in Rules.model_fields.items():
        before, after = getattr(preset.rules, name), getattr(other.rules, name)
        is_named = section_of(field) == "Reserved names" and before != ""
        is_window = name.endswith("_seconds") and name != "block_interval_seconds" and before != 0
        assert (before != after) == (is_named or is_window), name
    own, shown = other.identity, preset.identity
    assert not {own.steem_symbol, own.sbd_symbol, own.vests_symbol, own.address_prefix} & {
        *(shown.steem_symbol, shown.sbd_symbol, shown.vests_symbol, shown.address_prefix)
    }
    assert own.chain_id != shown.chain_id
