"""Errors of the store, one class for each reason."""

from __future__ import annotations


class StoreError(Exception):
    """Base of all errors of the state store."""


class StoreCorrupt(StoreError):
    """The database files are damaged; restore a copy or replay the block log into a new directory."""


class StoreLocked(StoreError):
    """Another process (or another store of this process) has the database open."""


class NotAStore(StoreError):
    """The directory or database exists but was not made by this program; it is left unchanged."""


class ForeignChain(StoreError):
    """The database belongs to a chain with another chain id."""


class ForeignConfig(ForeignChain):
    """The database belongs to a chain with this chain id, but with other rules or another genesis."""


class StoreTooNew(StoreError):
    """The database was written by a newer program whose rows this one cannot read."""


class StoreWriteFailed(StoreError):
    """The batch could not be written; the state in memory is unchanged and the commit can be tried again."""


class StoreFull(StoreWriteFailed):
    """The batch could not be written because the disk is full."""


class SchemaError(StoreError):
    """A table declaration or a value in a row breaks the rules of the store."""


class CheckpointError(StoreError):
    """A checkpoint call came in the wrong order, or a row was changed while no checkpoint was open."""


class ScanInvalidated(StoreError):
    """Keys of the scanned index were changed before the scan was over; take list(...) of the scan first."""


class RowError(StoreError):
    """Base of errors about one row."""


class RowMissing(RowError):
    """There is no row with this key; `wanted` describes the key for clients."""

    def __init__(self, text: str, key: object = None) -> None:
        super().__init__(text)
        self.wanted: dict[str, str] = {"name": key} if isinstance(key, str) else {"key": text}


class RowExists(RowError):
    """A row with this key exists already."""


class StaleRow(RowError):
    """The row given is not the newest version of itself."""
