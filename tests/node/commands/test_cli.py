"""The command line: what each command does, and the one clear line when something is wrong."""

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chain.chain import Chain
from client.progress import Display
from index.indexes import Indexes
from node.cli import main
from node.dev.chain import load_dev_config
from protocol.config import ChainConfig
from protocol.keys import PrivateKey
from state.engine.errors import StoreFull
from tests.vectors import recorded_path

INIT_KEY = PrivateKey.from_seed("init_key").to_wif()
"""Signs the blocks of initminer in preset testnet."""


def run(*arguments: object, code: int = 0) -> Result:
    """Runs a command in this process; an error must not be a stack trace."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


class Daemon:
    """A node in a process of its own."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "node.cli", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )
        self.text = ""
        self.url = ""

    def wait_for(self, wanted: str, seconds: float = 20.0) -> None:
        """Reads what it says until a text comes."""
        assert self.process.stdout is not None
        end = time.monotonic() + seconds
        while wanted not in self.text:
            assert time.monotonic() < end, f"{wanted!r} did not come: {self.text}"
            if select.select([self.process.stdout], [], [], 0.1)[0]:
                data = os.read(self.process.stdout.fileno(), 65536)
                assert data, f"the node has ended: {self.text}"
                self.text += data.decode()

    def wait_for_start(self) -> None:
        self.wait_for("started rpc=")
        self.wait_for("\n")
        self.url = self.text.split("started rpc=")[1].split()[0]

    def get(self, path: str = "/") -> Any:
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def call(self, method: str, params: object) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}).encode()
        with urllib.request.urlopen(self.url, body, timeout=30) as answer:
            return json.load(answer)

    def wait_for_block(self, number: int, seconds: float = 15.0) -> None:
        end = time.monotonic() + seconds
        while self.get()["head_block_number"] < number:
            assert time.monotonic() < end, self.get()
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal and returns the exit code."""
        self.process.send_signal(number)
        self.text += self.process.communicate(timeout=20)[0].decode()
        return self.process.returncode


@contextmanager
def daemon(*arguments: object, **environment: str) -> Iterator[Daemon]:
    running = Daemon(*arguments, **environment)
    try:
        running.wait_for_start()
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


DEV = ("dev", "--rpc", "127.0.0.1:0")
TESTNET = ("node", "--preset", "testnet", "--rpc", "127.0.0.1:0")


# The development chain


def measure_start(cache: Path) -> float:
    """Seconds from the command to the first block of a development chain, with bytecode cached as Python does it."""
    begun = time.monotonic()
    caching = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(cache)}
    with daemon(*DEV, "--block-time", "1", **caching) as node:
        node.wait_for_block(1)
        return time.monotonic() - begun


def test_dev_makes_its_first_block_within_two_seconds(tmp_path: Path) -> None:
    """The quickest of five starts counts: what else runs on the machine does not make the program slower."""
    limit = 2.0 * float(os.environ.get("PLAUDIT_SLOW_MACHINE", "1"))
    starts = (measure_start(tmp_path) for _ in range(5))
    assert any(seconds < limit for seconds in starts)


def test_dev_shows_ten_accounts_and_makes_blocks() -> None:
    with daemon(*DEV, "--block-time", "1") as node:
        node.wait_for("Stop with Ctrl-C")
        for name in ("alice", "judy"):
            assert f"{name}" in node.text
            assert PrivateKey.from_password(name, "active", "plaudit-dev").to_wif() in node.text
            assert PrivateKey.from_password(name, "posting", "plaudit-dev").to_wif() in node.text
        assert node.url in node.text
        assert node.get()["name"] == "plaudit"
        assert node.get("/health")["status"] == "ok"
        answer = node.call("condenser_api.get_accounts", [["alice"]])
        assert answer["id"] == 1
        assert answer["result"][0]["balance"] == "1000000.000 STEEM"
        node.wait_for_block(3, 5)
        numbers = node.call("dev_api.mine", {"count": 3})["result"]["block_nums"]
        assert len(numbers) == 3
        assert node.stop(signal.SIGINT) == 0
        assert "Traceback" not in node.text


def test_dev_keeps_its_chain_in_a_directory_over_stop_and_kill(tmp_path: Path) -> None:
    with daemon(*DEV, "--data-dir", tmp_path / "chain", "--block-time", "1") as node:
        node.wait_for_block(2)
        first = node.call("condenser_api.get_block", [1])["result"]["block_id"]
        assert node.stop() == 0
    with daemon(*DEV, "--data-dir", tmp_path / "chain", "--block-time", "1") as node:
        number = node.get()["head_block_number"]
        assert number >= 2
        node.wait_for_block(number + 1)
        assert node.stop(signal.SIGKILL) != 0
    with daemon(*DEV, "--data-dir", tmp_path / "chain", "--block-time", "1") as node:
        assert node.get()["head_block_number"] >= number + 1
        assert node.call("condenser_api.get_block", [1])["result"]["block_id"] == first
        assert node.stop() == 0


def test_dev_needs_known_keys(tmp_path: Path) -> None:
    file = tmp_path / "chain.toml"
    run("chain", "init", file, "--preset", "testnet")
    assert "genesis accounts with a `password`" in run("dev", "--chain", file, code=2).output


def test_block_time_changes_the_chain_s_interval() -> None:
    assert load_dev_config(None, 1).rules.block_interval_seconds == 1
    assert load_dev_config(None, None) == ChainConfig.preset("dev")


# The daemon


def test_a_node_makes_blocks_stops_and_goes_on(tmp_path: Path) -> None:
    network = ("--p2p", "127.0.0.1:0", "--stale-production")
    arguments = (*TESTNET, "--data-dir", tmp_path, "--witness", "initminer", *network, "--log-json")
    with daemon(*arguments[:-1], PLAUDIT_WITNESS_KEY=INIT_KEY) as node:
        node.wait_for("listening p2p=127.0.0.1:")
        node.wait_for_block(1)
        node.wait_for("produced number=1 witness=initminer transactions=0")
        assert node.stop() == 0
        assert "stopped head=" in node.text
    config = tmp_path / "node.toml"
    config.write_text(
        f'data_dir = "{tmp_path}"\nwitness = ["initminer"]\nwitness_key = ["{INIT_KEY}"]\npreset = "testnet"\n'
    )
    with daemon("node", "--config", config, "--rpc", "127.0.0.1:0") as node:
        number = node.get()["head_block_number"]
        assert number >= 1
        node.wait_for_block(number + 1)
        assert node.stop() == 0


def test_a_node_without_a_witness_serves_and_makes_no_block(tmp_path: Path) -> None:
    with daemon(*TESTNET, "--data-dir", tmp_path) as node:
        time.sleep(3.2)
        assert node.get()["head_block_number"] == 0
        assert node.get("/health")["status"] == "stale"
        assert node.stop() == 0


def test_a_second_node_on_the_same_directory_or_port_is_refused(tmp_path: Path) -> None:
    with daemon(*TESTNET, "--data-dir", tmp_path / "one") as node:
        result = run(*TESTNET, "--data-dir", tmp_path / "one", code=1)
        assert "is in use by another process" in result.output
        assert "choose another --data-dir" in result.output
        port = node.url.rpartition(":")[2]
        result = run("node", "--preset", "testnet", "--rpc", f"127.0.0.1:{port}", "--data-dir", tmp_path / "b", code=1)
        assert f"127.0.0.1:{port} is in use by another program" in result.output
        assert "--rpc" in result.output
        assert node.stop() == 0


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("dev", "--rpc", f"127.0.0.1:{port}", code=1)
        assert "is in use by another program" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["node"], "--preset"),
        (["node", "--preset", "nonsense"], "'nonsense' is not one of"),
        (["node", "--preset", "dev", "--rpc", "x"], "HOST:PORT"),
        (["node", "--preset", "dev", "--witness", "initminer"], "has no signing key"),
        (["node", "--preset", "dev", "--witness", "a", "--witness-key", "5abc"], "key 1 is not a private key"),
        (["node", "--preset", "dev", "--witness-key", INIT_KEY], "no witness"),
        (["node", "--chain", "/nowhere/chain.toml"], "No such file"),
        (["node", "--config", "/nowhere/node.toml"], "No such file"),
        (["node", "--preset", "dev", "--chain", "x.toml"], "exclude each other"),
        (["dev", "--block-time", "0"], "0 is not in the range"),
        (["node", "--preset", "dev", "--cache-rows", "9"], "--cache-rows = 9: must be greater than or equal to 1000"),
    ],
)
def test_wrong_settings_end_with_2_and_say_what_is_allowed(arguments: list[str], words: str) -> None:
    assert words in run(*arguments, code=2).output


def test_the_sizes_of_the_caches_come_to_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {}

    def refuse(*_arguments: object, **options: object) -> Chain:
        asked.update(options)
        raise StoreFull("no room")

    monkeypatch.setattr(Chain, "open", refuse)
    run(*TESTNET, "--data-dir", tmp_path, "--cache-rows", 5000, "--cache-mib", 3, code=1)
    (indexes,) = asked.pop("followers")
    assert isinstance(asked.pop("progress"), Display)
    assert isinstance(indexes, Indexes)
    assert asked == {"cache_rows": 5000, "cache_bytes": 3 << 20, "invariants": ()}


# Data directories that cannot be used


def test_foreign_damaged_and_other_directories_are_refused_and_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Chain.open(ChainConfig.preset("testnet"), data).close()
    assert "Name the chain it was made for" in run("node", "--preset", "dev", "--data-dir", data, code=1).output
    (data / "state" / "CURRENT").rename(tmp_path / "CURRENT")
    assert "Restore the directory from a copy" in run(*TESTNET, "--data-dir", data, code=1).output
    (tmp_path / "CURRENT").rename(data / "state" / "CURRENT")
    Chain.open(ChainConfig.preset("testnet"), data).close()
    other = tmp_path / "other"
    (other / "state").mkdir(parents=True)
    (other / "state" / "letter.txt").write_text("dear")
    assert "nothing was changed" in run(*TESTNET, "--data-dir", other, code=1).output
    assert sorted(path.name for path in other.rglob("*")) == ["letter.txt", "state"]
    file = tmp_path / "file"
    file.touch()
    run(*TESTNET, "--data-dir", file, code=2)


def test_a_directory_that_may_not_be_made_is_named() -> None:
    assert "/proc/none" in run(*TESTNET, "--data-dir", "/proc/none", code=1).output


# Tools


def test_chain_init_and_config_check(tmp_path: Path) -> None:
    file = tmp_path / "chain.toml"
    assert "plaudit dev --chain" in run("chain", "init", file).output
    assert "is a chain config" in run("config", "check", file).output
    assert "exists" in run("chain", "init", file, code=1).output
    run("chain", "init", file, "--force")
    text = file.read_text()
    file.write_text(text.replace("block_interval_seconds = 3", "block_interval_seconds = 0", 1))
    output = run("config", "check", file, code=2).output
    assert "rules.block_interval_seconds = 0" in output
    file.write_text(text + "\n[nonsense]\n")
    assert "nonsense" in run("config", "check", file, code=2).output
    assert "No such file" in run("config", "check", tmp_path / "absent", code=2).output


def test_blocks_are_imported_to_a_height_exported_and_history_rebuilt(tmp_path: Path) -> None:
    source = recorded_path("reference_chain_a", "block_log")
    where = ("--preset", "testnet", "--data-dir", tmp_path / "data")
    assert "The chain is at block 100." in run("blocks", "import", source, "--until", 100, *where).output
    assert "Nothing to import" in run("blocks", "import", source, "--until", 100, *where).output
    output = run("blocks", "import", source, "--until", 250, "--skip-signatures", *where).output
    assert "150 blocks" in output
    assert "The chain is at block 250." in output
    exported = tmp_path / "exported"
    assert "blocks 1 to 250" in run("blocks", "export", exported, *where).output
    assert source.read_bytes().startswith(exported.read_bytes())
    assert "exists" in run("blocks", "export", exported, *where, code=1).output
    run("blocks", "export", exported, "--force", "--from", 10, "--to", 20, *where)
    assert (
        "not 10 to 251"
        in run("blocks", "export", exported, "--force", "--from", 10, "--to", 251, *where, code=1).output
    )
    assert "up to block 250" in run("history", "rebuild", *where).output
    damaged = tmp_path / "damaged"
    damaged.write_bytes(source.read_bytes()[:90_000])
    output = run("blocks", "import", damaged, *where, code=1).output
    assert "is damaged at byte" in output
    assert "what was imported is kept" in output
    assert (
        "holds no chain"
        in run(
            "blocks", "export", exported, "--preset", "testnet", "--data-dir", tmp_path / "no", "--force", code=1
        ).output
    )


def test_a_block_log_without_its_state_is_a_chain(tmp_path: Path) -> None:
    data, exported = tmp_path / "data", tmp_path / "exported"
    where = ("--preset", "testnet", "--data-dir", data)
    run("blocks", "import", recorded_path("reference_chain_a", "block_log"), "--until", 60, *where)
    shutil.rmtree(data / "state")
    assert "blocks 1 to 39" in run("blocks", "export", exported, *where).output


def test_version_and_help() -> None:
    assert run("version").output.startswith("plaudit ")
    output = run("--help").output
    for command in ("node", "dev", "chain", "config", "blocks", "history", "version", "wallet"):
        assert command in output
    assert "wallet" in run("wallet", "--help").output
