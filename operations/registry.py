"""All operations by wire number. Importing this module imports every module that declares operations."""

import importlib
import pkgutil
from types import ModuleType
from typing import Final

import operations
from protocol import virtual_operations
from protocol.operation import OPERATIONS, Operation
from protocol.resources import UNCOUNTED
from tokens.operation import TokenOperation


def import_modules(package: ModuleType) -> list[ModuleType]:
    """Imports the modules of a package, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."))
    return [importlib.import_module(name) for name in names if name != __name__]


def collect_operations(modules: list[ModuleType]) -> dict[int, type[Operation]]:
    """The operations that modules declare, by number; raises TypeError for a missing number or a gap."""
    for module in modules:
        for value in vars(module).values():
            is_declared_here = isinstance(value, type) and value.__module__ == module.__name__
            if is_declared_here and issubclass(value, Operation) and "number" not in vars(value):
                raise TypeError(f"{module.__name__}.{value.__name__} has no number: it lacks @operation")
    missing = set(range(len(OPERATIONS))) - OPERATIONS.keys()
    if missing:
        raise TypeError(f"no operation has the number {min(missing)}")
    return dict(sorted(OPERATIONS.items()))


ALL_OPERATIONS: Final = collect_operations([*import_modules(operations), virtual_operations])
"""Every operation, virtual ones too, by its wire number."""

EXECUTION_TIMES: Final = {
    cls.wire_name: cls.resources.execution_time for cls in ALL_OPERATIONS.values() if cls.resources is not UNCOUNTED
}
"""Execution time in nanoseconds that the reference charges for an operation, by name; 0 for operations not listed."""

TOKEN_EXECUTION_TIMES: Final = {
    cls.wire_name: cls.live.execution_time for cls in ALL_OPERATIONS.values() if issubclass(cls, TokenOperation)
}
"""The same of the operations of tokens where these are live."""
