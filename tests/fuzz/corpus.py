"""Inputs that once failed, one file each: `corpus/TARGET/what-it-showed.bin`."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from tests.fuzz.run import Failure

CORPUS: Final = Path(__file__).with_name("corpus")


class Kept(NamedTuple):
    """A kept input, and what it showed by its file's name."""

    target: str
    word: str
    data: bytes


def read_corpus() -> list[Kept]:
    """All kept inputs."""
    return [Kept(path.parent.name, path.stem, path.read_bytes()) for path in sorted(CORPUS.glob("*/*.bin"))]


def keep(failure: Failure, seed: int) -> Path:
    """Keeps a failing input under a name that is to be replaced by a word about what it showed."""
    path = CORPUS / failure.target / f"found-{seed}-{failure.number}.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(failure.data)
    return path
