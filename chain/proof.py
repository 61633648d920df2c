"""What was proved of a transaction while it waited, so that its block need not prove it again."""

from collections.abc import Callable
from typing import NamedTuple

from protocol.rules import Rules
from state.tables.accounts import AccountAuthority


class Proof(NamedTuple):
    """That a transaction's operations are valid, and that its signatures meet the authorities it needs.

    Both follow from the transaction, the chain's id, the rules and the authorities that were read; it holds as long as
    these are the same.
    """

    chain_id: bytes
    rules: Rules
    authorities: tuple[AccountAuthority, ...]

    def is_authorised(self, find: Callable[[str], AccountAuthority | None]) -> bool:
        """Whether no authority that was read has changed since."""
        return all([find(row.account) == row for row in self.authorities])


def find_proof(found: object, chain_id: bytes, rules: Rules) -> Proof | None:
    """What lies on a transaction, if it is a proof by these rules; the operations need not be validated then."""
    if isinstance(found, Proof) and found.rules is rules and found.chain_id == chain_id:
        return found
    return None
