"""A block of all that waits, built without trying it again, holds only what trying lets in."""

import random
from collections import Counter
from typing import Any

import pytest

from chain.chain import Chain
from protocol.block import Block
from tests.audit.play import Player, play_config

STEPS = 400


@pytest.mark.parametrize("seed", range(4))
def test_what_was_tried_on_arrival_need_not_be_tried_again(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    original = Chain.build_block
    ways: Counter[bool] = Counter()

    def build_and_try(self: Chain, *arguments: Any, **options: Any) -> Block:
        was_tried = self.pool.find_tried() is not None
        block = original(self, *arguments, **options)
        self.store.begin()
        for transaction in block.transactions:
            self.ledger.apply_transaction(transaction, needs_credits=self.refuses_without_credits)
        self.store.rollback()
        ways[was_tried and len(block.transactions) > 0] += 1
        return block

    monkeypatch.setattr(Chain, "build_block", build_and_try)
    chance = random.Random(seed)
    player = Player(seed, play_config())
    player.world.chain.refuses_without_credits = seed % 2 == 1
    player.start()
    for _ in range(STEPS):
        player.step()
        chain = player.world.chain
        if chance.randrange(10) == 0 and chain.head_number - chain.finality.committed_number > 3:
            for _ in range(chance.randint(1, 3)):
                chain.undo_head()
    player.world.recount()
    assert ways[True] > 20
