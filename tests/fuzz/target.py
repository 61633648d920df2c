"""What a fuzzed part of the program looks like to those who feed it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from random import Random
from typing import ClassVar


class Broken(AssertionError):
    """An input did what no input may do, though no exception says so."""


class Target(ABC):
    """One part of the program that takes input from outside. All of it follows from the seed of `random`."""

    name: ClassVar[str]
    share: ClassVar[int]
    """Its part of a run, in hundredths."""

    def __init__(self, random: Random) -> None:
        self.random = random

    @abstractmethod
    def make(self) -> bytes:
        """The next input."""

    @abstractmethod
    def run(self, data: bytes) -> bool:
        """Feeds an input; whether it was accepted.

        Refusals are answers; every exception that comes out of here is a fault, Broken among them.
        """

    def check(self) -> None:  # noqa: B027 - most need none
        """Looks at what must hold after any input and takes long to look at. Raises Broken."""
