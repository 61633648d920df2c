"""Builder of Python source for the codec's generated functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Show = Callable[[Any], Any]
"""A function that gives the JSON form of a value."""


class Filled(dict[Any, Any]):
    """A dictionary that computes a missing entry at its first use and keeps it."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, key: Any) -> Any:
        made = self[key] = self.make(key)
        return made


class Source:
    """Collects source lines and the names they use, and compiles them."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self.lines: list[str] = []
        self.indent = "    "
        self.counter = 0

    def fresh(self, prefix: str) -> str:
        """A variable name that is not in use yet."""
        self.counter += 1
        return f"{prefix}{self.counter}"

    def bind(self, value: Any) -> str:
        """Binds a value to a fresh name in the generated function's namespace."""
        name = self.fresh("B")
        self.names[name] = value
        return name

    def emit(self, line: str) -> None:
        """Adds one line."""
        self.lines.append(self.indent + line)

    def compile(self, head: str) -> Any:
        """Compiles the lines as the body of a function. The source never contains input."""
        source = "\n".join([head, *self.lines])
        namespace = dict(self.names)
        exec(compile(source, "<codec>", "exec"), namespace)
        return namespace["f"]


class ShowSource(Source):
    """The source of a function that renders JSON; ``show`` returns the function for a nested shape."""

    def __init__(self, show: Callable[[Any], Show], is_legacy: bool) -> None:
        super().__init__()
        self.show = show
        self.is_legacy = is_legacy
