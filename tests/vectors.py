"""Finds recorded test material.

What this project recorded itself lies in `tests/recorded`, each file compressed by xz, and is unpacked into `.cache`
when a test first asks for it. What holds other people's texts (main-net blocks, clients' answers) lies outside the
project: in the directory that PLAUDIT_VECTORS names, else in `../shared/vectors` beside the checkout. Where that is
absent a test is skipped and the summary of the run says so; under CI=true its absence is a failure.
"""

from __future__ import annotations

import json
import lzma
import os
from pathlib import Path
from typing import Any

import pytest

_PROJECT = Path(__file__).resolve().parents[1]
RECORDED = _PROJECT / "tests" / "recorded"
_UNPACKED = _PROJECT / ".cache" / "recorded"

LEFT_OUT = "material of others is not here"
"""What the reason of a skipped test begins with when its material is absent."""


def recorded_path(*parts: str) -> Path:
    """Returns the path of an unpacked file of `tests/recorded`."""
    packed = RECORDED.joinpath(*parts[:-1], f"{parts[-1]}.xz")
    path = _UNPACKED.joinpath(*parts)
    made_at = packed.stat().st_mtime_ns
    if not path.exists() or path.stat().st_mtime_ns != made_at:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Several processes may unpack one file at once: each writes its own and the last one wins.
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.write_bytes(lzma.decompress(packed.read_bytes()))
        os.utime(partial, ns=(made_at, made_at))
        partial.replace(path)
    return path


def vectors_root() -> Path:
    """Returns where the vectors with texts of others are, or would be."""
    given = os.environ.get("PLAUDIT_VECTORS")
    return Path(given) if given else _PROJECT.parent / "shared" / "vectors"


def vectors_path(*parts: str) -> Path:
    """Returns the path of a file or directory of the vectors outside the project, or skips the running test."""
    path = vectors_root().joinpath(*parts)
    if path.exists():
        return path
    message = f"{LEFT_OUT}: {path} does not exist"
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


def read_block_log(path: Path) -> list[bytes]:
    """Returns the packed blocks of a block log, oldest first; each is followed by the offset at which it starts."""
    data = path.read_bytes()
    blocks = []
    end = len(data)
    while end > 0:
        start = int.from_bytes(data[end - 8 : end], "little")
        blocks.append(data[start : end - 8])
        end = start
    return blocks[::-1]
