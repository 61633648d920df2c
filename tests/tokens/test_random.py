"""Random operations with many tokens: sums hold after every block, and every block can be undone and redone."""

from __future__ import annotations

import pytest

from tests.chain.own_chains import assert_undo_and_redo
from tests.tokens.play import TokenPlayer

STEPS = 2500
USED = {
    *("smt_create", "smt_setup_ico_tier", "smt_setup_emissions", "smt_setup", "smt_contribute", "transfer", "vote2"),
    *("transfer_to_vesting", "withdraw_vesting", "delegate_vesting_shares", "limit_order_create", "comment_options"),
    *("smt_set_runtime_parameters", "claim_reward_balance2"),
}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_operations_keep_all_sums(seed: int) -> None:
    player = TokenPlayer(seed)
    number = player.world.chain.head_number
    for _ in range(STEPS):
        player.step()
        if player.world.chain.head_number != number:
            number = player.world.chain.head_number
            player.world.recount()
    assert set(player.accepted) >= USED, USED - set(player.accepted)
    assert_undo_and_redo(player.world)
