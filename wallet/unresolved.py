"""Signed transactions with unknown outcome: sending the same again may execute it twice.

A node can reject a transaction, or not respond, and still include it in a block later. So the key file stores signed
transactions until they expire or are seen in a block.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from protocol.times import time_text
from protocol.transaction import Transaction
from wallet.session import MARGIN_SECONDS

_CHOSEN_ANEW = frozenset(
    {
        *("memo", "request_id", "requestid", "orderid", "escrow_id"),
        *("expiration", "ratification_deadline", "escrow_expiration"),
    }
)
"""Fields that differ between repetitions of a command; an encrypted memo is different each time."""

Unresolved = Mapping[str, tuple[str, int]]
"""Fingerprint to transaction id and expiration."""


_MONEY = re.compile(r"(?=.*[1-9])\d+\.\d{3} [A-Z]+", re.ASCII)
"""A non-zero liquid amount; VESTS (six decimals) are set to a value rather than paid."""


def make_fingerprint(operations: Sequence[Any]) -> str:
    """Returns a fingerprint of the payments among operations (in legacy JSON), or an empty text if there are none.

    Votes, keys and settings can be sent twice without harm, and are often retried.
    """
    if not any(_MONEY.fullmatch(str(value)) for _, fields in operations for value in fields.values()):
        return ""
    kept = []
    for name, fields in operations:
        kept.append([name, {key: part for key, part in fields.items() if key not in _CHOSEN_ANEW}])
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def doubt_repeat(unresolved: Unresolved, fingerprint: str, now: int) -> str:
    """Returns why sending may execute a payment twice, or an empty text."""
    transaction_id, expiration = unresolved.get(fingerprint, ("", 0))
    if now > expiration + MARGIN_SECONDS:
        return ""
    return (
        f"the same was signed before as transaction {transaction_id}, whose outcome is not known: until "
        f"{time_text(expiration)} UTC a block may still take it, and then it would be done twice"
    )


def add_unresolved(unresolved: Unresolved, fingerprint: str, transaction: Transaction, now: int) -> dict[str, Any]:
    """Returns the transactions with a newly signed one, without expired ones."""
    current = {key: value for key, value in unresolved.items() if now <= value[1] + MARGIN_SECONDS}
    return {**current, fingerprint: (transaction.id.hex(), transaction.expiration)}
