"""Claims. Counterpart of the reference's claim_reward_balance_apply."""

import pytest

from operations.reward import ClaimRewardBalance
from tests.operations.world import World, sbd, steem, vests


@pytest.fixture
def earned(world: World) -> World:
    """Alice has earned 10.000 STEEM, 10.000 SBD and 10.000000 VESTS worth 10.000 STEEM."""
    world.create("alice")
    world.tables.accounts.update(
        world["alice"],
        reward_steem_balance=10_000,
        reward_sbd_balance=10_000,
        reward_vesting_balance=10_000_000,
        reward_vesting_steem=10_000,
    )
    gpo = world.ctx.gpo
    world.ctx.update_gpo(
        current_supply=gpo.current_supply + 20_000,
        current_sbd_supply=gpo.current_sbd_supply + 10_000,
        virtual_supply=gpo.virtual_supply + 30_000,
        pending_rewarded_vesting_shares=gpo.pending_rewarded_vesting_shares + 10_000_000,
        pending_rewarded_vesting_steem=gpo.pending_rewarded_vesting_steem + 10_000,
    )
    return world


def claim(of_steem: int, of_sbd: int, of_vests: int) -> ClaimRewardBalance:
    return ClaimRewardBalance("alice", steem(of_steem), sbd(of_sbd), vests(of_vests))


def test_too_much(earned: World) -> None:
    message = earned.refuse(claim(20_000, 0, 0), "op.reward_steem <= acnt.reward_steem_balance")
    assert message.endswith(
        'Cannot claim that much STEEM. Claim: {"amount":"20000","precision":3,"nai":"@@000000021"} '
        'Actual: {"amount":"10000","precision":3,"nai":"@@000000021"}'
    )
    earned.refuse(claim(0, 10_001, 0), "op.reward_sbd <= acnt.reward_sbd_balance: Cannot claim that much SBD.")
    earned.refuse(claim(0, 0, 10_000_001), "op.reward_vests <= acnt.reward_vesting_balance")


def test_part_and_rest(earned: World) -> None:
    shares = earned["alice"].vesting_shares
    mana = earned["alice"].voting_manabar.current_mana
    earned.push(claim(0, 0, 5_000_000))
    alice = earned["alice"]
    assert (alice.balance, alice.reward_steem_balance, alice.reward_sbd_balance) == (0, 10_000, 10_000)
    assert alice.vesting_shares == shares + 5_000_000
    assert alice.voting_manabar.current_mana == mana + 5_000_000
    assert (alice.reward_vesting_balance, alice.reward_vesting_steem) == (5_000_000, 5000)
    earned.recount()
    earned.push(claim(10_000, 10_000, 5_000_000))
    alice = earned["alice"]
    assert (alice.balance, alice.sbd_balance, alice.vesting_shares) == (10_000, 10_000, shares + 10_000_000)
    assert (alice.reward_steem_balance, alice.reward_sbd_balance) == (0, 0)
    assert (alice.reward_vesting_balance, alice.reward_vesting_steem) == (0, 0)


def test_part_is_rounded_down(earned: World) -> None:
    earned.push(claim(0, 0, 1999))
    assert earned["alice"].reward_vesting_steem == 9999  # 1.999 satoshis of STEEM went with the claim


@pytest.mark.parametrize("parts", [(1_000, 0, 0), (0, 1_000, 0), (0, 0, 1_000)])
def test_one_kind_alone_may_be_claimed(earned: World, parts: tuple[int, int, int]) -> None:
    """Counterpart of claim_reward_balance_validate; what it refuses is in test_validate."""
    earned.push(claim(*parts))
    left = earned["alice"]
    assert (left.reward_steem_balance, left.reward_sbd_balance, left.reward_vesting_balance) == (
        10_000 - parts[0],
        10_000 - parts[1],
        10_000_000 - parts[2],
    )
