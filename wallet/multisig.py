"""Multi-signature transactions: a file passed among the signers, and which signatures are missing.

The file is JSON with the chain's id and the transaction with the signatures so far. It holds no secret.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from client.errors import ClientError
from protocol.codec import Codec
from protocol.errors import ProtocolError
from protocol.operation import RequiredAuthorities
from protocol.transaction import Transaction
from protocol.types import Authority
from wallet.signing import STRONGER_ROLES, AuthorityFinder

FORMAT = "plaudit-multisig"
VERSION = 1
FILE_BYTES_MAX = 4 * 1024 * 1024

DEPTH_MAX = 2
"""Maximum recursion depth of account authorities, as in the protocol."""


class Requirement(NamedTuple):
    """An authority that a transaction needs; `account` and `role` are empty for an explicit one."""

    account: str
    role: str
    options: tuple[Authority, ...]
    """The alternatives of which one must be satisfied, weakest first."""


class Member(NamedTuple):
    """A key or account of an authority that a transaction needs."""

    depth: int
    key: bytes | None
    account: str
    weight: int
    threshold: int
    has_signed: bool


# --- the file ------------------------------------------------------------------------------------------------------


def write_file(path: Path, codec: Codec, transaction: Transaction, *, is_new: bool = False) -> None:
    """Writes a transaction for others to sign; with `is_new` an existing file is not replaced. Raises ClientError."""
    content = {
        "format": FORMAT,
        "version": VERSION,
        "chain_id": codec.identity.chain_id.hex(),
        "transaction": transaction.to_json(codec, legacy=True),
    }
    try:
        with path.open("x" if is_new else "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
    except FileExistsError:
        raise ClientError(f"{path} exists already", "Name another file, or remove it first.") from None
    except OSError as error:
        raise ClientError(f"{path} cannot be written: {error.strerror}") from None


def read_file(path: Path, codec: Codec) -> Transaction:
    """Reads a transaction of this chain from a file. Raises ClientError."""
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}") from None
    try:
        content: Any = json.loads(data) if len(data) <= FILE_BYTES_MAX else None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ClientError(f"{path} is no transaction to sign together", "`plaudit wallet multisig build` makes one.")
    if content.get("version") != VERSION:
        raise ClientError(f"{path} was written by a newer version of this wallet", "Use that version.")
    if content.get("chain_id") != codec.identity.chain_id.hex():
        raise ClientError(
            f"{path} is a transaction of another chain: {content.get('chain_id')}", "Name a node of it with --node."
        )
    try:
        return Transaction.from_json(codec, content.get("transaction"))
    except ProtocolError as error:
        raise ClientError(f"{path} is damaged: {error.message.partition(':')[2]}") from None


# --- who has to sign -----------------------------------------------------------------------------------------------


class Signers:
    """The required authorities of a transaction, by the current state of the chain."""

    def __init__(self, required: RequiredAuthorities, authorities: AuthorityFinder) -> None:
        self._authorities = authorities
        self._nested_role = "posting" if required.postings else "active"
        self.requirements = [Requirement("", "", (authority,)) for authority in required.others]
        for role, names in (("owner", required.owners), ("active", required.actives), ("posting", required.postings)):
            for name in sorted(names):
                options = tuple(authorities.get_authority(name, candidate) for candidate in STRONGER_ROLES[role])
                self.requirements.append(Requirement(name, role, options))

    def is_complete(self, signed: Collection[bytes]) -> bool:
        """Whether these keys suffice."""
        return all(self.is_met(requirement, signed) for requirement in self.requirements)

    def is_met(self, requirement: Requirement, signed: Collection[bytes]) -> bool:
        """Whether these keys satisfy a requirement."""
        return any(self._is_reached(option, signed, 0) for option in requirement.options)

    def weigh(self, authority: Authority, signed: Collection[bytes], depth: int = 0) -> int:
        """Returns the weight of these keys in an authority."""
        total = sum(weight for key, weight in authority.key_auths if key in signed)
        if depth < DEPTH_MAX:
            for name, weight in authority.account_auths:
                if self._is_reached(self._nested(name), signed, depth + 1):
                    total += weight
        return total

    def _is_reached(self, authority: Authority, signed: Collection[bytes], depth: int) -> bool:
        return self.weigh(authority, signed, depth) >= authority.weight_threshold

    def _nested(self, name: str) -> Authority:
        return self._authorities.get_authority(name, self._nested_role)

    def list_members(self, authority: Authority, signed: Collection[bytes], depth: int = 0) -> Iterator[Member]:
        """Returns the keys and accounts of an authority, each account followed by its own members."""
        threshold = authority.weight_threshold
        for key, weight in authority.key_auths:
            yield Member(depth, key, "", weight, threshold, key in signed)
        if depth == DEPTH_MAX:
            return
        for name, weight in authority.account_auths:
            nested = self._nested(name)
            yield Member(depth, None, name, weight, threshold, self._is_reached(nested, signed, depth + 1))
            yield from self.list_members(nested, signed, depth + 1)

    def choose(self, signed: Collection[bytes], available: Collection[bytes]) -> list[bytes]:
        """Returns the available keys that should sign in addition to the existing signatures, without unnecessary
        ones."""
        chosen: dict[bytes, None] = {}
        for requirement in self.requirements:
            have = {*signed, *chosen}
            if self.is_met(requirement, have):
                continue
            found = [(option, self._find_useful(option, have, available)) for option in requirement.options]
            found = [pair for pair in found if pair[1]]
            complete = [pair for pair in found if self._is_reached(pair[0], {*have, *pair[1]}, 0)]
            if complete:
                option, keys = complete[0]
                for key in list(keys):
                    rest = [other for other in keys if other != key]
                    if self._is_reached(option, {*have, *rest}, 0):
                        keys = rest
                chosen.update(dict.fromkeys(keys))
            elif found:
                chosen.update(dict.fromkeys(found[0][1]))
        return list(chosen)

    def _find_useful(self, option: Authority, have: Collection[bytes], available: Collection[bytes]) -> list[bytes]:
        members = self.list_members(option, have)
        return list(
            dict.fromkeys(m.key for m in members if m.key is not None and m.key in available and not m.has_signed)
        )

    def find_surplus(self, signed: Iterable[bytes]) -> list[bytes]:
        """Returns the unnecessary keys; the protocol rejects irrelevant signatures."""
        kept = list(dict.fromkeys(signed))
        surplus = []
        if self.is_complete(kept):
            for key in reversed(list(kept)):
                rest = [other for other in kept if other != key]
                if self.is_complete(rest):
                    kept = rest
                    surplus.append(key)
        return surplus
