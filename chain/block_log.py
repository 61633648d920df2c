"""The file of irreversible blocks, in the reference's format, and its index.

A record is the packed signed block followed by its own start offset (64 bits, little-endian). The file has no other
content, so it is compatible with the reference in both directions. `block_log.index` holds the start offset of each
block in the same form, and is rebuilt if it does not match. The first record is block 1, or the block of the snapshot
from which the node was restored; its number follows from the record itself.

A process that dies during an append leaves a torn record at the end, which is truncated when the log is opened.
Source: libraries/chain/block_log.cpp.
"""

import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from struct import Struct
from typing import Protocol

from protocol.errors import BlockLogError, Invalid
from protocol.types import NULL_ID

OFFSET = Struct("<Q")
_BUFFER_BYTES = 1 << 20

BlockReader = Callable[[bytes], int]
"""Returns the number of a packed block; raises Invalid if the bytes are not a block."""


class BlockStore(Protocol):
    """Packed blocks by number, without gaps, from 1 on or from a later one."""

    @property
    def first_number(self) -> int:
        """Number of the first block; while there is none, of the one that must come first."""

    @property
    def head_number(self) -> int:
        """Number of the last block, 0 if there is none."""

    def begin_at(self, number: int) -> None:
        """Makes block `number` the first one of an empty log. Raises BlockLogError if the log is not empty."""

    def append(self, number: int, packed: bytes) -> None:
        """Adds the block after the last one."""

    def read(self, number: int) -> bytes | None:
        """Returns the packed block, or None if the log does not hold it."""

    def read_starts(self, first: int, last: int, size: int) -> list[bytes]:
        """Returns the first `size` bytes of consecutive blocks in the log, without reading the rest."""

    def truncate(self, number: int) -> None:
        """Removes all blocks after `number`."""

    def sync(self) -> None:
        """Waits until everything appended is on disk."""

    def close(self) -> None:
        """Releases the files."""


class MemoryBlockLog:
    """A block log in memory, for chains without persistence."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._first = 1

    @property
    def first_number(self) -> int:
        """Number of the first block; while there is none, of the one that must come first."""
        return self._first

    @property
    def head_number(self) -> int:
        """Number of the last block, 0 if there is none."""
        return self._first + len(self._blocks) - 1 if self._blocks else 0

    def begin_at(self, number: int) -> None:
        """Makes block `number` the first one of an empty log. Raises BlockLogError if the log is not empty."""
        _check_empty(len(self._blocks), number)
        self._first = number

    def append(self, number: int, packed: bytes) -> None:
        """Adds the block after the last one. Raises BlockLogError for another number."""
        _check_next(self._first + len(self._blocks), number)
        self._blocks.append(packed)

    def read(self, number: int) -> bytes | None:
        """Returns the packed block, or None if the log does not hold it."""
        return self._blocks[number - self._first] if self._first <= number <= self.head_number else None

    def read_starts(self, first: int, last: int, size: int) -> list[bytes]:
        """Returns the first `size` bytes of consecutive blocks in the log."""
        return [packed[:size] for packed in self._blocks[first - self._first : last + 1 - self._first]]

    def truncate(self, number: int) -> None:
        """Removes all blocks after `number`."""
        del self._blocks[max(number + 1 - self._first, 0) :]

    def sync(self) -> None:
        """Does nothing."""

    def close(self) -> None:
        """Does nothing."""


class BlockLog:
    """The block log in a directory; one process at a time (the state database's lock sees to that)."""

    def __init__(
        self, directory: str | os.PathLike[str], read_number: BlockReader, origin: bytes | None = None
    ) -> None:
        """Opens or creates `block_log` and `block_log.index`; truncates a torn record. Raises BlockLogError.

        `origin` is the packed first block of the log of a restored node; None if the log begins with block 1.
        """
        self._path = Path(directory) / "block_log"
        self._read_number = read_number
        self._origin = origin
        self._log = _open_file(self._path)
        self._index = _open_file(self._path.with_name("block_log.index"))
        self._log_bytes = os.fstat(self._log).st_size
        self._count = os.fstat(self._index).st_size // OFFSET.size
        self._first = 1
        self._pending_log = bytearray()
        self._pending_index = bytearray()
        self._is_synced = False
        try:
            self._recover()
        except BaseException:
            self._close_files()
            raise

    @property
    def first_number(self) -> int:
        """Number of the first block; while there is none, of the one that must come first."""
        return self._first

    @property
    def head_number(self) -> int:
        """Number of the last block, 0 if there is none."""
        return self._first + self._count - 1 if self._count else 0

    def begin_at(self, number: int) -> None:
        """Makes block `number` the first one of an empty log. Raises BlockLogError if the log is not empty."""
        _check_empty(self._count, number)
        self._first = number

    def append(self, number: int, packed: bytes) -> None:
        """Adds the block after the last one. Raises BlockLogError for another number.

        The bytes may stay in a buffer until it is full, or until `sync` or `read`.
        """
        _check_next(self._first + self._count, number)
        offset = OFFSET.pack(self._log_bytes + len(self._pending_log))
        self._pending_log += packed
        self._pending_log += offset
        self._pending_index += offset
        self._count += 1
        self._is_synced = False
        if len(self._pending_log) > _BUFFER_BYTES:
            self._flush()

    def read(self, number: int) -> bytes | None:
        """Returns the packed block, or None if it is not in the log. Raises BlockLogError for damaged files."""
        if not self._first <= number <= self.head_number:
            return None
        if self._pending_log:
            self._flush()
        begin, end = self._bounds(number)
        record = os.pread(self._log, end - begin, begin)
        if len(record) != end - begin or record[-8:] != OFFSET.pack(begin):
            raise BlockLogError("", "The record of block ${number} in the block log is damaged", number=number)
        return record[:-8]

    def read_starts(self, first: int, last: int, size: int) -> list[bytes]:
        """Returns the first `size` bytes of consecutive blocks in the log, without reading the rest."""
        if self._pending_log:
            self._flush()
        count = last + 1 - first
        offsets = os.pread(self._index, count * OFFSET.size, (first - self._first) * OFFSET.size)
        return [os.pread(self._log, size, offset) for (offset,) in OFFSET.iter_unpack(offsets)]

    def records(self, first: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Iterates over (number, packed block) from `first`, or the first there is, to the end."""
        number = self._first if first is None else first
        while (packed := self.read(number)) is not None:
            yield number, packed
            number += 1

    def truncate(self, number: int) -> None:
        """Removes all blocks after `number`."""
        self._flush()
        if number < self._first:
            self._cut(0, 0)
        elif number < self.head_number:
            self._cut(self._bounds(number)[1], number + 1 - self._first)

    def sync(self) -> None:
        """Waits until everything appended is on disk. Raises BlockLogError, also for a full disk."""
        if not self._is_synced:
            self._flush()
            _guard(self._path, os.fdatasync, self._log)
            self._is_synced = True

    def close(self) -> None:
        """Flushes the buffers and releases the files."""
        if self._log >= 0:
            try:
                self._flush()
            finally:
                self._close_files()

    def _close_files(self) -> None:
        for descriptor in (self._log, self._index):
            if descriptor >= 0:
                os.close(descriptor)
        self._log = self._index = -1

    def _flush(self) -> None:
        """Writes the buffers; after a failed write the buffers are kept and the files are truncated."""
        if not self._pending_log:
            return
        index_bytes = self._count * OFFSET.size - len(self._pending_index)
        try:
            _write_all(self._log, self._pending_log, self._log_bytes)
            _write_all(self._index, self._pending_index, index_bytes)
        except OSError as error:
            _guard(self._path, os.ftruncate, self._log, self._log_bytes)
            raise BlockLogError(
                "", "${path} can not be written: ${why}", path=str(self._path), why=str(error)
            ) from error
        self._log_bytes += len(self._pending_log)
        self._pending_log.clear()
        self._pending_index.clear()

    def _bounds(self, number: int) -> tuple[int, int]:
        """Offsets of the first byte of a record and of the first byte after it."""
        begin = self._offset(number)
        end = self._offset(number + 1) if number < self.head_number else self._log_bytes
        if not begin + OFFSET.size < end <= self._log_bytes:
            raise BlockLogError("", "The index of the block log is damaged at block ${number}", number=number)
        return begin, end

    def _offset(self, number: int) -> int:
        data = self._read_index(number - self._first)
        if len(data) != OFFSET.size:
            raise BlockLogError("", "The index of the block log is damaged at block ${number}", number=number)
        return int(OFFSET.unpack(data)[0])

    def _read_index(self, place: int) -> bytes:
        return os.pread(self._index, OFFSET.size, place * OFFSET.size)

    def _cut(self, log_bytes: int, count: int) -> None:
        _guard(self._path, os.ftruncate, self._log, log_bytes)
        _guard(self._path, os.ftruncate, self._index, count * OFFSET.size)
        self._log_bytes, self._count = log_bytes, count
        self._is_synced = False

    def _recover(self) -> None:
        """Truncates or rebuilds log and index until both end with the same complete record."""
        os.ftruncate(self._index, self._count * OFFSET.size)
        if self._log_bytes == 0:
            self._cut(0, 0)
            return
        self._first = self._find_first()
        if not self._fits(self.head_number, self._log_bytes) and not self._cut_by_index():
            self._rebuild_index()

    def _find_first(self) -> int:
        """The number of the block in the first record; 1 if the index does not give its length."""
        end = self._log_bytes if self._count < 2 else int(OFFSET.unpack(self._read_index(1))[0])
        if not OFFSET.size < end <= self._log_bytes or any(os.pread(self._log, OFFSET.size, end - OFFSET.size)):
            return 1
        try:
            return self._read_number(os.pread(self._log, end - OFFSET.size, 0))
        except Invalid:
            return 1

    def _fits(self, number: int, end: int) -> bool:
        """Whether the index entry of block `number` points to a complete record of that block which ends at `end`."""
        if number == 0:
            return end == 0
        begin = self._offset(number)
        if not begin + OFFSET.size < end <= self._log_bytes:
            return False
        record = os.pread(self._log, end - begin, begin)
        return record[-8:] == OFFSET.pack(begin) and self._is_block(record[:-8], number)

    def _cut_by_index(self) -> bool:
        """Truncates a torn tail, if the index still knows the end of the last complete record."""
        head = self.head_number
        for number in range(head - 1, max(head - 10_000, self._first - 1), -1):
            end = self._offset(number + 1)
            if end <= self._log_bytes and self._fits(number, end):
                if self._find_last_record(end) is not None:
                    return False  # The log continues with complete records that the index lost.
                self._cut(end, number + 1 - self._first)
                return True
        return False

    def _find_last_record(self, after: int) -> tuple[int, int] | None:
        """The (begin, end) of the last complete record after offset `after`, found by the offset stored at its end."""
        with mmap.mmap(self._log, self._log_bytes, access=mmap.ACCESS_READ) as data:
            for end in range(self._log_bytes, after + OFFSET.size, -1):
                begin = int(OFFSET.unpack_from(data, end - OFFSET.size)[0])
                if after <= begin < end - OFFSET.size and self._is_block(data[begin : end - OFFSET.size], None):
                    return begin, end
        return None

    def _rebuild_index(self) -> None:
        """Rebuilds the index by walking back from the last complete record to the first."""
        last = self._find_last_record(0)
        if last is None and self._is_begun():
            self._cut(0, 0)
            return
        if last is None:
            raise BlockLogError("", "${path} holds no whole block: it is no block log", path=str(self._path))
        begin, end = last
        offsets = [begin]
        while begin > 0:
            if begin < OFFSET.size:
                raise BlockLogError("", "${path} is damaged at offset ${at}", path=str(self._path), at=begin)
            previous = int(OFFSET.unpack(os.pread(self._log, OFFSET.size, begin - OFFSET.size))[0])
            if previous >= begin:
                raise BlockLogError("", "${path} is damaged at offset ${at}", path=str(self._path), at=begin)
            begin = previous
            offsets.append(begin)
        offsets.reverse()
        os.ftruncate(self._index, 0)
        _write_all(self._index, b"".join(map(OFFSET.pack, offsets)), 0)
        self._cut(end, len(offsets))
        self._first = self._find_first()
        if not self._fits(self.head_number, end):
            raise BlockLogError("", "${path} does not hold block after block", path=str(self._path))

    def _is_begun(self) -> bool:
        """Whether the file may be a torn first record: block 1 begins with an id of zeros."""
        if not any(os.pread(self._log, len(NULL_ID), 0)):
            return True
        return self._origin is not None and (self._origin + OFFSET.pack(0)).startswith(
            os.pread(self._log, len(self._origin) + 2 * OFFSET.size, 0)
        )

    def _is_block(self, packed: bytes, number: int | None) -> bool:
        try:
            found = self._read_number(packed)
        except Invalid:
            return False
        return number is None or found == number


def _check_next(wanted: int, number: int) -> None:
    if number != wanted:
        raise BlockLogError(
            "", "Append to the block log out of order: block ${number} after ${head}", number=number, head=wanted - 1
        )


def _check_empty(count: int, number: int) -> None:
    if count:
        raise BlockLogError("", "The block log has blocks and can not begin with block ${number}", number=number)


def _open_file(path: Path) -> int:
    return _guard(path, os.open, path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _guard(path: Path, call: Callable[..., int | None], *arguments: object) -> int:
    try:
        return call(*arguments) or 0
    except OSError as error:
        raise BlockLogError("", "${path}: ${why}", path=str(path), why=str(error)) from error


def _write_all(descriptor: int, data: bytes | bytearray, offset: int) -> None:
    """Writes all data; releases the buffer in any case, because a stored traceback would keep it alive."""
    done = 0
    with memoryview(data) as view:
        while done < len(data):
            with view[done:] as rest:
                done += os.pwrite(descriptor, rest, offset + done)
