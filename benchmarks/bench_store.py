"""Times the store with account-sized rows: python -m benchmarks.bench_store [directory].

The thresholds of the cyclic garbage collector are wider than by default, as in a node.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from collections.abc import Callable

from state.engine.declare import Index, TableSet, table
from state.engine.kv import Backend, MemoryBackend
from state.engine.leveldb import LevelDBBackend
from state.engine.rows import Row
from state.engine.store import Store
from state.engine.table import Table


@table(1, key="name", indexes=(Index("by_n1", "n1", "name"),))
class Account(Row):
    """A row with 41 fields."""

    name: str
    n0: int
    n1: int
    n2: int
    n3: int
    n4: int
    n5: int
    n6: int
    n7: int
    n8: int
    n9: int
    n10: int
    n11: int
    n12: int
    n13: int
    n14: int
    n15: int
    n16: int
    n17: int
    n18: int
    n19: int
    n20: int
    n21: int
    n22: int
    n23: int
    n24: int
    n25: int
    n26: int
    n27: int
    n28: int
    n29: int
    n30: int
    n31: int
    n32: int
    n33: int
    n34: int
    n35: int
    n36: int
    n37: int
    n38: int
    n39: int


@table(2, key="id", indexes=(Index("by_at", "at", "id"),))
class Entry(Row):
    """A small row with an index, as a vote or an order."""

    id: int
    owner: str
    at: int


class BenchTables(TableSet):
    """An account-like table and an entry-like one."""

    accounts: Table[Account, str]
    entries: Table[Entry, int]


def discard(result: object) -> None:
    """Turns a call with a result into one without."""


def time_each(what: str, action: Callable[[], None], count: int) -> None:
    """Runs an action that does something ``count`` times and prints microseconds for each."""
    started = time.perf_counter()
    action()
    print(f"  {what:58} {(time.perf_counter() - started) * 1e6 / count:8.2f} us")


def run(reopen: Callable[[], Backend], accounts: int = 20_000, rounds: int = 100_000) -> None:
    """Runs all figures over one backend, which is opened twice."""
    store = Store(reopen(), BenchTables)
    table, entries = store.tables.accounts, store.tables.entries
    names = [f"account-{number:06}" for number in range(accounts)]
    picks = [names[number * 7919 % accounts] for number in range(rounds)]
    store.begin()

    def insert() -> None:
        for name in names:
            table.insert(Account(name, *range(1000, 1040)))

    time_each("insert account row (negative lookup, 1 index)", insert, accounts)
    time_each("seal block, for each new account row", lambda: discard(store.seal_block(1, b"")), accounts)
    time_each("commit (synced), for each new account row", lambda: store.commit(1), accounts)
    store.close()
    store = Store(reopen(), BenchTables)
    table, entries = store.tables.accounts, store.tables.entries

    def get_all() -> None:
        get = table.get
        for name in names:
            get(name)

    def get_warm() -> None:
        get = table.get
        for name in picks:
            get(name)

    def find_absent() -> None:
        for number in range(rounds):
            table.find(f"nobody-{number}")

    def update() -> None:
        for name in picks:
            row = table.get(name)
            table.update(row, n5=row.n5 + 1)

    def update_indexed() -> None:
        for name in picks:
            row = table.get(name)
            table.update(row, n1=row.n1 + 1)

    def transfer_sessions() -> None:
        for number in range(0, rounds, 2):
            with store.session():
                sender, receiver = table.get(picks[number]), table.get(picks[number + 1])
                table.update(sender, n5=sender.n5 - 1)
                table.update(receiver, n5=receiver.n5 + 1)

    def undone_sessions() -> None:
        for number in range(0, rounds, 2):
            store.begin()
            row = table.get(picks[number])
            table.update(row, n5=row.n5 - 1)
            store.rollback()

    def insert_entries() -> None:
        for number in range(20_000):
            entries.insert(Entry(entries.next_id(), picks[number], number * 7919 % 10_000))

    def first_entries() -> None:
        view = entries.index("by_at")
        for number in range(5_000):
            view.first((number,))

    time_each("get, cold (from the backend)", get_all, accounts)
    time_each("get, warm", get_warm, rounds)
    time_each("find of an absent row", find_absent, rounds)
    store.begin()
    time_each("get + update of a field without index", update, rounds)
    time_each("session with 2 gets and 2 updates", transfer_sessions, rounds // 2)
    time_each("begin, get, update, rollback", undone_sessions, rounds // 2)
    time_each("get + update of an indexed field", update_indexed, rounds)
    time_each("next_id + insert of an entry with an index", insert_entries, 20_000)
    time_each("index first, entries in memory", first_entries, 5_000)
    time_each(
        "seal block, for each changed row (40k rows)", lambda: discard(store.seal_block(2, b"")), accounts + 20_000
    )
    time_each("undo block, for each changed row", lambda: discard(store.undo_block()), accounts + 20_000)
    store.begin()
    update()
    insert_entries()
    store.seal_block(2, b"")
    time_each("commit (synced), for each changed row", lambda: store.commit(2), accounts + 20_000)
    time_each("index first, entries in the backend", first_entries, 5_000)
    time_each("index scan, for each row", lambda: discard(list(entries.index("by_at").scan())), 20_000)
    time_each("digest from scratch, for each row", lambda: discard(store.compute_digest_from_scratch()), 40_000)
    store.close()


def main(directory: str | None = None) -> None:
    """Prints the figures of both backends."""
    gc.set_threshold(100_000, 50, 100)
    print("  memory backend")
    memory = MemoryBackend()
    run(lambda: memory)
    with tempfile.TemporaryDirectory(dir=directory) as path:
        print("  LevelDB backend")
        run(lambda: LevelDBBackend(path))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
