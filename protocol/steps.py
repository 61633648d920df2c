"""Interruptible work: a generator that yields between steps and returns the result."""

from collections.abc import Generator
from typing import TypeVar

ResultT = TypeVar("ResultT")

Steps = Generator[None, None, ResultT]
"""Work that its caller may interrupt after each step."""


def do_all(steps: Steps[ResultT]) -> ResultT:
    """Runs all steps without interruption and returns the result."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: ResultT = stop.value
            return result
