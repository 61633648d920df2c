"""Views of a backend: what it held at one moment, read while it changes, and when it is closed or fails meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from state.engine.errors import StoreError, StoreLocked, StoreWriteFailed
from state.engine.kv import Backend, MemoryBackend
from state.engine.leveldb import LevelDBBackend
from tests.state.test_leveldb import limited_file_size

FIRST = [(bytes([1, number]), b"old") for number in range(50)]
EVERYTHING = (b"\x00", b"\xff")


@pytest.fixture(params=["memory", "leveldb"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    opened: Backend = MemoryBackend() if request.param == "memory" else LevelDBBackend(tmp_path / "state")
    opened.write(FIRST, sync=True)
    yield opened
    opened.close()


def test_a_view_shows_what_was_there_when_it_was_taken(backend: Backend) -> None:
    view = backend.snapshot()
    backend.write([(FIRST[0][0], None), (FIRST[1][0], b"new"), (b"\x01\xff", b"more")], sync=False)
    assert list(view.scan(*EVERYTHING)) == FIRST
    assert list(view.scan(FIRST[3][0], FIRST[7][0])) == FIRST[3:7]
    assert (view.get(FIRST[0][0]), view.get(FIRST[1][0]), view.get(b"\x01\xff")) == (b"old", b"old", None)
    later = backend.snapshot()
    assert list(later.scan(*EVERYTHING)) == [(FIRST[1][0], b"new"), *FIRST[2:], (b"\x01\xff", b"more")]
    for opened in (view, later, view):
        opened.close()


def test_a_view_measures(backend: Backend) -> None:
    view = backend.snapshot()
    assert view.measure(*EVERYTHING) >= view.measure(FIRST[0][0], FIRST[9][0]) >= 0
    view.close()


def test_a_view_is_read_in_another_thread_while_the_backend_changes(backend: Backend) -> None:
    view = backend.snapshot()
    begun, found = threading.Event(), []

    def read() -> None:
        for _ in range(200):
            found.append(list(view.scan(*EVERYTHING)) == FIRST)
            begun.set()
        view.close()

    reader = threading.Thread(target=read)
    reader.start()
    begun.wait()
    for number in range(200):
        backend.write([(key, str(number).encode()) for key, _ in FIRST], sync=False)
    reader.join()
    assert found == [True] * 200


def test_a_closed_view_is_not_read(tmp_path: Path) -> None:
    backend = LevelDBBackend(tmp_path)
    backend.write(FIRST, sync=True)
    view = backend.snapshot()
    scan = view.scan(*EVERYTHING)
    next(scan)
    view.close()
    for read in (lambda: view.get(b"\x01"), lambda: next(scan), lambda: view.measure(*EVERYTHING)):
        with pytest.raises(StoreError):
            read()
    backend.close()


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_closed_backend_gives_its_views_up_and_its_lock_with_the_last(tmp_path: Path, is_begun: bool) -> None:
    backend = LevelDBBackend(tmp_path)
    backend.write(FIRST, sync=True)
    views = [backend.snapshot(), backend.snapshot()]
    scan = views[0].scan(*EVERYTHING)
    if is_begun:
        next(scan)
    backend.close()
    with pytest.raises(StoreError, match="is incomplete"):
        list(scan)
    for view in views:
        with pytest.raises(StoreLocked):
            LevelDBBackend(tmp_path)
        view.close()
    again = LevelDBBackend(tmp_path)
    assert list(again.scan(b"", None)) == FIRST
    again.close()


def test_a_database_that_must_be_opened_anew_waits_for_its_views(tmp_path: Path) -> None:
    backend = LevelDBBackend(tmp_path)
    backend.write(FIRST, sync=True)
    view = backend.snapshot()
    big = [(b"\x02big", bytes(2 << 20))]
    with limited_file_size(1 << 20), pytest.raises(StoreWriteFailed):
        backend.write(big, sync=True)
    with pytest.raises(StoreWriteFailed, match="waits until a snapshot is closed"):
        backend.write(big, sync=True)
    with pytest.raises(StoreError):
        list(view.scan(*EVERYTHING))
    assert backend.get(FIRST[0][0]) == b"old"
    view.close()
    backend.write(big, sync=True)
    assert backend.get(b"\x02big") == big[0][1]
    backend.close()


def test_of_two_threads_that_let_go_at_once_one_closes(tmp_path: Path) -> None:
    for round_ in range(30):
        backend = LevelDBBackend(tmp_path / str(round_))
        view = backend.snapshot()
        start = threading.Barrier(2)

        def let_go(call: Callable[[], None], start: threading.Barrier = start) -> None:
            start.wait()
            call()

        threads = [threading.Thread(target=let_go, args=(call,)) for call in (backend.close, view.close)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        LevelDBBackend(tmp_path / str(round_)).close()
