"""Applying the witness operations. Counterpart of the reference's operation_tests, witness_* to feed_publish_*.

What a witness packs into witness_set_properties is packed here with the codec of the chain.
"""

from typing import Any

import pytest

from operations.witness import (
    UNSATISFIABLE_AUTHORITY,
    AccountWitnessProxy,
    AccountWitnessVote,
    FeedPublish,
    WitnessSetProperties,
    WitnessUpdate,
)
from protocol.assets import SBD, STEEM, Asset, Price
from protocol.codec import Codec
from protocol.errors import Invalid
from protocol.operation import RequiredAuthorities
from protocol.types import NULL_PUBLIC_KEY, U16, U32, U64, Authority, LegacyChainProperties, PublicKey, String
from state.invariants import assert_invariants
from state.tables.accounts import Account
from state.tables.witnesses import SCHEDULE_NONE, Witness
from state.witness_votes import adjust_proxied_witness_votes
from tests.chains import FIRST
from tests.operations.world import World, make_key, sbd, steem

LAP = (1 << 128) - 1
CODEC = Codec(World().ctx.config.identity)


def update(
    name: str, key: bytes = b"", url: str = "foo.bar", fee: int = 10, size: int = 65_636, rate: int = 1000
) -> WitnessUpdate:
    return WitnessUpdate(name, url, key or make_key(name), LegacyChainProperties(steem(fee), size, rate), steem(1000))


def witness(world: World, name: str) -> Witness:
    return world.tables.witnesses.get(name)


def recount(world: World) -> None:
    """Counts supplies, every witness's votes and every proxy's stake again."""
    assert_invariants(world.ctx)


@pytest.fixture
def world() -> World:
    made = World()
    made.create("alice", "bob", "sam", "dave")
    made.set_fee(0)
    for name, amount in (("alice", 1000), ("bob", 3000), ("sam", 5000), ("dave", 7000)):
        made.vest(name, amount)
    return made


# --- witness_update ---------------------------------------------------------------------------------------------


def test_an_account_becomes_a_witness(world: World) -> None:
    key = make_key("new_key")
    assert world.push(update("alice", key)) == []
    row = witness(world, "alice")
    assert (row.owner, row.url, row.signing_key, row.created) == ("alice", "foo.bar", key, world.now)
    assert row.props.account_creation_fee == steem(10)
    assert (row.props.maximum_block_size, row.props.sbd_interest_rate) == (65_636, 1000)
    assert (row.props.account_subsidy_budget, row.props.account_subsidy_decay) == (797, 347_321)
    assert (row.total_missed, row.last_aslot, row.last_confirmed_block_num, row.pow_worker, row.votes) == (0,) * 5
    assert (row.virtual_last_update, row.virtual_position, row.virtual_scheduled_time) == (0, 0, LAP)
    assert (row.running_version, row.hardfork_version_vote) == (0, 0)
    assert row.hardfork_time_vote == world.ctx.config.genesis.time
    assert row.schedule == SCHEDULE_NONE
    assert row.sbd_exchange_rate.is_null() and row.last_sbd_exchange_update == 0
    assert row.id == witness(world, FIRST).id + 1
    assert world["alice"].balance == 0, "the fee is not taken"
    recount(world)


def test_a_witness_changes_its_url_key_and_properties(world: World) -> None:
    world.push(update("alice"))
    created = witness(world, "alice").created
    world.forward(3)
    world.push(update("alice", NULL_PUBLIC_KEY, "bar.foo", fee=20, size=70_000, rate=5))
    row = witness(world, "alice")
    assert (row.url, row.signing_key, row.created) == ("bar.foo", NULL_PUBLIC_KEY, created)
    assert row.props.account_creation_fee == steem(20)
    assert (row.props.maximum_block_size, row.props.sbd_interest_rate) == (70_000, 5)
    recount(world)


def test_an_account_that_does_not_exist_cannot_be_a_witness(world: World) -> None:
    world.refuse(update("nobody"), "unknown key")
    recount(world)


def test_limits_of_the_properties(world: World) -> None:
    world.refuse(update("alice", fee=1_000_000_001), "account_creation_fee greater than maximum account creation fee")
    world.refuse(update("alice", size=2_097_153), "Max block size cannot be more than 2MiB")
    world.push(update("alice", fee=1_000_000_000, size=2_097_152))
    misspelt = update("alice")
    misspelt.props = misspelt.props._replace(account_creation_fee=Asset(10, 1 << 40))
    world.refuse(misspelt, "o.props.account_creation_fee.symbol.is_canon()")
    recount(world)


# --- witness_set_properties -------------------------------------------------------------------------------------


def pack(kind: Any, value: Any) -> bytes:
    return CODEC.encode(kind, value)


def pack_i32(value: int) -> bytes:
    return value.to_bytes(4, "little", signed=True)


def set_properties(name: str, key: bytes, **packed: bytes) -> WitnessSetProperties:
    return WitnessSetProperties(name, tuple(sorted({"key": key, **packed}.items())), ())


def test_every_property_by_itself(world: World) -> None:
    old, new = make_key("old_key"), make_key("new_key")
    world.push(update("alice", old))

    world.push(set_properties("alice", old, account_creation_fee=pack(Asset, steem(2000))))
    assert witness(world, "alice").props.account_creation_fee == steem(2000)
    world.push(set_properties("alice", old, maximum_block_size=pack(U32, 65_537)))
    assert witness(world, "alice").props.maximum_block_size == 65_537
    world.push(set_properties("alice", old, sbd_interest_rate=pack(U32, 700)))
    assert witness(world, "alice").props.sbd_interest_rate == 700, "bytes after the value are ignored"
    world.push(set_properties("alice", old, new_signing_key=pack(PublicKey, new)))
    assert witness(world, "alice").signing_key == new

    rate = Price(sbd(1000), steem(100_000))
    world.forward(3)
    world.push(set_properties("alice", new, sbd_exchange_rate=pack(Price, rate)))
    assert witness(world, "alice").sbd_exchange_rate == rate
    assert witness(world, "alice").last_sbd_exchange_update == world.now
    world.push(set_properties("alice", new, url=pack(String, "bar.foo")))
    assert witness(world, "alice").url == "bar.foo"
    before = witness(world, "alice")
    world.push(set_properties("alice", new, extraneous_property=pack(String, "foo")))
    assert witness(world, "alice") == before
    world.push(set_properties("alice", new, account_subsidy_budget=pack(U32, 10_000)))
    assert witness(world, "alice").props.account_subsidy_budget == 10_000
    day_decay = (1 << 36) // 28_800
    world.push(set_properties("alice", new, account_subsidy_decay=pack(U64, day_decay)))
    assert witness(world, "alice").props.account_subsidy_decay == day_decay

    message = world.refuse(
        set_properties("alice", old, url=pack(String, "x.y")), "'key' does not match witness signing key."
    )
    assert message.startswith("Assert Exception:signing_key == witness.signing_key: ")
    recount(world)


def test_several_properties_at_once(world: World) -> None:
    key = make_key("key")
    world.push(update("alice", key))
    world.push(
        set_properties(
            "alice",
            key,
            account_creation_fee=pack(Asset, steem(5)),
            maximum_block_size=pack(U32, 100_000),
            sbd_interest_rate=pack(U16, 0),
            url=pack(String, "u"),
            new_signing_key=pack(PublicKey, NULL_PUBLIC_KEY),
        )
    )
    row = witness(world, "alice")
    assert row.props == row.props._replace(
        account_creation_fee=steem(5), maximum_block_size=100_000, sbd_interest_rate=0
    )
    assert (row.url, row.signing_key) == ("u", NULL_PUBLIC_KEY)
    recount(world)


def test_empty_values_mean_the_default_fee_and_interest(world: World) -> None:
    key = make_key("key")
    world.push(update("alice", key, fee=77, rate=3))
    world.push(set_properties("alice", key, account_creation_fee=b"", sbd_interest_rate=b"", new_signing_key=b""))
    row = witness(world, "alice")
    assert row.props.account_creation_fee == steem(world.ctx.rules.min_account_creation_fee)
    assert row.props.sbd_interest_rate == 1000
    assert row.signing_key == key


def test_wrong_properties(world: World) -> None:
    key = make_key("key")
    world.push(update("alice", key))
    world.refuse(set_properties("bob", key), "unknown key")
    world.refuse(
        set_properties("alice", key, account_creation_fee=pack(Asset, steem(1_000_000_001))),
        "account_creation_fee greater than maximum account creation fee",
    )
    world.refuse(
        set_properties("alice", key, account_creation_fee=pack(Asset, sbd(5))), "account_creation_fee must be in STEEM"
    )
    world.refuse(
        set_properties("alice", key, sbd_exchange_rate=pack(Price, Price(steem(1), sbd(1)))),
        "Price feed must be a STEEM/SBD price",
    )
    recount(world)


# --- account_witness_vote ---------------------------------------------------------------------------------------


def test_a_vote_and_its_revocation(world: World) -> None:
    world.push(update("sam"))
    world.push(AccountWitnessVote("alice", "sam", True))
    assert witness(world, "sam").votes == world["alice"].vesting_shares
    assert world["alice"].witnesses_voted_for == 1
    assert world.tables.witness_votes.find(("alice", "sam")) is not None
    recount(world)
    world.refuse(AccountWitnessVote("alice", "sam", True), "Vote currently exists")

    world.push(AccountWitnessVote("alice", "sam", False))
    assert witness(world, "sam").votes == 0
    assert world["alice"].witnesses_voted_for == 0
    assert world.tables.witness_votes.find(("alice", "sam")) is None
    recount(world)
    world.refuse(
        AccountWitnessVote("alice", "sam", False),
        "o.approve: Vote doesn't exist, user must indicate a desire to approve witness.",
    )
    recount(world)


def test_a_proxied_vote(world: World) -> None:
    world.push(update("sam"))
    world.push(AccountWitnessProxy("alice", "bob"))
    world.push(AccountWitnessVote("bob", "sam", True))
    bob = world["bob"]
    assert witness(world, "sam").votes == bob.vesting_shares + world["alice"].vesting_shares == bob.witness_vote_weight
    world.refuse(
        AccountWitnessVote("alice", "sam", True),
        "voter.proxy.size() == 0: A proxy is currently set, please clear the proxy before voting for a witness.",
    )
    recount(world)
    world.push(AccountWitnessVote("bob", "sam", False))
    assert witness(world, "sam").votes == 0
    recount(world)


def test_votes_for_who_is_no_witness(world: World) -> None:
    world.refuse(AccountWitnessVote("bob", "nobody", True), "unknown key")
    world.refuse(AccountWitnessVote("bob", "alice", True), "unknown key")
    world.refuse(AccountWitnessVote("nobody", FIRST, True), "unknown key")
    recount(world)


def test_thirty_votes_and_no_more(world: World) -> None:
    names = [f"wit{number:02}" for number in range(31)]
    world.create(*names)
    for name in names:
        world.push(update(name))
    for name in names[:30]:
        world.push(AccountWitnessVote("alice", name, True))
    world.refuse(AccountWitnessVote("alice", names[30], True), "Account has voted for too many witnesses.")
    world.push(AccountWitnessVote("alice", names[0], False))
    world.push(AccountWitnessVote("alice", names[30], True))
    recount(world)


def test_who_declined_the_right_may_only_take_votes_back(world: World) -> None:
    world.push(update("sam"))
    world.push(AccountWitnessVote("alice", "sam", True))
    world.tables.accounts.update(world["alice"], can_vote=False)
    world.refuse(AccountWitnessVote("alice", FIRST, True), "voter.can_vote: Account has declined its voting rights.")
    world.push(AccountWitnessVote("alice", "sam", False))
    world.refuse(
        AccountWitnessProxy("alice", "bob"), "Account has declined the ability to vote and cannot proxy votes."
    )
    recount(world)


def test_a_vote_moves_the_next_turn_in_virtual_time(world: World) -> None:
    """More votes mean a nearer end of the lap; what was run so far counts."""
    world.push(update("sam"))
    world.push(AccountWitnessVote("alice", "sam", True))
    alice = world["alice"].vesting_shares
    assert witness(world, "sam").virtual_scheduled_time == LAP // (alice + 1)
    schedules = world.tables.witness_schedule
    schedules.update(schedules.get(0), current_virtual_time=1000)
    world.push(AccountWitnessVote("bob", "sam", True))
    row = witness(world, "sam")
    assert (row.virtual_position, row.virtual_last_update) == (1000 * alice, 1000)
    assert row.virtual_scheduled_time == 1000 + (LAP - 1000 * alice) // (alice + world["bob"].vesting_shares + 1)
    recount(world)


# --- account_witness_proxy --------------------------------------------------------------------------------------


def total(account: Account) -> int:
    return account.proxied_vsf_votes_total


def test_setting_changing_and_removing_proxies(world: World) -> None:
    """The tree of the reference's test: bob to alice; bob to sam; sam to dave; alice to sam; bob alone."""
    alice, bob, sam = (world[name].vesting_shares for name in ("alice", "bob", "sam"))

    world.push(AccountWitnessProxy("bob", "alice"))
    assert (world["bob"].proxy, total(world["bob"]), total(world["alice"])) == ("alice", 0, bob)
    recount(world)
    world.push(AccountWitnessProxy("bob", "sam"))
    assert (world["bob"].proxy, total(world["alice"]), total(world["sam"])) == ("sam", 0, bob)
    recount(world)
    world.refuse(AccountWitnessProxy("bob", "sam"), "account.proxy != o.proxy: Proxy must change.")
    world.push(AccountWitnessProxy("sam", "dave"))
    assert (total(world["sam"]), total(world["dave"])) == (bob, sam + bob)
    recount(world)
    world.push(AccountWitnessProxy("alice", "sam"))
    assert (total(world["sam"]), total(world["dave"])) == (bob + alice, sam + bob + alice)
    recount(world)
    world.push(AccountWitnessProxy("bob", ""))
    assert (world["bob"].proxy, total(world["sam"]), total(world["dave"])) == ("", alice, sam + alice)
    recount(world)


def test_votes_go_over_to_the_proxy_and_are_not_given_back(world: World) -> None:
    world.push(update("dave"))
    alice, bob = world["alice"].vesting_shares, world["bob"].vesting_shares
    world.push(AccountWitnessVote("bob", "dave", True))
    assert witness(world, "dave").votes == bob
    world.push(AccountWitnessProxy("alice", "bob"))
    assert witness(world, "dave").votes == alice + bob
    recount(world)
    world.push(AccountWitnessProxy("alice", ""))
    assert witness(world, "dave").votes == bob
    assert world["alice"].witnesses_voted_for == 0
    recount(world)
    world.push(AccountWitnessProxy("bob", "alice"))
    assert witness(world, "dave").votes == 0, "own votes are dropped"
    assert world["bob"].witnesses_voted_for == 0
    world.push(AccountWitnessProxy("bob", ""))
    assert witness(world, "dave").votes == 0, "and do not come back"
    recount(world)


def test_stake_that_changes_later_reaches_the_witness(world: World) -> None:
    world.push(update("dave"))
    world.push(AccountWitnessProxy("alice", "bob"))
    world.push(AccountWitnessProxy("bob", "sam"))
    world.push(AccountWitnessVote("sam", "dave", True))
    world.vest("alice", 500)
    recount(world)
    assert witness(world, "dave").votes == world["sam"].witness_vote_weight


def test_loops_and_long_chains(world: World) -> None:
    names = [f"link{number}" for number in range(7)]
    world.create(*names)
    for name in names:
        world.vest(name, 100)
    world.push(AccountWitnessProxy("alice", "bob"))
    world.refuse(AccountWitnessProxy("alice", "nobody"), "unknown key")
    world.refuse(
        AccountWitnessProxy("bob", "alice"),
        "proxy_chain.insert( next_proxy.id ).second: This proxy would create a proxy loop.",
    )
    world.refuse(AccountWitnessProxy("bob", "bob"), "proxy != account: Cannot proxy to self")
    for low, high in ((2, 3), (1, 2), (0, 1)):
        world.push(AccountWitnessProxy(names[low], names[high]))
    recount(world)
    world.push(AccountWitnessProxy(names[3], names[4]))
    recount(world)
    world.refuse(
        AccountWitnessProxy("dave", names[0]),
        "proxy_chain.size() <= STEEM_MAX_PROXY_RECURSION_DEPTH: Proxy chain is too long.",
    )
    world.push(AccountWitnessProxy(names[4], names[5]))
    world.push(update("sam"))
    world.push(AccountWitnessVote(names[5], "sam", True))
    recount(world)
    assert witness(world, "sam").votes == sum(world[name].vesting_shares for name in names[1:6]), "four levels below"
    adjust_proxied_witness_votes(world.ctx, world[names[0]], (0,))
    world.push(AccountWitnessProxy(names[2], ""))
    recount(world)


# --- feed_publish -----------------------------------------------------------------------------------------------


def test_a_witness_publishes_a_feed(world: World) -> None:
    world.push(update("alice"))
    rate = Price(sbd(1000), steem(1_000_000))
    world.push(FeedPublish("alice", rate))
    assert witness(world, "alice").sbd_exchange_rate == rate
    assert witness(world, "alice").last_sbd_exchange_update == world.now
    world.forward(3)
    world.push(FeedPublish("alice", Price(sbd(1000), steem(1_500_000))))
    assert witness(world, "alice").sbd_exchange_rate.quote == steem(1_500_000)
    assert witness(world, "alice").last_sbd_exchange_update == world.now
    world.refuse(FeedPublish("bob", rate), "unknown key")
    world.refuse(FeedPublish("alice", Price(steem(1000), sbd(1000))), "Price feed must be a SBD/STEEM price")
    world.refuse(FeedPublish("alice", Price(Asset(0, SBD), Asset(1, STEEM))), "base.amount > share_type(0)")
    recount(world)


# --- witness_set_properties by itself -----------------------------------------------------------------------------


def test_values_that_pass_by_themselves(world: World) -> None:
    """Counterpart of witness_set_properties_validate, its successes; a year, a day and an hour as half-lives."""
    key, rules = make_key("key"), world.ctx.rules
    unit = 1 << 36
    for packed in (
        {},
        {"account_subsidy_budget": pack_i32(5_000)},
        {"account_subsidy_budget": pack_i32(268_435_455)},
        {"account_subsidy_decay": pack(U32, 300_000)},
        *({"account_subsidy_decay": pack(U32, unit // blocks)} for blocks in (10_512_000, 28_800, 1_200)),
    ):
        set_properties("alice", key, **packed).validate(rules)


def test_values_that_are_refused(world: World) -> None:
    """Counterpart of witness_set_properties_validate, its failures."""
    key = make_key("key")
    world.push(update("alice", key))
    with pytest.raises(Invalid, match="No signing key provided"):
        WitnessSetProperties("alice", (), ()).validate(world.ctx.rules)
    for packed, text in (
        ({"account_creation_fee": pack(Asset, sbd(2_000))}, "account_creation_fee must be in STEEM"),
        ({"maximum_block_size": pack(U32, 65_535)}, "maximum_block_size smaller than minimum max block size"),
        ({"sbd_interest_rate": pack_i32(-700)}, "sbd_interest_rate must not exceed 100%"),
        ({"sbd_interest_rate": pack_i32(10_001)}, "sbd_interest_rate must not exceed 100%"),
        ({"sbd_exchange_rate": pack(Price, Price(steem(1_000), sbd(10_000)))}, "Price feed must be a STEEM/SBD price"),
        ({"url": pack(String, "")}, "URL size must be greater than 0"),
        ({"url": b"\x03\xe0\x80\x80"}, "URL is not valid UTF8"),
        ({"account_subsidy_budget": pack_i32(0)}, "Budget must be at least 1"),
        ({"account_subsidy_budget": pack_i32(-5_000)}, "Budget must be at least 1"),
        ({"account_subsidy_budget": pack_i32(268_435_456)}, "Budget must be at most 268435455"),
        ({"account_subsidy_budget": pack_i32(0x50000000)}, "Budget must be at most 268435455"),
        ({"account_subsidy_decay": pack(U32, 0)}, "Decay must be at least 64"),
        ({"account_subsidy_decay": pack(U32, 40)}, "Decay must be at least 64"),
    ):
        assert world.refuse(set_properties("alice", key, **packed), "").endswith(text)
    recount(world)


def test_its_key_signs_or_nobody() -> None:
    """Counterpart of witness_set_properties_authorities."""
    key = make_key("key")
    for op, authority in (
        (set_properties("alice", key), Authority(1, (), ((key, 1),))),
        (WitnessSetProperties("alice", (), ()), UNSATISFIABLE_AUTHORITY),
    ):
        required = RequiredAuthorities()
        op.authorities(required)
        assert (required.owners, required.actives, required.postings) == (set(), set(), set())
        assert required.others == [authority]
