"""Times a node that joins a network: python -m benchmarks.bench_sync [blocks] (PLAUDIT_BENCH_BLOCKS or 20,000).

A node serves a chain of so many blocks with five signed transactions in each; another one starts from nothing and gets
them over an encrypted connection, checking everything. Both are processes of their own. Then two nodes gossip new
transactions. The connection goes through a proxy of this process that counts bytes, which takes a few percent of it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.timing import elapsed, recover_all, show
from chain.chain import Chain
from node.shell.memory import tune_memory
from protocol.block import Block
from protocol.transaction import Transaction
from tests.network.chains import WITNESSES, NetworkChain
from tests.network.daemons import until
from tests.network.network import Network, open_network
from tests.network.people import People, Reference, broadcast, find_reference
from tests.vectors import read_block_log

BLOCKS = int(os.environ.get("PLAUDIT_BENCH_BLOCKS", "20000"))
TRANSACTIONS_PER_BLOCK = 5
PEOPLE = 1000
BLOCK_SECONDS = 3
SEED = 1
SYNC_SECONDS_MAX = 600
GOSSIP_SECONDS = 20
GOSSIP_RATE = 100
TICK_SECONDS = 0.01


def main(blocks: int = BLOCKS) -> None:
    """Prints the figures."""
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        chain = NetworkChain(folder / "chain.toml", PEOPLE, BLOCK_SECONDS, blocks)
        taken = elapsed(lambda: build(chain, folder / "beginning"))
        show(f"build a chain of {blocks:,} blocks", taken, "s")
        logged = [Block.from_bytes(chain.codec, packed) for packed in read_block_log(folder / "beginning/block_log")]
        count = sum(len(block.transactions) for block in logged)
        bare = elapsed(lambda: recover_all(logged, chain.config.chain_id))
        show(f"bare recovery of the signatures of {count:,} transactions", bare, "s", "one thread")
        seconds, wire_bytes = asyncio.run(sync(folder, chain))
        note = f"{count / seconds:,.0f} transactions per second, {seconds / bare:.2f} times bare recovery"
        show("sync from nothing, process start included", seconds, "s", note)
        size = sum(transaction.size for block in logged for transaction in block.transactions) / count
        show("  bytes on the wire for a transaction", wire_bytes / count, "bytes", f"it has {size:.0f} itself")
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        chain = NetworkChain(folder / "chain.toml", PEOPLE, BLOCK_SECONDS)
        sent, size, wire_bytes = asyncio.run(gossip(folder, chain))
        note = f"{sent:,} of {size:.0f} bytes, each offered, fetched, and sent again in its block"
        show(f"gossip at {GOSSIP_RATE} transactions/s: bytes between two nodes", wire_bytes / sent, "bytes", note)


def build(chain: NetworkChain, data_dir: Path) -> None:
    """Makes the chain that is served."""
    tune_memory()
    people: People | None = None

    def make(opened: Chain) -> Sequence[Transaction]:
        nonlocal people
        people = people or People(chain, SEED, lambda: opened.head_time)
        number = max(1, opened.head_number - len(WITNESSES))
        block_id = opened.reader.get_block_id(number)
        if block_id is None:
            return ()  # The first transactions refer to the first block.
        return [people.make(Reference(number, block_id)) for _ in range(TRANSACTIONS_PER_BLOCK)]

    chain.make_beginning(data_dir, make)


async def sync(folder: Path, chain: NetworkChain) -> tuple[float, int]:
    """Returns the seconds from the start of a node without blocks until it has all, and the bytes between both."""
    async with open_network(folder, chain) as network:
        network.add("server")
        client = network.add("client", has_beginning=False)
        await network.link_all()
        await network.start("server")
        started = time.perf_counter()
        await network.start("client")

        async def is_done() -> bool:
            return bool(client.read_events("synced"))

        await until(is_done, SYNC_SECONDS_MAX, "the new node has all blocks")
        seconds = time.perf_counter() - started
        head = (await client.get_properties())["head_block_number"]
        assert head == chain.beginning_blocks, f"the node ended with block {head}"
        return seconds, count_bytes(network)


async def gossip(folder: Path, chain: NetworkChain) -> tuple[int, float, int]:
    """Returns how many transactions were sent to one of two nodes, their mean size, and the bytes between both."""
    async with open_network(folder, chain) as network:
        first = network.add("first", WITNESSES)
        second = network.add("second")
        await network.link_all()
        await network.start("first", "--stale-production")
        await network.start("second")

        async def has_joined() -> bool:
            return bool(second.read_events("received"))

        await until(has_joined, SYNC_SECONDS_MAX, "the second node follows the first")
        people = People(chain, SEED)
        before, begun, sizes = count_bytes(network), time.perf_counter(), list[int]()
        reference = await find_reference(first)
        while (passed := time.perf_counter() - begun) < GOSSIP_SECONDS:
            while len(sizes) < passed * GOSSIP_RATE:
                transaction = people.make(reference)
                await broadcast(first, chain, transaction)
                sizes.append(transaction.size)
            await asyncio.sleep(TICK_SECONDS)
        await asyncio.sleep(2 * BLOCK_SECONDS)
        return len(sizes), sum(sizes) / len(sizes), count_bytes(network) - before


def count_bytes(network: Network) -> int:
    """All bytes that went over the links, in both directions."""
    return sum(link.up_bytes + link.down_bytes for link in network.links.values())


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else BLOCKS)
