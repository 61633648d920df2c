"""Proofs of checks made while a transaction was pending, which need not be repeated in its block."""

from collections.abc import Callable
from typing import NamedTuple

from protocol.rules import Rules
from state.tables.accounts import AccountAuthority


class Proof(NamedTuple):
    """A proof that a transaction's operations are valid and its signatures satisfy the required authorities.

    Both depend only on the transaction, the chain id, the rules and the authorities read; the proof holds while these
    are unchanged.
    """

    chain_id: bytes
    rules: Rules
    authorities: tuple[AccountAuthority, ...]

    def is_authorised(self, find: Callable[[str], AccountAuthority | None]) -> bool:
        """Whether all authorities that were read are unchanged."""
        return all([find(row.account) == row for row in self.authorities])


def find_proof(found: object, chain_id: bytes, rules: Rules) -> Proof | None:
    """The proof stored on a transaction, if it was made under these rules; its operations need no validation then."""
    if isinstance(found, Proof) and found.rules is rules and found.chain_id == chain_id:
        return found
    return None
