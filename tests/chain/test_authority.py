"""Authorities: weights, nested accounts, depth, unneeded signatures, and which keys a transaction asks for."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.authority import (
    Authorities,
    AuthorityLimits,
    SignState,
    get_potential_signatures,
    get_required_signatures,
    minimize_required_signatures,
    verify_authority,
)
from protocol.errors import (
    Invalid,
    IrrelevantSignature,
    MissingActiveAuthority,
    MissingOtherAuthority,
    MissingOwnerAuthority,
    MissingPostingAuthority,
    PluginRefused,
)
from protocol.operation import RequiredAuthorities
from protocol.types import Authority

LIMITS = AuthorityLimits(2, 40, 125, "temp")
A, B, C, D = (bytes([2]) + bytes([number]) * 32 for number in range(1, 5))


def auth(threshold: int, *members: tuple[str | bytes, int]) -> Authority:
    accounts = tuple(sorted((name, weight) for name, weight in members if isinstance(name, str)))
    keys = tuple(sorted((key, weight) for key, weight in members if isinstance(key, bytes)))
    return Authority(threshold, accounts, keys)


class World:
    def __init__(self) -> None:
        self.active: dict[str, Authority] = {}
        self.owner: dict[str, Authority] = {}
        self.posting: dict[str, Authority] = {}
        self.limits = LIMITS

    @property
    def getters(self) -> Authorities:
        return Authorities(self.active.__getitem__, self.owner.__getitem__, self.posting.__getitem__)

    def add(
        self, name: str, active: Authority, owner: Authority | None = None, posting: Authority | None = None
    ) -> None:
        nobody = auth(1)
        self.active[name], self.owner[name], self.posting[name] = active, owner or nobody, posting or nobody

    def check(self, required: RequiredAuthorities, *signed: bytes) -> None:
        verify_authority(required, signed, self.getters, self.limits)


def need(
    *, active: str = "", owner: str = "", posting: str = "", other: Authority | None = None
) -> RequiredAuthorities:
    required = RequiredAuthorities()
    if active:
        required.active(active)
    if owner:
        required.owner(owner)
    if posting:
        required.posting(posting)
    if other:
        required.other(other)
    return required


def test_weights_add_up_to_the_threshold() -> None:
    world = World()
    world.add("alice", auth(3, (A, 1), (B, 2), (C, 2)))
    world.check(need(active="alice"), A, B)
    world.check(need(active="alice"), B, C)
    for signed in ((), (A,), (B,), (D,)):
        with pytest.raises(MissingActiveAuthority):
            world.check(need(active="alice"), *signed)


def test_signatures_that_are_not_needed_are_refused() -> None:
    world = World()
    world.add("alice", auth(1, (A, 1), (B, 1)))
    world.check(need(active="alice"), A)
    world.check(need(active="alice"), B)
    with pytest.raises(IrrelevantSignature):
        world.check(need(active="alice"), A, B)
    with pytest.raises(IrrelevantSignature):
        world.check(need(active="alice"), A, D)
    with pytest.raises(IrrelevantSignature):
        world.check(RequiredAuthorities(), A)


def test_owner_serves_for_active_and_both_for_posting() -> None:
    world = World()
    world.add("alice", auth(1, (A, 1)), owner=auth(1, (B, 1)), posting=auth(1, (C, 1)))
    for key in (A, B, C):
        world.check(need(posting="alice"), key)
    for key in (A, B):
        world.check(need(active="alice"), key)
    world.check(need(owner="alice"), B)
    with pytest.raises(MissingActiveAuthority):
        world.check(need(active="alice"), C)
    with pytest.raises(MissingOwnerAuthority):
        world.check(need(owner="alice"), A)
    with pytest.raises(MissingPostingAuthority):
        world.check(need(posting="alice"), D)


def test_posting_does_not_mix_with_others() -> None:
    world = World()
    world.add("alice", auth(1, (A, 1)), owner=auth(1, (B, 1)), posting=auth(1, (C, 1)))
    with pytest.raises(Invalid, match=r"required_active.size\(\) == 0"):
        world.check(need(active="alice", posting="alice"), A)
    with pytest.raises(Invalid, match=r"required_owner.size\(\) == 0"):
        world.check(need(owner="alice", posting="alice"), A)
    with pytest.raises(Invalid, match=r"other.size\(\) == 0"):
        world.check(need(posting="alice", other=auth(1, (A, 1))), A)


def test_accounts_are_followed_two_levels_deep() -> None:
    world = World()
    world.add("a", auth(1, ("b", 1)))
    world.add("b", auth(1, ("c", 1)))
    world.add("c", auth(1, (C, 1), ("d", 1)))
    world.add("d", auth(1, (D, 1)))
    world.check(need(active="a"), C)
    world.check(need(active="b"), D)
    with pytest.raises(MissingActiveAuthority):
        world.check(need(active="a"), D)


def test_posting_follows_the_posting_authority_of_accounts() -> None:
    world = World()
    world.add("a", auth(1, (A, 1)), posting=auth(1, ("b", 1)))
    world.add("b", auth(1, (B, 1)), posting=auth(1, (C, 1)))
    world.check(need(posting="a"), C)
    with pytest.raises(MissingPostingAuthority):
        world.check(need(posting="a"), B)


def test_keys_and_accounts_together() -> None:
    world = World()
    world.add("a", auth(2, (A, 1), ("b", 1), ("c", 1)))
    world.add("b", auth(1, (B, 1)))
    world.add("c", auth(2, (C, 1), (D, 1)))
    world.check(need(active="a"), A, B)
    world.check(need(active="a"), A, C, D)
    world.check(need(active="a"), B, C, D)
    with pytest.raises(MissingActiveAuthority):
        world.check(need(active="a"), A, C)
    with pytest.raises(IrrelevantSignature):
        world.check(need(active="a"), A, B, C)


def test_accounts_that_need_each_other_end() -> None:
    world = World()
    world.add("a", auth(1, ("b", 1)))
    world.add("b", auth(1, ("a", 1)))
    with pytest.raises(MissingActiveAuthority):
        world.check(need(active="a"), A)


def test_limits_of_members_and_accounts() -> None:
    world = World()
    many = [bytes([3]) + number.to_bytes(32, "big") for number in range(60)]
    world.add("a", auth(1, *((key, 1) for key in many)))
    world.check(need(active="a"), many[39])
    with pytest.raises(MissingActiveAuthority):
        world.check(need(active="a"), many[40])
    names = [f"n{number:03}" for number in range(30)]
    for name in names:
        world.add(name, auth(1, (B, 1)) if name == names[-1] else auth(1))
    world.add("b", auth(1, *((name, 1) for name in names)))
    world.check(need(active="b"), B)
    world.limits = LIMITS._replace(max_accounts=30)
    with pytest.raises(MissingActiveAuthority):
        world.check(need(active="b"), B)


def test_written_out_authorities_and_the_open_account() -> None:
    world = World()
    world.add("temp", auth(0), owner=auth(0))
    world.check(need(other=auth(2, (A, 1), (B, 1))), A, B)
    with pytest.raises(MissingOtherAuthority):
        world.check(need(other=auth(2, (A, 1), (B, 1))), A)
    world.check(need(active="temp"))
    with pytest.raises(IrrelevantSignature):
        world.check(need(active="temp"), A)


def test_the_open_account_is_the_one_that_the_rules_name() -> None:
    """The name of the reference's open account is that of an ordinary account where the rules name another."""
    world = World()
    world.limits = LIMITS._replace(open_account="door")
    world.add("door", auth(0), owner=auth(0))
    world.add("temp", auth(1, (A, 1)))
    world.add("friend", auth(1, ("temp", 1)))
    world.check(need(active="door"))
    world.check(need(active="temp"), A)
    for name in ("temp", "friend"):
        with pytest.raises(MissingActiveAuthority):
            world.check(need(active=name))
    assert get_required_signatures(need(active="temp"), (), (A,), world.getters, world.limits) == [A]


def test_required_potential_and_minimal_signatures() -> None:
    world = World()
    world.add("a", auth(2, (A, 1), (B, 1), (C, 1)), owner=auth(1, (D, 1)), posting=auth(1, ("b", 1)))
    world.add("b", auth(1), posting=auth(1, (D, 1)))
    assert get_required_signatures(need(active="a"), (), (A, B, C, D), world.getters, LIMITS) == [A, B]
    assert get_required_signatures(need(active="a"), (), (C,), world.getters, LIMITS) == [C]
    assert get_required_signatures(need(posting="a"), (), (A, D), world.getters, LIMITS) == [D]
    assert get_potential_signatures(need(active="a"), (), world.getters, LIMITS) == [A, B, C]
    assert get_potential_signatures(need(posting="a"), (), world.getters, LIMITS) == [D]
    world.add("c", auth(1, (A, 1)), owner=auth(1, (A, 1)))
    both = need(active="a")
    both.active("c")
    assert minimize_required_signatures(both, (), (A, B, C, D), world.getters, LIMITS) == [A, B]


class _PlainState(SignState):
    """The walk as the reference has it: every account is walked through whenever it is met."""

    def _check(self, authority: Authority, depth: int) -> bool:
        limits = self._limits
        total = members = 0
        for key, weight in authority.key_auths:
            if self.is_signed_by(key):
                total += weight
                if total >= authority.weight_threshold:
                    return True
            members += 1
            if 0 < limits.max_membership <= members:
                return False
        for name, weight in authority.account_auths:
            if name not in self._approved:
                if depth == limits.max_depth:
                    continue
                if 0 < limits.max_accounts <= self._accounts_seen:
                    return False
                self._accounts_seen += 1
                if self._check(self._get_authority(name), depth + 1):
                    self._approved.add(name)
                    total += weight
                    if total >= authority.weight_threshold:
                        return True
            else:
                total += weight
                if total >= authority.weight_threshold:
                    return True
            members += 1
            if 0 < limits.max_membership <= members:
                return False
        return total >= authority.weight_threshold


@settings(max_examples=1000, deadline=None)
@given(st.randoms(use_true_random=False))
def test_what_was_walked_through_before_is_not_needed_again(rng: Random) -> None:
    names = ["a", "b", "c", "d", "e", "f", "temp"]

    def pick() -> Authority:
        keys = tuple((key, rng.randint(0, 2)) for key in (A, B, C, D) if rng.random() < 0.3)
        accounts = tuple((name, rng.randint(0, 2)) for name in names if rng.random() < 0.4)
        return Authority(rng.randint(1, 4), accounts, keys)

    network = {name: pick() for name in names}
    limits = AuthorityLimits(rng.randint(0, 3), rng.choice((0, 2, 3, 40)), rng.choice((0, 2, 4, 7, 125)), "temp")
    signed = rng.sample((A, B, C, D), rng.randint(0, 2))
    available = rng.sample((A, B, C, D), rng.randint(0, 1))
    fast, plain = (state(signed, network.__getitem__, limits, available) for state in (SignState, _PlainState))
    for name in rng.choices(names, k=6):
        assert fast.check_account(name) == plain.check_account(name)
        written_out = pick()
        assert fast.check(written_out) == plain.check(written_out)
        assert (fast.used, fast._approved) == (plain.used, plain._approved)
        assert fast._accounts_seen == plain._accounts_seen


def test_walks_of_a_transaction_that_arrives_are_bounded() -> None:
    world = World()
    leaves = [f"leaf{number:03}" for number in range(40)]
    for name in leaves:
        world.add(name, auth(1, (B, 1)), posting=auth(1, (B, 1)))
    below = auth(1, *((name, 1) for name in leaves))
    required = RequiredAuthorities()
    for number in range(30):
        world.add(f"top{number:03}", below, owner=auth(1, (A, 1)), posting=below)
        required.posting(f"top{number:03}")
    lookups: list[str] = []

    def get_posting(name: str) -> Authority:
        lookups.append(name)
        return world.posting[name]

    verify_authority(required, (A,), world.getters._replace(get_posting=get_posting), LIMITS)
    assert len(lookups) <= 2 * (len(leaves) + 30), "accounts below are walked through once"
    with pytest.raises(PluginRefused, match="lead to more than 100 others"):
        verify_authority(required, (A,), world.getters, LIMITS._replace(max_lookups=100))
