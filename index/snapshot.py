"""Snapshots: the state of one irreversible block in a compressed file, from which a node starts without older blocks.

The file is `MAGIC` and then chunks. A chunk is its kind (1 byte), the size of its payload (4 bytes, big-endian), the
payload, which is a zstd frame around a msgpack array, and the BLAKE2b-256 hash of everything in the file before this
hash. So every byte and the order of the chunks are verified before anything is decoded, and the last hash is the
checksum of the file. The kinds, in their order:

1. header: the record of the state database (chain id, number and id of the block, state digest, tables with their
   versions), the record of the chain config, the packed block, and whether history is in the file;
2. rows: key, value, key, value, ... of the state database in the order of the keys;
3. history: the same of the indexes of account and market history;
4. end: the number of rows and of history entries. Nothing follows.

Table index entries are not in the file, because they are derived from the rows. So the state digest, which covers the
rows, verifies the whole state.
"""

from collections.abc import Callable, Iterable, Iterator
from hashlib import blake2b
from operator import lt
from struct import Struct
from typing import Any, BinaryIO, Final, NamedTuple

import msgpack
import zstandard

from chain import config_record, origin
from chain.chain import Chain
from index.indexes import STATE_INDEXES, is_indexed
from index.state_index import CURSOR
from protocol.block import Block
from protocol.codec import codec_for
from protocol.config import ChainConfig
from protocol.errors import Invalid
from state.engine.errors import SchemaError, StoreCorrupt, StoreTooNew
from state.engine.index import INDEX_SPACE
from state.engine.kv import Backend, MemoryBackend, View
from state.engine.meta import META_KEY, Meta, check_meta, decode_meta, describe_tables
from state.engine.progress import Progress
from state.engine.rows import unpack
from state.engine.store import SEQUENCES, Store
from state.engine.table import ROW_SPACE, Table, hash_row
from state.tables.tables import Tables

MAGIC: Final = b"PLAUDITSNAPSHOT\x01"
"""Magic bytes, ending in the version of the file format."""

CHUNK_BYTES: Final = 1 << 20
"""Size of the keys and values in a chunk, which only the last value may exceed."""

CHUNK_BYTES_MAX: Final = 1 << 26
"""Maximum payload to read, compressed or not; large enough for a chain config with very many genesis accounts."""

CHECK_BYTES: Final = 32
COMPRESSION_LEVEL: Final = 3

_CHUNK: Final = Struct(">BI")
_HEADER, _ROWS, _HISTORY, _END = 1, 2, 3, 4
_SPACES: Final = {
    _ROWS: (ROW_SPACE, INDEX_SPACE),
    _HISTORY: (STATE_INDEXES[0].space()[0], STATE_INDEXES[-1].space()[1]),
}
"""The key range of each kind of chunk."""
_CURSORS: Final = tuple(index.prefix + CURSOR for index in STATE_INDEXES)
_TABLE_PREFIX_BYTES: Final = len(ROW_SPACE) + 2
_DIGEST_MODULUS: Final = 1 << 256

Pair = tuple[bytes, bytes]


class SnapshotError(Exception):
    """A snapshot cannot be made, or a file cannot be used; the text is a sentence without a full stop."""


class Header(NamedTuple):
    """The header of a snapshot. `record` and `config` are the records of the database about itself and its chain."""

    record: bytes
    config: bytes
    block: bytes
    has_history: bool

    @property
    def meta(self) -> Meta:
        """The record of the database, decoded. Raises StoreTooNew, StoreCorrupt."""
        return decode_meta(self.record)


class Summary(NamedTuple):
    """The result of writing or verifying a snapshot: `checksum` of the file (32 bytes), and its `size` in bytes."""

    header: Header
    rows: int
    history_entries: int
    checksum: bytes
    size: int


# Writing


class SnapshotSource:
    """The committed state of a chain at the time of construction, to be written to a file.

    Construct it in the thread of the chain. `write` and `close` may run in another one while the chain continues; if
    the chain closes its database meanwhile, `write` raises StoreError.
    """

    def __init__(self, chain: Chain, with_history: bool = True) -> None:
        """Opens a view of the state; history is left out if the chain has none. Raises SnapshotError, StoreError."""
        self._view = chain.store.backend.snapshot()
        try:
            self.header = _describe(self._view, chain, with_history)
        except BaseException:
            self._view.close()
            raise

    def close(self) -> None:
        """Releases the view of the state."""
        self._view.close()

    def write(self, file: BinaryIO, progress: Progress) -> Summary:
        """Writes the snapshot. Raises SnapshotError for a damaged database, StoreError, OSError."""
        view, writer = self._view, _Writer(file)
        kinds = (_ROWS, _HISTORY) if self.header.has_history else (_ROWS,)
        sizes = {kind: view.measure(*_SPACES[kind]) for kind in kinds}
        progress.begin(sum(sizes.values()))
        writer.put(_HEADER, self.header)
        digest, done, before = 0, 0, 0
        counts = {_ROWS: 0, _HISTORY: 0}
        for kind in kinds:
            low, high = _SPACES[kind]
            for chunk in _group(view.scan(low, high)):
                keys, values = chunk[::2], chunk[1::2]
                if kind == _ROWS:
                    digest += sum(map(hash_row, keys, values))
                writer.put(kind, chunk)
                counts[kind] += len(keys)
                done += len(keys)
                _tell(progress, before + min(view.measure(low, keys[-1]), sizes[kind]), done)
            before += sizes[kind]
            _tell(progress, before, done)
        if digest % _DIGEST_MODULUS != int.from_bytes(self.header.meta.head.digest, "big"):
            raise SnapshotError("The rows of the state database do not match its digest: the database is damaged")
        checksum = writer.put(_END, tuple(counts.values()))
        return Summary(self.header, counts[_ROWS], counts[_HISTORY], checksum, writer.size)


def _tell(progress: Progress, position: int, rows: int) -> None:
    progress.advance(position, f"{rows} rows", rows=rows)


def _describe(view: View, chain: Chain, with_history: bool) -> Header:
    record = view.get(META_KEY)
    assert record is not None, "an open chain has committed its genesis"
    number = decode_meta(record).head.number
    if number == 0:
        raise SnapshotError("The chain has no irreversible block yet to make a snapshot of")
    block = chain.reader.get_packed_block(number)
    assert block is not None, "the log holds the committed block"
    return Header(
        record, config_record.read_record(view, chain.config), block, with_history and is_indexed(view, number)
    )


def _group(pairs: Iterable[Pair]) -> Iterator[list[bytes]]:
    """Groups pairs into the contents of chunks."""
    chunk: list[bytes] = []
    size = 0
    for pair in pairs:
        chunk += pair
        size += len(pair[0]) + len(pair[1])
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


class _Writer:
    """Writes chunks."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = blake2b(digest_size=CHECK_BYTES)
        self._compressor = zstandard.ZstdCompressor(level=COMPRESSION_LEVEL)
        # The packer of state/engine/rows.py may be used only in the thread of the chain.
        self._pack: Callable[[Any], bytes] = msgpack.Packer(use_bin_type=True).pack
        self.size = 0
        self._write(MAGIC)

    def put(self, kind: int, values: tuple[Any, ...] | list[bytes]) -> bytes:
        """Writes a chunk and returns the hash after it. Raises SnapshotError for one too large to be read."""
        packed = self._pack(values)
        payload = self._compressor.compress(packed)
        if max(len(packed), len(payload)) > CHUNK_BYTES_MAX:
            raise SnapshotError(f"A chunk of the snapshot would have {len(packed)} bytes, more than {CHUNK_BYTES_MAX}")
        self._write(_CHUNK.pack(kind, len(payload)) + payload)
        check = self._hash.digest()
        self._write(check)
        return check

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._hash.update(data)
        self.size += len(data)


# Reading


class SnapshotReader:
    """Reads a snapshot sequentially. Its content is verified only once `summary` is set."""

    def __init__(self, file: BinaryIO) -> None:
        """Reads the header. Raises SnapshotError for a file of another kind, damaged or from a newer program."""
        self._file = file
        self._hash = blake2b(digest_size=CHECK_BYTES)
        self._check = b""
        self._size = 0
        self._decompressor = zstandard.ZstdDecompressor()
        self._read_magic()
        self.header = self._read_header()
        self.meta = _decode_record(self.header.record)
        _check_block(self.header, self.meta)
        self.summary: Summary | None = None
        """Set when the whole file has been read."""

    def content(self, progress: Progress) -> Iterator[tuple[bool, list[Pair]]]:
        """Iterates over (is history, keys with values) up to the end. Raises SnapshotError."""
        tally = _Tally()
        kind, values = self._read_chunk()
        while kind in _SPACES:
            pairs = tally.add(kind, values)
            if pairs is None:
                raise self._damaged("keys are out of order")
            yield kind == _HISTORY, pairs
            _tell(progress, self._size, tally.rows + tally.entries)
            kind, values = self._read_chunk()
        if kind != _END or values != (tally.rows, tally.entries) or self._file.read(1):
            raise self._damaged("it should end here")
        head = self.meta.head
        if tally.digest % _DIGEST_MODULUS != int.from_bytes(head.digest, "big"):
            raise SnapshotError("The rows of the snapshot do not match its state digest")
        if self.header.has_history != bool(tally.entries) or not tally.is_indexed(head.number, self.header.has_history):
            raise SnapshotError("The history in the snapshot does not end with its block")
        self.summary = Summary(self.header, tally.rows, tally.entries, self._check, self._size)

    def _read_magic(self) -> None:
        word = self._file.read(len(MAGIC))
        self._hash.update(word)
        self._size = len(word)
        if word[:-1] != MAGIC[:-1] or len(word) != len(MAGIC):
            raise SnapshotError("The file is not a snapshot")
        if word != MAGIC:
            raise SnapshotError(f"The snapshot has format {word[-1]}, this version of Plaudit knows {MAGIC[-1]}")

    def _read_header(self) -> Header:
        kind, values = self._read_chunk()
        if kind != _HEADER or tuple(map(type, values)) != (bytes, bytes, bytes, bool):
            raise self._damaged("it should begin with a header")
        return Header(*values)

    def _read_chunk(self) -> tuple[int, tuple[Any, ...]]:
        kind, size = _CHUNK.unpack(self._read(_CHUNK.size))
        if size > CHUNK_BYTES_MAX:
            raise self._damaged(f"a chunk would have {size} bytes")
        payload = self._read(size)
        wanted = self._hash.digest()
        self._check = self._read(CHECK_BYTES)
        if self._check != wanted:
            raise self._damaged("the bytes up to there do not give the checksum that follows")
        try:
            if not 0 < zstandard.frame_content_size(payload) <= CHUNK_BYTES_MAX:
                raise self._damaged("a chunk has no proper size")
            values = unpack(self._decompressor.decompress(payload))
        except (zstandard.ZstdError, StoreCorrupt) as error:
            raise self._damaged(str(error)) from error
        if type(values) is not tuple:
            raise self._damaged("a chunk is not a list")
        return kind, values

    def _read(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise SnapshotError(f"The snapshot is cut off: it ends at byte {self._size + len(data)}")
        self._hash.update(data)
        self._size += count
        return data

    def _damaged(self, why: str) -> SnapshotError:
        return SnapshotError(f"The snapshot is damaged before byte {self._size}: {why}")


class _Tally:
    """Counts and digests of the rows read."""

    def __init__(self) -> None:
        self.rows = self.entries = 0
        self.digest = 0
        self._last_key = b""
        self._cursors: dict[bytes, bytes] = {}

    def add(self, kind: int, values: tuple[Any, ...]) -> list[Pair] | None:
        """Adds a chunk and returns its pairs; None if its keys are malformed or not ascending."""
        low, high = _SPACES[kind]
        keys, data = values[::2], values[1::2]
        if not keys or len(keys) != len(data) or not all(type(value) is bytes for value in values):
            return None
        if not (low <= keys[0] and keys[-1] < high and all(map(lt, [self._last_key, *keys], keys))):
            return None
        self._last_key = keys[-1]
        pairs = list(zip(keys, data, strict=True))
        if kind == _ROWS:
            self.rows += len(pairs)
            self.digest += sum(map(hash_row, keys, data))
        else:
            self.entries += len(pairs)
            self._cursors.update(pair for pair in pairs if pair[0] in _CURSORS)
        return pairs

    def is_indexed(self, number: int, has_history: bool) -> bool:
        """Whether the history that was read, if expected, ends with a block."""
        try:
            return not has_history or is_indexed(self._cursors, number)
        except (StoreCorrupt, TypeError, ValueError):
            return False


def _decode_record(record: bytes) -> Meta:
    """Decodes the database record and checks that its tables are known. Raises SnapshotError."""
    try:
        meta = decode_meta(record)
        check_meta(meta, meta.chain_id, describe_tables((SEQUENCES, *Tables.SPECS)))
    except StoreTooNew as error:
        raise SnapshotError(f"The snapshot comes from a newer version of Plaudit: {error}") from error
    except (StoreCorrupt, TypeError, ValueError) as error:
        raise SnapshotError(f"The snapshot is damaged: {error}") from error
    head = meta.head
    if (type(head.number), type(head.block_id), type(head.digest), type(meta.chain_id)) != (int, bytes, bytes, bytes):
        raise SnapshotError("The snapshot is damaged: it does not say of which block it is")
    return meta


def _check_block(header: Header, meta: Meta) -> None:
    """Checks that the block is the one of the state. Raises SnapshotError."""
    try:
        codec = codec_for(config_record.read_identity(header.config, meta.chain_id))
        block = Block.from_bytes(codec, header.block)
        is_right = (block.number, block.id) == (meta.head.number, meta.head.block_id)
        is_right = is_right and block.merkle_root() == block.transaction_merkle_root
    except (Invalid, KeyError, TypeError, ValueError):
        is_right = False
    if not is_right:
        raise SnapshotError("The block in the snapshot is not the one whose state it holds")


def check_chain(reader: SnapshotReader, config: ChainConfig) -> None:
    """Raises SnapshotError if the snapshot is of another chain, or of one with other rules or another genesis."""
    chain_id = reader.meta.chain_id
    if chain_id != config.chain_id:
        raise SnapshotError(f"The snapshot is of chain {chain_id.hex()}, not of {config.chain_id.hex()}")
    try:
        differences = config_record.describe_differences(reader.header.config, config)
    except StoreCorrupt as error:
        raise SnapshotError(f"The snapshot is damaged: {error}") from error
    if differences:
        raise SnapshotError(f"The snapshot was made with another chain config: {differences}")


def verify(reader: SnapshotReader, progress: Progress) -> Summary:
    """Verifies a snapshot: checksum, state digest, order. Raises SnapshotError."""
    for _part in reader.content(progress):
        pass
    assert reader.summary is not None, "the content was read"
    return reader.summary


def restore(
    reader: SnapshotReader, config: ChainConfig, backend: Backend, progress: Progress, with_history: bool = True
) -> Summary:
    """Restores a snapshot of the chain into an empty backend; history is optional.

    Raises SnapshotError and the errors of the store; the backend is then unusable. Only the last write makes it the
    database of a chain.
    """
    check_chain(reader, config)
    indexes = _IndexMaker(reader.meta)
    for is_history, pairs in reader.content(progress):
        if not is_history:
            backend.write(pairs + indexes.make(pairs), sync=False)
        elif with_history:
            backend.write(pairs, sync=False)
    assert reader.summary is not None, "the content was read"
    header = reader.header
    backend.write(
        [(config_record.KEY, header.config), (origin.KEY, header.block), (META_KEY, header.record)], sync=True
    )
    Store(backend, Tables, chain_id=config.chain_id, progress=progress)  # Upgrades the rows of an older program.
    return reader.summary


class _IndexMaker:
    """Makes the index entries of rows. Tables declared differently by an older program get theirs in the upgrade."""

    def __init__(self, meta: Meta) -> None:
        tables = Store(MemoryBackend(), Tables).tables
        known = {ROW_SPACE + table.number.to_bytes(2, "big"): table for table in meta.tables}
        self._tables: dict[bytes, Table[Any, Any] | None] = dict.fromkeys(known)
        for spec in Tables.SPECS:
            table: Table[Any, Any] = getattr(tables, spec.name)
            if spec.indexes and known.get(table.prefix) == describe_tables([spec])[0]:
                self._tables[table.prefix] = table

    def make(self, pairs: list[Pair]) -> list[Pair]:
        """Returns the index entries of these rows. Raises SnapshotError for a malformed row."""
        tables = self._tables
        made: list[Pair] = []
        try:
            for key, data in pairs:
                table = tables[key[:_TABLE_PREFIX_BYTES]]
                if table is not None:
                    made += table.place_all(table.codec.decode(data))
        except (SchemaError, StoreCorrupt, StoreTooNew, IndexError, KeyError, TypeError, ValueError) as error:
            raise SnapshotError(f"The snapshot holds a row that can not be read: {error}") from error
        return made
