"""What a bulk import holds in memory is bounded by bytes: many changes are written before many blocks are together."""

from __future__ import annotations

import pytest

import chain.finality
from chain.chain import Chain
from chain.finality import GROUP_BLOCKS, Mode
from tests.harness import Harness

BYTES = 200_000


def make_blocks(count: int) -> Harness:
    """A chain whose blocks create accounts."""
    world = Harness()
    for block in range(count):
        world.create_accounts(*(f"more{block}-{number}" for number in range(5)))
        world.generate_block()
    return world


@pytest.mark.parametrize("bound", [BYTES, 1 << 40])
def test_what_is_not_written_is_bounded(bound: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain.finality, "GROUP_BYTES", bound)
    world = make_blocks(20)
    follower = Chain.open(world.config)
    follower.enter(Mode.BULK)
    store = follower.store
    most = largest = 0
    for number in range(1, world.chain.head_number + 1):
        block = world.chain.reader.get_block(number)
        assert block is not None
        before = store.reversible[-1].held if store.reversible else 0
        follower.push_block(block, True)
        if store.reversible:
            largest = max(largest, store.reversible[-1].held - before)
        most = max(most, store.count_held(follower.irreversible_number))
    committed = store.committed
    assert committed is not None and world.chain.head_number < GROUP_BLOCKS
    if bound == BYTES:
        assert most <= BYTES + largest and committed.number > 0
    else:
        assert most > BYTES and committed.number == 0
