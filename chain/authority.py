"""Authority checks: whether signatures satisfy the authorities of a transaction, and which keys would.

An authority is met when the weights of its keys that signed, and of its accounts whose active authority is met in
turn, reach its threshold. Every signature must be needed.

Source: libraries/protocol/sign_state.cpp, transaction_util.hpp and transaction.cpp.
"""

from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import Any, NamedTuple

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
from protocol.rules import Rules
from protocol.steps import Steps, do_all
from protocol.types import Authority

AuthorityGetter = Callable[[str], Authority]
"""Returns an authority of an account by name; raises for an unknown account."""


LOOKUPS_MAX = 1000
"""Maximum number of authorities read for one arriving transaction: about 15 ms of work, more than real ones need."""

_first = itemgetter(0)


class AuthorityLimits(NamedTuple):
    """Limits of the traversal of authorities; 0 in `max_membership`, `max_accounts` and `max_lookups` means no limit.

    `open_account` is the account without any required signature. `max_lookups` is not a rule of the chain: it bounds
    the work for one transaction, however many accounts it names.
    """

    max_depth: int
    max_membership: int
    max_accounts: int
    open_account: str
    max_lookups: int = 0


def get_limits(rules: Rules) -> AuthorityLimits:
    """The limits for transactions of a chain."""
    return AuthorityLimits(
        rules.max_sig_check_depth, rules.max_authority_membership, rules.max_sig_check_accounts, rules.temp_account
    )


class SignState:
    """Keys that signed (and whether each was used), keys that could sign, and accounts already approved."""

    def __init__(
        self,
        signed: Iterable[bytes],
        get_authority: AuthorityGetter,
        limits: AuthorityLimits,
        available: Collection[bytes] = (),
    ) -> None:
        self.used: dict[bytes, bool] = dict.fromkeys(signed, False)
        self.available = available
        self._get_authority = get_authority
        self._limits = limits
        self._keys = frozenset(self.used).union(available)
        self._approved: set[str] = {limits.open_account}
        self._failed: dict[tuple[str, int], int] = {}
        """Accounts not satisfied, by name and depth, with the number of accounts visited below each."""
        self._accounts_seen = 0
        self._lookups = 0

    def is_signed_by(self, key: bytes) -> bool:
        """Whether the key signed or could sign; marks it as used."""
        if key in self._keys:
            self.used[key] = True
            return True
        return False

    def check_account(self, name: str) -> bool:
        """Whether the account's authority (of this state's kind) is satisfied."""
        if name in self._approved:
            return True
        self._accounts_seen = 1
        return self._check(self._get_authority(name), 0)

    def check(self, authority: Authority) -> bool:
        """Whether an authority given in full is satisfied."""
        self._accounts_seen = 0
        return self._check(authority, 0)

    def has_unused_signatures(self) -> bool:
        """Whether any signature has not been used."""
        return not all(self.used.values())

    def _check(self, authority: Authority, depth: int) -> bool:
        """Adds up weights in the reference's order, because the limits stop the traversal early."""
        limits = self._limits
        self._count_lookup()
        threshold = authority.weight_threshold
        total = members = 0
        if self._keys.isdisjoint(map(_first, authority.key_auths)):
            members = len(authority.key_auths)
            if 0 < limits.max_membership <= members:
                return False
        else:
            for key, weight in authority.key_auths:
                if self.is_signed_by(key):
                    total += weight
                    if total >= threshold:
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
                is_met = self._check_member(name, depth + 1)
            else:
                is_met = True
            if is_met:
                total += weight
                if total >= threshold:
                    return True
            members += 1
            if 0 < limits.max_membership <= members:
                return False
        return total >= threshold

    def _check_member(self, name: str, depth: int) -> bool:
        """Whether an account inside an authority is satisfied; failures are cached to avoid repeated traversal.

        A traversal from the same depth visits the same accounts and uses the same keys, unless more accounts were
        approved or the limit of accounts stops it; where that is possible, it is repeated.
        """
        limit = self._limits.max_accounts
        before = self._accounts_seen
        below = self._failed.get((name, depth))
        if below is not None and (limit == 0 or before + below <= limit):
            self._accounts_seen += below
            return False
        approved = len(self._approved)
        if self._check(self._get_authority(name), depth):
            self._approved.add(name)
            self._failed.clear()
            return True
        if len(self._approved) == approved and (limit == 0 or self._accounts_seen < limit):
            self._failed[name, depth] = self._accounts_seen - before
        return False

    def _count_lookup(self) -> None:
        limit = self._limits.max_lookups
        self._lookups += 1
        if 0 < limit < self._lookups:
            raise PluginRefused(
                "", "The authorities that this transaction needs lead to more than ${max} others.", max=limit
            )


class Authorities(NamedTuple):
    """Lookup functions of the three kinds of authority of accounts."""

    get_active: AuthorityGetter
    get_owner: AuthorityGetter
    get_posting: AuthorityGetter


def verify_authority(
    required: RequiredAuthorities, signed: Collection[bytes], authorities: Authorities, limits: AuthorityLimits
) -> None:
    """Checks that the keys that signed satisfy all required authorities, and that each of them is needed.

    The active or owner authority also satisfies a posting authority, and the owner authority an active one. Raises the
    Missing...Authority errors, IrrelevantSignature, Invalid when posting is mixed with others.
    """
    do_all(verify_in_steps(required, signed, authorities, limits))


def verify_in_steps(
    required: RequiredAuthorities, signed: Collection[bytes], authorities: Authorities, limits: AuthorityLimits
) -> Steps[None]:
    """Like `verify_authority`, in steps of one account, since there may be thousands with large authorities."""
    if required.postings:
        return _verify_posting(required, signed, authorities, limits)
    return _verify_active_and_owner(required, signed, authorities, limits)


def _verify_posting(
    required: RequiredAuthorities, signed: Collection[bytes], authorities: Authorities, limits: AuthorityLimits
) -> Steps[None]:
    for name, others in (("active", required.actives), ("owner", required.owners)):
        if others:
            raise Invalid(f"required_{name}.size() == 0")
    if required.others:
        raise Invalid("other.size() == 0")
    state = SignState(signed, authorities.get_posting, limits)
    for name in sorted(required.postings):
        yield
        if not (
            state.check_account(name)
            or state.check(authorities.get_active(name))
            or state.check(authorities.get_owner(name))
        ):
            raise MissingPostingAuthority(
                "",
                "Missing Posting Authority ${id}",
                id=name,
                posting=authorities.get_posting(name),
                active=authorities.get_active(name),
                owner=authorities.get_owner(name),
            )
    _refuse_unused(state)


def _verify_active_and_owner(
    required: RequiredAuthorities, signed: Collection[bytes], authorities: Authorities, limits: AuthorityLimits
) -> Steps[None]:
    state = SignState(signed, authorities.get_active, limits)
    for authority in required.others:
        yield
        if not state.check(authority):
            raise MissingOtherAuthority("", "Missing Authority", auth=authority, sigs=sorted(signed))
    for name in sorted(required.actives):
        yield
        if not (state.check_account(name) or state.check(authorities.get_owner(name))):
            raise MissingActiveAuthority(
                "",
                "Missing Active Authority ${id}",
                id=name,
                auth=authorities.get_active(name),
                owner=authorities.get_owner(name),
            )
    for name in sorted(required.owners):
        yield
        if not state.check(authorities.get_owner(name)):
            raise MissingOwnerAuthority("", "Missing Owner Authority ${id}", id=name, auth=authorities.get_owner(name))
    _refuse_unused(state)


def _refuse_unused(state: SignState) -> None:
    if state.has_unused_signatures():
        raise IrrelevantSignature("", "Unnecessary signature(s) detected")


def get_required_signatures(
    required: RequiredAuthorities,
    signed: Collection[bytes],
    available: Collection[bytes],
    authorities: Authorities,
    limits: AuthorityLimits,
) -> list[bytes]:
    """The keys among `available` that would be used for the required authorities, in the order of their bytes.

    Source: transaction.cpp, signed_transaction::get_required_signatures.
    """
    return do_all(find_required_in_steps(required, signed, available, authorities, limits))


def find_required_in_steps(
    required: RequiredAuthorities,
    signed: Collection[bytes],
    available: Collection[bytes],
    authorities: Authorities,
    limits: AuthorityLimits,
) -> Steps[list[bytes]]:
    """Like `get_required_signatures`, in steps of one account."""
    if required.postings:
        if required.owners:
            raise Invalid("!required_owner.size()")
        if required.actives:
            raise Invalid("!required_active.size()").named("authorities_mixed")
        state = SignState(signed, authorities.get_posting, limits, frozenset(available))
        for name in sorted(required.postings):
            yield
            state.check_account(name)
    else:
        state = SignState(signed, authorities.get_active, limits, frozenset(available))
        for authority in required.others:
            yield
            state.check(authority)
        for name in sorted(required.owners):
            yield
            state.check(authorities.get_owner(name))
        for name in sorted(required.actives):
            yield
            state.check_account(name)
    return sorted(key for key, is_used in state.used.items() if is_used and key in state.available)


def minimize_required_signatures(
    required: RequiredAuthorities,
    signed: Collection[bytes],
    available: Collection[bytes],
    authorities: Authorities,
    limits: AuthorityLimits,
) -> list[bytes]:
    """A minimal subset of the required signatures that still suffices.

    Source: transaction.cpp, signed_transaction::minimize_required_signatures.
    """
    chosen = get_required_signatures(required, signed, available, authorities, limits)
    for key in list(chosen):
        rest = [other for other in chosen if other != key]
        try:
            verify_authority(required, rest, authorities, limits)
        except (
            MissingActiveAuthority,
            MissingOwnerAuthority,
            MissingPostingAuthority,
            MissingOtherAuthority,
        ):
            continue
        chosen = rest
    return chosen


def get_potential_signatures(
    required: RequiredAuthorities, signed: Collection[bytes], authorities: Authorities, limits: AuthorityLimits
) -> list[bytes]:
    """The keys of every authority visited by a check without any signature.

    The reference passes the canonical form in place of the membership limit, so the traversal leaves each authority
    after its first member; that is reproduced, because wallets see the results.
    Source: plugins/apis/database_api/database_api.cpp, get_potential_signatures.
    """
    return do_all(find_potential_in_steps(required, signed, authorities, limits))


def find_potential_in_steps(
    required: RequiredAuthorities, signed: Collection[bytes], authorities: Authorities, limits: AuthorityLimits
) -> Steps[list[bytes]]:
    """Like `get_potential_signatures`, in steps of one account."""
    found: set[bytes] = set()

    def note(get: AuthorityGetter) -> AuthorityGetter:
        def noting(name: str) -> Authority:
            authority = get(name)
            found.update(key for key, _weight in authority.key_auths)
            return authority

        return noting

    noting = Authorities(note(authorities.get_active), note(authorities.get_owner), note(authorities.get_posting))
    yield from find_required_in_steps(required, signed, (), noting, limits._replace(max_membership=1))
    return sorted(found)


def account_authorities(get: Callable[[str], Any]) -> Authorities:
    """Looks authorities up in rows of the state; `get` returns the row of an account, and raises for an unknown one."""
    return Authorities(lambda name: get(name).active, lambda name: get(name).owner, lambda name: get(name).posting)
