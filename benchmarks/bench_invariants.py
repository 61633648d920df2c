"""What the checks of invariants add to the processor time of blocks: python -m benchmarks invariants.

Blocks of busy_block_log are applied with their signatures checked, indexed and committed as a node does it.
"""

from __future__ import annotations

import time

from benchmarks.timing import show
from chain.effects import Applied
from index.indexes import open_chain
from protocol.block import Block
from protocol.config import ChainConfig
from state.watch import CHECKS
from tests.vectors import read_block_log, vectors_root

BLOCKS = 2_000


def main() -> None:
    """Prints the figures, or says that the file is not there."""
    file = vectors_root() / "busy_block_log"
    if not file.exists():
        print(f"  left out: {file} is not there")
        return
    chain, _ = open_chain(ChainConfig.preset("testnet"))
    spent = dict.fromkeys(CHECKS, 0.0)
    applied: list[Applied] = []
    taking = 0.0
    for number, packed in enumerate(read_block_log(file)):
        if number == BLOCKS:
            break
        begun = time.process_time()
        applied = list(chain.push_block(Block.from_bytes(chain.codec, packed)).applied)
        taking += time.process_time() - begun
        for name, check in CHECKS.items():
            begun = time.process_time()
            for each in applied:
                assert not check(each.effects.changes), name
            spent[name] += time.process_time() - begun
    for name, seconds in spent.items():
        show(f"invariant {name}", 100 * seconds / taking, "%", "of the time that a node takes for a block")
    chain.close()
