"""Finds the shared test material, which lies outside the project.

It is looked for in the directory PLAUDIT_VECTORS names, else in `../shared/vectors` beside the checkout. Where it
is absent a test is skipped and says so, but under CI=true its absence is a failure.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest


def vectors_root() -> Path:
    """Returns where the shared vectors are, or would be."""
    given = os.environ.get("PLAUDIT_VECTORS")
    return Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "vectors"


def vectors_path(*parts: str) -> Path:
    """Returns the path of a file or directory of the shared vectors, or skips the running test."""
    path = vectors_root().joinpath(*parts)
    if path.exists():
        return path
    message = f"the shared vectors are not here: {path} does not exist"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def clients_path(*parts: str) -> Path:
    """Returns the path of a file of the material about client libraries, which lies beside the vectors."""
    return vectors_path("..", "clients", *parts)


def p2p_path(*parts: str) -> Path:
    """Returns the path of a file of the material about the peer-to-peer protocol, which lies beside the vectors."""
    return vectors_path("..", "p2p", *parts)


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Returns the records of a file with one JSON object a line."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
