"""Work in steps: a generator that may be left alone between two of them, and its result."""

from collections.abc import Generator
from typing import TypeVar

ResultT = TypeVar("ResultT")

Steps = Generator[None, None, ResultT]
"""Work that its caller may interrupt after each step."""


def do_all(steps: Steps[ResultT]) -> ResultT:
    """Does all steps at once."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: ResultT = stop.value
            return result
