"""Times whole blocks: python -m benchmarks.bench_apply."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable

from benchmarks.timing import USERS, bench_config, elapsed, make_world, recover_all, show
from chain.chain import Chain
from index.indexes import open_chain
from operations.content import Comment
from operations.custom import CustomJson
from operations.transfer import Transfer
from operations.vote import Vote
from protocol.block import Block
from protocol.operation import Operation
from tests.harness import Harness, steem

BLOCK_TRANSACTIONS = 1000
BLOCKS = 5
UNDONE_BLOCKS = 15

Maker = Callable[[random.Random, int], Operation]
"""Makes the operation with a number."""


def main() -> None:
    """Prints the figures."""
    gc.set_threshold(100_000, 50, 100)
    for what, make in (("signed transfers", make_transfer), ("votes, posts and custom_json", make_mixed)):
        blocks = produce(make)
        apply_all(what, blocks)
    undo()


def make_transfer(rng: random.Random, number: int) -> Operation:
    """A transfer between two accounts."""
    source, target = rng.sample(USERS, 2)
    return Transfer(source, target, steem(1 + number % 97), f"payment {number}")


def make_mixed(rng: random.Random, number: int) -> Operation:
    """By turns a post, six votes on it and three custom_json operations, everybody's turn once in 2,000."""
    kind, turn = number % 10, number // 10
    author, permlink = USERS[turn % len(USERS)], f"post-{turn}"
    if kind == 0:
        return Comment("", "bench", author, permlink, "A title", "word " * 50, '{"tags":["bench"]}')
    if kind < 7:
        return Vote(USERS[(turn + kind) % len(USERS)], author, permlink, 100)
    return CustomJson((), (rng.choice(USERS),), "bench", f'{{"number":{number}}}')


def produce(make: Maker) -> list[Block]:
    """Blocks of 1,000 transactions each, signed, on a chain of their own (the first blocks may be this large)."""
    world = make_world()
    rng = random.Random(1)
    first = world.chain.reader.get_block(1)
    assert first is not None
    blocks = [first]
    for block in range(BLOCKS):
        for index in range(BLOCK_TRANSACTIONS):
            world.push(make(rng, block * BLOCK_TRANSACTIONS + index))
        blocks.append(world.generate_block())
        assert len(blocks[-1].transactions) == BLOCK_TRANSACTIONS
    return blocks


def follow(blocks: list[Block], skip_signatures: bool) -> Chain:
    """Decodes and applies blocks on a new chain."""
    chain, _indexes = open_chain(bench_config())
    for block in blocks:
        chain.push_block(Block.from_bytes(chain.codec, block.packed), skip_signatures)
    return chain


def apply_all(what: str, blocks: list[Block]) -> None:
    """Prints transactions per second for one kind of block, and the ratio to bare signature recovery."""
    count = sum(len(block.transactions) for block in blocks)
    chain_id = bench_config().chain_id
    checked = min(elapsed(lambda: follow(blocks, False)) for _ in range(3))
    unchecked = min(elapsed(lambda: follow(blocks, True)) for _ in range(3))
    bare = min(elapsed(lambda: recover_all(blocks, chain_id)) for _ in range(3))
    show(
        f"{what}: applied with full checks", count / checked, "per second", f"{checked / bare:.2f} times bare recovery"
    )
    show(f"{what}: applied with signatures skipped", count / unchecked, "per second")
    show(f"{what}: bare recovery of the same signatures", count / bare, "per second")


def undo() -> None:
    """Prints the time to undo 15 blocks of 1,000 transfers."""
    world: Harness = make_world(irreversible_by_witness_from_block=864_000)
    rng = random.Random(2)
    for block in range(UNDONE_BLOCKS):
        for index in range(BLOCK_TRANSACTIONS):
            world.push(make_transfer(rng, block * BLOCK_TRANSACTIONS + index))
        world.generate_block()
    taken = elapsed(lambda: [world.chain.undo_head() for _ in range(UNDONE_BLOCKS)])
    show(f"undo {UNDONE_BLOCKS} blocks of {BLOCK_TRANSACTIONS} transfers", 1000 * taken, "ms")


if __name__ == "__main__":
    main()
