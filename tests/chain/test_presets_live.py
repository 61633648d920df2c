"""The presets live through thousands of blocks, and the accounts of the development chain vote with effect."""

from __future__ import annotations

import pytest

from chain.chain import Chain
from operations.reward import ClaimRewardBalance
from operations.transfer import Transfer
from protocol.config import PRESETS, ChainConfig, PresetName
from protocol.keys import PrivateKey, encode_public_key
from rewards.inflation import compute_block_inflation
from tests.harness import Harness, sbd, steem, vests

WEEK = 7 * 86_400


def start(name: PresetName) -> Harness:
    """A preset; steem gets a key of ours as that of its witness, for the one of the live network is secret."""
    config = ChainConfig.preset(name)
    if name != "steem":
        return Harness(config)
    key = encode_public_key(PrivateKey.from_seed("init_key").public_key, "STM")
    document = config.model_dump()
    document["genesis"]["accounts"][0]["owner_key"] = key
    for role in ("active_key", "posting_key", "memo_key"):
        document["genesis"]["accounts"][0][role] = ""
    document["genesis"]["witnesses"][0]["signing_key"] = key
    return Harness(ChainConfig.model_validate(document))


@pytest.mark.parametrize(("name", "blocks"), [("steem", 2500), ("dev", 2500)])
def test_thousands_of_blocks_with_exact_inflation(name: PresetName, blocks: int) -> None:
    world = start(name)
    for number in range(blocks):
        gpo, price = world.gpo, world.tables.feed_history.get(0).current_median_history
        inflation = compute_block_inflation(world.config.rules, gpo, gpo.head_block_number + 1)
        if name == "dev" and number % 500 == 0:
            world.push(Transfer("alice", "bob", steem(1 + number), ""))
        world.generate_block()
        if name == "dev":
            assert world.gpo.total_vesting_fund_steem >= gpo.total_vesting_fund_steem + inflation.vesting
            treasury = inflation.treasury * price.base.amount // price.quote.amount
            assert world.gpo.current_sbd_supply == gpo.current_sbd_supply + treasury
        if number % 500 == 0:
            world.recount()
    world.recount()
    assert world.chain.head_number == blocks + 1
    behind = world.chain.head_number - world.chain.irreversible_number
    assert behind == (21 if name == "steem" else 0)


def test_dev_accounts_vote_with_effect_and_authors_are_paid_in_sbd_after_a_week() -> None:
    world = start("dev")
    world.post("alice", "post")
    world.generate_block()
    world.vote("bob", "alice", "post")
    world.vote("carol", "alice", "post", 1_00)
    world.generate_block()
    dust = world.config.rules.vote_dust_threshold
    votes = list(world.tables.comment_votes.scan())
    assert [vote.rshares > 100 * dust for vote in votes] == [True, True]
    world.pass_time(WEEK)
    world.generate_block()
    alice, bob = world.account("alice"), world.account("bob")
    assert alice.reward_sbd_balance > 1_000, "more than one SBD"
    assert alice.reward_vesting_balance > 0
    assert bob.reward_vesting_balance > 0
    balance = alice.sbd_balance
    world.apply(
        ClaimRewardBalance(
            "alice",
            steem(alice.reward_steem_balance),
            sbd(alice.reward_sbd_balance),
            vests(alice.reward_vesting_balance),
        )
    )
    assert world.account("alice").sbd_balance == balance + alice.reward_sbd_balance
    world.recount()


def test_every_preset_opens_as_the_same_chain_again() -> None:
    for name in PRESETS:
        first, second = (Chain.open(ChainConfig.preset(name)) for _ in range(2))
        assert first.state_digest == second.state_digest
