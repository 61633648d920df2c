"""The metadata record of a database: its chain, the block of its state, and its tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from state.engine.declare import TableSpec
from state.engine.errors import ForeignChain, NotAStore, StoreCorrupt, StoreTooNew
from state.engine.kv import Backend
from state.engine.rows import pack, unpack

META_KEY: Final = b"\x00plaudit"
FORMAT: Final = 1
"""Version of the layout of keys and values; increased when older databases become unreadable."""


class TableMeta(NamedTuple):
    """The metadata of a table in the database."""

    name: str
    number: int
    version: int
    indexes: tuple[str, ...]


class Head(NamedTuple):
    """A block and the digest over all rows as of this block (32 bytes)."""

    number: int
    block_id: bytes
    digest: bytes


class Meta(NamedTuple):
    """The content of the record."""

    chain_id: bytes
    head: Head
    tables: tuple[TableMeta, ...]


def describe_tables(specs: Iterable[TableSpec[Any]]) -> tuple[TableMeta, ...]:
    """Returns the metadata of declared tables."""
    return tuple(TableMeta(spec.name, spec.number, spec.version, tuple(map(str, spec.indexes))) for spec in specs)


def encode_meta(meta: Meta) -> bytes:
    """Packs the record."""
    return pack((FORMAT, *meta))


def decode_meta(data: bytes) -> Meta:
    """Reads the record; raises StoreTooNew, StoreCorrupt."""
    values = unpack(data)
    if not isinstance(values, tuple) or not values or not isinstance(values[0], int):
        raise StoreCorrupt("the record that describes the database cannot be read")
    if values[0] > FORMAT:
        raise StoreTooNew(f"the database has format {values[0]}, this program knows up to {FORMAT}")
    try:
        _, chain_id, head, tables = values
        return Meta(chain_id, Head(*head), tuple(TableMeta(*table) for table in tables))
    except (TypeError, ValueError) as error:
        raise StoreCorrupt("the record that describes the database cannot be read") from error


def read_meta(backend: Backend) -> Meta | None:
    """Reads the record, None from an empty database; raises NotAStore, StoreTooNew, StoreCorrupt."""
    data = backend.get(META_KEY)
    if data is not None:
        return decode_meta(data)
    if next(iter(backend.scan(b"", None)), None) is not None:
        raise NotAStore("the database is not empty and was not written by this program")
    return None


def check_meta(meta: Meta, chain_id: bytes, declared: tuple[TableMeta, ...]) -> None:
    """Raises ForeignChain or StoreTooNew if the database is of another chain or a newer program."""
    if meta.chain_id != chain_id:
        raise ForeignChain(f"the database belongs to chain {meta.chain_id.hex()}, not to {chain_id.hex()}")
    known = {table.number: table for table in declared}
    for table in meta.tables:
        mine = known.get(table.number)
        if mine is None or mine.name != table.name:
            raise StoreTooNew(f"the database holds table {table.number} {table.name}, which this program does not know")
        if mine.version < table.version:
            raise StoreTooNew(f"{table.name} has version {table.version}, this program knows up to {mine.version}")
