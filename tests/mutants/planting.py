"""How a changed source file gets into a process: in place of functions that are there, or when it is imported."""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from tests.mutants.operators import ROOT

Place = tuple[str, str, int]
"""Where a function stands: file, qualified name, first line."""
Functions = dict[Place, list[FunctionType]]


def place_of(code: CodeType) -> Place | None:
    """Where a function of this project stands; None for others."""
    path = Path(code.co_filename)
    if not path.is_relative_to(ROOT):
        return None
    return path.relative_to(ROOT).as_posix(), code.co_qualname, code.co_firstlineno


def find_functions() -> Functions:
    """All functions that live, by where their code stands."""
    found: Functions = defaultdict(list)
    for item in gc.get_objects():
        if isinstance(item, FunctionType) and item.__code__.co_filename.startswith(str(ROOT)):
            place = place_of(item.__code__)
            if place is not None:
                found[place].append(item)
    return found


def _list_codes(code: CodeType) -> Iterator[CodeType]:
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield item
            yield from _list_codes(item)


def replace_functions(functions: Functions, file: str, module: CodeType, scope: str) -> bool:
    """Gives the functions of a scope the code that a changed module has; False where none of them lives.

    A function keeps its identity, so that every name for it calls the new code.
    """
    is_replaced = False
    for code in _list_codes(module):
        if code.co_qualname == scope or code.co_qualname.startswith(f"{scope}."):
            for function in functions.get((file, code.co_qualname, code.co_firstlineno), ()):
                function.__code__ = code
                is_replaced = True
    return is_replaced


class ChangedModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module first, with the code that it was given."""

    def __init__(self, file: str, code: CodeType) -> None:
        parts = Path(file).with_suffix("").parts
        self._is_package = parts[-1] == "__init__"
        self._name = ".".join(parts[:-1] if self._is_package else parts)
        self._file, self._code = file, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Called by the import system."""
        if fullname != self._name:
            return None
        origin = str(ROOT / self._file)
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=origin, is_package=self._is_package)
        spec.has_location = True
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Called by the import system."""
        exec(self._code, module.__dict__)


def import_changed(file: str, code: CodeType) -> None:
    """From now on the module of a file is imported with other code; it must not have been imported before."""
    finder = ChangedModule(file, code)
    assert finder._name not in sys.modules, f"{file} has been imported"
    sys.meta_path.insert(0, finder)
