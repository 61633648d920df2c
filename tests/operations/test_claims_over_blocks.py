"""Claims of accounts against both pools: that of the consensus and that of the resource credits.

Counterpart of the reference's claim_account_apply, its blocks; test_account looks at the operation by itself.
"""

import pytest

from operations.account import ClaimAccount
from operations.witness import WitnessSetProperties
from protocol.errors import ProtocolError, Rejected, UnknownKey
from protocol.keys import PrivateKey
from protocol.types import Asset
from state.context import SINGLETON, Context
from state.tables.witnesses import SCHEDULE_ELECTED
from tests.chains import FIRST, NULL
from tests.harness import Harness, steem

BUDGET = 5_000
DECAY = 249_617_279
"""A half-life of ten minutes, as a fraction of 2**36 in each block."""
PRECISION = 10_000
NEW_ACCOUNTS = 1
"""The place of new accounts among the pools of resources."""
INT64_MAX = (1 << 63) - 1


def set_subsidies(chain: Harness) -> None:
    """Lets the only witness ask for a fee of 5 STEEM and the case's budget and decay, and fills the pools."""
    key = PrivateKey.from_seed("init_key")
    properties = {
        "account_creation_fee": chain.codec.encode(Asset, steem(5_000)),
        "account_subsidy_budget": BUDGET.to_bytes(4, "little"),
        "account_subsidy_decay": DECAY.to_bytes(4, "little"),
        "key": key.public_key,
    }
    chain.push(WitnessSetProperties(FIRST, tuple(sorted(properties.items())), ()), keys=[key])
    chain.generate_blocks(64)
    subsidies = chain.tables.witness_schedule.get(SINGLETON).account_subsidy_rd
    assert (subsidies.budget_per_time_unit, subsidies.decay_per_time_unit) == (BUDGET, DECAY)


def read_pools(chain: Harness) -> tuple[int, int]:
    """What both pools hold."""
    return chain.gpo.available_account_subsidies, chain.tables.rc_pools.get(SINGLETON).pools[NEW_ACCOUNTS]


def claim(chain: Harness, fee: int, creator: str = "alice") -> None:
    chain.push(ClaimAccount(creator, steem(fee), ()), keys=[chain.key("alice")])


@pytest.fixture
def chain() -> Harness:
    """Alice has 20 STEEM."""
    chain = Harness()
    chain.create_account("alice")
    chain.fund("alice", 20_000)
    set_subsidies(chain)
    return chain


def test_a_claim_for_a_fee_leaves_both_pools_alone(chain: Harness) -> None:
    with pytest.raises(Rejected, match="Insufficient balance to create account"):
        claim(chain, 30_000)
    for number in (1, 2):
        pools = read_pools(chain)
        null = chain.account(NULL).balance
        claim(chain, 5_000)
        assert chain.account("alice").pending_claimed_accounts == number
        assert chain.account("alice").balance == 20_000 - number * 5_000
        assert chain.account(NULL).balance == null + 5_000
        assert read_pools(chain) == pools
        with pytest.raises(UnknownKey):
            claim(chain, 5_000, "bob")
        for wrong in (10_000, 2_500):
            with pytest.raises(ProtocolError):
                claim(chain, wrong)
        chain.generate_block()
        assert chain.account(NULL).balance == 0
        chain.recount()


def test_a_subsidised_claim_is_taken_off_both_pools(chain: Harness) -> None:
    assert chain.witness(FIRST).schedule == SCHEDULE_ELECTED
    consensus, resources = read_pools(chain)
    assert consensus == resources >= PRECISION
    claim(chain, 0)
    assert chain.account("alice").pending_claimed_accounts == 1
    assert chain.account("alice").balance == 20_000
    assert read_pools(chain) == (consensus - PRECISION, resources)
    block = chain.generate_block()
    assert len(block.transactions) == 1
    left = consensus - PRECISION
    expected = left + BUDGET - (left * DECAY >> 36)
    assert read_pools(chain) == (expected, expected)
    chain.recount()


def test_no_claim_from_an_empty_pool_nor_beyond_the_largest_count(chain: Harness) -> None:
    def empty(ctx: Context) -> None:
        ctx.update_gpo(available_account_subsidies=0)

    chain.edit(empty)
    assert read_pools(chain) == (BUDGET, BUDGET)
    with pytest.raises(Rejected, match="There are not enough subsidized accounts to claim"):
        claim(chain, 0)
    accounts = chain.tables.accounts
    chain.edit(lambda _ctx: accounts.update(accounts.get("alice"), pending_claimed_accounts=INT64_MAX))
    with pytest.raises(ProtocolError):
        claim(chain, 5_000)
    assert chain.account("alice").pending_claimed_accounts == INT64_MAX
    chain.recount()
