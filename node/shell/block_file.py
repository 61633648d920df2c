"""Reading and writing files of blocks in the reference's block_log format, for `blocks import` and `blocks export`.

A record is the packed block followed by its own start offset (64 bits, little-endian). There is no length prefix, so
the end of a record is found by searching for its offset, and confirmed by decoding the block or by the parent of the
next one."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import Struct
from typing import Final

from protocol.block import Block, block_number
from protocol.codec import Codec
from protocol.errors import Invalid

OFFSET: Final = Struct("<Q")
BLOCK_BYTES_MIN: Final = 20 + 4 + 1 + 20 + 1 + 65 + 1
"""Minimum size: header with an empty name and no extension, signature, and number of transactions."""


class BlockFileError(Exception):
    """A file that is not a block log, or is damaged."""


class BlockFile:
    """Reads blocks from a file in order."""

    def __init__(self, path: Path, codec: Codec) -> None:
        """Opens the file. Raises BlockFileError."""
        self.path = path
        self._codec = codec
        try:
            with path.open("rb") as file:
                self.size = os.fstat(file.fileno()).st_size
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if self.size else None
        except OSError as error:
            raise BlockFileError(f"{path} can not be read: {error.strerror or error}") from None
        if self._data is None:
            raise BlockFileError(f"{path} is empty: it is no block log")
        self.first_number = block_number(self._data[:4]) + 1
        self.position = 0
        self.number = self.first_number - 1
        """Number of the last block read or skipped."""

    def close(self) -> None:
        """Releases the file."""
        if self._data is not None:
            self._data.close()
            self._data = None

    @property
    def is_at_end(self) -> bool:
        """Whether every record was read."""
        return self.position >= self.size

    def skip_to(self, number: int) -> None:
        """Skips the blocks before `number`. Raises BlockFileError."""
        while self.number + 1 < number and not self.is_at_end:
            for end in self._ends():
                if end + OFFSET.size == self.size or self._follows(end + OFFSET.size, self.number + 1):
                    break
            else:
                raise self._damaged("no end of the record is found")
            self._pass(end)

    def read(self) -> Block | None:
        """Returns the next block, None at the end. Raises BlockFileError."""
        if self.is_at_end:
            return None
        assert self._data is not None, "the file is open"
        problem = "no end of the record is found"
        for end in self._ends():
            try:
                block = Block.from_bytes(self._codec, self._data[self.position : end])
            except Invalid as error:
                problem = error.message
                continue
            if block.number != self.number + 1:
                raise self._damaged(f"the record holds block {block.number}")
            self._pass(end)
            return block
        raise self._damaged(problem)

    def blocks(self, until: int | None) -> Iterator[Block]:
        """Iterates over the following blocks up to number `until`."""
        while until is None or self.number < until:
            block = self.read()
            if block is None:
                return
            yield block

    def _pass(self, end: int) -> None:
        self.position = end + OFFSET.size
        self.number += 1

    def _ends(self) -> Iterator[int]:
        """Yields possible ends of the record at the position: wherever its offset is found."""
        assert self._data is not None, "the file is open"
        wanted = OFFSET.pack(self.position)
        end = self._data.find(wanted, self.position + BLOCK_BYTES_MIN)
        while end >= 0:
            yield end
            end = self._data.find(wanted, end + 1)

    def _follows(self, position: int, number: int) -> bool:
        assert self._data is not None, "the file is open"
        return block_number(self._data[position : position + 4]) == number

    def _damaged(self, problem: str) -> BlockFileError:
        if self.number < self.first_number:
            return BlockFileError(f"{self.path} is no block log: its first record holds no block")
        return BlockFileError(
            f"{self.path} is damaged at byte {self.position}, where block {self.number + 1} begins: {problem}"
        )


def write_blocks(path: Path, packed_blocks: Iterable[bytes]) -> int:
    """Writes blocks to a new file, which appears only when complete; returns its size in bytes. Raises OSError."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    position = 0
    try:
        with unfinished.open("wb") as file:
            for packed in packed_blocks:
                file.write(packed + OFFSET.pack(position))
                position += len(packed) + OFFSET.size
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return position
