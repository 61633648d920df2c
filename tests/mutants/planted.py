"""Faults planted by hand: planted.toml names each with the text that it changes and the test that fails."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from tests.mutants.operators import ROOT, Function, Mutant

PLANTED = Path(__file__).parent / "planted.toml"


class Planted(NamedTuple):
    """A fault: in a file `old`, which stands there once, becomes `new`, and `test` fails."""

    name: str
    file: str
    old: str
    new: str
    test: str

    def as_mutant(self) -> Mutant:
        """The fault, ready to be tried."""
        source = (ROOT / self.file).read_text()
        assert source.count(self.old) == 1, (
            f"{self.name}: the text stands {source.count(self.old)} times in {self.file}"
        )
        assert self.old.count("\n") == self.new.count("\n"), f"{self.name}: lines below must keep their numbers"
        line = source[: source.index(self.old)].count("\n") + 1
        scope, is_in_function = find_scope(ast.parse(source), line)
        changed = partial(ast.parse, source.replace(self.old, self.new))
        return Mutant(self.file, scope, is_in_function, line, self.name, "", 0, "", changed)

    def as_control(self) -> Mutant:
        """The same without the fault: the test must pass."""
        original = partial(ast.parse, (ROOT / self.file).read_text())
        return self.as_mutant()._replace(source="control", tree=original)


def find_scope(tree: ast.AST, line: int, around: str = "") -> tuple[str, bool]:
    """The qualified name of the outermost function at a line, else that of its class; whether it is a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | Function) and node.lineno <= line <= (node.end_lineno or 0):
            name = f"{around}.{node.name}".lstrip(".")
            return (name, True) if isinstance(node, Function) else find_scope(node, line, name)
    return around, False


def read_planted() -> list[Planted]:
    """All faults of the list, grouped by the test that finds them there."""
    return list(_read(tomllib.loads(PLANTED.read_text())))


def _read(text: dict[str, list[dict[str, str]]]) -> Iterator[Planted]:
    for entry in text["fault"]:
        yield Planted(**entry)
