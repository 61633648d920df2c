"""The claims a chain starts with fade from its first block on, however long before it the genesis lies."""

import pytest

from rewards.fund import compute_faded_claims, get_reward_fund, process_claims_decay
from tests.rewards.context import make_context

CLAIMS = 1_296_000


def test_claims_of_the_genesis_outlast_the_wait_for_the_first_block() -> None:
    ctx = make_context()
    fund = get_reward_fund(ctx)
    ctx.tables.reward_funds.update(fund, recent_claims=CLAIMS, last_update=ctx.time - 3 * 365 * 86_400)
    ctx.update_gpo(head_block_number=1)
    process_claims_decay(ctx)
    assert get_reward_fund(ctx).recent_claims == CLAIMS
    assert get_reward_fund(ctx).last_update == ctx.time


@pytest.mark.windows
def test_claims_fade_from_block_to_block() -> None:
    ctx = make_context()
    fund = get_reward_fund(ctx)
    ctx.tables.reward_funds.update(fund, recent_claims=CLAIMS, last_update=ctx.time - 3)
    ctx.update_gpo(head_block_number=2)
    process_claims_decay(ctx)
    assert get_reward_fund(ctx).recent_claims == CLAIMS - 3


@pytest.mark.parametrize(("elapsed", "left"), [(0, 1000), (9, 100), (10, 0), (11, 0)])
def test_nothing_is_left_when_all_time_has_passed(elapsed: int, left: int) -> None:
    assert compute_faded_claims(1000, elapsed, 10, can_wrap=False) == left


def test_nothing_is_left_of_claims_whose_product_leaves_128_bits() -> None:
    assert compute_faded_claims(1 << 127, 10, 10, can_wrap=False) == 0
    assert compute_faded_claims(1 << 127, 10, 10, can_wrap=True) == 1 << 127
