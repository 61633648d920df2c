"""The snapshot commands: files that appear whole or not at all, and data directories likewise, whoever kills them."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chain.chain import Chain
from client.progress import Display
from index.indexes import Indexes, open_chain
from index.snapshot import SnapshotError, SnapshotSource
from node.cli import main
from node.shell.importer import import_blocks
from node.shell.snapshot_file import restore_snapshot, save_snapshot, verify_snapshot, write_snapshot
from protocol.config import ChainConfig
from state.engine.progress import QuietProgress
from tests.crash.producer import Producer, crash_config
from tests.crash.test_kill9 import ROOT, check_survivor
from tests.node.commands.test_cli import daemon
from tests.state.test_leveldb import limited_file_size
from tests.vectors import recorded_path

CONFIG = ChainConfig.preset("testnet")
TESTNET = ("--preset", "testnet")
MIDDLE = 700
QUIET = QuietProgress()


def run(*arguments: object, code: int = 0) -> Result:
    """Runs a command in this process; an error must not be a stack trace."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def names(directory: Path) -> dict[str, int]:
    """Every file and folder below a directory, with its size."""
    return {str(path.relative_to(directory)): path.stat().st_size for path in directory.rglob("*")}


@pytest.fixture(scope="module")
def block_log() -> Path:
    return recorded_path("reference_chain_a", "block_log")


@pytest.fixture(scope="module")
def source(block_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a stopped node in the middle of reference chain a."""
    directory = tmp_path_factory.mktemp("source") / "data"
    directory.mkdir()
    chain = open_chain(CONFIG, directory)[0]
    import_blocks(chain, block_log, until=MIDDLE, skip_signatures=True)
    chain.close()
    return directory


@pytest.fixture(scope="module")
def snapshot(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("snapshot") / "snapshot"
    run("snapshot", "create", file, *TESTNET, "--data-dir", source)
    return file


@pytest.fixture(scope="module")
def straight(block_log: Path) -> tuple[Chain, Indexes]:
    """A chain that never was restored, at the end of the block log."""
    chain, indexes = open_chain(CONFIG)
    import_blocks(chain, block_log, skip_signatures=True)
    return chain, indexes


# The whole way


def test_a_restored_directory_goes_on_to_the_same_state(
    snapshot: Path, block_log: Path, straight: tuple[Chain, Indexes], tmp_path: Path
) -> None:
    data = tmp_path / "new" / "data"
    output = run("snapshot", "restore", snapshot, *TESTNET, "--data-dir", data).output
    assert f"{data} holds the chain of {snapshot}" in output
    assert sorted(names(data)) == sorted({"state", *(name for name in names(data) if name.startswith("state/"))})
    run("blocks", "import", block_log, *TESTNET, "--data-dir", data)
    chain, indexes = open_chain(CONFIG, data)
    assert (chain.head_number, chain.state_digest) == (straight[0].head_number, straight[0].state_digest)
    assert indexes.history.count_operations("initminer") == straight[1].history.count_operations("initminer")
    chain.close()


def test_every_command_shows_the_same_of_a_snapshot(snapshot: Path, source: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    shown = [
        run("snapshot", "create", again, *TESTNET, "--data-dir", source).output,
        run("snapshot", "verify", snapshot).output,
        run("snapshot", "verify", snapshot, *TESTNET).output,
        run("snapshot", "restore", snapshot, *TESTNET, "--data-dir", tmp_path / "data").output,
    ]
    assert len({output.partition("\n")[2] for output in shown}) == 1
    assert "block         679, id 000002a7" in shown[0]
    assert "content       1346 rows, history: 6046 entries" in shown[0]
    assert again.read_bytes() == snapshot.read_bytes()


def test_a_source_is_not_changed_by_its_snapshot(source: Path, tmp_path: Path) -> None:
    before = {name: (source / name).read_bytes() for name in ("block_log", "block_log.index")}
    run("snapshot", "create", tmp_path / "file", *TESTNET, "--data-dir", source)
    assert {name: (source / name).read_bytes() for name in before} == before
    chain, indexes = open_chain(CONFIG, source)
    assert chain.head_number == MIDDLE
    assert indexes.history.written.number == chain.finality.committed_number
    chain.close()


def test_without_history_the_commands_say_what_to_do(source: Path, block_log: Path, tmp_path: Path) -> None:
    file, data = tmp_path / "file", tmp_path / "data"
    assert "history: none" in run("snapshot", "create", file, "--no-history", *TESTNET, "--data-dir", source).output
    output = run("snapshot", "restore", file, *TESTNET, "--data-dir", data).output
    assert output.endswith("There is no account history: run the node with --no-history.\n")
    for command in (("blocks", "import", block_log), ("history", "rebuild")):
        output = run(*command, *TESTNET, "--data-dir", data, code=1).output
        assert "begin with block 679. Run the node with --no-history, or restore" in output
    run("blocks", "import", block_log, "--until", 720, "--no-history", *TESTNET, "--data-dir", data)
    assert "history: none" in run("snapshot", "create", tmp_path / "next", *TESTNET, "--data-dir", data).output


def test_history_can_be_left_out_of_a_restore(snapshot: Path, tmp_path: Path) -> None:
    output = run("snapshot", "restore", snapshot, "--no-history", *TESTNET, "--data-dir", tmp_path / "data").output
    assert "run the node with --no-history" in output
    chain, indexes = open_chain(CONFIG, tmp_path / "data", has_history=None)
    assert not indexes.has_history
    chain.close()


def test_blocks_that_are_not_there_are_not_exported(snapshot: Path, block_log: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    run("snapshot", "restore", snapshot, *TESTNET, "--data-dir", data)
    run("blocks", "import", block_log, "--until", 720, *TESTNET, "--data-dir", data)
    for first in (1, 678):
        output = run("blocks", "export", tmp_path / "x", "--from", first, *TESTNET, "--data-dir", data, code=1).output
        assert f"The chain has blocks 679 to 720, not {first} to 720." in output
    assert "blocks 679 to 720" in run("blocks", "export", tmp_path / "x", *TESTNET, "--data-dir", data).output
    other = open_chain(CONFIG)[0]
    import_blocks(other, block_log, until=678, skip_signatures=True)
    assert import_blocks(other, tmp_path / "x").blocks == 42


def test_a_restored_node_serves_and_makes_blocks(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    arguments = ("--rpc", "127.0.0.1:0", "--block-time", "3")
    with daemon("dev", *arguments, "--data-dir", first) as node:
        node.call("dev_api.mine", {"count": 40})
        head = node.get()["head_block_number"]
        assert node.stop() == 0
    run("snapshot", "create", tmp_path / "file", "--preset", "dev", "--data-dir", first)
    run("snapshot", "restore", tmp_path / "file", "--preset", "dev", "--data-dir", second)
    with daemon("dev", *arguments, "--data-dir", second) as node:
        node.call("dev_api.mine", {"count": 5})
        number = node.get()["head_block_number"]
        assert number >= head + 5
        assert node.call("block_api.get_block", {"block_num": 1})["result"] == {}
        assert node.call("block_api.get_block", {"block_num": number})["result"]["block"]
        history = node.call("condenser_api.get_account_history", ["initminer", -1, 1000])["result"]
        assert [entry[0] for entry in history] == list(range(len(history)))
        assert node.stop(signal.SIGKILL) != 0
    with daemon("dev", *arguments, "--data-dir", second) as node:
        assert node.get()["head_block_number"] >= number
        assert node.stop() == 0


def test_a_snapshot_of_a_running_node_needs_no_command(block_log: Path, tmp_path: Path) -> None:
    chain = open_chain(CONFIG, tmp_path / "data")[0]
    import_blocks(chain, block_log, until=300, skip_signatures=True)
    summary = write_snapshot(chain, tmp_path / "file", QUIET)
    source = SnapshotSource(chain)
    import_blocks(chain, block_log, until=600, skip_signatures=True)
    assert save_snapshot(source, tmp_path / "same", QUIET) == summary
    source.close()
    assert write_snapshot(chain, tmp_path / "later", QUIET) != summary
    assert "in use by another process" in run_elsewhere(
        "snapshot", "create", tmp_path / "x", *TESTNET, "--data-dir", tmp_path / "data"
    )
    chain.close()
    assert verify_snapshot(tmp_path / "file", CONFIG, QUIET) == summary


def run_elsewhere(*arguments: object) -> str:
    """Runs a command that fails in a process of its own, and returns what it said."""
    process = subprocess.run(
        [sys.executable, "-m", "node.cli", *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    return process.stderr


# What is refused, and that nothing is touched then


def test_a_directory_with_a_chain_is_refused(snapshot: Path, source: Path, tmp_path: Path) -> None:
    before = names(source)
    output = run("snapshot", "restore", snapshot, *TESTNET, "--data-dir", source, code=1).output
    assert f"{source} holds a chain already (its state). Choose another --data-dir." in output
    assert names(source) == before
    for name in ("block_log", "block_log.index"):
        data = tmp_path / name
        data.mkdir()
        (data / name).touch()
        assert f"(its {name})" in run("snapshot", "restore", snapshot, *TESTNET, "--data-dir", data, code=1).output
        assert list(data.iterdir()) == [data / name]


def test_other_files_of_a_directory_stay(snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "peers.json").write_text("mine")
    run("snapshot", "restore", snapshot, *TESTNET, "--data-dir", tmp_path)
    assert (tmp_path / "peers.json").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["peers.json", "state"]


@pytest.mark.parametrize("place", [3, 300, 60_000, -40, -1])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_damaged_file_touches_nothing(snapshot: Path, tmp_path: Path, place: int, is_there: bool) -> None:
    data = bytearray(snapshot.read_bytes())
    data[place] ^= 4
    damaged = tmp_path / "damaged"
    for content in (data, data[:place]):
        damaged.write_bytes(content)
        directory = tmp_path / "some" / "where"
        if is_there:
            directory.mkdir(parents=True, exist_ok=True)
        output = run("snapshot", "restore", damaged, *TESTNET, "--data-dir", directory, code=1).output
        assert f"{damaged}: The " in output
        assert (list(directory.iterdir()) == []) if is_there else not (tmp_path / "some").exists()
        assert f"{damaged}: The " in run("snapshot", "verify", damaged, code=1).output


def test_a_snapshot_of_another_chain_touches_nothing(snapshot: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    output = run("snapshot", "restore", snapshot, "--preset", "dev", "--data-dir", data, code=1).output
    assert "The snapshot is of chain 18dcf0a285365fc58b71f18b3d3fec954aa0c141c44e4e5cb4cf777b9eab274e, not of" in output
    assert "The snapshot is of chain" in run("snapshot", "verify", snapshot, "--preset", "steem", code=1).output
    assert list(tmp_path.iterdir()) == []


def test_files_are_not_written_over_without_force(snapshot: Path, source: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert "--force" in run("snapshot", "create", file, *TESTNET, "--data-dir", source, code=1).output
    assert file.read_text() == "mine"
    run("snapshot", "create", file, "--force", *TESTNET, "--data-dir", source)
    assert file.read_bytes() == snapshot.read_bytes()


def test_directories_and_files_that_are_not_there(snapshot: Path, tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    output = run("snapshot", "create", tmp_path / "x", *TESTNET, "--data-dir", absent, code=1).output
    assert "holds no chain" in output
    assert "No such file" in run("snapshot", "verify", absent, code=1).output
    assert "No such file" in run("snapshot", "restore", absent, *TESTNET, "--data-dir", tmp_path / "d", code=1).output
    assert "Which chain?" in run("snapshot", "restore", snapshot, "--data-dir", tmp_path / "d", code=2).output
    assert list(tmp_path.iterdir()) == []


def test_an_unfinished_file_is_removed(source: Path, tmp_path: Path) -> None:
    class Broken(QuietProgress):
        def advance(self, position: int, title: str, **counts: int) -> None:
            raise KeyboardInterrupt

    chain = open_chain(CONFIG, source)[0]
    try:
        with pytest.raises(KeyboardInterrupt):
            write_snapshot(chain, tmp_path / "file", Broken())
    finally:
        chain.close()
    assert list(tmp_path.iterdir()) == []


# Killed while it restores


RESTORE = """
import sys, time
from pathlib import Path
from node.shell import snapshot_file
from protocol.config import ChainConfig

class Slow:
    def begin(self, size, position=0): pass
    def advance(self, position, title, **counts): pause("advance")

def pause(where):
    if where == sys.argv[3]:
        print("here", flush=True)
        time.sleep(60)

def paused_sync(path, real=snapshot_file._sync):
    real(path)
    pause("synced" if path.name == "state" else "renamed" if path == Path(sys.argv[2]) else "")

snapshot_file._sync = paused_sync
snapshot_file.restore_snapshot(Path(sys.argv[1]), ChainConfig.preset("testnet"), Path(sys.argv[2]), Slow())
"""


@pytest.mark.parametrize("moment", ["advance", "synced", "renamed"])
def test_a_killed_restore_leaves_no_chain_or_the_whole_chain(
    snapshot: Path, source: Path, tmp_path: Path, moment: str
) -> None:
    data = tmp_path / "data"
    process = subprocess.Popen(
        [sys.executable, "-c", RESTORE, snapshot, data, moment], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"here\n"
    if moment == "advance":
        with pytest.raises(SnapshotError, match="Another restore is at work"):
            restore_snapshot(snapshot, CONFIG, data, QUIET)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    if moment == "renamed":
        with pytest.raises(SnapshotError, match="holds a chain already"):
            restore_snapshot(snapshot, CONFIG, data, QUIET)
    else:
        assert [path.name for path in data.iterdir()] == ["restoring"]
        create = ("snapshot", "create", tmp_path / "x", *TESTNET, "--data-dir", data)
        assert "holds no chain" in run(*create, code=1).output
        run("snapshot", "restore", snapshot, *TESTNET, "--data-dir", data)
        assert [path.name for path in data.iterdir()] == ["state"]
    chain = open_chain(CONFIG, data)[0]
    assert chain.state_digest == verify_snapshot(snapshot, CONFIG, QUIET).header.meta.head.digest
    chain.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_restore_leaves_nothing(snapshot: Path, tmp_path: Path, number: int) -> None:
    data = tmp_path / "data"
    text = STOPPABLE.format(command=("snapshot", "restore", str(snapshot), *TESTNET, "--data-dir", str(data)))
    process = subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"here\n"
    assert (data / "restoring" / "state").is_dir()
    process.send_signal(number)
    process.communicate()
    assert process.returncode == 130
    assert not data.exists()


STOPPABLE = """
import time
from node import cli
from node.shell import snapshot_file

def wait(path):
    print("here", flush=True)
    time.sleep(60)

snapshot_file._sync = wait
cli.main({command!r})
"""


def test_a_full_disk_leaves_nothing(snapshot: Path, source: Path, tmp_path: Path) -> None:
    with limited_file_size(20_000):
        output = run("snapshot", "restore", snapshot, *TESTNET, "--data-dir", tmp_path / "data", code=1).output
    assert "Free some disk space" in output
    chain = open_chain(CONFIG, source)[0]
    with limited_file_size(20_000), pytest.raises(OSError):
        write_snapshot(chain, tmp_path / "file", QUIET)
    chain.close()
    assert list(tmp_path.iterdir()) == []
    run("snapshot", "restore", snapshot, *TESTNET, "--data-dir", tmp_path / "data")


def test_a_restore_killed_at_any_moment_can_be_repeated(snapshot: Path, tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("PLAUDIT_CRASH_SEED", "7")))
    data = tmp_path / "data"
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-m", "node.cli", "snapshot", "restore", snapshot, *TESTNET, "--data-dir", data],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        wait_for(data.exists)
        time.sleep(chance.uniform(0, 0.08))
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (data / "state").exists():
            chain = open_chain(CONFIG, data)[0]
            assert chain.store.compute_digest_from_scratch() == chain.state_digest
            chain.close()
            for path in data.rglob("*"):
                if path.is_file():
                    path.unlink()
            (data / "state").rmdir()
    run("snapshot", "restore", snapshot, *TESTNET, "--data-dir", data)


def test_a_restored_node_that_is_killed_again_and_again_loses_nothing(tmp_path: Path) -> None:
    """The restored directory lives through what tests/crash does to others."""
    config = crash_config()
    producer = Producer(str(tmp_path / "first"), 1)
    for _ in range(120):
        for _ in range(3):
            producer.push(*producer.make_operation())
        producer.node.miner.mine(1, 0)
    producer.chain.finality.try_commit()
    write_snapshot(producer.chain, tmp_path / "file", QUIET)
    survivor = open_chain(config)[0]
    number = producer.chain.finality.committed_number
    for height in range(1, number + 1):
        block = producer.chain.reader.get_block(height)
        assert block is not None
        survivor.push_block(block)
    producer.chain.close()
    data = tmp_path / "second"
    restore_snapshot(tmp_path / "file", config, data, QUIET)
    for lines in (0, 2, 17, 5):
        told = run_until_told(data, lines)
        chain, indexes = open_chain(config, data)
        assert chain.reader.first_number == number
        assert chain.finality.committed_number >= max(told, survivor.head_number)
        check_survivor(chain, survivor)
        assert chain.store.compute_digest_from_scratch() == chain.state_digest
        assert indexes.history.written.number == chain.finality.committed_number
        chain.close()
    assert survivor.head_number > number


def run_until_told(directory: Path, lines: int) -> int:
    """Starts a producer, kills it after so many lines, and returns the last irreversible block it told."""
    command = [sys.executable, "-m", "tests.crash.producer", str(directory), str(lines)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(lines)]
    if not lines:
        wait_for((directory / "block_log").exists)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return int(said[-1].split()[0]) if lines > 1 else 0


def wait_for(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.001)


# Progress


def test_progress_is_shown_in_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("client.progress.LINE_SECONDS", 0.0)
    with Display(is_terminal=False) as progress:
        progress.begin(200)
        time.sleep(0.01)
        progress.advance(50, "1000 rows", rows=1000)
        progress.begin(0)
        time.sleep(0.01)
        progress.advance(0, "7 rows", rows=7)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("1000 rows: ") and first.endswith(" s left")
    assert second.startswith("7 rows: ") and second.endswith(" rows/s")


def test_progress_is_shown_as_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with Display(is_terminal=True) as unused:
        assert unused is not None
    assert capsys.readouterr().err == ""
    with Display(is_terminal=True) as progress:
        progress.begin(200)
        progress.advance(200, "1000 rows", rows=1000)
    shown = capsys.readouterr().err
    assert "1000 rows" in shown and "100 %" in shown
