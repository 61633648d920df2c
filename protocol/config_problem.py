"""Problems of a chain config as messages: the key, the value that is there, and what is allowed."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails

VALUE_LENGTH_MAX: Final = 200
"""Longer values are cut in messages."""

_WORDS: Final = {
    "extra_forbidden": "is not a key of a chain config",
    "missing": "is missing",
    "int_type": "must be an integer",
    "bool_type": "must be true or false",
    "string_type": "must be a text in quotation marks",
    "model_type": "must be a table of keys",
    "dict_type": "must be a table of keys",
    "tuple_type": "must be a list",
    "too_short": "must have at least one entry",
}
_WITHOUT_VALUE: Final = frozenset({"extra_forbidden", "missing"})


class Section(BaseModel):
    """Base of all tables of a chain config: immutable, no type conversions, unknown keys refused."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class ConfigProblem(NamedTuple):
    """One thing that is wrong with a chain config."""

    key: str
    value: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.key} = {self.value}: {self.allowed}" if self.value else f"{self.key}: {self.allowed}"


class InconsistentConfig(ValueError):
    """Values that are valid alone but not together; raised by validators with one problem or more."""

    def __init__(self, *problems: ConfigProblem) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class Problems:
    """Collects the problems that a check finds, to report them together."""

    def __init__(self) -> None:
        self._found: list[ConfigProblem] = []

    def expect(self, is_right: bool, key: str, value: Any, allowed: str) -> None:
        """Notes a problem unless the value is right."""
        if not is_right:
            self._found.append(ConfigProblem(key, show_value(value), allowed))

    def add(self, problem: ConfigProblem) -> None:
        """Notes a problem."""
        self._found.append(problem)

    def raise_any(self) -> None:
        """Raises InconsistentConfig if there is a problem."""
        if self._found:
            raise InconsistentConfig(*self._found)


def show_value(value: object) -> str:
    """A value as a chain config writes it, cut when it is long; empty for one that is no single value."""
    if isinstance(value, str | int | float):
        return json.dumps(value)[:VALUE_LENGTH_MAX]
    return ""


def describe_error(detail: ErrorDetails, patterns: dict[str, str]) -> tuple[ConfigProblem, ...]:
    """Turns an error of the validator into a problem. `patterns` describes regular expressions."""
    key = ".".join(str(part) for part in detail["loc"])
    context = detail.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, InconsistentConfig):
        return tuple(problem._replace(key=".".join(filter(None, (key, problem.key)))) for problem in cause.problems)
    kind, text = detail["type"], detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    allowed = _WORDS.get(kind) or patterns.get(str(context.get("pattern"))) or text.replace("should be", "must be")
    if kind == "literal_error":
        allowed = f"must be {context.get('expected')}"
    value = "" if kind in _WITHOUT_VALUE else show_value(detail["input"])
    return (ConfigProblem(key or "chain config", value, allowed[:1].lower() + allowed[1:]),)
