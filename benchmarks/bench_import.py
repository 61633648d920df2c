"""Times `plaudit blocks import` of busy_block_log with all signatures checked: python -m benchmarks.bench_import.

The reference node needed 13 to 19 seconds for this file on two cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.timing import elapsed, recover_all, show
from protocol.block import Block
from protocol.codec import codec_for
from protocol.config import ChainConfig
from tests.vectors import read_block_log, vectors_root


def main() -> None:
    """Prints the figures, or says that the file is not there."""
    file = vectors_root() / "busy_block_log"
    if not file.exists():
        print(f"  left out: {file} is not there")
        return
    config = ChainConfig.preset("testnet")
    codec = codec_for(config.identity)
    blocks = [Block.from_bytes(codec, packed) for packed in read_block_log(file)]
    count = sum(len(block.transactions) for block in blocks)
    bare = elapsed(lambda: recover_all(blocks, config.chain_id))
    for what, options in (("all signatures checked", []), ("signatures skipped", ["--skip-signatures"])):
        seconds = run_import(file, options)
        note = f"{count / seconds:,.0f} transactions per second, {seconds / bare:.2f} times bare recovery on one thread"
        show(f"import busy_block_log, {what}, process start included", seconds, "s", note)


def run_import(file: Path, options: list[str]) -> float:
    """The seconds of one import into a new data directory."""
    with tempfile.TemporaryDirectory() as directory:
        command = [sys.executable, "-m", "node", "blocks", "import", str(file), "--preset", "testnet"]
        started = time.perf_counter()
        subprocess.run([*command, "--data-dir", directory, *options], check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - started


if __name__ == "__main__":
    main()
