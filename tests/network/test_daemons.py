"""Four real daemons with 21 witnesses between them stay one chain, whatever happens to them and to their links.

`make network` plays more of it: PLAUDIT_NETWORK_ROUNDS disasters, PLAUDIT_NETWORK_SEED repeats a run.
"""

import asyncio
import os

import pytest

from tests.network.chains import NetworkChain
from tests.network.network import choose_seed, kept_directory, open_network
from tests.network.story import NAMES, Story, play

ROUNDS = int(os.environ.get("PLAUDIT_NETWORK_ROUNDS", "12"))
SECONDS_A_ROUND = 240


@pytest.mark.timeout(600)
async def test_four_daemons_end_with_one_head_and_one_state() -> None:
    seed = choose_seed()

    async def happen(story: Story) -> None:
        await story.begin(from_nothing="d")
        early = [await story.send(name) for name in NAMES[:3]]
        await story.wait_for_blocks(early)
        await story.wait_for_head("d")
        await asyncio.gather(story.kill("b"), story.start_from_snapshot("c"))
        parted = await story.part(("a", "b"))
        await story.wait_for_calm()
        final = set(story.watcher.final.values())
        orphaned = [trx for trx in parted if any(block.block_id not in final for block in story.watcher.find_all(trx))]
        assert orphaned, "one of the halves had to give up its branch"
        assert all(story.watcher.find_final(trx) for trx in (*early, *parted))

    with kept_directory(seed) as folder:
        chain = NetworkChain(folder / "chain.toml")
        async with open_network(folder, chain) as network:
            await play(network, seed, happen)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS_A_ROUND * ROUNDS)
async def test_disasters_one_after_another() -> None:
    """Each disaster strikes while transactions come in, and the network is whole again before the next one."""
    seed = choose_seed()

    async def happen(story: Story) -> None:
        await story.begin(from_nothing="d")
        await story.wait_for_head("d")
        sending = asyncio.create_task(story.keep_sending())
        for round_number in range(ROUNDS):
            what = await story.strike(round_number)
            sending.cancel()
            number = await story.wait_for_calm()
            print(f"round {round_number}: {what}; block {number} is the same on all, {len(story.sent)} transactions")
            sending = asyncio.create_task(story.keep_sending())
        sending.cancel()
        print(f"seed {seed}: {len(story.watcher.blocks)} blocks, {len(story.watcher.final)} of them irreversible")

    with kept_directory(seed) as folder:
        chain = NetworkChain(folder / "chain.toml")
        async with open_network(folder, chain) as network:
            await play(network, seed, happen)
