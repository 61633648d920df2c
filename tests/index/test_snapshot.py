"""Snapshots: what is restored goes on exactly like the chain it was taken of, and nothing else is ever restored."""

from __future__ import annotations

import dataclasses
import io
import threading
from collections.abc import Callable, Iterator
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from struct import Struct
from typing import Any

import msgpack
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from chain import origin, reversible
from chain.block_log import BlockStore, MemoryBlockLog
from chain.chain import Chain
from index.indexes import Indexes, open_chain
from index.snapshot import (
    CHECK_BYTES,
    CHUNK_BYTES,
    MAGIC,
    SnapshotError,
    SnapshotReader,
    SnapshotSource,
    Summary,
    check_chain,
    restore,
    verify,
)
from operations.transfer import Transfer
from protocol.block import Block
from protocol.codec import Codec
from protocol.config import ChainConfig
from protocol.errors import BlockLogError, HistoryUnavailable, Rejected
from state.engine.errors import StoreError
from state.engine.kv import Backend, MemoryBackend
from state.engine.leveldb import LevelDBBackend
from state.engine.meta import decode_meta, encode_meta
from state.tables.tables import Tables
from tests.harness import Harness, config_with, steem
from tests.vectors import read_block_log, recorded_path

CONFIG = ChainConfig.preset("testnet")
CHUNK = Struct(">BI")
HEADER, ROWS, HISTORY, END = 1, 2, 3, 4
MIDDLES = {"reference_chain_a": (22, 600, 1290), "reference_chain_b": (1200,)}


class Watch:
    """Remembers how far the work was said to be."""

    def __init__(self) -> None:
        self.size = -1
        self.seen: list[tuple[int, int]] = []

    def begin(self, size: int, position: int = 0) -> None:
        self.size = size

    def advance(self, position: int, title: str, **counts: int) -> None:
        self.seen.append((counts["rows"], position))


def take(chain: Chain, with_history: bool = True) -> bytes:
    file = io.BytesIO()
    source = SnapshotSource(chain, with_history)
    summary = source.write(file, Watch())
    source.close()
    assert summary.size == len(file.getvalue())
    assert summary.checksum == file.getvalue()[-CHECK_BYTES:]
    return file.getvalue()


def check(data: bytes) -> Summary:
    return verify(SnapshotReader(io.BytesIO(data)), Watch())


def restore_backend(
    data: bytes, backend: Backend | None = None, config: ChainConfig = CONFIG, with_history: bool = True
) -> Backend:
    backend = MemoryBackend() if backend is None else backend
    restore(SnapshotReader(io.BytesIO(data)), config, backend, Watch(), with_history)
    return backend


def reopen(
    backend: Backend, config: ChainConfig = CONFIG, indexes: Indexes | None = None, log: BlockStore | None = None
) -> Chain:
    followers = (Indexes() if indexes is None else indexes,)
    return Chain(config, backend, log or MemoryBlockLog(), Codec(config.identity), followers=followers)


def content(backend: Backend) -> dict[bytes, bytes]:
    """Everything in a database but the blocks that can be undone and the block a restored node began with."""
    return {
        key: value
        for key, value in backend.scan(b"", None)
        if key != origin.KEY and not key.startswith(reversible.PREFIX)
    }


@cache
def blocks_of(name: str) -> tuple[Block, ...]:
    codec = Codec(CONFIG.identity)
    return tuple(Block.from_bytes(codec, packed) for packed in read_block_log(recorded_path(name, "block_log")))


@cache
def small_snapshot() -> bytes:
    """A snapshot with history of a chain with a few transfers."""
    return take(small_world().chain)


@cache
def small_world() -> Harness:
    world = Harness()
    for number in range(30):
        world.push(Transfer("initminer", "null", steem(number + 1), "memo"))
        world.generate_block()
    return world


# The whole way


@pytest.mark.parametrize("name", MIDDLES)
def test_a_restored_node_has_the_state_of_one_that_lived_at_every_block(name: str) -> None:
    blocks = blocks_of(name)
    steady, steady_indexes = open_chain(CONFIG)
    snapshots: dict[int, bytes] = {}
    digests = [steady.state_digest]
    for block in blocks:
        steady.push_block(block, skip_signatures=True)
        digests.append(steady.state_digest)
        if block.number in MIDDLES[name]:
            data = take(steady)
            snapshots[check(data).header.meta.head.number] = data
    assert len(snapshots) == len(MIDDLES[name])
    for number, data in snapshots.items():
        indexes = Indexes()
        chain = reopen(restore_backend(data), indexes=indexes)
        assert (chain.head_number, chain.finality.committed_number, chain.reader.first_number) == (
            number,
            number,
            number,
        )
        assert (chain.head_id, chain.state_digest) == (blocks[number - 1].id, digests[number])
        assert chain.store.compute_digest_from_scratch() == digests[number]
        for block in blocks[number:]:
            chain.push_block(block, skip_signatures=block.number % 50 != 0)
            assert chain.state_digest == digests[block.number], block.number
        assert content(chain.store.backend) == content(steady.store.backend)
        assert chain.irreversible_number == steady.irreversible_number
        entries = [account.name for account in chain.ctx.tables.accounts.scan()]
        for account in entries[:20]:
            assert indexes.history.get_account_operations(account, 10**9, 10**6) == (
                steady_indexes.history.get_account_operations(account, 10**9, 10**6)
            )


def test_a_restored_node_knows_the_blocks_from_its_own_on() -> None:
    blocks = blocks_of("reference_chain_a")
    steady = open_chain(CONFIG)[0]
    for block in blocks[:300]:
        steady.push_block(block, skip_signatures=True)
    chain = reopen(restore_backend(take(steady)))
    first = chain.reader.first_number
    assert first == steady.finality.committed_number
    for block in blocks[first:300]:
        chain.push_block(block, skip_signatures=True)
    assert [chain.reader.get_block(number) for number in (0, 1, 2, first - 1)] == [None] * 4
    assert chain.reader.get_block(first) == blocks[first - 1]
    assert chain.reader.get_block_id(first - 2) is None
    assert chain.reader.find_block_by_id(blocks[first - 2].id) is None
    for number in range(first, 301):
        assert chain.reader.get_block(number) == steady.reader.get_block(number)
        assert chain.reader.get_block_id(number) == blocks[number - 1].id
    assert steady.reader.first_number == 1


def test_a_snapshot_of_a_restored_node_is_that_of_the_chain() -> None:
    blocks = blocks_of("reference_chain_a")
    steady = open_chain(CONFIG)[0]
    for block in blocks[:200]:
        steady.push_block(block, skip_signatures=True)
    restored = reopen(restore_backend(take(steady)))
    first = restored.reader.first_number
    for chain in (steady, restored):
        for block in blocks[chain.head_number : 400]:
            chain.push_block(block, skip_signatures=True)
    data = take(restored)
    assert data == take(steady)
    again = reopen(restore_backend(data))
    assert again.reader.first_number == again.head_number > first


def test_what_is_told_of_the_progress_fits() -> None:
    chain = small_world().chain
    watch = Watch()
    source = SnapshotSource(chain)
    file = io.BytesIO()
    summary = source.write(file, watch)
    source.close()
    total = summary.rows + summary.history_entries
    assert watch.size == total
    assert watch.seen[-1] == (total, total)
    reading = Watch()
    verify(SnapshotReader(io.BytesIO(file.getvalue())), reading)
    assert [rows for rows, _ in reading.seen] == [summary.rows, total]
    assert all(0 < position < summary.size for _, position in reading.seen)


def test_large_states_are_cut_into_chunks() -> None:
    world = Harness()
    for number in range(40):
        for part in range(4):
            world.push(Transfer("initminer", "null", steem(4 * number + part + 1), "x" * 2000))
        world.generate_block()
        world.post("initminer", f"post-{number}", body="word " * 10_000)
        world.pass_time(310)
    data = take(world.chain)
    sizes = [len(msgpack.packb(values)) for kind, values in split(data) if kind in (ROWS, HISTORY)]
    assert len(sizes) > 3
    assert max(sizes) < CHUNK_BYTES + 100_000
    chain = reopen(restore_backend(data))
    assert chain.state_digest == world.chain.store.find_digest(chain.head_number)


# Beginnings


def test_a_chain_without_an_irreversible_block_has_no_snapshot() -> None:
    with pytest.raises(SnapshotError, match="no irreversible block yet"):
        SnapshotSource(open_chain(CONFIG)[0])


def test_history_is_left_out_when_the_chain_has_none_or_it_is_not_wanted() -> None:
    plain = Chain.open(CONFIG)
    full, _indexes = open_chain(CONFIG)
    for chain in (plain, full):
        for block in blocks_of("reference_chain_a")[:100]:
            chain.push_block(block, skip_signatures=True)
    data = take(plain)
    assert data == take(full, with_history=False)
    assert (check(data).header.has_history, check(data).history_entries) == (False, 0)
    with_history = take(full)
    assert check(with_history).history_entries > 100
    assert content(restore_backend(with_history, with_history=False)) == content(restore_backend(data))


def test_without_history_a_node_runs_without_it_or_says_what_to_do() -> None:
    data = take(small_world().chain, with_history=False)
    backend = restore_backend(data)
    before = content(backend)
    with pytest.raises(HistoryUnavailable, match=r"from block 1 on.*begin with block \d+"):
        reopen(backend)
    assert content(backend) == before
    for has_history in (False, None):
        indexes = Indexes(has_history)
        reopen(restore_backend(data), indexes=indexes)
        assert not indexes.has_history
        with pytest.raises(Rejected, match="keeps no account history"):
            indexes.rebuild()


def test_history_that_can_not_be_made_anew_is_not_dropped() -> None:
    indexes = Indexes()
    chain = reopen(restore_backend(small_snapshot()), indexes=indexes)
    world = Harness(chain=chain, first_block=False)
    world.generate_blocks(5)
    before = content(chain.store.backend)
    with pytest.raises(HistoryUnavailable):
        indexes.rebuild()
    assert content(chain.store.backend) == before
    operations = indexes.history.get_account_operations("initminer", 10**9, 10**6)
    assert [operation.sequence for operation in operations] == list(range(len(operations)))
    assert operations[0].operation.block < chain.reader.first_number < operations[-1].operation.block


def test_a_restored_chain_keeps_history_only_while_it_follows() -> None:
    """Blocks that were taken in without history leave a gap that nothing can fill."""
    backend = restore_backend(small_snapshot())
    chain = reopen(backend, indexes=Indexes(has_history=False))
    log = chain._log
    Harness(chain=chain, first_block=False).generate_blocks(30)
    chain.close()
    with pytest.raises(HistoryUnavailable):
        reopen(backend, log=log)
    indexes = Indexes(has_history=None)
    reopen(backend, log=log, indexes=indexes)
    assert not indexes.has_history


# On disk


def restore_on_disk(directory: Path, data: bytes | None = None) -> None:
    backend = LevelDBBackend(directory / "state")
    restore_backend(small_snapshot() if data is None else data, backend)
    backend.close()


def test_the_log_gets_its_first_block_at_the_first_start_and_again_when_lost(tmp_path: Path) -> None:
    restore_on_disk(tmp_path)
    assert not (tmp_path / "block_log").exists()
    chain = open_chain(CONFIG, tmp_path)[0]
    first = chain.reader.first_number
    block = chain.reader.get_block(first)
    chain.close()
    log = tmp_path / "block_log"
    whole = log.read_bytes()
    for size in (0, 1, 30, len(whole) // 2, len(whole) - 1, len(whole)):
        for index in (b"", bytes(8)):
            log.write_bytes(whole[:size])
            (tmp_path / "block_log.index").write_bytes(index)
            again = open_chain(CONFIG, tmp_path)[0]
            assert (again.reader.first_number, again.reader.get_block(first), log.read_bytes()) == (first, block, whole)
            again.close()


def test_a_gap_in_the_blocks_of_a_restored_node_is_named(tmp_path: Path) -> None:
    restore_on_disk(tmp_path)
    chain = open_chain(CONFIG, tmp_path)[0]
    first = chain.reader.first_number
    Harness(chain=chain, first_block=False).generate_blocks(60)
    chain.close()
    log, index, state = (tmp_path / name for name in ("block_log", "block_log.index", "state"))
    kept = log.read_bytes()
    log.unlink()
    index.unlink()
    with pytest.raises(BlockLogError, match=r"ends with block .* or restore a snapshot into another directory"):
        open_chain(CONFIG, tmp_path)[0]
    log.write_bytes(kept)
    index.unlink()
    open_chain(CONFIG, tmp_path)[0].close()
    state.rename(tmp_path / "elsewhere")
    with pytest.raises(BlockLogError, match=f"begins with block {first}, but the state is that of block 0: restore"):
        open_chain(CONFIG, tmp_path)[0]
    assert log.read_bytes() == kept


def test_a_full_log_under_a_restored_state_is_taken_as_it_is(tmp_path: Path) -> None:
    blocks = blocks_of("reference_chain_a")
    steady = open_chain(CONFIG, tmp_path / "steady")[0]
    for block in blocks[:300]:
        steady.push_block(block, skip_signatures=True)
    data = take(steady, with_history=False)
    for block in blocks[300:400]:
        steady.push_block(block, skip_signatures=True)
    steady.close()
    restore_on_disk(tmp_path / "restored", data)
    (tmp_path / "steady" / "block_log").rename(tmp_path / "restored" / "block_log")
    chain, indexes = open_chain(CONFIG, tmp_path / "restored")
    assert chain.reader.first_number == 1
    assert chain.reader.get_block(1) == blocks[0]
    assert chain.head_number == steady.finality.committed_number
    assert indexes.history.get_operations_in_block(50)
    chain.close()


def test_a_full_node_is_not_changed_on_disk(tmp_path: Path) -> None:
    chain = open_chain(CONFIG, tmp_path)[0]
    for block in blocks_of("reference_chain_a")[:120]:
        chain.push_block(block, skip_signatures=True)
    take(chain)
    expected = b"".join(block.packed for block in blocks_of("reference_chain_a")[: chain.finality.committed_number])
    assert chain.store.backend.get(origin.KEY) is None
    chain.close()
    assert (tmp_path / "block_log").stat().st_size == len(expected) + 8 * chain.finality.committed_number


# While the node runs


@pytest.mark.parametrize("is_on_disk", [False, True])
def test_a_snapshot_is_written_while_the_chain_goes_on(tmp_path: Path, is_on_disk: bool) -> None:
    blocks = blocks_of("reference_chain_a")
    chain = open_chain(CONFIG, tmp_path)[0] if is_on_disk else open_chain(CONFIG)[0]
    for block in blocks[:500]:
        chain.push_block(block, skip_signatures=True)
    expected = take(chain)
    number = chain.finality.committed_number
    source = SnapshotSource(chain)
    file = io.BytesIO()
    written: list[Summary] = []
    writer = threading.Thread(target=lambda: written.append(source.write(file, Watch())))
    for block in blocks[500:520]:
        chain.push_block(block, skip_signatures=True)
    writer.start()
    for block in blocks[520:700]:
        chain.push_block(block, skip_signatures=True)
    writer.join()
    source.close()
    assert chain.finality.committed_number > number == written[0].header.meta.head.number
    assert file.getvalue() == expected
    chain.close()


def test_a_chain_that_closes_ends_the_snapshot_and_lets_go_of_its_files(tmp_path: Path) -> None:
    chain = open_chain(CONFIG, tmp_path)[0]
    Harness(chain=chain).generate_blocks(30)
    source = SnapshotSource(chain)
    chain.close()
    with pytest.raises(StoreError):
        source.write(io.BytesIO(), Watch())
    source.close()
    open_chain(CONFIG, tmp_path)[0].close()


def test_a_damaged_database_gives_no_snapshot() -> None:
    world = Harness()
    world.generate_blocks(30)
    backend = world.chain.store.backend
    key, value = next(iter(backend.scan(b"\x01\x00\x01", b"\x02")))
    backend.write([(key, value[:-1] + bytes([value[-1] ^ 1]))], sync=True)
    with pytest.raises(SnapshotError, match="the database is damaged"):
        take(world.chain)


# Files that are not as they should be


def split(data: bytes) -> Iterator[tuple[int, Any]]:
    """The chunks of a snapshot: kind and values."""
    position = len(MAGIC)
    while position < len(data):
        kind, size = CHUNK.unpack_from(data, position)
        payload = data[position + CHUNK.size : position + CHUNK.size + size]
        yield kind, msgpack.unpackb(zstandard.ZstdDecompressor().decompress(payload), use_list=False)
        position += CHUNK.size + size + CHECK_BYTES


def join(chunks: list[tuple[int, Any]], magic: bytes = MAGIC) -> bytes:
    """A file of these chunks with right checksums, as somebody could make it on purpose."""
    data = bytearray(magic)
    for kind, values in chunks:
        payload = zstandard.ZstdCompressor().compress(msgpack.packb(values))
        data += CHUNK.pack(kind, len(payload)) + payload
        data += blake2b(data, digest_size=CHECK_BYTES).digest()
    return bytes(data)


def assert_refused(data: bytes, match: str | None = None) -> None:
    with pytest.raises(SnapshotError, match=match):
        check(data)
    with pytest.raises(SnapshotError, match=match):
        restore_backend(data)


def test_every_changed_byte_is_found() -> None:
    good = small_snapshot()
    assert len(good) < 60_000
    data = bytearray(good)
    for place in range(len(good)):
        for change in (1 << place % 8, 0xFF):
            data[place] ^= change
            with pytest.raises(SnapshotError):
                check(bytes(data))
            data[place] ^= change
    assert check(bytes(data)).checksum == good[-CHECK_BYTES:]


@given(st.data())
def test_changed_bytes_are_never_restored(chosen: st.DataObject) -> None:
    data = bytearray(small_snapshot())
    places = chosen.draw(st.lists(st.integers(0, len(data) - 1), min_size=1, max_size=5, unique=True))
    for place in places:
        data[place] ^= chosen.draw(st.integers(1, 255))
    backend = MemoryBackend()
    with pytest.raises(SnapshotError):
        restore_backend(bytes(data), backend)
    assert backend.get(b"\x00plaudit") is None


def test_every_cut_is_found_and_every_byte_too_many() -> None:
    good = small_snapshot()
    for size in range(len(good)):
        with pytest.raises(SnapshotError):
            check(good[:size])
    for tail in (b"\x00", good[-60:], good):
        assert_refused(good + tail, "should end here")


def test_chunks_that_are_missing_doubled_or_exchanged_are_found() -> None:
    good = small_snapshot()
    chunks = list(split(good))
    assert check(join(chunks)).rows == check(good).rows
    for place in range(len(chunks)):
        assert_refused(join(chunks[:place] + chunks[place + 1 :]))
        assert_refused(join([*chunks[: place + 1], *chunks[place:]]))
        if place:
            assert_refused(join([*chunks[: place - 1], chunks[place], chunks[place - 1], *chunks[place + 1 :]]))
    assert_refused(join([]), "cut off")
    assert_refused(join([(9, ()), *chunks]), "begin with a header")


def change_rows(change: Callable[[list[bytes]], object]) -> bytes:
    chunks = [(kind, list(values) if kind == ROWS else values) for kind, values in split(small_snapshot())]
    for kind, values in chunks:
        if kind == ROWS:
            change(values)
            count = len(values) // 2
    return join([(kind, (count, values[1]) if kind == END else values) for kind, values in chunks])


def test_rows_that_were_changed_on_purpose_do_not_give_the_digest() -> None:
    def swap_values(rows: list[bytes]) -> None:
        rows[1], rows[3] = rows[3], rows[1]

    def spoil_value(place: int, rows: list[bytes]) -> None:
        rows[place] = rows[place][:-1] + b"\xc1"

    assert_refused(change_rows(lambda rows: rows.__setitem__(slice(0, 2), [])), "do not match its state digest")
    with pytest.raises(SnapshotError, match="do not match its state digest"):
        check(change_rows(swap_values))
    for place in range(1, 2 * check(small_snapshot()).rows, 2):
        data = change_rows(partial(spoil_value, place))
        with pytest.raises(SnapshotError):
            check(data)
        with pytest.raises(SnapshotError):
            restore_backend(data)


def test_keys_out_of_order_or_place_are_refused() -> None:
    def exchange(rows: list[bytes]) -> None:
        rows[:4] = rows[2:4] + rows[:2]

    assert_refused(change_rows(exchange), "out of order")
    assert_refused(change_rows(lambda rows: rows.extend(rows[-2:])), "out of order")
    assert_refused(change_rows(lambda rows: rows.extend([b"\x02more", b""])), "out of order")
    assert_refused(change_rows(lambda rows: rows.insert(0, b"\x00plaudit")), "out of order")
    assert_refused(change_rows(lambda rows: rows.__setitem__(0, 5)), "out of order")  # type: ignore[call-overload]
    assert_refused(change_rows(lambda rows: rows.clear()), "out of order")


def test_rows_of_no_table_are_refused() -> None:
    data = change_rows(lambda rows: rows.extend([b"\x01\xff\xff\x81\x01", b"\x01\x91\x01"]))
    with pytest.raises(SnapshotError):
        check(data)
    with pytest.raises(SnapshotError, match="can not be read"):
        restore_backend(data)


def change_header(**changes: Any) -> bytes:
    (kind, header), *rest = split(small_snapshot())
    names = ("record", "config", "block", "has_history")
    values = dict(zip(names, header, strict=True)) | changes
    return join([(kind, tuple(values[name] for name in names)), *rest])


def test_a_header_that_is_not_right_is_refused() -> None:
    (_, header), *_ = split(small_snapshot())
    meta = decode_meta(header[0])
    other = small_world().chain.reader.get_packed_block(meta.head.number - 1)
    assert_refused(change_header(block=other), "is not the one whose state")
    assert_refused(change_header(block=header[2][:-1]), "is not the one whose state")
    assert_refused(change_header(block=b""), "is not the one whose state")
    assert_refused(change_header(config=b"{}"), "is not the one whose state")
    assert_refused(change_header(config=b"junk"), "is not the one whose state")
    assert_refused(change_header(has_history=1), "begin with a header")
    assert_refused(change_header(has_history=False), "does not end with its block")
    no_head: Any = (1, 2, 3)
    for record in (b"", b"\xc0", encode_meta(meta)[:-3], b"\x91\x01", encode_meta(meta._replace(head=no_head))):
        assert_refused(change_header(record=record), "is damaged")


def test_history_that_does_not_end_with_the_block_is_refused() -> None:
    chunks = list(split(small_snapshot()))
    history = next(values for kind, values in chunks if kind == HISTORY)
    assert history[0] == b"\x20\x00"
    for cursor in (msgpack.packb((1, 3)), msgpack.packb((2, 30)), b"\xc0", msgpack.packb((1, 2, 3))):
        changed = [(kind, (values[0], cursor, *values[2:]) if kind == HISTORY else values) for kind, values in chunks]
        assert_refused(join(changed), "does not end with its block")
    without = [(kind, values) for kind, values in chunks if kind != HISTORY]
    without[-1] = (END, (without[-1][1][0], 0))
    assert_refused(join(without), "does not end with its block")


def test_what_is_packed_is_bounded() -> None:
    def packed(payload: bytes) -> bytes:
        data = MAGIC + CHUNK.pack(HEADER, len(payload)) + payload
        return data + blake2b(data, digest_size=CHECK_BYTES).digest()

    bomb = zstandard.ZstdCompressor().compress(bytes(100 << 20))
    assert_refused(packed(bomb), "no proper size")
    assert_refused(packed(zstandard.ZstdCompressor(write_content_size=False).compress(b"x" * 9)), "no proper size")
    assert_refused(packed(b"no zstd frame"), "damaged")
    assert_refused(packed(zstandard.ZstdCompressor().compress(b"\xc1")), "damaged")
    assert_refused(packed(zstandard.ZstdCompressor().compress(b"\x05")), "is not a list")
    assert_refused(packed(zstandard.ZstdCompressor().compress(b"\x91" * 2000)), "damaged")
    assert_refused(MAGIC + CHUNK.pack(HEADER, 1 << 30), "would have 1073741824 bytes")


@pytest.mark.parametrize("data", [b"", b"PLAUDIT", b"\x00" * 100, b"PLAUDITSNAPSHOX\x01" + bytes(100)])
def test_a_file_that_is_no_snapshot_is_refused(data: bytes) -> None:
    assert_refused(data, "is not a snapshot")


# Other chains and other versions


def test_a_snapshot_of_another_chain_is_refused() -> None:
    with pytest.raises(SnapshotError, match=f"is of chain {CONFIG.chain_id.hex()}, not of"):
        restore_backend(small_snapshot(), config=ChainConfig.preset("dev"))
    other = config_with("testnet", cashout_window_seconds=86_400)
    with pytest.raises(SnapshotError, match=r"another chain config: rules\.cashout_window_seconds was"):
        restore_backend(small_snapshot(), config=other)
    check_chain(SnapshotReader(io.BytesIO(small_snapshot())), CONFIG)


def test_a_snapshot_of_a_newer_program_is_refused() -> None:
    (_, header), *_ = split(small_snapshot())
    meta = decode_meta(header[0])
    assert_refused(join([], MAGIC[:-1] + b"\x02"), "has format 2, this version of Plaudit knows 1")
    tables = list(meta.tables)
    tables[5] = tables[5]._replace(version=tables[5].version + 1)
    newer = encode_meta(meta._replace(tables=tuple(tables)))
    assert_refused(change_header(record=newer), f"newer version of Plaudit: {tables[5].name} has version")
    more = encode_meta(meta._replace(tables=(*meta.tables, meta.tables[3]._replace(number=999, name="songs"))))
    assert_refused(change_header(record=more), "newer version of Plaudit: the database holds table 999 songs")
    layout = msgpack.packb((2, *msgpack.unpackb(header[0], use_list=False)[1:]))
    assert_refused(change_header(record=layout), "newer version of Plaudit: the database has format 2")


def test_a_snapshot_of_an_older_program_is_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    data = small_snapshot()
    specs = []
    for spec in Tables.SPECS:
        if spec.name in ("accounts", "seen_transactions"):
            step = {spec.version: lambda values: values}
            specs.append(dataclasses.replace(spec, version=spec.version + 1, upgrades={**spec.upgrades, **step}))
        else:
            specs.append(spec)
    monkeypatch.setattr(Tables, "SPECS", tuple(specs))
    chain = reopen(restore_backend(data))
    assert chain.state_digest == chain.store.compute_digest_from_scratch()
    assert chain.state_digest != check(data).header.meta.head.digest
    newest = open_chain(CONFIG)[0]
    for follower in (newest, chain):
        for number in range(follower.head_number + 1, small_world().chain.head_number + 1):
            block = small_world().chain.reader.get_block(number)
            assert block is not None
            follower.push_block(block, skip_signatures=True)
    assert newest.state_digest == chain.state_digest
    assert content(newest.store.backend) == content(chain.store.backend)
