"""Creating accounts, claiming them, and changing keys and metadata."""

import pytest

from operations.account import (
    AccountCreate,
    AccountCreateWithDelegation,
    AccountUpdate,
    AccountUpdate2,
    ClaimAccount,
    CreateClaimedAccount,
)
from protocol.integers import INT64_MAX
from protocol.operation import Operation, RequiredAuthorities
from protocol.types import NULL_PUBLIC_KEY, Authority
from state.tables.witnesses import SCHEDULE_ELECTED, SCHEDULE_TIMESHARE
from tests.chains import FIRST, NULL, TEMP
from tests.operations.world import World, account_authority, changed, key_authority, make_key, sbd, steem, vests

CREATE = AccountCreate(
    fee=steem(100),
    creator=FIRST,
    new_account_name="alice",
    owner=key_authority("alice"),
    active=key_authority("alice", 2),
    posting=key_authority("alice posting"),
    memo_key=make_key("alice memo"),
    json_metadata='{"foo":"bar"}',
)
UPDATE = AccountUpdate("alice", None, None, None, NULL_PUBLIC_KEY, "")
UPDATE2 = AccountUpdate2("alice", None, None, None, None, "", "", ())
CREATE_CLAIMED = CreateClaimedAccount(
    creator="alice",
    new_account_name="bob",
    owner=key_authority("bob"),
    active=key_authority("bob", 2),
    posting=key_authority("bob", 3),
    memo_key=make_key("bob memo"),
    json_metadata='{"foo":"bar"}',
    extensions=(),
)


def many_keys(count: int) -> Authority:
    """An authority of so many keys, any of which satisfies it."""
    return Authority(1, (), tuple(sorted((make_key(str(number)), 1) for number in range(count))))


def required_by(op: Operation) -> tuple[set[str], set[str], set[str]]:
    """The accounts whose owner, active and posting authority an operation needs."""
    required = RequiredAuthorities()
    op.authorities(required)
    return required.owners, required.actives, required.postings


# account_create


def test_account_create(world: World) -> None:
    world.set_fee(100)
    before = world[FIRST].balance
    world.push(CREATE)
    alice = world["alice"]
    assert alice.memo_key == make_key("alice memo")
    assert alice.created == world.now
    assert alice.recovery_account == FIRST
    assert alice.proxy == ""
    assert alice.mined is False
    assert (alice.balance, alice.sbd_balance, alice.vesting_shares, alice.vesting_withdraw_rate) == (0, 0, 0, 0)
    assert alice.proxied_vsf_votes_total == 0
    assert alice.voting_manabar == alice.downvote_manabar == (0, world.now)
    authorities = world.tables.account_authorities.get("alice")
    assert authorities.id == alice.id
    assert (authorities.owner, authorities.active) == (key_authority("alice"), key_authority("alice", 2))
    assert authorities.posting == key_authority("alice posting")
    assert authorities.last_owner_update == 0
    assert world.tables.account_metadata.get("alice").json_metadata == '{"foo":"bar"}'
    assert world[FIRST].balance == before - 100
    assert world[NULL].balance == 100


@pytest.mark.parametrize("fee", [101, 99, 0])
def test_account_create_needs_the_exact_fee(world: World, fee: int) -> None:
    world.set_fee(100)
    message = world.refuse(changed(CREATE, fee=steem(fee)), "o.fee == wso.median_props.account_creation_fee")
    assert f'paid: {{"amount":"{fee}","precision":3,"nai":"@@000000021"}}' in message
    assert message.endswith('fee: {"amount":"100","precision":3,"nai":"@@000000021"}')


def test_account_create_refuses_a_name_in_use(world: World) -> None:
    world.set_fee(100)
    world.push(CREATE)
    world.refuse(CREATE, "alice")


def test_account_create_refuses_what_the_creator_cannot_pay(world: World) -> None:
    world.set_fee(100)
    world.push(CREATE)
    world.refuse(changed(CREATE, creator="alice", new_account_name="bob"), "available >= -delta: Account alice")
    world.refuse(changed(CREATE, creator="nobody", new_account_name="bob"), "nobody")


def test_account_create_refuses_a_huge_fee(world: World) -> None:
    message = world.refuse(changed(CREATE, fee=steem(1_000_000_001)), "o.fee <= asset( STEEM_MAX_ACCOUNT_CREATION_FEE")
    assert message.endswith("Account creation fee cannot be too large")


def test_account_create_by_the_temp_account_sets_no_recovery_account(world: World) -> None:
    world.set_fee(100)
    world.fund(TEMP, steem(100))
    world.push(changed(CREATE, creator=TEMP))
    assert world["alice"].recovery_account == ""


@pytest.mark.parametrize("kind", ["owner", "active", "posting"])
def test_account_create_refuses_missing_authority_accounts(world: World, kind: str) -> None:
    world.set_fee(100)
    message = world.refuse(changed(CREATE, **{kind: account_authority("dave")}), "a != nullptr")
    assert message.endswith(f"New {kind} authority on account alice references non-existing account dave")


@pytest.mark.parametrize("kind", ["owner", "active", "posting"])
def test_account_create_limits_authorities(world: World, kind: str) -> None:
    world.set_fee(0)
    op = changed(CREATE, fee=steem(0))
    message = world.refuse(changed(op, **{kind: many_keys(41)}), "size <= STEEM_MAX_AUTHORITY_MEMBERSHIP")
    assert message.endswith("Authority membership exceeded. Max: 40 Current: 41")
    world.push(changed(op, **{kind: many_keys(40)}))


def test_account_create_needs_the_creators_active_authority() -> None:
    assert required_by(CREATE) == (set(), {FIRST}, set())


def test_account_create_with_delegation_is_off(world: World) -> None:
    op = AccountCreateWithDelegation(
        fee=steem(100),
        delegation=vests(0),
        creator=FIRST,
        new_account_name="alice",
        owner=CREATE.owner,
        active=CREATE.active,
        posting=CREATE.posting,
        memo_key=CREATE.memo_key,
        json_metadata="",
        extensions=(),
    )
    world.refuse(op, "Account creation with delegation is deprecated as of Hardfork 20")


# account_update and account_update2


def test_account_update(world: World) -> None:
    world.create("alice")
    old = world.tables.account_authorities.get("alice")
    op = changed(
        UPDATE,
        owner=key_authority("new"),
        active=key_authority("new", 2),
        memo_key=make_key("new"),
        json_metadata='{"bar":"foo"}',
    )
    world.push(op)
    authorities = world.tables.account_authorities.get("alice")
    assert (authorities.owner, authorities.active, authorities.posting) == (op.owner, op.active, old.posting)
    assert authorities.last_owner_update == world.now
    assert world["alice"].memo_key == make_key("new")
    assert world["alice"].last_account_update == world.now
    assert world.tables.account_metadata.get("alice").json_metadata == '{"bar":"foo"}'
    (history,) = world.tables.owner_histories.scan()
    assert (history.account, history.previous_owner_authority) == ("alice", old.owner)
    assert history.last_valid_time == world.now


def test_account_update_leaves_what_is_not_given(world: World) -> None:
    world.set_fee(100)
    world.push(CREATE)
    before = world.tables.account_authorities.get("alice")
    world.push(UPDATE)
    assert world.tables.account_authorities.get("alice") == before
    assert world["alice"].memo_key == CREATE.memo_key
    assert world.tables.account_metadata.get("alice").json_metadata == CREATE.json_metadata
    assert list(world.tables.owner_histories.scan()) == []


def test_account_update_keeps_keys_that_another_authority_still_has(world: World) -> None:
    world.create("alice")
    world.push(changed(UPDATE, active=key_authority("new")))
    keys = {row.key for row in world.tables.key_references.scan() if row.account == "alice"}
    assert keys == {make_key("alice"), make_key("alice posting"), make_key("new")}
    world.push(changed(UPDATE, owner=key_authority("new")))
    keys = {row.key for row in world.tables.key_references.scan() if row.account == "alice"}
    assert keys == {make_key("alice posting"), make_key("new")}


@pytest.mark.parametrize("op", [UPDATE, UPDATE2])
def test_account_update_refusals(world: World, op: AccountUpdate | AccountUpdate2) -> None:
    world.create("alice")
    world.refuse(changed(op, account="bob"), "bob")
    world.refuse(changed(op, account=TEMP), "Cannot update temp account.")
    for kind in ("owner", "active", "posting"):
        message = world.refuse(changed(op, **{kind: account_authority("dave")}), "a != nullptr")
        assert message.endswith(f"New {kind} authority on account alice references non-existing account dave")
        world.refuse(changed(op, **{kind: many_keys(41)}), "size <= STEEM_MAX_AUTHORITY_MEMBERSHIP")
    world.refuse(changed(op, posting=account_authority("No.Name")), "is_valid_account_name( item.first )")


def test_account_update_accepts_an_authority_that_can_never_be_met(world: World) -> None:
    world.create("alice")
    impossible = Authority(5, (), ((make_key("x"), 1),))
    world.push(changed(UPDATE, posting=impossible))
    assert world.tables.account_authorities.get("alice").posting == impossible


def test_owner_authority_changes_once_an_hour_where_there_is_a_limit() -> None:
    world = World(owner_update_limit_seconds=3_600)
    world.create("alice")
    world.push(changed(UPDATE, owner=key_authority("one")))
    world.forward(3_600)
    for op in (UPDATE, UPDATE2):
        world.refuse(changed(op, owner=key_authority("two")), "Owner authority can only be updated once an hour.")
    world.push(changed(UPDATE, active=key_authority("two")))
    world.forward(3)
    world.push(changed(UPDATE, owner=key_authority("two")))
    world.recount()


def test_owner_history_starts_at_a_height() -> None:
    world = World(owner_auth_history_from_block=2)
    world.create("alice")
    world.push(changed(UPDATE, owner=key_authority("one")))
    assert list(world.tables.owner_histories.scan()) == []
    world.forward(3)
    world.push(changed(UPDATE, owner=key_authority("two")))
    (history,) = world.tables.owner_histories.scan()
    assert history.previous_owner_authority == key_authority("one")


def test_account_update_authorities() -> None:
    assert required_by(changed(UPDATE, owner=key_authority("x"))) == ({"alice"}, set(), set())
    assert required_by(changed(UPDATE, posting=key_authority("x"))) == (set(), {"alice"}, set())
    assert required_by(UPDATE) == (set(), {"alice"}, set())


def test_account_update2(world: World) -> None:
    world.set_fee(100)
    world.push(CREATE)
    op = changed(
        UPDATE2,
        owner=key_authority("new"),
        active=key_authority("new", 2),
        memo_key=make_key("new"),
        json_metadata='{"bar":"foo"}',
        posting_json_metadata='{"profile":{}}',
    )
    world.push(op)
    authorities = world.tables.account_authorities.get("alice")
    assert (authorities.owner, authorities.active, authorities.posting) == (op.owner, op.active, CREATE.posting)
    assert world["alice"].memo_key == make_key("new")
    metadata = world.tables.account_metadata.get("alice")
    assert (metadata.json_metadata, metadata.posting_json_metadata) == ('{"bar":"foo"}', '{"profile":{}}')


def test_account_update2_changes_each_metadata_alone(world: World) -> None:
    world.set_fee(100)
    world.push(CREATE)
    world.push(changed(UPDATE2, posting_json_metadata='{"a":1}'))
    metadata = world.tables.account_metadata.get("alice")
    assert (metadata.json_metadata, metadata.posting_json_metadata) == (CREATE.json_metadata, '{"a":1}')
    world.push(changed(UPDATE2, json_metadata='{"b":2}', memo_key=NULL_PUBLIC_KEY))
    metadata = world.tables.account_metadata.get("alice")
    assert (metadata.json_metadata, metadata.posting_json_metadata) == ('{"b":2}', '{"a":1}')
    assert world["alice"].memo_key == CREATE.memo_key


def test_account_update2_authorities() -> None:
    assert required_by(changed(UPDATE2, owner=key_authority("x"))) == ({"alice"}, set(), set())
    for change in (
        {"active": key_authority("x")},
        {"posting": key_authority("x")},
        {"memo_key": make_key("x")},
        {"json_metadata": "{}"},
    ):
        assert required_by(changed(UPDATE2, **change)) == (set(), {"alice"}, set())
    assert required_by(changed(UPDATE2, posting_json_metadata="{}")) == (set(), set(), {"alice"})
    assert required_by(UPDATE2) == (set(), set(), {"alice"})


# claim_account and create_claimed_account


def set_subsidies(world: World, everybody: int, witness: int, schedule: int = SCHEDULE_ELECTED) -> None:
    """Fills the pool of subsidised accounts and the pool of the witness that produces."""
    world.ctx.update_gpo(available_account_subsidies=everybody, current_witness=FIRST)
    row = world.tables.witnesses.get(FIRST)
    world.tables.witnesses.update(row, available_witness_account_subsidies=witness, schedule=schedule)


def test_claim_account_for_a_fee(world: World) -> None:
    world.set_fee(5_000)
    world.create("alice")
    world.fund("alice", steem(20_000))
    world.push(ClaimAccount("alice", steem(5_000), ()))
    world.push(ClaimAccount("alice", steem(5_000), ()))
    assert (world["alice"].pending_claimed_accounts, world["alice"].balance) == (2, 10_000)
    assert world[NULL].balance == 10_000


def test_claim_account_refusals(world: World) -> None:
    world.set_fee(5_000)
    world.create("alice")
    world.fund("alice", steem(20_000))
    world.refuse(ClaimAccount("alice", steem(30_000), ()), "Insufficient balance to create account.")
    world.refuse(ClaimAccount("nobody", steem(5_000), ()), "nobody")
    for fee in (10_000, 2_500):
        message = world.refuse(ClaimAccount("alice", steem(fee), ()), "o.fee == wso.median_props.account_creation_fee")
        assert f"Cannot pay more than account creation fee. paid: {fee} fee: " in message
    world.refuse(ClaimAccount("alice", sbd(5_000), ()), "Account creation fee must be STEEM")


def test_claims_do_not_overflow(world: World) -> None:
    world.set_fee(5_000)
    world.create("alice")
    world.fund("alice", steem(20_000))
    world.tables.accounts.update(world["alice"], pending_claimed_accounts=INT64_MAX)
    world.refuse(ClaimAccount("alice", steem(5_000), ()), "overflow")


def test_claim_subsidised_account(world: World) -> None:
    world.create("alice")
    set_subsidies(world, 25_000, 15_000)
    world.push(ClaimAccount("alice", steem(0), ()))
    assert world["alice"].pending_claimed_accounts == 1
    assert world.ctx.gpo.available_account_subsidies == 15_000
    assert world.tables.witnesses.get(FIRST).available_witness_account_subsidies == 5_000
    message = world.refuse(ClaimAccount("alice", steem(0), ()), "available_witness_account_subsidies >=")
    assert message.endswith(f"Witness {FIRST} does not have enough subsidized accounts to claim")


def test_claim_subsidised_account_needs_an_elected_witness_in_blocks_only(world: World) -> None:
    world.create("alice")
    set_subsidies(world, 15_000, 0, SCHEDULE_TIMESHARE)
    message = world.refuse(ClaimAccount("alice", steem(0), ()), "schedule == witness_object::elected")
    assert message.endswith(f"current_witness:{FIRST} witness_type:timeshare")
    with world.pending():
        world.push(ClaimAccount("alice", steem(0), ()))
        message = world.refuse(ClaimAccount("alice", steem(0), ()), "gpo.available_account_subsidies >=")
    assert message.endswith("There are not enough subsidized accounts to claim")
    assert world["alice"].pending_claimed_accounts == 1
    assert world.ctx.gpo.available_account_subsidies == 5_000
    assert world.tables.witnesses.get(FIRST).available_witness_account_subsidies == 0


def test_create_claimed_account(world: World) -> None:
    world.create("alice")
    message = world.refuse(CREATE_CLAIMED, "creator.pending_claimed_accounts > 0")
    assert message.endswith("alice has no claimed accounts to create")
    world.tables.accounts.update(world["alice"], pending_claimed_accounts=2)
    world.refuse(changed(CREATE_CLAIMED, owner=account_authority("bob")), "non-existing account bob")
    world.push(CREATE_CLAIMED)
    bob = world["bob"]
    assert (bob.recovery_account, bob.created, bob.memo_key) == ("alice", world.now, make_key("bob memo"))
    assert (bob.balance, bob.sbd_balance, bob.vesting_shares) == (0, 0, 0)
    authorities = world.tables.account_authorities.get("bob")
    assert (authorities.id, authorities.owner) == (bob.id, CREATE_CLAIMED.owner)
    assert (authorities.active, authorities.posting) == (CREATE_CLAIMED.active, CREATE_CLAIMED.posting)
    assert world.tables.account_metadata.get("bob").json_metadata == '{"foo":"bar"}'
    assert world["alice"].pending_claimed_accounts == 1
    world.refuse(CREATE_CLAIMED, "bob")


def test_create_claimed_account_by_the_temp_account_sets_no_recovery_account(world: World) -> None:
    world.tables.accounts.update(world[TEMP], pending_claimed_accounts=1)
    world.push(changed(CREATE_CLAIMED, creator=TEMP))
    assert world["bob"].recovery_account == ""


def test_claims_need_the_creators_active_authority() -> None:
    assert required_by(ClaimAccount("alice", steem(0), ())) == (set(), {"alice"}, set())
    assert required_by(CREATE_CLAIMED) == (set(), {"alice"}, set())


def test_account_update_refuses_a_name_that_is_too_long(world: World) -> None:
    """Counterpart of account_update_validate: 17 letters."""
    world.create("alice")
    world.refuse(changed(UPDATE, posting=account_authority("abcdefghijklmnopq")), "is_valid_account_name( item.first )")


def test_account_update2_checks_name_and_metadata(world: World) -> None:
    """Counterpart of account_update2_validate."""
    world.create("alice")
    world.refuse(changed(UPDATE2, account="invalid_account"), "Account name invalid_account is invalid")
    for field in ("json_metadata", "posting_json_metadata"):
        world.refuse(changed(UPDATE2, **{field: "not json"}), f"fc::json::is_valid({field})")
    world.push(changed(UPDATE2, json_metadata='{"success":true}', posting_json_metadata='{"success":true}'))


def test_account_update2_needs_the_highest_of_its_authorities() -> None:
    """The end of account_update2_authorities: the fields are filled one after another."""
    nobody = Authority(1, (), ())
    op = changed(UPDATE2, posting_json_metadata='{"success":true}')
    assert required_by(op) == (set(), set(), {"alice"})
    for change in (
        {"json_metadata": '{"success":true}'},
        {"memo_key": NULL_PUBLIC_KEY},
        {"posting": nobody},
        {"active": nobody},
    ):
        op = changed(op, **change)
        assert required_by(op) == (set(), {"alice"}, set())
    assert required_by(changed(op, owner=nobody)) == ({"alice"}, set(), set())


def test_a_claim_for_a_fee_leaves_the_pools_alone(world: World) -> None:
    world.set_fee(5_000)
    world.create("alice")
    world.fund("alice", steem(5_000))
    set_subsidies(world, 12_345, 6_789)
    world.push(ClaimAccount("alice", steem(5_000), ()))
    assert world.ctx.gpo.available_account_subsidies == 12_345
    assert world.tables.witnesses.get(FIRST).available_witness_account_subsidies == 6_789


def test_create_claimed_account_refuses_broken_metadata(world: World) -> None:
    """Counterpart of create_claimed_account_validate; other fields are in test_validate."""
    world.create("alice")
    world.tables.accounts.update(world["alice"], pending_claimed_accounts=1)
    for name in ("creator", "new_account_name"):
        world.refuse(changed(CREATE_CLAIMED, **{name: "aA0"}), "Account name aA0 is invalid")
    world.refuse(changed(CREATE_CLAIMED, json_metadata='{"foo","bar"}'), "Expected ':'")
    world.refuse(changed(CREATE_CLAIMED, json_metadata='{"foo":"\udca0\udca1"}'), "fc::is_utf8(json_metadata)")
    world.push(changed(CREATE_CLAIMED, json_metadata=""))
    assert world["bob"].proxy == ""
