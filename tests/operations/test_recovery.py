"""Account recovery: requests, recoveries, changes of the recovery account, and what time clears.

Counterparts of the reference's account_recovery and change_recovery_account.
"""

import pytest

from chain.expiries import process_owner_histories, process_recovery_account_changes, process_recovery_requests
from operations.account import AccountCreate, AccountUpdate
from operations.recovery import ChangeRecoveryAccount, RecoverAccount, RequestAccountRecovery
from protocol.errors import MissingOtherAuthority, Rejected, UnknownKey
from protocol.keys import PrivateKey
from protocol.types import NULL_PUBLIC_KEY, Authority
from tests.chains import FIRST, TEMP
from tests.harness import Harness, authority_of, steem
from tests.operations.world import World, account_authority, key_authority

BLOCK = 3
NEW = key_authority("new")
NO_REQUEST = "request != recovery_request_idx.end(): There are no active recovery requests for this account."
NOT_RECENT = "found: Recent authority not found in authority history"


def secret(seed: str) -> PrivateKey:
    """A private key that no role of the harness has."""
    return PrivateKey.from_seed(seed)


def change_owner(chain: Harness, name: str, old: PrivateKey, new: PrivateKey) -> None:
    chain.push(AccountUpdate(name, authority_of(new), None, None, NULL_PUBLIC_KEY, ""), keys=[old])


def request(chain: Harness, partner: str, name: str, new: PrivateKey) -> None:
    chain.push(RequestAccountRecovery(partner, name, authority_of(new), ()))


def recover(chain: Harness, name: str, new: PrivateKey, recent: PrivateKey) -> None:
    chain.push(RecoverAccount(name, authority_of(new), authority_of(recent), ()), keys=[new, recent])


def owner_of(chain: Harness, name: str) -> Authority:
    return chain.tables.account_authorities.get(name).owner


# In blocks


def test_account_recovery() -> None:
    """Counterpart of account_recovery; the testnet's periods are 12 s for requests and 60 s for owner histories."""
    chain = Harness()
    rules = chain.config.rules
    chain.create_accounts("alice")
    chain.fund("alice", 1_000_000)
    chain.vest("alice", 10_000)
    chain.generate_until(chain.now + 2 * BLOCK, sparse=False)
    chain.create_account("bob", "alice")
    chain.vest("bob", 10_000)
    first = chain.key("bob", "owner")
    assert owner_of(chain, "bob") == authority_of(first)

    change_owner(chain, "bob", first, secret("bad"))
    request(chain, "alice", "bob", secret("new"))
    assert owner_of(chain, "bob") == authority_of(secret("bad"))
    chain.generate_block()
    recover(chain, "bob", secret("new"), first)
    assert owner_of(chain, "bob") == authority_of(secret("new"))
    assert chain.account("bob").last_account_recovery == chain.now
    chain.recount()

    request(chain, "alice", "bob", secret("bogus"))
    chain.generate_until(chain.now + BLOCK)
    with pytest.raises(Rejected, match="New owner authority does not match recovery request"):
        recover(chain, "bob", secret("unknown"), first)
    with pytest.raises(Rejected, match=NOT_RECENT):
        recover(chain, "bob", secret("bogus"), secret("unknown"))
    assert owner_of(chain, "bob") == authority_of(secret("new"))
    recover(chain, "bob", secret("bogus"), first)
    assert owner_of(chain, "bob") == authority_of(secret("bogus"))

    request(chain, "alice", "bob", secret("expire"))
    (row,) = chain.tables.account_recovery_requests.scan()
    assert row.account_to_recover == "bob"
    assert row.new_owner_authority == authority_of(secret("expire"))
    assert row.expires == chain.now + rules.account_recovery_request_expiration_seconds
    chain.generate_until(row.expires - BLOCK)
    assert chain.tables.account_recovery_requests.find("bob") is not None
    chain.generate_block()
    assert chain.tables.account_recovery_requests.find("bob") is None
    with pytest.raises(Rejected, match="There are no active recovery requests for this account"):
        recover(chain, "bob", secret("expire"), first)
    assert owner_of(chain, "bob") == authority_of(secret("bogus"))

    change_owner(chain, "bob", secret("bogus"), secret("newer"))
    chain.pass_time(rules.owner_auth_recovery_period_seconds - rules.account_recovery_request_expiration_seconds)
    chain.generate_block()
    request(chain, "alice", "bob", secret("last"))
    with pytest.raises(Rejected, match=NOT_RECENT):
        recover(chain, "bob", secret("last"), first)
    assert owner_of(chain, "bob") == authority_of(secret("newer"))
    recover(chain, "bob", secret("last"), secret("bogus"))
    assert owner_of(chain, "bob") == authority_of(secret("last"))
    chain.generate_block()
    chain.recount()


def test_change_recovery_account() -> None:
    """Counterpart of change_recovery_account."""
    chain = Harness()
    chain.create_accounts("alice", "bob", "sam", "tyler")
    for name in ("alice", "sam"):
        chain.vest(name, 10_000)
    for name, partner in (("alice", "nobody"), ("haxer", "sam"), ("haxer", "nobody")):
        with pytest.raises(UnknownKey):
            chain.push(ChangeRecoveryAccount(name, partner, ()), keys=[chain.key("alice", "owner")])
    chain.push(ChangeRecoveryAccount("alice", "sam", ()))
    effective = chain.now + chain.config.rules.owner_auth_recovery_period_seconds
    chain.generate_until(effective - BLOCK)
    assert chain.now == effective - BLOCK
    with pytest.raises(Rejected, match="Cannot recover an account that does not have you"):
        request(chain, "sam", "alice", secret("k1"))
    chain.generate_block()
    first = chain.key("alice", "owner")
    with pytest.raises(Rejected, match="There are no active recovery requests for this account"):
        recover(chain, "alice", secret("k1"), first)
    request(chain, "sam", "alice", secret("k1"))
    with pytest.raises(Rejected, match=NOT_RECENT):
        recover(chain, "alice", secret("k1"), first)
    change_owner(chain, "alice", first, secret("k2"))
    operation = RecoverAccount("alice", authority_of(secret("k1")), authority_of(first), ())
    for key in (first, secret("k1")):
        with pytest.raises(MissingOtherAuthority):
            chain.push(operation, keys=[key])
    recover(chain, "alice", secret("k1"), first)
    assert owner_of(chain, "alice") == authority_of(secret("k1"))
    chain.generate_block()
    assert chain.account("alice").recovery_account == "sam"
    chain.recount()


# Requests


@pytest.fixture
def world(world: World) -> World:
    """Alice was created by initminer, which may recover her; bob only exists."""
    world.create("alice", "bob")
    return world


def test_a_request_is_kept_changed_and_taken_back(world: World) -> None:
    world.push(RequestAccountRecovery(FIRST, "alice", NEW, ()))
    life = world.ctx.rules.account_recovery_request_expiration_seconds
    requests = world.tables.account_recovery_requests
    assert requests.get("alice").expires == world.now + life
    world.forward(BLOCK)
    other = account_authority("bob")
    world.push(RequestAccountRecovery(FIRST, "alice", other, ()))
    assert requests.get("alice").new_owner_authority == other
    assert requests.get("alice").expires == world.now + life
    world.push(RequestAccountRecovery(FIRST, "alice", Authority(0, (), ()), ()))
    assert list(requests.scan()) == []
    world.recount()


@pytest.mark.parametrize(
    ("partner", "account", "authority", "message"),
    [
        (
            "bob",
            "alice",
            NEW,
            "account_to_recover.recovery_account == o.recovery_account: "
            "Cannot recover an account that does not have you as there recovery partner.",
        ),
        (FIRST, "nobody", NEW, "no row with key 'nobody'"),
        (
            FIRST,
            "alice",
            key_authority("new")._replace(weight_threshold=2),
            "!o.new_owner_authority.is_impossible(): Cannot recover using an impossible authority.",
        ),
        (
            FIRST,
            "alice",
            Authority(0, (), ()),
            "o.new_owner_authority.weight_threshold: Cannot recover using an open authority.",
        ),
        (
            FIRST,
            "alice",
            Authority(1, (), tuple((bytes([2]) + bytes([i]) * 32, 1) for i in range(41))),
            "size <= STEEM_MAX_AUTHORITY_MEMBERSHIP: Authority membership exceeded. Max: 40 Current: 41",
        ),
        (FIRST, "alice", account_authority("nobody"), "no row with key 'nobody'"),
    ],
)
def test_a_new_request_is_refused(world: World, partner: str, account: str, authority: Authority, message: str) -> None:
    world.refuse(RequestAccountRecovery(partner, account, authority, ()), message)
    world.recount()


@pytest.mark.parametrize(
    ("authority", "message"),
    [
        (key_authority("new")._replace(weight_threshold=2), "Cannot recover using an impossible authority."),
        (account_authority("nobody"), "no row with key 'nobody'"),
    ],
)
def test_a_change_of_a_request_is_refused(world: World, authority: Authority, message: str) -> None:
    world.push(RequestAccountRecovery(FIRST, "alice", NEW, ()))
    world.refuse(RequestAccountRecovery(FIRST, "alice", authority, ()), message)


def test_the_size_of_an_authority_counts_for_a_new_request_only(world: World) -> None:
    """The evaluator of the reference does not look at the size when a request is changed."""
    large = Authority(1, (), tuple((bytes([2]) + bytes([i]) * 32, 1) for i in range(41)))
    world.push(RequestAccountRecovery(FIRST, "alice", NEW, ()))
    world.push(RequestAccountRecovery(FIRST, "alice", large, ()))
    assert world.tables.account_recovery_requests.get("alice").new_owner_authority == large


def test_the_top_witness_recovers_an_account_without_partner(world: World) -> None:
    world.tables.accounts.update(world["alice"], recovery_account="")
    world.refuse(
        RequestAccountRecovery("bob", "alice", NEW, ()),
        "begin()->owner == o.recovery_account: Top witness must recover an account with no recovery partner.",
    )
    world.push(RequestAccountRecovery(FIRST, "alice", NEW, ()))
    world.recount()


# Recoveries


def test_a_recovery_is_refused(world: World) -> None:
    old = key_authority("alice")
    world.refuse(RecoverAccount("alice", NEW, old, ()), NO_REQUEST)
    world.refuse(RecoverAccount("nobody", NEW, old, ()), "no row with key 'nobody'")
    world.push(RequestAccountRecovery(FIRST, "alice", NEW, ()))
    world.refuse(
        RecoverAccount("alice", key_authority("other"), old, ()),
        "request->new_owner_authority == o.new_owner_authority: New owner authority does not match recovery request.",
    )
    world.refuse(RecoverAccount("alice", NEW, old, ()), NOT_RECENT)  # the authority of now is not one of before
    world.push(AccountUpdate("bob", NEW, None, None, NULL_PUBLIC_KEY, ""))
    world.refuse(RecoverAccount("alice", NEW, key_authority("bob"), ()), NOT_RECENT)
    world.recount()


def test_two_recoveries_need_the_time_between_changes_of_an_owner(world: World) -> None:
    """The difference must be more than the limit, which is 0 on a testnet: not twice at one moment."""
    world.push(AccountUpdate("alice", key_authority("stolen"), None, None, NULL_PUBLIC_KEY, ""))
    world.push(RequestAccountRecovery(FIRST, "alice", NEW, ()))
    world.push(RecoverAccount("alice", NEW, key_authority("alice"), ()))
    last = key_authority("last")
    world.push(RequestAccountRecovery(FIRST, "alice", last, ()))
    world.refuse(
        RecoverAccount("alice", last, key_authority("alice"), ()),
        "_db.head_block_time() - account.last_account_recovery > STEEM_OWNER_UPDATE_LIMIT: "
        "Owner authority can only be updated once an hour.",
    )
    world.forward(BLOCK)
    world.push(RecoverAccount("alice", last, key_authority("alice"), ()))
    assert world.tables.account_authorities.get("alice").owner == last
    world.recount()


# Changes of the recovery account


def test_a_change_of_the_recovery_account_may_be_changed_and_taken_back(world: World) -> None:
    delay = world.ctx.rules.owner_auth_recovery_period_seconds
    requests = world.tables.change_recovery_requests
    world.push(ChangeRecoveryAccount("alice", "bob", ()))
    assert requests.get("alice").effective_on == world.now + delay
    world.forward(BLOCK)
    world.push(ChangeRecoveryAccount("alice", TEMP, ()))
    assert (requests.get("alice").recovery_account, requests.get("alice").effective_on) == (TEMP, world.now + delay)
    world.push(ChangeRecoveryAccount("alice", FIRST, ()))
    assert list(requests.scan()) == []
    world.refuse(ChangeRecoveryAccount("alice", "nobody", ()), "no row with key 'nobody'")
    world.refuse(ChangeRecoveryAccount("nobody", "alice", ()), "no row with key 'nobody'")
    world.recount()


def test_a_first_change_may_name_the_recovery_account_of_now(world: World) -> None:
    """The reference compares with the account of now only when a request is open."""
    world.push(ChangeRecoveryAccount("alice", FIRST, ()))
    assert world.tables.change_recovery_requests.get("alice").recovery_account == FIRST


# Time


def run_recoveries(world: World) -> None:
    for step in (process_recovery_requests, process_owner_histories, process_recovery_account_changes):
        world.run(step)


def test_what_is_due_at_this_moment(world: World) -> None:
    """A request ends and a change counts at their times; an owner authority is recent for one second more."""
    rules = world.ctx.rules
    world.push(RequestAccountRecovery(FIRST, "alice", NEW, ()))
    world.forward(rules.account_recovery_request_expiration_seconds - 1)
    run_recoveries(world)
    assert world.tables.account_recovery_requests.find("alice") is not None
    world.forward(1)
    run_recoveries(world)
    assert world.tables.account_recovery_requests.find("alice") is None

    world.push(ChangeRecoveryAccount("alice", "bob", ()))
    world.push(AccountUpdate("alice", NEW, None, None, NULL_PUBLIC_KEY, ""))
    world.forward(rules.owner_auth_recovery_period_seconds - 1)
    run_recoveries(world)
    assert world["alice"].recovery_account == FIRST
    world.forward(1)
    run_recoveries(world)
    assert world["alice"].recovery_account == "bob"
    assert list(world.tables.change_recovery_requests.scan()) == []
    assert len(list(world.tables.owner_histories.scan())) == 1
    world.forward(1)
    run_recoveries(world)
    assert list(world.tables.owner_histories.scan()) == []
    world.recount()


def test_an_account_made_by_temp_is_recovered_by_the_top_witness() -> None:
    """A free account of temp has no recovery account; the creation is the subject of test_account."""
    chain = Harness()
    chain.create_accounts("alice")
    chain.vest("alice", 10_000)
    chain.vest(TEMP, 10_000)
    key = secret("carol")
    authority = authority_of(key)
    chain.push(AccountCreate(steem(0), TEMP, "carol", authority, authority, authority, key.public_key, ""), keys=[])
    assert chain.account("carol").recovery_account == ""
    chain.vest("carol", 10_000)
    change_owner(chain, "carol", key, secret("stolen"))
    with pytest.raises(Rejected, match="Top witness must recover an account"):
        request(chain, "alice", "carol", secret("back"))
    request(chain, FIRST, "carol", secret("back"))
    recover(chain, "carol", secret("back"), key)
    assert owner_of(chain, "carol") == authority_of(secret("back"))
    chain.generate_block()
    chain.recount()
