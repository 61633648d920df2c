"""A Hypothesis state machine that drives a Store and plain dicts side by side."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from operator import itemgetter
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from state.engine.errors import RowExists, RowMissing
from state.engine.kv import Backend, MemoryBackend
from state.engine.leveldb import LevelDBBackend
from state.engine.store import Store
from state.engine.table import Table
from tests.state.sample import Item, Point, SampleTables, Vote, build_item

NAMES = st.sampled_from(["", "a", "a\x00", "a\x00b", "ab", "b", "\u00ff", "\U0001f600"])
GROUPS = st.sampled_from([-(2**127), -256, -1, 0, 1, 255, 256, 2**63, 2**64, 2**128 - 1])
RANKS = st.integers(-1, 2)
VOTERS = st.sampled_from(["a", "b"])
POINTS = st.builds(Point, st.integers(0, 3), st.none() | st.just("p"))

Snapshot = tuple[dict[str, Item], dict[tuple[int, str], Vote], dict[str, int]]

ORDERS: dict[tuple[str, str], Callable[[Any], tuple[Any, ...] | None]] = {
    ("items", ""): lambda row: (row.name,),
    ("items", "by_id"): lambda row: (row.id, row.name),
    ("items", "by_group"): lambda row: (row.group, -row.rank, row.name),
    ("items", "by_rank"): lambda row: (row.rank, row.is_open, row.name) if row.rank > 0 else None,
    ("votes", ""): lambda row: (row.item, row.voter),
    ("votes", "by_voter"): lambda row: (row.voter, row.item, row.item, row.voter),
    ("votes", "by_weight"): lambda row: (row.weight, row.item, row.voter),
}

SAMPLES: dict[str, Any] = {"items": build_item("a", rank=1), "votes": Vote(1, "a", 1)}


def expect_scan(rows: list[Any], order: Any, prefix: Any, start: Any, stop: Any, reverse: bool) -> list[Any]:
    """The scan as a filter over a sorted list: the oracle."""
    placed = sorted(((order(row), row) for row in rows if order(row) is not None), key=itemgetter(0), reverse=reverse)

    def is_in(key: tuple[Any, ...]) -> bool:
        if key[: len(prefix)] != prefix:
            return False
        if start is not None and key[: len(start)] != start and (key > start if reverse else key < start):
            return False
        return stop is None or (key[: len(stop)] != stop and (key > stop if reverse else key < stop))

    return [row for key, row in placed if is_in(key)]


class StoreMachine(RuleBasedStateMachine):
    """Random changes, checkpoints, blocks, undos, commits and restarts over the memory backend."""

    cache_rows = 3

    def __init__(self) -> None:
        super().__init__()
        self.backend: Backend = self.open_backend()
        self.store = self.open_store()
        self.items: dict[str, Item] = {}
        self.votes: dict[tuple[int, str], Vote] = {}
        self.ids: dict[str, int] = {"items": 0, "votes": 0}
        self.stack: list[Snapshot] = []
        self.sealed: list[tuple[int, Snapshot, Snapshot, bytes, bytes]] = []
        self.committed: Snapshot = self.snapshot()
        self.committed_digest = bytes(32)
        self.number = 0

    def open_backend(self) -> Backend:
        return MemoryBackend()

    def reopen_backend(self) -> Backend:
        return self.backend

    def open_store(self) -> Store[SampleTables]:
        return Store(self.backend, SampleTables, chain_id=b"c", cache_rows=self.cache_rows, is_strict=True)

    def snapshot(self) -> Snapshot:
        return dict(self.items), dict(self.votes), dict(self.ids)

    def load(self, snapshot: Snapshot) -> None:
        self.items, self.votes, self.ids = (dict(snapshot[0]), dict(snapshot[1]), dict(snapshot[2]))

    # Checkpoints

    @initialize(cache_rows=st.sampled_from([3, 9, 100]))
    def start(self, cache_rows: int) -> None:
        self.cache_rows = cache_rows
        self.store = self.open_store()
        self.begin()

    @precondition(lambda self: len(self.stack) < 4)
    @rule()
    def begin(self) -> None:
        self.store.begin()
        self.stack.append(self.snapshot())

    @precondition(lambda self: len(self.stack) > 0)
    @rule()
    def rollback(self) -> None:
        self.store.rollback()
        self.load(self.stack.pop())

    @precondition(lambda self: len(self.stack) > 1)
    @rule()
    def squash(self) -> None:
        self.store.squash()
        self.stack.pop()

    @precondition(lambda self: len(self.stack) > 0)
    @rule(again=st.booleans())
    def seal(self, again: bool) -> None:
        while len(self.stack) > 1:
            self.squash()
        self.number += 1
        before_digest = self.store.digest
        before = self.stack.pop()
        self.store.seal_block(self.number, b"id%d" % self.number)
        digest = self.store.find_digest(self.number)
        assert digest == self.store.digest == self.store.compute_digest_from_scratch()
        self.sealed.append((self.number, before, self.snapshot(), before_digest, digest))
        if again:
            self.begin()

    @precondition(lambda self: self.sealed and not self.stack)
    @rule(again=st.booleans())
    def undo(self, again: bool) -> None:
        number, before, _, before_digest, _ = self.sealed.pop()
        assert self.store.undo_block().number == number
        assert self.store.digest == before_digest == self.store.compute_digest_from_scratch()
        self.number = self.sealed[-1][0] if self.sealed else (self.store.head.number if self.store.head else 0)
        self.load(before)
        if again:
            self.begin()

    @precondition(lambda self: self.sealed)
    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from([entry[0] for entry in self.sealed]))
        self.store.commit(number, [(b"\x10cursor", b"%d" % number)])
        while self.sealed and self.sealed[0][0] <= number:
            _, _, self.committed, _, self.committed_digest = self.sealed.pop(0)
        assert all(self.store.find_digest(entry[0]) == entry[4] for entry in self.sealed)
        head = self.store.committed
        assert head is not None and head == (number, b"id%d" % number, self.committed_digest)
        assert self.backend.get(b"\x10cursor") == b"%d" % number

    @rule(again=st.booleans())
    def restart(self, again: bool) -> None:
        self.backend = self.reopen_backend()
        self.store = self.open_store()
        self.stack.clear()
        self.sealed.clear()
        self.load(self.committed)
        self.number = self.store.head.number if self.store.head else 0
        assert self.store.digest == self.committed_digest == self.store.compute_digest_from_scratch()
        if again:
            self.begin()

    # Changes

    @precondition(lambda self: self.stack)
    @rule(name=NAMES, group=GROUPS, rank=RANKS, is_open=st.booleans(), points=st.lists(POINTS, max_size=2))
    def put_item(self, name: str, group: int, rank: int, is_open: bool, points: list[Point]) -> None:
        table = self.store.tables.items
        old = self.items.get(name)
        if old is None:
            row = Item(name, table.next_id(), group, rank, is_open, b"d", Point(1, None), tuple(points))
            assert row.id == self.ids["items"]
            self.ids["items"] += 1
            assert table.insert(row) == row
        else:
            with pytest.raises(RowExists):
                table.insert(old)
            row = table.update(old, group=group, rank=rank, is_open=is_open)
            assert row == old.replace(group=group, rank=rank, is_open=is_open)
        self.items[name] = row

    @precondition(lambda self: self.stack and self.items)
    @rule(data=st.data(), value=st.binary(max_size=3), x=st.integers(0, 2**70))
    def update_plain_fields(self, data: st.DataObject, value: bytes, x: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.items)))
        table = self.store.tables.items
        row = table.update(table.get(name), data=value, point=Point(x, "q"))
        self.items[name] = self.items[name].replace(data=value, point=Point(x, "q"))
        assert row == self.items[name]

    @precondition(lambda self: self.stack and self.items)
    @rule(data=st.data())
    def delete_item(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.items)))
        self.store.tables.items.delete(self.store.tables.items.get(name))
        del self.items[name]
        with pytest.raises(RowMissing):
            self.store.tables.items.get(name)

    @precondition(lambda self: self.stack)
    @rule(item=st.integers(0, 2), voter=VOTERS, weight=st.integers(-1, 1), remove=st.booleans())
    def put_vote(self, item: int, voter: str, weight: int, remove: bool) -> None:
        table = self.store.tables.votes
        old = table.find((item, voter))
        assert old == self.votes.get((item, voter))
        if old is None:
            self.votes[item, voter] = table.insert(Vote(item, voter, weight))
        elif remove:
            table.delete(old)
            del self.votes[item, voter]
        else:
            self.votes[item, voter] = table.update(old, weight=weight)

    # Reading

    @rule(name=NAMES)
    def find_item(self, name: str) -> None:
        assert self.store.tables.items.find(name) == self.items.get(name)

    @rule(data=st.data(), which=st.sampled_from(sorted(ORDERS)), reverse=st.booleans())
    def scan(self, data: st.DataObject, which: tuple[str, str], reverse: bool) -> None:
        order = ORDERS[which]
        rows: list[Any] = list(self.items.values()) if which[0] == "items" else list(self.votes.values())
        keys = [order(row) for row in rows if order(row) is not None]
        bound = st.none()
        if keys:
            bound |= st.sampled_from(keys).flatmap(lambda key: st.integers(0, len(key)).map(lambda n: key[:n]))
        prefix, start, stop = data.draw(bound) or (), data.draw(bound), data.draw(bound)
        self.check_scan(which, rows, prefix[:-1], start, stop, reverse)

    def check_scan(
        self, which: tuple[str, str], rows: list[Any], prefix: Any, start: Any, stop: Any, reverse: bool
    ) -> None:
        table: Table[Any, Any] = getattr(self.store.tables, which[0])
        view: Any = table.index(which[1]) if which[1] else table
        found = list(view.scan(prefix, start=start, stop=stop, reverse=reverse))
        assert found == expect_scan(rows, ORDERS[which], prefix, start, stop, reverse), (which, prefix, start, stop)

    @rule(data=st.data(), which=st.sampled_from([which for which in sorted(ORDERS) if which[1]]))
    def look_for_what_is_due(self, data: st.DataObject, which: tuple[str, str]) -> None:
        rows: list[Any] = list(self.items.values()) if which[0] == "items" else list(self.votes.values())
        keys = sorted(key for key in map(ORDERS[which], rows) if key is not None)
        stop = data.draw(st.sampled_from(keys)) if keys else ORDERS[which](SAMPLES[which[0]])
        assert stop is not None
        stop = stop[: data.draw(st.integers(1, len(stop)))]
        table: Table[Any, Any] = getattr(self.store.tables, which[0])
        assert table.index(which[1]).has_due(*stop) == (bool(keys) and keys[0] < stop)

    @invariant()
    def check_everything(self) -> None:
        for which in ORDERS:
            rows: list[Any] = list(self.items.values()) if which[0] == "items" else list(self.votes.values())
            self.check_scan(which, rows, (), None, None, False)
        changed, cached, keys = self.store.count_memory()
        assert cached <= self.cache_rows
        if not self.stack and not self.sealed:
            assert (changed, keys) == (0, 0), "rows or index keys stay in memory although nothing is uncommitted"


class LevelDBStoreMachine(StoreMachine):
    """The same over LevelDB; a restart closes the database and opens it again."""

    def open_backend(self) -> Backend:
        self.path = tempfile.mkdtemp(prefix="store-machine-")
        return LevelDBBackend(self.path)

    def reopen_backend(self) -> Backend:
        self.backend.close()
        return LevelDBBackend(self.path)

    def teardown(self) -> None:
        self.backend.close()
        shutil.rmtree(self.path)
