"""The store, case by case."""

from __future__ import annotations

from typing import Any

import pytest

from state.engine.declare import Index, TableSet, table
from state.engine.errors import (
    CheckpointError,
    ForeignChain,
    NotAStore,
    RowExists,
    RowMissing,
    ScanInvalidated,
    SchemaError,
    StaleRow,
    StoreTooNew,
    StoreWriteFailed,
)
from state.engine.kv import MemoryBackend
from state.engine.rows import Row
from state.engine.store import Store
from state.engine.table import Table
from tests.state.sample import SampleTables, Vote, build_item


def open_store(backend: MemoryBackend | None = None, cache_rows: int = 100) -> Store[SampleTables]:
    return Store(backend or MemoryBackend(), SampleTables, chain_id=b"chain", cache_rows=cache_rows, is_strict=True)


@pytest.fixture
def store() -> Store[SampleTables]:
    store = open_store()
    store.begin()
    return store


def test_update_needs_the_newest_row_and_known_fields(store: Store[SampleTables]) -> None:
    items = store.tables.items
    first = items.insert(build_item("a"))
    second = items.update(first, rank=1)
    with pytest.raises(StaleRow):
        items.update(first, rank=2)
    with pytest.raises(StaleRow):
        items.delete(first)
    with pytest.raises(TypeError, match="colour"):
        items.update(second, colour=1)
    with pytest.raises(SchemaError, match="primary key"):
        items.update(second, name="b")
    with pytest.raises(RowExists):
        items.insert(build_item("a"))
    with pytest.raises(TypeError):
        items.insert(Vote(1, "a", 1))  # type: ignore[arg-type]
    with pytest.raises(RowMissing):
        items.update(build_item("z"), rank=1)
    with pytest.raises(SchemaError):
        items.index("by_nothing")
    assert items.get("a") is second


def test_changes_need_a_checkpoint() -> None:
    store = open_store()
    with pytest.raises(CheckpointError):
        store.tables.items.insert(build_item("a"))
    assert store.tables.items.find("a") is None and list(store.tables.items.scan()) == []
    for call in (store.rollback, store.squash, store.undo_block, lambda: store.seal_block(1, b"")):
        with pytest.raises(CheckpointError):
            call()
    store.begin()
    with pytest.raises(CheckpointError):
        store.squash()
    with pytest.raises(CheckpointError):
        store.undo_block()


def test_session_merges_or_rolls_back_to_its_start(store: Store[SampleTables]) -> None:
    items = store.tables.items
    with store.session():
        items.insert(build_item("kept"))
    with pytest.raises(ZeroDivisionError), store.session():
        items.insert(build_item("lost"))
        store.begin()
        items.delete(items.get("kept"))
        raise ZeroDivisionError
    assert store.depth == 1 and [row.name for row in items.scan()] == ["kept"]


def test_scan_that_goes_on_after_a_change_is_refused(store: Store[SampleTables]) -> None:
    items = store.tables.items
    for name in "abc":
        items.insert(build_item(name))
    with pytest.raises(ScanInvalidated):
        for row in items.index("by_group").scan():
            items.update(row, rank=row.rank + 1)
    for row in items.index("by_group").scan():
        items.update(row, data=b"x")
    for row in list(items.scan()):
        items.delete(row)
    assert list(items.scan()) == []


def test_commit_writes_the_state_as_of_its_block(store: Store[SampleTables]) -> None:
    items = store.tables.items
    items.insert(build_item("a", rank=1))
    store.seal_block(1, b"one")
    first = store.digest
    store.begin()
    items.update(items.get("a"), rank=2)
    items.insert(build_item("b", rank=1))
    store.seal_block(2, b"two")
    second = store.digest
    store.commit(1)
    assert [row.rank for row in items.scan()] == [2, 1]
    assert store.find_digest(1) == first and store.find_digest(2) == second
    reopened = open_store(store.backend)  # type: ignore[arg-type]
    assert reopened.committed == (1, b"one", first) and reopened.digest == reopened.compute_digest_from_scratch()
    assert [row.rank for row in reopened.tables.items.index("by_rank").scan()] == [1]
    store.undo_block()
    assert store.digest == first and store.count_memory()[0::2] == (0, 0)


def test_an_index_that_is_empty_in_the_database_is_not_looked_up_there(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = MemoryBackend()
    store = open_store(backend)
    items, scanned = store.tables.items, list[bytes]()
    original = MemoryBackend.scan

    def scan(self: MemoryBackend, low: bytes, high: bytes | None, reverse: bool = False) -> Any:
        scanned.append(low)
        return original(self, low, high, reverse)

    monkeypatch.setattr(MemoryBackend, "scan", scan)
    assert items.index("by_rank").first() is None and len(scanned) == 1
    store.begin()
    items.insert(build_item("a", rank=1))
    assert [row.name for row in items.index("by_rank").scan()] == ["a"]
    store.seal_block(1, b"")
    known = len(scanned)
    store.commit(1)
    assert items.index("by_rank").first() == items.get("a") and len(scanned) == known + 1
    store.begin()
    items.delete(items.get("a"))
    store.seal_block(2, b"")
    store.commit(2)
    assert items.index("by_rank").first() is None and len(scanned) == known + 2
    items.age()
    assert [items.index("by_rank").first() for _ in range(3)] == [None] * 3 and len(scanned) == known + 3


def test_digest_does_not_depend_on_the_way_to_a_state() -> None:
    one, two = open_store(), open_store()
    for store, names in ((one, "abc"), (two, "cxba")):
        store.begin()
        for name in names:
            store.tables.items.insert(build_item(name))
        if "x" in names:
            store.tables.items.delete(store.tables.items.get("x"))
        store.seal_block(1, b"")
    assert one.digest == two.digest != bytes(32)


def test_the_digest_of_a_block_is_that_of_the_block_in_its_place() -> None:
    store = open_store()
    digests = set()
    for name in "abc":
        store.begin()
        store.tables.items.insert(build_item(name))
        store.seal_block(1, name.encode())
        assert store.find_digest(1) == store.digest == store.compute_digest_from_scratch()
        digests.add(store.digest)
        store.undo_block()
        assert store.digest == store.compute_digest_from_scratch() == bytes(32)
    assert len(digests) == 3


def test_transactions_tried_and_undone_leave_nothing_behind() -> None:
    store = open_store(cache_rows=10)
    store.begin()
    for number in range(50):
        store.tables.items.insert(build_item(f"n{number}", rank=number))
    store.seal_block(1, b"")
    store.commit(1)
    for number in range(2000):
        store.begin()
        row = store.tables.items.get(f"n{number % 50}")
        store.tables.items.update(row, rank=number, group=number)
        store.tables.votes.insert(Vote(number, "v", number))
        store.rollback()
        changed, cached, keys = store.count_memory()
        assert (changed, keys) == (0, 0) and cached <= 10


def test_key_passes_from_one_row_to_another_in_one_commit(store: Store[SampleTables]) -> None:
    items = store.tables.items
    items.insert(build_item("a", id=1))
    items.insert(build_item("b", id=2))
    store.seal_block(1, b"")
    store.commit(1)
    store.begin()
    items.update(items.get("a"), group=9)
    items.delete(items.get("b"))
    items.insert(build_item("b", id=1))
    store.seal_block(2, b"")
    store.commit(2)
    assert [row.name for row in items.index("by_id").scan()] == ["a", "b"]
    assert [row.name for row in open_store(store.backend).tables.items.index("by_id").scan((1,))] == ["a", "b"]  # type: ignore[arg-type]


class FailingBackend(MemoryBackend):
    """Refuses writes on demand; ``is_written`` decides whether the batch reached the disk all the same."""

    fails = False
    is_written = False

    def write(self, batch: Any, sync: bool) -> None:
        batch = list(batch)
        if not self.fails or self.is_written:
            super().write(batch, sync)
        if self.fails:
            raise StoreWriteFailed("on demand")


@pytest.mark.parametrize("is_written", [False, True])
def test_failed_commit_changes_nothing_and_can_be_repeated(is_written: bool) -> None:
    backend = FailingBackend()
    backend.is_written = is_written
    store = open_store(backend, cache_rows=2)
    items = store.tables.items
    store.begin()
    for name in "abc":
        items.insert(build_item(name, rank=1))
    store.seal_block(1, b"")
    store.commit(1)
    store.begin()
    items.delete(items.get("a"))
    items.update(items.get("b"), rank=5)
    items.insert(build_item("d", rank=3))
    store.seal_block(2, b"")
    backend.fails = True
    for _ in range(2):
        with pytest.raises(StoreWriteFailed):
            store.commit(2)
        assert [row.name for row in items.scan()] == ["b", "c", "d"]
        assert [row.name for row in items.index("by_rank").scan()] == ["c", "d", "b"]
        assert store.committed is not None and store.committed.number == 1 and len(store.reversible) == 1
    backend.fails = False
    store.commit(2)
    assert [row.name for row in open_store(backend).tables.items.index("by_rank").scan()] == ["c", "d", "b"]
    assert store.digest == store.compute_digest_from_scratch() and store.count_memory()[0::2] == (0, 0)


def test_unsynced_commit_can_be_lost_in_a_crash_but_never_half() -> None:
    backend = MemoryBackend()
    store = open_store(backend)
    for number in (1, 2):
        store.begin()
        store.tables.items.insert(build_item(f"n{number}"))
        store.seal_block(number, b"")
        store.commit(number, [(b"\x20cursor", b"%d" % number)], sync=number == 1)
    backend.crash()
    reopened = open_store(backend)
    assert reopened.head is not None and reopened.head.number == 1 and backend.get(b"\x20cursor") == b"1"
    assert [row.name for row in reopened.tables.items.scan()] == ["n1"]


def test_extra_keys_must_lie_outside_the_store(store: Store[SampleTables]) -> None:
    with pytest.raises(SchemaError):
        store.commit(1, [(b"\x01x", b"")])


def test_row_that_cannot_be_stored_leaves_the_block_open(store: Store[SampleTables]) -> None:
    items = store.tables.items
    row = items.insert(build_item("a"))
    items.update(row, data=1.5)
    with pytest.raises(SchemaError):
        store.seal_block(1, b"")
    assert store.depth == 1
    store.rollback()
    assert items.find("a") is None


def test_a_declaration_that_does_not_fit_its_row_is_refused() -> None:
    for declare in (
        table(1, key="nobody"),
        table(1, key=()),
        table(1, key="item", indexes=(Index("by_both", "weight", "nobody"),)),
        table(1, key="item", indexes=(Index("by_both", "weight"), Index("by_both", "item"))),
        table(-1, key="item"),
        table(1, key="item", version=256),
    ):
        with pytest.raises(SchemaError):
            declare(Vote)
    with pytest.raises(SchemaError, match="the key of Vote is"):
        TableSet.__init_subclass__.__func__(type("Wrong", (), {"__annotations__": {"votes": Table[Vote, int]}}))  # type: ignore[attr-defined]


def test_foreign_chain_and_foreign_database_are_refused(store: Store[SampleTables]) -> None:
    store.seal_block(1, b"")
    store.commit(1)
    with pytest.raises(ForeignChain):
        Store(store.backend, SampleTables, chain_id=b"other")
    foreign = MemoryBackend()
    foreign.write([(b"a", b"b")], True)
    with pytest.raises(NotAStore):
        open_store(foreign)


@table(2, key="item", indexes=(Index("by_voter", "voter"),))
class OldVote(Row):
    """A row of an earlier program."""

    item: int
    voter: str


class OldTables(TableSet):
    """An earlier program's tables."""

    votes: Table[OldVote, int]


@table(
    2,
    key="item",
    indexes=(Index("by_weight", "weight"),),
    version=2,
    upgrades={1: lambda values: (*values, -values[0])},
)
class NewVote(Row):
    """The next program's row, with one more field."""

    item: int
    voter: str
    weight: int


class NewTables(TableSet):
    """The next program's tables: other indexes as well."""

    votes: Table[NewVote, int]


def test_database_of_an_earlier_program_is_upgraded_when_opened() -> None:
    backend = MemoryBackend()
    old = Store(backend, OldTables)
    old.begin()
    for number in range(3):
        old.tables.votes.insert(OldVote(number, "v"))
    old.seal_block(1, b"id")
    old.commit(1)
    new = Store(backend, NewTables)
    assert [row.weight for row in new.tables.votes.index("by_weight").scan()] == [-2, -1, 0]
    assert new.head is not None and (new.head.number, new.head.block_id) == (1, b"id")
    assert new.digest == new.compute_digest_from_scratch() != old.digest
    fresh = Store(MemoryBackend(), NewTables)
    fresh.begin()
    for number in range(3):
        fresh.tables.votes.insert(NewVote(number, "v", -number))
    fresh.seal_block(1, b"id")
    assert fresh.digest == new.digest
    with pytest.raises(StoreTooNew):
        Store(backend, OldTables)
