"""The rooms of the node core: who writes what of a peer, who handles which message, and who imports whom."""

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from node.core.messages import ROWS, MessageRow
from node.core.states import STAGES, Event, Phase, State
from protocol.p2p.messages import MESSAGES
from tests.node.lab import Lab

ROOT = Path(__file__).resolve().parents[3]
CORE = ROOT / "node" / "core"
TREES = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(CORE.glob("*.py"))}
NUMBERS = {declared: number for number, declared in MESSAGES.items()}
HANDSHAKE_WRITES = ("state", "who")
"""Attributes of a peer that only its handshake sets."""


@pytest.fixture
def lab() -> Lab:
    return Lab()


def find_parts(tree: ast.AST) -> set[str]:
    """The parts of peers that are asked for."""
    return {
        node.args[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "part"
        and isinstance(node.args[0], ast.Name)
    }


def find_classes(tree: ast.AST) -> set[str]:
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def find_imports(tree: ast.AST) -> set[str]:
    """The files of the core that a file imports from."""
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {f"{module.rpartition('.')[2]}.py" for module in modules if module.startswith("node.core.")}


def find_assigned(tree: ast.AST) -> set[str]:
    """The attributes that are set."""
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}


def handler_of(lab: Lab, row: MessageRow) -> Any:
    """What the node under test calls for a message."""
    return lab.network._admission._handlers[NUMBERS[row.declared]]


@pytest.mark.parametrize("name", [name for name, tree in TREES.items() if find_parts(tree)])
def test_a_part_of_a_peer_is_asked_for_only_where_it_is_declared(name: str) -> None:
    assert find_parts(TREES[name]) <= find_classes(TREES[name])


def test_there_are_parts() -> None:
    assert {"Source", "Wants", "Listener", "Offers"} <= set().union(*map(find_parts, TREES.values()))


def test_only_the_handshake_moves_a_peer_from_state_to_state() -> None:
    writers = {name for name, tree in TREES.items() if find_assigned(tree).intersection(HANDSHAKE_WRITES)}
    assert writers == {"handshake.py"}


def test_no_file_of_the_core_is_imported_by_what_it_imports() -> None:
    graph = {name: find_imports(tree) for name, tree in TREES.items() if name != "__init__.py"}
    assert set(TopologicalSorter(graph).static_order()) == set(graph)
    assert not any("TYPE_CHECKING" in path.read_text(encoding="utf-8") for path in CORE.glob("*.py"))


def test_every_state_can_be_reached_and_the_handshake_ends_in_the_one_that_hears_all() -> None:
    assert set(STAGES) == set(State)
    moves = {(former, event): state for former, stage in STAGES.items() for event, state in stage.moves.items()}
    assert {State.GREETED, *moves.values()} == set(State)
    assert {event for _, event in moves} == set(Event)
    assert [state for state, stage in STAGES.items() if stage.hears is Phase.ACTIVE] == [State.ACTIVE]
    assert not STAGES[State.ACTIVE].moves and not STAGES[State.REFUSED].moves


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.declared.__name__)
def test_the_handler_of_a_message_takes_it(lab: Lab, row: MessageRow) -> None:
    handler = handler_of(lab, row)
    _, taken = (hint for name, hint in get_type_hints(handler).items() if name != "return")
    expected: type = {Phase.ASKED: bytes, Phase.NEVER: object}.get(row.phase, row.declared)
    assert taken == expected


def test_the_page_for_contributors_names_the_files_of_a_message(lab: Lab) -> None:
    page = (ROOT / "docs/contributing.md").read_text(encoding="utf-8")
    section = re.search(r"## A message of peers\n(.*?)(\n## |\Z)", page, re.S)
    assert section is not None
    named = set(re.findall(r"`((?:protocol|node|tests)/[\w/]+\.py)`", section[1]))
    assert [path for path in named if not (ROOT / path).exists()] == []
    handlers = {handler_of(lab, row) for row in ROWS if row.phase is not Phase.NEVER}
    rooms = {type(handler.__self__).__module__.replace(".", "/") + ".py" for handler in handlers}
    assert {"protocol/p2p/messages.py", "node/core/messages.py", *rooms} <= named
