"""Counts work instead of timing it: `make count`, or python -m benchmarks.count [name ...].

For each piece of work it prints the Python calls (a profile hook counts them; they are the same on every run of one
Python version) and, where valgrind is installed, the instructions of the whole process (callgrind). Neither needs a
quiet machine. Signatures are left out. The budgets of the calls stand in benchmarks/budgets.toml, and a test holds
them; `--write` writes what was counted there.

callgrind counts only inside `ffi_call`, by which ctypes calls C functions: a piece of work runs as a callback.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple
from unittest.mock import patch

import orjson

from benchmarks.bench_apply import Maker, make_mixed, make_transfer
from benchmarks.samples import make_samples
from benchmarks.timing import bench_config, make_world
from index.account_history import AccountHistory
from index.base import Index
from index.indexes import open_chain
from index.market_history import MarketHistory
from index.record import Record, RecordCodec, make_record
from operations.market import LimitOrderCreate
from operations.transfer import Transfer
from protocol.block import Block
from protocol.codec import Codec
from protocol.config import ChainConfig
from protocol.operation import Operation
from protocol.transaction import Transaction
from protocol.units import DAY_SECONDS
from rpc import slices
from rpc.dispatch import Dispatcher
from state.engine.kv import MemoryBackend
from tests.harness import Harness, sbd, steem
from tests.rpc.service import Service

BUDGETS: Final = Path(__file__).with_name("budgets.toml")
BLOCK_TRANSACTIONS: Final = 100
WARM_UPS: Final = 3
"""How often a piece of work is done before it is counted, so that what is cached is there."""

RUNS: Final = 2
HISTORY: Final = 120
"""Operations of an account whose history is read."""

READS: Final[dict[str, Any]] = {  # Only what the node answers in its own thread is counted.
    "condenser_api.get_dynamic_global_properties": [],
    "condenser_api.get_accounts": [["alice"]],
    "condenser_api.get_content": ["alice", "post"],
    "condenser_api.get_account_history": ["alice", -1, 100],
    "condenser_api.get_order_book": [50],
    "database_api.list_witnesses": {"start": "", "limit": 100, "order": "by_name"},
}


class Work(NamedTuple):
    """A piece of work: `run` does it, as often as it is called; one count is for `units` things."""

    name: str
    run: Callable[[], object]
    units: int = 1


def collect(names: list[str]) -> Iterator[Work]:
    """The named pieces of work (all without names), each ready to be run; one is done before the next is prepared."""
    groups = {"transaction": _transactions, "block": _blocks, "index": _indexes, "read": _reads}
    for group, make in groups.items():
        if not names or any(name.startswith(f"{group}.") for name in names):
            yield from (work for work in make() if not names or work.name in names)


def _transactions() -> Iterator[Work]:
    world = make_world()
    for operation in make_samples(world):
        yield Work(f"transaction.{operation.wire_name}", _applied(world, operation))


def _applied(world: Harness, operation: Operation) -> Callable[[], None]:
    """Applies a transaction with one operation, decoded from its bytes, to the state, and takes it back."""
    packed = world.build(operation).packed_signed
    store, ledger = world.chain.store, world.chain.ledger

    def run() -> None:
        transaction = Transaction.from_bytes(world.codec, packed)
        store.begin()
        try:
            ledger.apply_transaction(transaction, skip_signatures=True)
        finally:
            store.rollback()

    return run


def _blocks() -> Iterator[Work]:
    yield Work("block.empty", _followed(make_transfer, 0))
    yield Work("block.transfers", _followed(make_transfer, BLOCK_TRANSACTIONS), BLOCK_TRANSACTIONS)
    yield Work("block.mixed", _followed(make_mixed, BLOCK_TRANSACTIONS), BLOCK_TRANSACTIONS)


def _make_blocks(make: Maker, transactions: int) -> tuple[ChainConfig, Iterator[bytes]]:
    """The packed blocks of a chain for so many runs: the first one prepares it, each other has the transactions."""
    world, rng = make_world(), random.Random(1)
    first = world.chain.reader.get_packed_block(1)
    assert first is not None
    blocks = [first]
    for block in range(WARM_UPS + RUNS):
        for index in range(transactions):
            world.push(make(rng, block * transactions + index))
        blocks.append(world.generate_block().packed)
    return world.config, iter(blocks)


def _followed(make: Maker, transactions: int) -> Callable[[], None]:
    """Decodes and applies the next of the blocks that another chain made, and commits what is irreversible then."""
    config, blocks = _make_blocks(make, transactions)
    chain, _beside = open_chain(config)

    def run() -> None:
        chain.push_block(Block.from_bytes(chain.codec, next(blocks)), True)

    run()
    return run


def _indexes() -> Iterator[Work]:
    """What a transaction costs each index: in a mixed block, or one of trades, and packed for indexes elsewhere."""
    config, codec, records = _record(make_mixed)
    yield Work("index.account_history", _fed(AccountHistory(MemoryBackend(), codec), records), BLOCK_TRANSACTIONS)
    make_trade = partial(_make_trade, bench_config().genesis.time + DAY_SECONDS)
    _config, _codec, records = _record(make_trade)
    yield Work("index.market_history", _fed(MarketHistory(MemoryBackend()), records), BLOCK_TRANSACTIONS)
    _config, _codec, records = _record(make_mixed)
    encode = RecordCodec(config, codec).encode
    yield Work("index.outbox", lambda: encode(next(records)), BLOCK_TRANSACTIONS)


def _make_trade(expiration: int, rng: random.Random, number: int) -> Operation:
    """By turns an offer of alice and one of bob that takes it."""
    name, sold, wanted = ("alice", steem(1), sbd(1)) if number % 2 == 0 else ("bob", sbd(1), steem(1))
    return LimitOrderCreate(name, number, sold, wanted, False, expiration)


def _record(make: Maker) -> tuple[ChainConfig, Codec, Iterator[Record]]:
    """The records of blocks that another chain made."""
    config, blocks = _make_blocks(make, BLOCK_TRANSACTIONS)
    chain, _beside = open_chain(config)
    results = [chain.push_block(Block.from_bytes(chain.codec, packed), True) for packed in blocks]
    return config, chain.codec, iter([make_record(applied) for result in results for applied in result.applied])


def _fed(index: Index, records: Iterator[Record]) -> Callable[[], None]:
    """Gives an index the next block and writes it."""

    def run() -> None:
        record = next(records)
        index.apply(record)
        index.write(record.number)

    run()
    return run


def _reads() -> Iterator[Work]:
    world = make_world()
    world.post("alice", "post")
    world.vote("bob", "alice", "post")
    for number in range(HISTORY):
        world.push(Transfer("alice", "bob", steem(1), str(number)))
    world.generate_block()
    dispatcher = Service(world).dispatcher
    for method, params in READS.items():
        body = orjson.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1})
        yield Work(f"read.{method}", _asked(dispatcher, body))


def _asked(dispatcher: Dispatcher, body: bytes) -> Callable[[], None]:
    """Answers a request in one slice; the coroutine is run to its end by hand, without a loop."""

    def run() -> None:
        answer = dispatcher.answer(body)
        with patch.object(slices, "SLICE_SECONDS", float("inf")):  # Where a slice ends is the clock's matter.
            try:
                while True:
                    answer.send(None)
            except StopIteration as done:
                assert b'"error"' not in done.value[:40], done.value

    return run


# Counting


def count_calls(run: Callable[[], object]) -> int:
    """How many Python functions a piece of work calls, itself left out."""
    count = -1

    def hook(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        if event == "call":
            count += 1

    sys.setprofile(hook)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def prepare(work: Work) -> None:
    """Does the work a few times, so that what is cached is there, and cleans up."""
    for _ in range(WARM_UPS):
        work.run()
    gc.collect()


def count_all(names: list[str]) -> dict[str, int]:
    """The calls of the named pieces of work (all, if none is named), for one unit of each."""
    counts = {}
    gc.disable()
    gc.freeze()  # The collections between two pieces of work leave what a run of all tests holds by now.
    for work in collect(names):
        prepare(work)
        counts[work.name] = round(count_calls(work.run) / work.units)
    gc.unfreeze()
    gc.enable()
    return counts


def count_instructions(names: list[str]) -> dict[str, int]:
    """The instructions of the pieces of work, for one unit of each, by callgrind. Empty without valgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        options = ["--tool=callgrind", f"--callgrind-out-file={folder}/out", "--collect-atstart=no"]
        options += ["--toggle-collect=ffi_call", "--dump-after=ffi_call"]
        command = [valgrind, *options, sys.executable, "-m", "benchmarks.count", "--inside-callgrind", *names]
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONMALLOC": "pymalloc"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"callgrind failed: {done.stderr[-2000:]}")
        counts = {}
        for number, line in enumerate(done.stdout.splitlines(), start=1):
            name, units = line.split()
            dump = Path(folder, f"out.{number}")
            if not dump.exists():
                raise RuntimeError("callgrind found no function ffi_call: is the interpreter without symbols?")
            text = dump.read_text(encoding="utf-8", errors="replace")
            counts[name] = round(int(re.findall(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)[-1]) / int(units))
        return counts


def run_inside_callgrind(names: list[str]) -> None:
    """Does each piece of work once as a callback of `ffi_call`, and prints which ones there were."""
    callback = ctypes.CFUNCTYPE(None)
    gc.disable()
    for work in collect(names):
        prepare(work)
        callback(work.run)()
        print(work.name, work.units)


# The budgets


def read_budgets() -> dict[str, int]:
    """The most calls that each piece of work may make."""
    budgets: dict[str, int] = tomllib.loads(BUDGETS.read_text(encoding="utf-8"))["calls"]
    return budgets


def write_budgets(counts: dict[str, int]) -> None:
    """Takes what was counted as the budgets."""
    lines = [
        "# The most Python calls for one unit of each piece of work; benchmarks/count.py counts them.",
        "",
        "[calls]",
    ]
    lines += [f'"{name}" = {count}' for name, count in counts.items()]
    BUDGETS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Prints the counts; returns 1 if a budget is exceeded."""
    parser = argparse.ArgumentParser(prog="benchmarks.count")
    parser.add_argument("--write", action="store_true", help="write the counted calls as the budgets")
    parser.add_argument("--calls-only", action="store_true", help="leave callgrind out")
    parser.add_argument("--inside-callgrind", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", help="the pieces of work; all without names")
    options = parser.parse_args(arguments)
    if options.inside_callgrind:
        run_inside_callgrind(options.names)
        return 0
    calls = count_all(options.names)
    if options.write:
        write_budgets(calls)
    budgets = read_budgets()
    instructions = {} if options.calls_only else count_instructions(options.names)
    if not instructions and not options.calls_only:
        print("valgrind is not installed: no instructions are counted")
    for name, count in calls.items():
        over = "  over its budget" if count > budgets.get(name, 0) else ""
        print(f"{name:<52} {count:>9,} calls {instructions.get(name, 0):>12,} instructions{over}")
    return int(any(count > budgets.get(name, 0) for name, count in calls.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
