"""What a node's machine keeps: state database, block log and small files, and what a crash leaves of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from chain.block_log import OFFSET, BlockLog, BlockStore, MemoryBlockLog
from protocol.block import Block
from protocol.codec import Codec
from protocol.errors import BlockLogError
from state.engine.errors import StoreFull, StoreWriteFailed
from state.engine.kv import Batch, MemoryBackend
from tests.sim.chains import Snapshot
from tests.sim.loop import SimulatedCrash


class Fuse:
    """Lets a process die at a chosen one of the things it does to the world, or its disk be full for a while."""

    def __init__(self) -> None:
        self._left: int | None = None
        self.is_blown = False
        self.is_power_lost = False
        self.is_disk_full = False

    def arm(self, actions: int, is_power_lost: bool) -> None:
        """The process dies after so many further actions, alone or with its machine."""
        self._left = actions
        self.is_power_lost = is_power_lost

    def disarm(self) -> None:
        """The process lives on."""
        self._left = None

    def reset(self) -> None:
        """A new process."""
        self._left = None
        self.is_blown = False

    def check(self) -> None:
        """Counts one action; what a dead process still tries to do has no effect."""
        if self.is_blown:
            raise SimulatedCrash
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                self.is_blown = True
                raise SimulatedCrash


class SimBackend(MemoryBackend):
    """A state database in memory whose unsynced batches a crash takes back, from the last one on."""

    def __init__(self, rows: tuple[tuple[bytes, bytes], ...], fuse: Fuse) -> None:
        super().__init__()
        super().write(rows, sync=True)
        self._fuse = fuse
        self._marks: list[int] = []

    def write(self, batch: Batch, sync: bool) -> None:
        self._fuse.check()
        if self._fuse.is_disk_full:
            raise StoreFull("state: no room on the simulated disk")
        mark = len(self._unsynced)
        super().write(batch, sync)
        if sync:
            self._marks.clear()
        else:
            self._marks.append(mark)
        self._fuse.check()

    def lose(self, random: Random, keeps_all: bool) -> int:
        """What a crash does; returns how many batches were lost."""
        kept = len(self._marks) if keeps_all else random.randint(0, len(self._marks))
        lost = len(self._marks) - kept
        if lost:
            self.take_back(self._marks[kept])
        self._unsynced.clear()
        self._marks.clear()
        return lost


class SimLog(MemoryBlockLog):
    """A block log in memory; a crash takes back what was not synced, from the last change on."""

    def __init__(self, blocks: tuple[bytes, ...], fuse: Fuse) -> None:
        super().__init__()
        self._blocks = list(blocks)
        self._fuse = fuse
        self._undo: list[Callable[[], Any]] = []

    def append(self, number: int, packed: bytes) -> None:
        self._fuse.check()
        if self._fuse.is_disk_full:
            raise BlockLogError("", "block_log: no room on the simulated disk")
        super().append(number, packed)
        self._undo.append(self._blocks.pop)

    def truncate(self, number: int) -> None:
        self._fuse.check()
        before = list(self._blocks)
        super().truncate(number)
        cut = before[len(self._blocks) :]
        self._undo.append(lambda: self._blocks.extend(cut))

    def sync(self) -> None:
        self._fuse.check()
        self._undo.clear()
        self._fuse.check()

    def lose(self, random: Random) -> int:
        """What a crash does; returns how many changes were lost."""
        lost = len(self._undo) - random.randint(0, len(self._undo))
        for _ in range(lost):
            self._undo.pop()()
        self._undo.clear()
        return lost


class _WatchedLog(BlockLog):
    """The real block log, which remembers how much of its file the disk surely has instead of waiting for it."""

    synced_bytes = 0

    def sync(self) -> None:
        self._flush()
        self.synced_bytes = self._log_bytes


class FileLog:
    """The real block log in a directory of its own; a crash tears its files at any byte that was not synced."""

    def __init__(self, blocks: tuple[bytes, ...], fuse: Fuse, codec: Codec) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="plaudit-sim-"))
        self._fuse = fuse
        self._codec = codec
        log, index = bytearray(), bytearray()
        for packed in blocks:
            offset = OFFSET.pack(len(log))
            log += packed + offset
            index += offset
        (self._directory / "block_log").write_bytes(log)
        (self._directory / "block_log.index").write_bytes(index)
        self._log = self._open()
        self._log.synced_bytes = len(log)

    def _open(self) -> _WatchedLog:
        return _WatchedLog(self._directory, lambda packed: Block.from_bytes(self._codec, packed).number)

    @property
    def first_number(self) -> int:
        return self._log.first_number

    @property
    def head_number(self) -> int:
        return self._log.head_number

    def begin_at(self, number: int) -> None:
        self._log.begin_at(number)

    def append(self, number: int, packed: bytes) -> None:
        self._fuse.check()
        if self._fuse.is_disk_full:
            raise BlockLogError("", "block_log: no room on the simulated disk")
        self._log.append(number, packed)

    def read(self, number: int) -> bytes | None:
        return self._log.read(number)

    def read_starts(self, first: int, last: int, size: int) -> list[bytes]:
        return self._log.read_starts(first, last, size)

    def truncate(self, number: int) -> None:
        self._fuse.check()
        self._log.truncate(number)
        self._log.synced_bytes = min(self._log.synced_bytes, self._log._log_bytes)

    def sync(self) -> None:
        self._fuse.check()
        self._log.sync()
        self._fuse.check()

    def close(self) -> None:
        self._log.sync()

    def lose(self, random: Random) -> int:
        """What a crash does; returns how many bytes were lost. The index is never synced: any tail of it may go."""
        synced = self._log.synced_bytes
        if self._log._pending_log and random.random() < 0.5:
            self._log._flush()
        self._log._close_files()
        lost = _tear(self._directory / "block_log", synced, random)
        _tear(self._directory / "block_log.index", 0, random)
        self._log = self._open()
        self._log.synced_bytes = self._log._log_bytes
        return lost

    def remove(self) -> None:
        """Removes the directory."""
        self._log._close_files()
        shutil.rmtree(self._directory, ignore_errors=True)


def _tear(path: Path, synced: int, random: Random) -> int:
    """Cuts a file somewhere behind what was synced, or leaves zeros there, as file systems do."""
    size = path.stat().st_size
    if random.random() < 0.5 or size <= synced:
        return 0
    end = random.randint(synced, size)
    with path.open("r+b") as file:
        file.truncate(end)
        if random.random() < 0.3:
            os.ftruncate(file.fileno(), random.randint(end, size))
    return size - end


class SimDisk:
    """Small files; each write is whole and durable."""

    def __init__(self, fuse: Fuse) -> None:
        self._files: dict[str, bytes] = {}
        self._fuse = fuse

    def read(self, name: str) -> bytes | None:
        return self._files.get(name)

    def write(self, name: str, data: bytes) -> None:
        self._fuse.check()
        if self._fuse.is_disk_full:
            raise StoreWriteFailed(f"{name}: no room on the simulated disk")
        self._files[name] = data
        self._fuse.check()


class Storage:
    """One machine's disks."""

    def __init__(self, snapshot: Snapshot, codec: Codec, has_real_log: bool) -> None:
        self.fuse = Fuse()
        self.backend = SimBackend(snapshot.rows, self.fuse)
        self.log: SimLog | FileLog
        if has_real_log:
            self.log = FileLog(snapshot.blocks, self.fuse, codec)
        else:
            self.log = SimLog(snapshot.blocks, self.fuse)
        self.disk = SimDisk(self.fuse)

    @property
    def store(self) -> BlockStore:
        """The block log as a chain takes it."""
        return self.log

    def lose(self, random: Random, is_power_lost: bool) -> str:
        """What is left after a crash. A killed process loses only what it had not handed to the system yet."""
        batches = self.backend.lose(random, keeps_all=not is_power_lost)
        records = self.log.lose(random)
        self.fuse.reset()
        return f"lost {batches} batches and {records} of the log"

    def remove(self) -> None:
        """Removes what lies in real directories."""
        if isinstance(self.log, FileLog):
            self.log.remove()
