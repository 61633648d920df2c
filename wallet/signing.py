"""Selection of signing keys: those of the weakest authority that suffices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from client.errors import ClientError
from protocol.keys import PrivateKey, encode_public_key, sign_digest
from protocol.operation import Operation, RequiredAuthorities
from protocol.transaction import Transaction
from protocol.types import Authority
from wallet.advice import import_hint

STRONGER_ROLES: Mapping[str, tuple[str, ...]] = {
    "posting": ("posting", "active", "owner"),
    "active": ("active", "owner"),
    "owner": ("owner",),
}
"""The authorities that satisfy a role, weakest first."""


class KeyFinder(Protocol):
    """A source of private keys."""

    def find(self, public_key: bytes) -> PrivateKey | None:
        """Returns the private key of a public one, or None."""


class AuthorityFinder(Protocol):
    """A source of the authorities of accounts."""

    def get_authority(self, account: str, role: str) -> Authority:
        """An account's authority. Raises ClientError when there is no such account."""


class SigningKey(NamedTuple):
    """A signing key and its authority (account and role are empty for an explicit one)."""

    key: PrivateKey
    account: str
    role: str


def collect_authorities(operations: Iterable[Operation]) -> RequiredAuthorities:
    """Returns all authorities that the operations require."""
    required = RequiredAuthorities()
    for operation in operations:
        operation.authorities(required)
    return required


def choose_keys(
    required: RequiredAuthorities, authorities: AuthorityFinder, keys: KeyFinder, prefix: str
) -> tuple[SigningKey, ...]:
    """Returns the keys that satisfy all required authorities, without unnecessary ones.

    Raises ClientError that names the missing key and how to import it.
    """
    chosen: dict[bytes, SigningKey] = {}
    for role, names in (("owner", required.owners), ("active", required.actives), ("posting", required.postings)):
        for name in sorted(names):
            for signing in _choose_for_account(name, role, authorities, keys, prefix):
                chosen.setdefault(signing.key.public_key, signing)
    for authority in required.others:
        found = _choose_from(authority, keys)
        if found is None:
            wanted = ", ".join(encode_public_key(key, prefix) for key, _weight in authority.key_auths)
            raise ClientError(f"the transaction must be signed by {wanted}, which the wallet does not hold")
        for key in found:
            chosen.setdefault(key.public_key, SigningKey(key, "", ""))
    return tuple(chosen.values())


def sign(transaction: Transaction, chain_id: bytes, keys: Iterable[SigningKey]) -> Transaction:
    """Returns the transaction with its signatures replaced by those of these keys."""
    digest = transaction.digest(chain_id)
    return transaction.with_signatures(sign_digest(digest, signing.key) for signing in keys)


def can_sign(authority: Authority, keys: KeyFinder) -> bool:
    """Whether the available keys alone reach the threshold of an authority."""
    return _choose_from(authority, keys) is not None


def _choose_for_account(
    name: str, role: str, authorities: AuthorityFinder, keys: KeyFinder, prefix: str
) -> tuple[SigningKey, ...]:
    for candidate in STRONGER_ROLES[role]:
        found = _choose_from(authorities.get_authority(name, candidate), keys)
        if found is not None:
            return tuple(SigningKey(key, name, candidate) for key in found)
    raise _missing_key(name, role, authorities.get_authority(name, role), keys, prefix)


def _choose_from(authority: Authority, keys: KeyFinder) -> tuple[PrivateKey, ...] | None:
    """Returns available keys that reach the threshold, or None.

    Choosing the heaviest first leaves no unnecessary one: without any of them the threshold is missed.
    """
    total = 0
    chosen: list[PrivateKey] = []
    for public_key, weight in sorted(authority.key_auths, key=lambda pair: (-pair[1], pair[0])):
        if total >= authority.weight_threshold:
            break
        key = keys.find(public_key)
        if key is not None:
            chosen.append(key)
            total += weight
    return tuple(chosen) if chosen and total >= authority.weight_threshold else None


def _missing_key(name: str, role: str, authority: Authority, keys: KeyFinder, prefix: str) -> ClientError:
    held = sum(weight for key, weight in authority.key_auths if keys.find(key) is not None)
    if held:
        return ClientError(
            f"the {role} authority of {name} needs signatures of weight {authority.weight_threshold}, and the keys in "
            f"this wallet weigh {held}",
            "It is shared among several signers: `plaudit wallet multisig build` makes a transaction for all to sign.",
        )
    if not authority.key_auths:
        if not authority.account_auths:
            return ClientError(f"nobody can sign for {name}: its {role} authority holds no key")
        others = ", ".join(account for account, _weight in authority.account_auths)
        return ClientError(
            f"the {role} authority of {name} is held by other accounts ({others})",
            "They must sign: `plaudit wallet multisig build` makes a transaction for several signers.",
        )
    wanted = " or ".join(encode_public_key(key, prefix) for key, _weight in authority.key_auths)
    return ClientError(f"the {role} key of {name} is not in this wallet: {wanted}", import_hint(name, role))
