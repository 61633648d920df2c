"""Each way a LevelDB directory can be unusable has its own error, and nothing is damaged by trying."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from state.engine import leveldb
from state.engine.errors import NotAStore, StoreCorrupt, StoreError, StoreFull, StoreLocked
from state.engine.leveldb import MARKER, LevelDBBackend
from state.engine.store import Store
from tests.state.sample import SampleTables, build_item


def fill(path: Path, count: int = 200) -> bytes:
    """Makes a database with one committed block; returns its digest."""
    store = Store(LevelDBBackend(path), SampleTables, chain_id=b"c")
    store.begin()
    for number in range(count):
        store.tables.items.insert(build_item(f"item-{number}", rank=number, data=bytes(200)))
    store.seal_block(1, b"id")
    store.commit(1)
    digest = store.digest
    store.close()
    return digest


def open_and_check(path: Path, digest: bytes) -> None:
    store = Store(LevelDBBackend(path), SampleTables, chain_id=b"c")
    assert store.digest == digest == store.compute_digest_from_scratch()
    store.close()


def read_files(path: Path) -> dict[str, bytes]:
    return {entry.name: entry.read_bytes() for entry in path.iterdir()}


def test_state_is_there_after_reopening(tmp_path: Path) -> None:
    open_and_check(tmp_path / "state", fill(tmp_path / "state"))


def test_locked_by_this_and_by_another_process(tmp_path: Path) -> None:
    digest = fill(tmp_path)
    backend = LevelDBBackend(tmp_path)
    with pytest.raises(StoreLocked):
        LevelDBBackend(tmp_path)
    script = (
        "import sys\nfrom state.engine.errors import StoreLocked\nfrom state.engine.leveldb import LevelDBBackend\n"
        "try:\n    LevelDBBackend(sys.argv[1])\nexcept StoreLocked:\n    print('locked')\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    root = Path(__file__).parents[2]
    assert subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout == "locked\n"
    backend.close()
    open_and_check(tmp_path, digest)


@pytest.mark.parametrize("reason", ["Read-only file system", "Permission denied", "Is a directory"])
def test_a_directory_that_cannot_be_written_is_not_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """LevelDB names its file LOCK, and the path may hold that word as well."""
    path = tmp_path / "blocks"
    fill(path)
    if reason == "Is a directory":
        (path / "LOCK").unlink()
        (path / "LOCK").mkdir()
    else:
        message = f"IO error: {path}/LOCK: {reason}".encode()
        plyvel = vars(leveldb)["plyvel"]
        monkeypatch.setattr(plyvel, "DB", Mock(side_effect=plyvel.IOError(message)))
    with pytest.raises(StoreError, match=f"cannot be opened: .*{reason}") as refused:
        LevelDBBackend(path)
    assert type(refused.value) is StoreError


def test_other_directories_are_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(NotAStore):
        LevelDBBackend(tmp_path)
    assert read_files(tmp_path) == {"letter.txt": b"dear"}
    with pytest.raises(NotAStore):
        LevelDBBackend(tmp_path / "letter.txt")
    with pytest.raises(NotAStore):
        LevelDBBackend(tmp_path / "absent", create=False)
    assert not (tmp_path / "absent").exists()


def test_leveldb_of_another_program_is_refused_unopened(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / MARKER).unlink()
    before = read_files(tmp_path)
    with pytest.raises(NotAStore):
        LevelDBBackend(tmp_path)
    assert read_files(tmp_path) == before


def test_missing_catalogue_is_corruption_and_not_a_new_database(tmp_path: Path) -> None:
    digest = fill(tmp_path)
    current = (tmp_path / "CURRENT").read_bytes()
    (tmp_path / "CURRENT").unlink()
    with pytest.raises(StoreCorrupt):
        LevelDBBackend(tmp_path)
    (tmp_path / "CURRENT").write_bytes(current)
    open_and_check(tmp_path, digest)


@pytest.mark.parametrize("pattern", ["MANIFEST-*", "*.log", "CURRENT"])
def test_damaged_file_is_corruption_and_repairable_by_a_copy(tmp_path: Path, pattern: str) -> None:
    digest = fill(tmp_path)
    victim = max(tmp_path.glob(pattern), key=lambda path: path.stat().st_size)
    whole = victim.read_bytes()
    middle = len(whole) // 2
    victim.write_bytes(whole[: middle - 3] + b"garbage" + whole[middle + 4 :])
    with pytest.raises(StoreCorrupt):
        Store(LevelDBBackend(tmp_path), SampleTables, chain_id=b"c")
    victim.write_bytes(whole)
    open_and_check(tmp_path, digest)


def test_damaged_or_missing_table_file_is_corruption(tmp_path: Path) -> None:
    digest = fill(tmp_path, count=2000)
    open_and_check(tmp_path, digest)  # opening moves the log into a table file
    victim = max(tmp_path.glob("*.ldb"), key=lambda path: path.stat().st_size)
    whole = victim.read_bytes()
    victim.write_bytes(whole[:5000] + b"garbage" + whole[5007:])
    backend = LevelDBBackend(tmp_path)
    with pytest.raises(StoreCorrupt):
        list(backend.scan(b"", None))
    backend.close()
    victim.unlink()
    with pytest.raises(StoreCorrupt):
        LevelDBBackend(tmp_path)
    for short in (b"", whole[: len(whole) // 2]):
        victim.write_bytes(short)
        backend = LevelDBBackend(tmp_path)
        with pytest.raises(StoreCorrupt):
            list(backend.scan(b"", None))
        backend.close()
    victim.write_bytes(whole)
    open_and_check(tmp_path, digest)


@contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Makes writes beyond a file size fail, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_full_disk_leaves_the_state_and_the_commit_can_be_repeated(tmp_path: Path) -> None:
    fill(tmp_path)
    store = Store(LevelDBBackend(tmp_path), SampleTables, chain_id=b"c")
    items = store.tables.items
    store.begin()
    for number in range(300):
        items.insert(build_item(f"more-{number}", data=bytes(range(250))))
    items.delete(items.get("item-7"))
    store.seal_block(2, b"two")
    names = [row.name for row in items.scan()]
    with limited_file_size(20_000):
        for _ in range(2):
            with pytest.raises(StoreFull):
                store.commit(2)
        with limited_file_size(0):
            with pytest.raises(StoreFull):
                store.commit(2)  # not even the files of a newly opened database can be written
            assert [row.name for row in items.scan()] == names, "so it stays open for reading"
    assert [row.name for row in items.scan()] == names and store.committed is not None
    assert store.committed.number == 1 and items.find("item-7") is None
    store.commit(2)
    digest = store.digest
    store.close()
    open_and_check(tmp_path, digest)


def test_half_written_record_at_the_end_of_the_log_is_a_commit_that_did_not_happen(tmp_path: Path) -> None:
    digest = fill(tmp_path)
    store = Store(LevelDBBackend(tmp_path), SampleTables, chain_id=b"c")
    store.begin()
    store.tables.items.insert(build_item("late", data=bytes(500)))
    store.seal_block(2, b"two")
    store.commit(2)
    store.close()
    log = max(tmp_path.glob("*.log"), key=lambda path: path.stat().st_mtime)
    log.write_bytes(log.read_bytes()[:-100])
    open_and_check(tmp_path, digest)


def test_read_after_close_is_an_error(tmp_path: Path) -> None:
    backend = LevelDBBackend(tmp_path)
    backend.close()
    backend.close()
    for use in (
        lambda: backend.get(b"a"),
        lambda: list(backend.scan(b"", None)),
        lambda: backend.write([(b"a", b"b")], True),
    ):
        with pytest.raises(StoreError, match="closed"):
            use()
