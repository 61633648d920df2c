"""The claims a chain starts with fade from its first block on, however long before it the genesis lies."""

import pytest

from rewards.fund import get_reward_fund, process_claims_decay
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
