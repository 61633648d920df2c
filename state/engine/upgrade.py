"""Upgrade of a database with older table declarations, when it is opened.

Rows carry their version, so an interrupted upgrade starts over and skips upgraded rows. The metadata record is written
last, with the digest over the upgraded rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from state.engine.index import INDEX_SPACE
from state.engine.kv import Backend
from state.engine.meta import META_KEY, Meta, TableMeta, encode_meta
from state.engine.progress import Progress
from state.engine.table import Table

_ROWS_PER_BATCH: Final = 2_000


def upgrade_tables(
    backend: Backend,
    meta: Meta,
    tables: list[Table[Any, Any]],
    declared: tuple[TableMeta, ...],
    progress: Progress,
) -> Meta:
    """Rewrites every table whose version or indexes differ from what the database knows, and returns the new record."""
    known = {table.number: table for table in meta.tables}
    for table, description in zip(tables, declared, strict=True):
        if table.number in known and known[table.number] != description:
            _drop_indexes(backend, table.number)
            _rewrite_rows(backend, table, progress)
    digest = sum(table.compute_digest() for table in tables) % (1 << 256)
    new = Meta(meta.chain_id, meta.head._replace(digest=digest.to_bytes(32, "big")), declared)
    backend.write([(META_KEY, encode_meta(new))], sync=True)
    return new


def _drop_indexes(backend: Backend, number: int) -> None:
    low = INDEX_SPACE + number.to_bytes(2, "big")
    high = INDEX_SPACE + (number + 1).to_bytes(2, "big") if number < 0xFFFF else bytes([INDEX_SPACE[0] + 1])
    stored = backend.scan(low, high)
    while batch := list(islice(stored, _ROWS_PER_BATCH)):
        backend.write([(key, None) for key, _ in batch], sync=False)


def _rewrite_rows(backend: Backend, table: Table[Any, Any], progress: Progress) -> None:
    stored = backend.scan(table.prefix, table.prefix + b"\xff")
    count = 0
    progress.begin(0)
    while batch := list(islice(stored, _ROWS_PER_BATCH)):
        backend.write(list(_upgrade_rows(table, batch)), sync=False)
        count += len(batch)
        progress.advance(0, f"Table {table.name} of an earlier version is brought up to date: {count} rows", rows=count)


def _upgrade_rows(table: Table[Any, Any], batch: list[tuple[bytes, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    for stored_key, data in batch:
        row = table.codec.decode(data)
        yield stored_key, table.codec.encode(row)
        yield from table.place_all(row)
