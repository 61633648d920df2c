"""The worked examples of token rules, by name."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from tests.vectors import recorded_path


@cache
def _read() -> dict[str, Any]:
    examples = json.loads(recorded_path("token_examples.json").read_text(encoding="utf-8"))["examples"]
    return {example["name"]: example for example in examples}


def get_example(name: str) -> dict[str, Any]:
    """The example with this name: `input`, `expected`, and what the reference does where it differs."""
    example: dict[str, Any] = _read()[name]
    return example


def list_names() -> set[str]:
    """The names of all examples."""
    return set(_read())
