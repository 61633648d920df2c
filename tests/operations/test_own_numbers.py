"""Texts that name a number name that of the chain's own rules; on the live network they read as in the reference."""

import pytest

from operations.account import AccountUpdate
from operations.content import Comment
from operations.market import LimitOrderCreate
from operations.vote import Vote
from operations.witness import WitnessUpdate
from protocol.measures import duration_text, size_text
from protocol.types import LegacyChainProperties
from tests.operations.world import World, key_authority, make_key, sbd, steem

LIVE = {
    "max_limit_order_expiration_seconds": 2_419_200,
    "min_root_comment_interval_seconds": 300,
    "min_reply_interval_seconds": 3,
    "min_comment_edit_interval_seconds": 3,
    "min_vote_interval_seconds": 3,
    "soft_max_block_size_bytes": 2_097_152,
    "owner_update_limit_seconds": 3600,
}
TEXTS = {
    "an order": "Limit Order Expiration must not be more than 28 days in the future",
    "a post": "You may only post once every 5 minutes.",
    "a reply": "You may only comment once every 3 seconds.",
    "an edit": "Can only perform one comment edit per block.",
    "a vote": "Can only vote once every 3 seconds.",
    "a block size": "Max block size cannot be more than 2MiB",
    "an owner": "Owner authority can only be updated once an hour.",
}
OWN = {
    "max_limit_order_expiration_seconds": 7_200,
    "min_root_comment_interval_seconds": 90,
    "min_reply_interval_seconds": 60,
    "min_comment_edit_interval_seconds": 10,
    "min_vote_interval_seconds": 86_400,
    "soft_max_block_size_bytes": 150_000,
    "owner_update_limit_seconds": 604_800,
}
OWN_TEXTS = {
    "an order": "Limit Order Expiration must not be more than 2 hours in the future",
    "a post": "You may only post once every 90 seconds.",
    "a reply": "You may only comment once every 1 minute.",
    "an edit": "Can only perform one comment edit every 10 seconds.",
    "a vote": "Can only vote once every 1 day.",
    "a block size": "Max block size cannot be more than 150000 bytes",
    "an owner": "Owner authority can only be updated once every 7 days.",
}


def post(parent: str, permlink: str, body: str = "body") -> Comment:
    return Comment("alice" if parent else "", parent or "topic", "alice", permlink, "", body, "")


@pytest.mark.parametrize(("rules", "texts"), [(LIVE, TEXTS), (OWN, OWN_TEXTS)], ids=["live", "own"])
def test_refusals_name_the_number_of_the_rules(rules: dict[str, int], texts: dict[str, str]) -> None:
    world = World(**rules)
    world.create("alice", "bob")
    world.vest("alice", 1_000_000)
    world.fund("alice", steem(1_000))
    world.forward(2 * 604_800)
    far = world.now + rules["max_limit_order_expiration_seconds"] + 1
    world.refuse(LimitOrderCreate("alice", 1, steem(100), sbd(100), False, far), texts["an order"])
    world.push(post("", "one"))
    world.refuse(post("", "two"), texts["a post"])
    world.refuse(post("one", "re-one"), texts["a reply"])
    world.refuse(post("", "one", "other"), texts["an edit"])
    world.push(Vote("alice", "alice", "one", 10_000))
    world.refuse(Vote("alice", "alice", "one", 5_000), texts["a vote"])
    props = LegacyChainProperties(steem(3_000), rules["soft_max_block_size_bytes"] + 1, 0)
    world.refuse(WitnessUpdate("alice", "u", make_key("block"), props, steem(0)), texts["a block size"])
    owner = AccountUpdate("alice", key_authority("new"), None, None, make_key("alice"), "")
    world.push(owner)
    world.refuse(owner, texts["an owner"])


def test_measures() -> None:
    assert [duration_text(seconds) for seconds in (1, 60, 61, 3600, 86_400, 90_000, 0)] == [
        *("1 second", "1 minute", "61 seconds", "1 hour", "1 day", "25 hours", "0 seconds")
    ]
    assert [size_text(size) for size in (2 << 20, 65_536, 1_000, 1 << 30, 0)] == [
        *("2MiB", "64KiB", "1000 bytes", "1GiB", "0 bytes")
    ]
