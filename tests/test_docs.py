"""The pages name all that an operator or a program meets: metrics, events of the log and the feed, codes of errors."""

from __future__ import annotations

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import rpc.errors
from node.shell.node_shell import LEVELS

ROOT = Path(__file__).resolve().parents[1]
OPERATORS = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
RPC = (ROOT / "docs" / "rpc.md").read_text(encoding="utf-8")


def rows(page: str, head: str) -> Iterator[list[str]]:
    """The cells of each row of the table with this head."""
    table = page.partition(f"\n{head}\n")[2].partition("\n\n")[0]
    for line in table.splitlines()[1:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def words(cell: str) -> list[str]:
    """What a cell shows as code, without labels in braces."""
    return [word.partition("{")[0] for word in re.findall(r"`([^`]+)`", cell)]


def test_every_metric_is_in_the_page_for_operators() -> None:
    source = (ROOT / "node" / "ports" / "metrics.py").read_text(encoding="utf-8")
    shown = [word for cells in rows(OPERATORS, "| metric | meaning |") for word in words(cells[0])]
    assert {word.removesuffix("_total") for word in shown if not word.endswith("*")} == set(
        re.findall(r'"(plaudit_\w+)"', source)
    )


def find_events() -> Iterator[str]:
    """The names of the events that the node tells, read from its sources."""
    for file in sorted((ROOT / "node").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Attribute(attr="note" | "tell") | ast.Name("tell"), [ast.Constant(str(event)), *_]):
                    yield event


def test_every_event_of_the_log_is_in_the_page_for_operators_with_its_level() -> None:
    shown: dict[str, str] = {}
    for cells in rows(OPERATORS, "| event | level | meaning |"):
        names, levels = words(cells[0]), cells[1].split(", ")
        shown |= zip(names, levels * (len(names) // len(levels)), strict=True)
    events = set(find_events())
    assert shown == {name: logging.getLevelName(LEVELS.get(name, logging.INFO)).lower() for name in events}
    assert set(LEVELS) <= events, "a level is for an event that nobody tells"


def test_every_code_of_json_rpc_is_in_its_page() -> None:
    codes = {value for value in vars(rpc.errors).values() if isinstance(value, int) and value < 0}
    assert {int(cells[0]) for cells in rows(RPC, "| code | when |")} == codes


def test_every_event_of_the_feed_is_in_its_page() -> None:
    source = (ROOT / "rpc" / "feed.py").read_text(encoding="utf-8")
    events = set(re.findall(r'_notification\(\s*"(\w+)"', source))
    assert events
    assert set(re.findall(r"plaudit_feed\.(\w+)", RPC)) == events
