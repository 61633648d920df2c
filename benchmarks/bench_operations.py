"""Times every kind of operation, and the payout of many posts: python -m benchmarks.bench_operations.

Each operation is applied to the state of a chain in memory inside a session that is rolled back, so the figures are
those of the rule alone: no codec, no signature, no block. The payout is that of a block in which 1,000 posts with 50
votes each are due, once with little more state than that and once with 100,000 posts.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Sequence

from benchmarks.samples import make_samples
from benchmarks.timing import USERS, make_world, show
from operations.content import Comment
from operations.vote import Vote
from protocol.operation import Operation
from rewards.cashout import process_comment_cashout
from tests.harness import Harness

POSTS = 1000
VOTES = 50
OTHER_POSTS = 100_000
REPEATS = 200


def main() -> None:
    """Prints the figures."""
    gc.set_threshold(100_000, 50, 100)
    time_operations()
    time_payouts()


def time_operations() -> None:
    """Prints how many of each enabled operation could be applied in a second."""
    world = make_world()
    for operation in make_samples(world):
        show(f"apply {operation.wire_name}", 1 / time_applied(world, operation), "per second")


def time_applied(world: Harness, operation: Operation) -> float:
    """The seconds that applying an operation takes, at best; it is rolled back each time."""
    store, ctx = world.chain.store, world.ctx
    best = float("inf")
    for _ in range(REPEATS):
        store.begin()
        try:
            started = time.perf_counter()
            operation.apply(ctx)
            best = min(best, time.perf_counter() - started)
        finally:
            store.rollback()
    return best


def time_payouts() -> None:
    """Prints the time of a block's payouts, by votes and by the size of the state."""
    small = time_cashout(POSTS, VOTES, 0)
    show(f"payout of {POSTS:,} posts with {VOTES} votes each", 1000 * small, "ms")
    half = time_cashout(POSTS, VOTES // 2, 0)
    show(f"payout of {POSTS:,} posts with {VOTES // 2} votes each", 1000 * half, "ms", f"{half / small:.2f} of that")
    large = time_cashout(POSTS, VOTES, OTHER_POSTS - POSTS)
    note = f"{large / small:.2f} times the first"
    show(f"payout of {POSTS:,} posts with {VOTES} votes each among {OTHER_POSTS:,} posts", 1000 * large, "ms", note)


def time_cashout(posts: int, votes: int, others: int) -> float:
    """The seconds that one block's payouts take."""
    world = make_world()
    apply_all(world, [Comment("", "bench", author(i), f"due-{i}", "", "body", "") for i in range(posts)])
    for first in range(votes):
        apply_all(world, [Vote(USERS[(i + 1 + first) % 200], author(i), f"due-{i}", 100) for i in range(posts)])
    world.ctx.update_gpo(time=world.ctx.time + 3600)
    apply_all(world, [Comment("", "bench", author(i), f"other-{i}", "", "body", "") for i in range(others)])
    store, ctx = world.chain.store, world.ctx
    process_comment_cashout(ctx)  # Nothing is due yet; the indexes take in what was just written.
    due = world.comment(author(posts - 1), f"due-{posts - 1}").cashout_time
    ctx.update_gpo(time=due)
    started = time.perf_counter()
    process_comment_cashout(ctx)
    seconds = time.perf_counter() - started
    assert world.comment(author(posts - 1), f"due-{posts - 1}").last_payout == due
    assert not others or world.comment(author(0), "other-0").last_payout == 0
    store.rollback()
    return seconds


def author(number: int) -> str:
    """The author of a post, by turns."""
    return USERS[number % len(USERS)]


def apply_all(world: Harness, operations: Sequence[Operation]) -> None:
    """Applies operations to the state, one of each account in every second of a clock that runs on."""
    store, ctx = world.chain.store, world.ctx
    if store.depth == 0:
        store.begin()
    for number, operation in enumerate(operations):
        if number % len(USERS) == 0:
            ctx.update_gpo(time=ctx.time + 1)
        operation.apply(ctx)


if __name__ == "__main__":
    main()
