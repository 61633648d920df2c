"""The state machine passes over both backends, and finds every fault planted in the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

import state.engine.overlay
import state.engine.store
from state.engine.errors import StoreError
from state.engine.overlay import KeyOverlay
from state.engine.table import Table
from tests.state.examples import EXAMPLES, replay
from tests.state.machine import LevelDBStoreMachine, StoreMachine

RANDOM_RUNS = 120
"""How many random runs of the machine look for a fault, also for one that is planted."""

FOUND_AS = (AssertionError, KeyError, ExceptionGroup, StoreError)


def drive(machine: type[StoreMachine], runs: int = RANDOM_RUNS) -> None:
    """Replays the known examples, then lets Hypothesis drive."""
    for steps in EXAMPLES.values():
        replay(machine, steps)
    quiet = settings(max_examples=runs, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine, settings=quiet)


def test_memory_store_matches_the_model() -> None:
    drive(StoreMachine)


def test_store_that_remembers_the_shortest_gone_ranges_matches_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state.engine.overlay, "GONE_MIN", 1)
    drive(StoreMachine)


def test_leveldb_store_matches_the_model() -> None:
    drive(LevelDBStoreMachine, RANDOM_RUNS // 5)


def _forget_index_in_undo(patch: pytest.MonkeyPatch) -> None:
    original = Table._apply_moves
    restoring: list[int] = []
    restore = Table.restore

    def bad_restore(self: Any, key: Any, old: Any) -> None:
        restoring.append(1)
        restore(self, key, old)
        restoring.pop()

    def bad_apply(self: Any, *arguments: Any) -> None:
        if not restoring:
            original(self, *arguments)

    patch.setattr(Table, "restore", bad_restore)
    patch.setattr(Table, "_apply_moves", bad_apply)


def _forget_present_keys(patch: pytest.MonkeyPatch) -> None:
    original = Table._move_present

    def bad(self: Any, key: Any, old: Any, new: Any) -> None:
        if new is not None:
            original(self, key, old, new)

    patch.setattr(Table, "_move_present", bad)


def _commit_newest_rows(patch: pytest.MonkeyPatch) -> None:
    original = Table.prepare_commit

    def bad(self: Any, news: Any, batch: Any) -> Any:
        newest = {key: row if row is None or self.find(key) is None else self.find(key) for key, row in news.items()}
        committed, difference = original(self, newest, batch)
        return [(key, news[key], *rest) for key, _, *rest in committed], difference

    patch.setattr(Table, "prepare_commit", bad)


def _commit_drops_newer_rows(patch: pytest.MonkeyPatch) -> None:
    original = Table.finish_commit

    def bad(self: Any, committed: Any) -> None:
        original(self, committed)
        for key, new, *_ in committed:
            if self._base.pop(key, None) is not None:
                self._rows[key] = new

    patch.setattr(Table, "finish_commit", bad)


def _keep_stale_cache(patch: pytest.MonkeyPatch) -> None:
    original = Table.age

    def bad(self: Any) -> None:
        aged = self._aged_rows
        original(self)
        self._aged_rows = {**self._aged_rows, **aged}

    patch.setattr(Table, "age", bad)


def _forget_to_subtract(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Table, "_hash_stored", lambda self, key, row: (self._stored_key(key), 0))


def _remember_wrong_hashes(patch: pytest.MonkeyPatch) -> None:
    original = Table.finish_commit

    def bad(self: Any, committed: Any) -> None:
        original(self, committed)
        for key, (stored_key, _) in list(self._stored.items()):
            self._stored[key] = stored_key, 1

    patch.setattr(Table, "finish_commit", bad)


def _count_undone_blocks_in_the_digest(patch: pytest.MonkeyPatch) -> None:
    original = state.engine.store.Store.undo_block

    def bad(self: Any) -> Any:
        change = self.reversible[-1].digest_change
        delta = original(self)
        if self.reversible:
            self.reversible[-1].digest_change += change
        return delta

    patch.setattr(state.engine.store.Store, "undo_block", bad)


def _forget_what_came_before_the_first(patch: pytest.MonkeyPatch) -> None:
    original = KeyOverlay.move

    def bad(self: Any, old: Any, new: Any, stored: Any) -> None:
        floor = self.floor
        original(self, old, new, stored)
        self.floor = floor

    patch.setattr(KeyOverlay, "move", bad)


def _squash_as_rollback(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(state.engine.store.Store, "squash", state.engine.store.Store.rollback)


def _ignore_removed_keys(patch: pytest.MonkeyPatch) -> None:
    original = KeyOverlay.merge

    def bad(self: Any, stored: Any, low: Any, high: Any, reverse: bool) -> Any:
        removed, self.removed = self.removed, set()
        try:
            return iter(list(original(self, stored, low, high, reverse)))
        finally:
            self.removed = removed

    patch.setattr(KeyOverlay, "merge", bad)


def _leave_old_index_entries(patch: pytest.MonkeyPatch) -> None:
    original = Table.prepare_commit

    def bad(self: Any, news: Any, batch: Any) -> Any:
        prepared = original(self, news, batch)
        batch.deletes[:] = [entry for entry in batch.deletes if entry[0][:1] == b"\x01"]
        return prepared

    patch.setattr(Table, "prepare_commit", bad)


def _leak_on_undo(patch: pytest.MonkeyPatch) -> None:
    original = Table.restore

    def bad(self: Any, key: Any, old: Any) -> None:
        original(self, key, old)
        self._base.setdefault(key, old)

    patch.setattr(Table, "restore", bad)


def _keep_ids_in_undo(patch: pytest.MonkeyPatch) -> None:
    original = Table.restore

    def bad(self: Any, key: Any, old: Any) -> None:
        if self.name != "sequences":
            original(self, key, old)

    patch.setattr(Table, "restore", bad)


def _remember_gone_keys_that_came_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(state.engine.overlay, "GONE_MIN", 1)
    original = KeyOverlay.move

    def bad(self: Any, old: Any, new: Any, stored: Any) -> None:
        gone = self._gone
        original(self, old, new, stored)
        self._gone = gone

    patch.setattr(KeyOverlay, "move", bad)


FAULTS: list[Callable[[pytest.MonkeyPatch], None]] = [
    _forget_index_in_undo,
    _forget_present_keys,
    _commit_newest_rows,
    _commit_drops_newer_rows,
    _keep_stale_cache,
    _forget_to_subtract,
    _remember_wrong_hashes,
    _count_undone_blocks_in_the_digest,
    _forget_what_came_before_the_first,
    _squash_as_rollback,
    _ignore_removed_keys,
    _leave_old_index_entries,
    _leak_on_undo,
    _keep_ids_in_undo,
    _remember_gone_keys_that_came_back,
]


def _name(plant: Callable[[pytest.MonkeyPatch], None]) -> str:
    return plant.__name__.strip("_")


def test_every_planted_fault_has_an_example() -> None:
    assert [*EXAMPLES] == [_name(plant) for plant in FAULTS]


@pytest.mark.parametrize("plant", FAULTS, ids=_name)
def test_planted_fault_is_found(plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """By its example, and so by `drive`, which begins with the examples."""
    plant(monkeypatch)
    with pytest.raises(FOUND_AS):
        replay(StoreMachine, EXAMPLES[_name(plant)])
