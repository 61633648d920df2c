"""The key-value backend of a node: LevelDB. The only importer of plyvel."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from state.engine.cache_sizes import CACHE_BYTES
from state.engine.errors import NotAStore, StoreCorrupt, StoreError, StoreFull, StoreLocked, StoreWriteFailed
from state.engine.kv import Batch

try:
    import plyvel
except ImportError:  # The same interface, with wheels for systems and Python versions without a plyvel wheel.
    import plyvel_next as plyvel

MARKER: Final = "PLAUDIT-STATE"
_DATA_SUFFIXES: Final = (".ldb", ".sst", ".log")
# A second attempt to open a database in one process would, when it fails, release the lock of the first: POSIX drops
# all locks of a process on a file when the process closes any handle of it.
_OPEN_PATHS: Final[set[Path]] = set()
_ROOM_BYTES: Final = 1 << 18
"""Disk space needed to reopen a database in addition to the size of its log: for the manifest and a new log."""
_NO_ROOM_NUMBERS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BROKEN_FILES: Final = ("No such file", "does not exist", "Invalid argument")
"""LevelDB's messages for missing or truncated files."""
_NO_ROOM: Final = ("No space left", "Disk quota exceeded", "File too large")
_IN_USE: Final = ("Resource temporarily unavailable", "already held by process")
"""LevelDB's messages for a lock held by another process, or by another handle of this one."""
_PASSING: Final = ("Too many open files", "Cannot allocate memory")
"""LevelDB's messages for transient read errors."""


def _prepare_directory(path: Path, create: bool) -> None:
    """Refuses a directory of another program or without its CURRENT file, before LevelDB can modify it."""
    names = set(os.listdir(path)) if path.is_dir() else set()
    if path.exists() and not path.is_dir():
        raise NotAStore(f"{path} is not a directory")
    if not names:
        if not create:
            raise NotAStore(f"{path} holds no state database")
        path.mkdir(parents=True, exist_ok=True)
        (path / MARKER).write_text("State database of Plaudit. Do not change files in this directory.\n")
    elif MARKER not in names:
        raise NotAStore(f"{path} holds other files and no {MARKER}; choose an empty directory")
    elif "CURRENT" not in names and any(name.endswith(_DATA_SUFFIXES) for name in names):
        raise StoreCorrupt(f"{path} has data files but its CURRENT file is missing")


class LevelDBBackend:
    """LevelDB in one directory; every read verifies checksums. ``cache_bytes`` is the size of the block cache.

    After a failed write LevelDB's log may end in a torn record, and records appended after it would be lost at the next
    start. So the database is reopened before the next write; reads use the old handle until then.

    Views may be read in other threads, so the database is never closed under them: closing or reopening first
    invalidates the views, and happens when the last of them is closed.
    """

    def __init__(self, path: str | os.PathLike[str], *, create: bool = True, cache_bytes: int = CACHE_BYTES) -> None:
        self._path = Path(path).resolve()
        self._cache_bytes = cache_bytes
        self._must_reopen = False
        self._is_closed = False
        self._read_problem: StoreError | None = None
        self._views: set[LevelDBView] = set()
        if self._path in _OPEN_PATHS:
            raise StoreLocked(f"{self._path} is open in this process already")
        _prepare_directory(self._path, create)
        self._db: Any = self._open()
        _OPEN_PATHS.add(self._path)

    def _open(self) -> Any:
        try:
            return plyvel.DB(
                str(self._path),
                create_if_missing=True,
                paranoid_checks=True,
                bloom_filter_bits=10,
                lru_cache_size=self._cache_bytes,
                write_buffer_size=16 << 20,
                max_open_files=256,
            )
        except plyvel.CorruptionError as error:
            raise StoreCorrupt(f"{self._path}: {_reason(error)}") from error
        except plyvel.Error as error:
            self._raise_open_error(error)

    def _raise_open_error(self, error: Exception) -> NoReturn:
        text = _reason(error)
        if any(reason in text for reason in _IN_USE):
            raise StoreLocked(f"{self._path} is in use by another process: {text}") from error
        if any(reason in text for reason in _NO_ROOM):
            raise StoreFull(f"{self._path}: {text}") from error
        if any(reason in text for reason in _BROKEN_FILES):
            raise StoreCorrupt(f"{self._path}: {text}") from error
        raise StoreError(f"{self._path} cannot be opened: {text}") from error

    @property
    def read_problem(self) -> StoreError | None:
        """The error of the first read that failed for good; None if there was none."""
        return self._read_problem

    def get(self, key: bytes) -> bytes | None:
        """Returns the value, or None; raises StoreCorrupt, StoreError."""
        db = self._db if not self._must_reopen else self._find_handle()
        try:
            value: bytes | None = db.get(key, verify_checksums=True)
        except (plyvel.Error, RuntimeError) as error:
            raise self._keep(self.read_error(error)) from error
        return value

    def scan(self, low: bytes, high: bytes | None, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """Iterates over (key, value) with low <= key < high; raises StoreCorrupt, StoreError."""
        if high is not None and low >= high:
            return
        db = self._find_handle()
        try:
            yield from db.iterator(start=low, stop=high, reverse=reverse, verify_checksums=True)
        except (plyvel.Error, RuntimeError) as error:
            raise self._keep(self.read_error(error)) from error

    def write(self, batch: Batch, sync: bool) -> None:
        """Applies the batch atomically; raises StoreFull, StoreWriteFailed."""
        if self._is_closed:
            raise StoreError(f"{self._path} is closed")
        if self._must_reopen:
            self._give_up_views()
            self._check_room()
            self._db.close()
            self._reopen()
        try:
            with self._db.write_batch(transaction=True, sync=sync) as writer:
                for key, value in batch:
                    if value is None:
                        writer.delete(key)
                    else:
                        writer.put(key, value)
        except plyvel.Error as error:
            self._must_reopen = True
            text = _reason(error)
            kind = StoreFull if any(reason in text for reason in _NO_ROOM) else StoreWriteFailed
            raise kind(f"{self._path}: {text}") from error

    def _check_room(self) -> None:
        """Checks that there is room to reopen LevelDB, which then writes the content of its log to a new file.

        Without room it would stay closed and unreadable. Raises StoreFull, StoreWriteFailed.
        """
        logs = (self._path / name for name in os.listdir(self._path) if name.endswith(".log"))
        needed = sum(log.stat().st_size for log in logs) + _ROOM_BYTES
        probe = self._path / "ROOM"
        try:
            try:
                with probe.open("wb", buffering=0) as file:
                    while needed > 0:
                        needed -= file.write(bytes(min(needed, 1 << 20)))
            finally:
                probe.unlink(missing_ok=True)
        except OSError as error:
            kind = StoreFull if error.errno in _NO_ROOM_NUMBERS else StoreWriteFailed
            raise kind(f"{self._path}: {error.strerror or error}") from error

    def snapshot(self) -> LevelDBView:
        """Returns a view; raises StoreError."""
        db = self._find_handle()
        try:
            view = LevelDBView(self, db)
        except (plyvel.Error, RuntimeError) as error:
            raise self.read_error(error) from error
        self._views.add(view)
        return view

    def _give_up_views(self) -> None:
        """Invalidates the open views; raises StoreWriteFailed until the last of them is closed."""
        for view in list(self._views):
            view.give_up()
        if self._views:
            raise StoreWriteFailed(f"{self._path} must be reopened, which waits until a snapshot is closed")

    def close(self) -> None:
        """Closes the database and releases its lock, as soon as no view is open."""
        if not self._is_closed:
            self._is_closed = True
            for view in list(self._views):
                view.give_up()
            self._release()

    def forget(self, view: LevelDBView) -> None:
        """Called by a view when it is closed."""
        self._views.discard(view)
        if self._is_closed:
            self._release()

    def _release(self) -> None:
        """Closes the database if no view is open; thread-safe, only one caller closes."""
        if self._views:
            return
        try:
            _OPEN_PATHS.remove(self._path)
        except KeyError:
            return
        self._db.close()

    def _find_handle(self) -> Any:
        """Returns the open database; retries to open it if reopening before a write failed."""
        if self._db.closed and not self._is_closed:
            self._reopen()
        return self._db

    def _reopen(self) -> None:
        try:
            self._db = self._open()
        except StoreError as error:
            self._keep(error)
            raise
        self._must_reopen = False

    def _keep(self, error: StoreError) -> StoreError:
        """Keeps a read error as `read_problem`, unless it is transient or the database is closing."""
        may_pass = isinstance(error, StoreWriteFailed) or any(reason in str(error) for reason in _PASSING)
        if self._read_problem is None and not may_pass and not self._is_closed:
            self._read_problem = error
        return error

    def read_error(self, error: Exception) -> StoreError:
        """Translates a read error of LevelDB into an error of the store."""
        text = _reason(error)
        is_broken = isinstance(error, plyvel.CorruptionError) or any(reason in text for reason in _BROKEN_FILES)
        return (StoreCorrupt if is_broken else StoreError)(f"{self._path}: {text}")


class LevelDBView:
    """A LevelDB snapshot, and the iterators over it."""

    def __init__(self, backend: LevelDBBackend, db: Any) -> None:
        self._backend = backend
        self._db = db
        self._snapshot = db.snapshot()
        self._is_given_up = False
        self._is_closed = False

    def get(self, key: bytes) -> bytes | None:
        """Returns the value, or None; raises StoreCorrupt, StoreError."""
        self._check()
        try:
            value: bytes | None = self._snapshot.get(key, verify_checksums=True)
        except (plyvel.Error, RuntimeError) as error:
            raise self._backend.read_error(error) from error
        return value

    def scan(self, low: bytes, high: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Iterates over (key, value) with low <= key < high; raises StoreCorrupt, StoreError."""
        self._check()
        try:
            # A full scan would only evict from the cache what the node needs.
            stored = self._snapshot.iterator(start=low, stop=high, verify_checksums=True, fill_cache=False)
            with stored:
                for item in stored:
                    yield item
                    self._check()
        except (plyvel.Error, RuntimeError) as error:
            raise self._backend.read_error(error) from error

    def measure(self, low: bytes, high: bytes) -> int:
        """Estimates the bytes in files between two keys."""
        self._check()
        return int(self._db.approximate_size(low, high))

    def give_up(self) -> None:
        """Makes the next read raise, because the database must close."""
        self._is_given_up = True

    def close(self) -> None:
        """Releases the snapshot, and closes the database if it waited for this view."""
        if not self._is_closed:
            self._is_closed = True
            self._snapshot.close()
            self._backend.forget(self)

    def _check(self) -> None:
        if self._is_given_up or self._is_closed:
            raise StoreError("the read of the database is incomplete: the database had to be closed meanwhile")


def _reason(error: Exception) -> str:
    """The text of LevelDB's error, which plyvel passes as bytes."""
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(error)
