"""`kill -9` at any moment: the node opens at once, has lost no irreversible block, and has the state of one that lived.

PLAUDIT_KILLS is the number of kills (25 unless given; `make crash` asks for 500), PLAUDIT_CRASH_SEED repeats a run.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from chain.chain import Chain
from index.indexes import open_chain
from protocol.block import Block
from tests.crash.producer import crash_config

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("PLAUDIT_KILLS", "25"))
OPEN_SECONDS_MAX = 5.0
"""Opening applies at most 21 reversible blocks; the bound leaves room for a busy machine."""


class Killed(NamedTuple):
    """What a killed producer had said: whether it was ready, and its last irreversible block."""

    is_ready: bool
    number: int
    block_id: bytes


def run_and_kill(directory: Path, seed: int, chance: random.Random) -> Killed:
    """Starts a producer, kills it at a random moment, of its start in one case of six, and reads what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.producer", str(directory), str(seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    if chance.randrange(6):
        first = process.stdout.readline()
        assert first == b"ready\n", process.stderr.read().decode()
        time.sleep(chance.uniform(0.0, 0.5))
    else:
        first = b""
        time.sleep(chance.uniform(0.1, 0.6))
    assert process.poll() is None, process.stderr.read().decode()
    process.send_signal(signal.SIGKILL)
    text = (first + process.communicate()[0]).decode()
    lines = text[: text.rfind("\n") + 1].splitlines()
    said = [line.split() for line in lines if line != "ready"]
    number, block_id = said[-1] if said else ("0", "")
    return Killed("ready" in lines, int(number), bytes.fromhex(block_id))


def read_blocks(chain: Chain, first: int, last: int) -> list[Block]:
    blocks = []
    for number in range(first, last + 1):
        packed = chain.reader.get_packed_block(number)
        assert packed is not None, number
        blocks.append(Block.from_bytes(chain.codec, packed))
    return blocks


def check_survivor(chain: Chain, survivor: Chain) -> None:
    """Compares a reopened chain with one that never died, at the last irreversible block and at the head.

    `committed_number` is meant: the number in the head state goes back for a moment when blocks are undone.
    """
    final = chain.finality.committed_number
    for block in read_blocks(chain, survivor.head_number + 1, final):
        survivor.push_block(block)
    assert survivor.head_number == final
    assert survivor.head_id == (chain.reader.get_block_id(final) if final else bytes(20))
    assert chain.store.find_digest(final) == survivor.state_digest
    tail = read_blocks(chain, final + 1, chain.head_number)
    for block in tail:
        survivor.push_block(block)
    assert survivor.head_id == chain.head_id
    assert chain.state_digest == survivor.state_digest
    for _ in tail:
        survivor.undo_head()
    assert survivor.head_number == final


@pytest.mark.timeout(120 + 10 * KILLS)
def test_a_killed_node_opens_at_once_and_has_lost_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("PLAUDIT_CRASH_SEED", time.time_ns() % 1_000_000))
    chance = random.Random(seed)
    config = crash_config()
    survivor = Chain.open(config)
    slowest = 0.0
    final = transactions = 0
    for kill in range(KILLS):
        killed = run_and_kill(tmp_path / "data", chance.randrange(1 << 30), chance)
        begun = time.monotonic()
        chain, indexes = open_chain(config, tmp_path / "data")
        seconds = time.monotonic() - begun
        where = f"seed {seed}, kill {kill}"
        try:
            assert seconds < OPEN_SECONDS_MAX, where
            slowest = max(slowest, seconds)
            assert chain.finality.committed_number >= max(killed.number, final), where
            if killed.number:
                assert chain.reader.get_block_id(killed.number) == killed.block_id, where
            transactions += sum(
                len(block.transactions) for block in read_blocks(chain, final + 1, chain.finality.committed_number)
            )
            final = chain.finality.committed_number
            check_survivor(chain, survivor)
            assert chain.store.compute_digest_from_scratch() == chain.state_digest, where
            assert indexes.history.written.number == chain.finality.committed_number, where
        finally:
            if chance.randrange(3):
                chain.close()
            else:
                release_like_a_crash(chain)
    assert final > 0 and transactions > 0, "the producer never came far enough to lose something"
    print(f"{KILLS} kills, seed {seed}: {final} blocks, {transactions} transactions, slowest start {slowest:.3f} s")


def release_like_a_crash(chain: Chain) -> None:
    """Lets go of the files without writing anything, so that a kill is followed by another one."""
    chain.store.close()
