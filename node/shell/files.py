"""The node's small files in a directory, replaced atomically and durably."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

from state.engine.errors import StoreWriteFailed


def make_private(directory: Path) -> None:
    """Creates a directory with access for its owner only, unless it exists. Raises OSError."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


class DirectoryDisk:
    """A Disk of the node core.

    It holds a spare file descriptor and closes it to write, so that a block can be produced even when sockets have used
    all other descriptors.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._spare = _open_spare()

    def read(self, name: str) -> bytes | None:
        """Returns the last content written under a name, or None. Raises OSError for a file that cannot be read."""
        try:
            return (self._directory / name).read_bytes()
        except FileNotFoundError:
            return None

    def write(self, name: str, data: bytes) -> None:
        """Replaces a file, all or nothing; it is durable when this returns. Raises StoreWriteFailed."""
        path = self._directory / name
        beside = path.with_name(f"{name}.new")
        if self._spare is not None:
            self._spare.close()
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            os.replace(beside, path)
            self._sync_directory()
        except OSError as error:
            raise StoreWriteFailed(f"{path}: {error.strerror or error}") from error
        finally:
            self._spare = _open_spare()

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _open_spare() -> FileIO | None:
    try:
        return FileIO(os.devnull)
    except OSError:
        return None
