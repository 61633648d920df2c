"""Signers recovered beside an event loop: jobs come back in their order, whatever becomes of the second process."""

import asyncio

import pytest

from node.shell import recovery
from node.shell.recovery import RecoveryAside
from protocol.block import Block
from protocol.codec import codec_for
from protocol.config import ChainConfig
from protocol.keys import PrivateKey, is_canonical, sign_digest

CONFIG = ChainConfig.preset("dev")
KEY = PrivateKey.from_seed("witness")


def make_blocks(count: int) -> list[Block]:
    blocks = []
    for number in range(count):
        block = Block.make(
            codec_for(CONFIG.identity), previous=number.to_bytes(4, "big") + bytes(16), timestamp=1, witness="w"
        )
        blocks.append(block.with_signature(sign_digest(block.digest, KEY, is_canonical)))
    return blocks


class Jobs:
    """Those who wait for jobs."""

    def __init__(self, processors: int = 2) -> None:
        self.done: asyncio.Queue[int] = asyncio.Queue()
        self.aside = RecoveryAside(CONFIG.chain_id, self.done.put_nowait, processors)

    async def wait(self, count: int) -> list[int]:
        return [await asyncio.wait_for(self.done.get(), 20) for _ in range(count)]


async def test_jobs_come_back_in_their_order_with_the_signers() -> None:
    jobs = Jobs()
    batches = {job: make_blocks(20 if job % 3 else 1) for job in range(1, 12)}
    for job, blocks in batches.items():
        jobs.aside.recover(job, blocks)
    assert jobs.done.empty(), "never inside the call"
    assert await jobs.wait(11) == list(batches)
    assert all(block._signer == KEY.public_key for blocks in batches.values() if len(blocks) > 1 for block in blocks)
    assert batches[3][0]._signer is None, "one signature is not worth it"
    jobs.aside.close()


async def test_one_processor_hands_everything_back() -> None:
    jobs = Jobs(processors=1)
    jobs.aside.recover(1, make_blocks(30))
    assert await jobs.wait(1) == [1]
    assert jobs.aside._process is None
    jobs.aside.close()


async def test_a_process_that_dies_loses_no_job() -> None:
    jobs = Jobs()
    jobs.aside.recover(1, make_blocks(20))
    assert await jobs.wait(1) == [1]
    assert jobs.aside._process is not None
    jobs.aside._process._process.kill()
    blocks = make_blocks(20)
    jobs.aside.recover(2, blocks)
    jobs.aside.recover(3, make_blocks(20))
    assert await jobs.wait(2) == [2, 3]
    assert blocks[0].signer() == KEY.public_key, "checked here instead"
    jobs.aside.close()


async def test_an_idle_process_is_ended_and_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "IDLE_SECONDS", 0.05)
    jobs = Jobs()
    jobs.aside.recover(1, make_blocks(20))
    assert await jobs.wait(1) == [1]
    async with asyncio.timeout(10):
        while jobs.aside._process is not None:
            await asyncio.sleep(0.02)
    jobs.aside.recover(2, make_blocks(20))
    assert await jobs.wait(1) == [2]
    jobs.aside.close()


async def test_nothing_comes_back_after_the_end() -> None:
    jobs = Jobs()
    jobs.aside.recover(1, make_blocks(20))
    jobs.aside.close()
    await asyncio.sleep(0.2)
    assert jobs.done.empty()
