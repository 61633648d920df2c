"""Claims of rewards. Counterparts of the reference's claim_reward_balance_apply and of its operation for tokens."""

import pytest

from operations.reward import ClaimRewardBalance, ClaimRewardBalance2
from operations.witness import AccountWitnessVote
from protocol.assets import Asset, symbol_from_nai
from tests.chains import FIRST
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


# The operation for several symbols


def claim2(*tokens: Asset) -> ClaimRewardBalance2:
    return ClaimRewardBalance2("alice", (), tokens)


def test_claim2_of_each_symbol(earned: World) -> None:
    """Moves what claim_reward_balance moves, but VESTS come without mana. Source: claim_reward_balance2_evaluator."""
    before = earned["alice"]
    supply = earned.ctx.gpo.total_vesting_shares
    earned.push(claim2(sbd(4_000), steem(3_000), vests(5_000_000)))
    alice = earned["alice"]
    assert (alice.balance, alice.reward_steem_balance) == (3_000, 7_000)
    assert (alice.sbd_balance, alice.reward_sbd_balance) == (4_000, 6_000)
    assert (alice.reward_vesting_balance, alice.reward_vesting_steem) == (5_000_000, 5_000)
    assert alice.vesting_shares == before.vesting_shares + 5_000_000
    assert alice.voting_manabar == before.voting_manabar
    assert alice.downvote_manabar == before.downvote_manabar
    assert earned.ctx.gpo.total_vesting_shares == supply + 5_000_000
    earned.recount()
    earned.push(claim2(vests(1_999)))
    assert earned["alice"].reward_vesting_steem == 4_999  # 1.999 satoshis of STEEM went with the claim
    earned.push(claim2(vests(5_000_000 - 1_999)))
    assert (earned["alice"].reward_vesting_balance, earned["alice"].reward_vesting_steem) == (0, 0)
    earned.recount()


def test_claim2_adds_to_votes_for_witnesses(earned: World) -> None:
    earned.push(AccountWitnessVote("alice", FIRST, True))
    votes = earned.tables.witnesses.get(FIRST).votes
    earned.push(claim2(vests(10_000_000)))
    assert earned.tables.witnesses.get(FIRST).votes == votes + 10_000_000


def test_claim2_leaves_out_zeros(earned: World) -> None:
    """SBD that is not claimed is not touched either: its interest stays as it is."""
    before = earned["alice"]
    earned.forward(100)
    earned.push(claim2(sbd(0), steem(1)))
    assert earned["alice"] == before.replace(balance=1, reward_steem_balance=9_999)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (
            steem(10_001),
            "is_asset_type( token, STEEM_SYMBOL ) == false || token <= a->reward_steem_balance: "
            'Cannot claim that much STEEM. Claim: {"amount":"10001","precision":3,"nai":"@@000000021"} '
            'Actual: {"amount":"10000","precision":3,"nai":"@@000000021"}',
        ),
        (
            sbd(10_001),
            "is_asset_type( token, SBD_SYMBOL ) == false || token <= a->reward_sbd_balance: "
            "Cannot claim that much SBD.",
        ),
        (vests(10_000_001), "token <= a->reward_vesting_balance: Cannot claim that much VESTS."),
        (
            Asset(1, symbol_from_nai(100_000_006, 3)),
            'delta.amount.value >= 0: Insufficient SMT {"nai":"@@100000006","decimals":3} funds',
        ),
    ],
)
def test_claim2_refuses_more_than_there_is(earned: World, token: Asset, message: str) -> None:
    earned.refuse(claim2(token), message)


def test_claim2_all_or_nothing(earned: World) -> None:
    earned.refuse(claim2(sbd(1_000), steem(1_000), vests(10_000_001)), "Cannot claim that much VESTS.")


def test_claim2_of_nobody(earned: World) -> None:
    earned.refuse(ClaimRewardBalance2("nobody", (), (steem(1),)), "a != nullptr: Could NOT find account nobody")
