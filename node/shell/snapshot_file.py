"""Snapshot files: written and restored atomically.

A restore fills a database in the folder `restoring` of the data directory and at the end renames it to `state`, the
single step that completes the restore. Before it, and after a restore that was killed, the directory holds no chain.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chain.chain import STATE_DIRECTORY, Chain
from index.snapshot import (
    SnapshotError,
    SnapshotReader,
    SnapshotSource,
    Summary,
    check_chain,
    restore,
    verify,
)
from node.shell.files import make_private
from protocol.config import ChainConfig
from state.engine.errors import StoreError, StoreLocked
from state.engine.leveldb import LevelDBBackend
from state.engine.progress import Progress

RESTORING_DIRECTORY: Final = "restoring"
_CHAIN_FILES: Final = (STATE_DIRECTORY, "block_log", "block_log.index")


def write_snapshot(chain: Chain, path: Path, progress: Progress, with_history: bool = True) -> Summary:
    """Writes the committed state of an open chain to a file. Raises SnapshotError, StoreError, OSError."""
    source = SnapshotSource(chain, with_history)
    try:
        return save_snapshot(source, path, progress)
    finally:
        source.close()


def save_snapshot(source: SnapshotSource, path: Path, progress: Progress) -> Summary:
    """Writes a state that was captured before, in any thread; the file appears only when complete.

    The caller closes the source. Raises SnapshotError, StoreError, OSError.
    """
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            summary = source.write(file, progress)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    _sync(path.parent)
    return summary


def verify_snapshot(path: Path, config: ChainConfig | None, progress: Progress) -> Summary:
    """Checks a whole file, and that it belongs to the chain if one is given. Raises SnapshotError, OSError."""
    with path.open("rb") as file:
        reader = SnapshotReader(file)
        if config is not None:
            check_chain(reader, config)
        progress.begin(path.stat().st_size)
        return verify(reader, progress)


def restore_snapshot(
    path: Path, config: ChainConfig, data_dir: Path, progress: Progress, with_history: bool = True
) -> Summary:
    """Restores a snapshot into a data directory without a chain.

    Raises SnapshotError, StoreError and OSError, leaving the directory unchanged.
    """
    _check_vacant(data_dir)
    with path.open("rb") as file:
        reader = SnapshotReader(file)
        check_chain(reader, config)
        progress.begin(path.stat().st_size)
        with _restoring_directory(data_dir) as restoring:
            state = restoring / STATE_DIRECTORY
            backend = LevelDBBackend(state)
            try:
                summary = restore(reader, config, backend, progress, with_history)
            finally:
                backend.close()
            for part in (*state.iterdir(), state):
                _sync(part)
            _check_vacant(data_dir)
            state.rename(data_dir / STATE_DIRECTORY)
            _sync(data_dir)
    return summary


def _check_vacant(data_dir: Path) -> None:
    for name in _CHAIN_FILES:
        if (data_dir / name).exists():
            raise SnapshotError(f"{data_dir} holds a chain already (its {name}). Choose another --data-dir")


@contextmanager
def _restoring_directory(data_dir: Path) -> Iterator[Path]:
    """Creates a temporary folder in the data directory for a restore; it is removed in any case."""
    absent = [folder for folder in (data_dir, *data_dir.parents) if not folder.exists()]
    make_private(data_dir)
    restoring = data_dir / RESTORING_DIRECTORY
    try:
        _remove_leftover(restoring)
        restoring.mkdir()
        try:
            yield restoring
        finally:
            shutil.rmtree(restoring)
    except BaseException:
        for folder in absent:
            folder.rmdir()
        raise


def _remove_leftover(restoring: Path) -> None:
    """Removes the folder of a killed restore, unless another one is in progress there."""
    state = restoring / STATE_DIRECTORY
    if not restoring.exists():
        return
    if state.exists():
        try:
            LevelDBBackend(state, create=False).close()
        except StoreLocked:
            raise SnapshotError(f"Another restore is at work in {restoring.parent}") from None
        except StoreError:
            pass  # The restore was killed before it created a database.
    shutil.rmtree(restoring)


def _sync(path: Path) -> None:
    """Syncs a file, or the entries of a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
