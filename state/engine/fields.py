"""Finds out which row fields a key function reads, so that an update that changes others need not call it.

The answer comes from the function's bytecode and errs on the safe side: unless every use of the row is a direct
read of one of its fields, the function counts as reading everything.
"""

from __future__ import annotations

import dis
from collections.abc import Callable
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

_IGNORED: Final = ("RESUME", "NOP", "CACHE", "PRECALL")
_REMEMBERED: Final = 1024
"""Key functions whose bytecode is not read again when another store of the same tables is opened."""


@lru_cache(_REMEMBERED)
def find_fields(function: Callable[[Any], Any], names: tuple[str, ...]) -> frozenset[str] | None:
    """Returns the fields the function can read of its only argument, or None when that cannot be told."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_argcount != 1:
        return None
    row = code.co_varnames[0]
    found: set[str] = set()
    instructions = list(dis.get_instructions(code))
    for instruction, following in zip(instructions, instructions[1:] + instructions[-1:], strict=True):
        uses_row = instruction.argval == row or (isinstance(instruction.argval, tuple) and row in instruction.argval)
        if not uses_row or instruction.opname in ("LOAD_ATTR", "LOAD_CONST", "LOAD_GLOBAL", "LOAD_METHOD"):
            continue
        is_read = instruction.opname == "LOAD_FAST" and following.opname == "LOAD_ATTR" and following.argval in names
        if not is_read:
            return None
        found.add(following.argval)
    return frozenset(found)


@lru_cache(_REMEMBERED)
def speed_up(function: Callable[[Any], Any], names: tuple[str, ...]) -> Callable[[Any], Any]:
    """Returns an itemgetter when the function does nothing but return fields of the row, else the function itself."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_argcount != 1:
        return function
    steps = [step for step in dis.get_instructions(code) if step.opname not in _IGNORED]
    if not steps or steps.pop().opname != "RETURN_VALUE" or len(steps) < 2:
        return function
    is_tuple = steps[-1].opname == "BUILD_TUPLE"
    if is_tuple:
        count = steps.pop().arg
        if count is None or count < 2 or len(steps) != 2 * count:
            return function
    elif len(steps) != 2:
        return function
    loads, reads = steps[::2], steps[1::2]
    if any(load.opname != "LOAD_FAST" or load.argval != code.co_varnames[0] for load in loads):
        return function
    if any(read.opname != "LOAD_ATTR" or read.argval not in names for read in reads):
        return function
    return itemgetter(*[names.index(read.argval) for read in reads])
