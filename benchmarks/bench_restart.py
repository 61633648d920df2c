"""Times a node with much state: python -m benchmarks.bench_restart [accounts] (100,000 unless given).

Builds a data directory with so many accounts and as many posts, starts the daemon on it, kills it with SIGKILL and
measures the time from the start of the next one to its first answer, and the memory it holds then.
"""

from __future__ import annotations

import gc
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from benchmarks.timing import elapsed, show
from operations.account import AccountCreate
from operations.content import Comment
from operations.witness import WitnessUpdate
from protocol.config import ChainConfig
from protocol.keys import PrivateKey
from protocol.operation import Operation
from protocol.types import Asset, LegacyChainProperties
from tests.harness import Harness, authority_of, steem
from tests.processes import read_resident_bytes

BATCH = 4000
"""Accounts or posts of one block of at most 2 MiB, a part of which is kept for automated actions."""

OPERATIONS_PER_TRANSACTION = 250
RESTARTS = 3
WAIT_SECONDS = 60


def main(accounts: int) -> None:
    """Prints the figures."""
    with tempfile.TemporaryDirectory() as directory:
        taken = elapsed(lambda: build(Path(directory), accounts))
        show(f"build a state of {accounts:,} accounts and as many posts", taken, "s")
        for _ in range(RESTARTS):
            process, seconds = start(directory)
            resident = read_resident_bytes(process.pid)
            show("start after kill -9 until the first answer", seconds, "s")
            show("resident memory then", resident / 2**20, "MiB")
            process.send_signal(signal.SIGKILL)
            process.wait()


def build(directory: Path, accounts: int) -> None:
    """Fills a data directory by transactions with many operations each; all new accounts share one key."""
    world, fee = open_world(directory)
    key = PrivateKey.from_seed("bench")
    control = authority_of(key)
    names = [f"user{number:06}" for number in range(accounts)]
    for first in range(0, accounts, BATCH):
        batch = names[first : first + BATCH]
        create = [AccountCreate(fee, "initminer", n, control, control, control, key.public_key, "") for n in batch]
        push_all(world, create, world.key("initminer"))
        push_all(world, [Comment("", "bench", n, "first", "A title", "word " * 20, "{}") for n in batch], key)
    world.chain.close()


def open_world(directory: Path) -> tuple[Harness, Asset]:
    """Opens a chain whose witness keeps accounts as cheap and blocks as large as they are at first; returns the fee."""
    gc.set_threshold(100_000, 50, 100)
    config = ChainConfig.preset("dev")
    world = Harness(config, path=directory)
    fee = world.tables.witness_schedule.get(0).median_props.account_creation_fee
    props = LegacyChainProperties(fee, config.rules.soft_max_block_size_bytes, 0)
    world.apply(WitnessUpdate("initminer", "bench", world.witness("initminer").signing_key, props, steem(0)))
    return world, fee


def push_all(world: Harness, operations: Sequence[Operation], key: PrivateKey) -> None:
    """Puts operations that one key may sign into a block."""
    for first in range(0, len(operations), OPERATIONS_PER_TRANSACTION):
        world.push(*operations[first : first + OPERATIONS_PER_TRANSACTION], keys=[key])
    world.generate_block()
    assert not len(world.chain.pending), "the operations fit into a block"


def start(directory: str) -> tuple[subprocess.Popen[bytes], float]:
    """Starts the daemon and waits for its first answer; returns it and the seconds that took."""
    port = 18_090
    command = [sys.executable, "-m", "node", "node", "--preset", "dev", "--data-dir", directory]
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--rpc", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL)
    body = json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "condenser_api.get_accounts", "params": [["user000007"]]}
    ).encode()
    while time.perf_counter() - started < WAIT_SECONDS:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}", body, timeout=5) as answer:
                assert json.load(answer)["result"][0]["name"] == "user000007"
                return process, time.perf_counter() - started
        except OSError:
            time.sleep(0.01)
    process.kill()
    raise TimeoutError("the node did not answer")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
