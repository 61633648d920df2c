"""Signed transactions whose outcome is not known: whoever sends the like again may do it twice.

A node can refuse a transaction, or say nothing of it, and bring it into a block later. So the key file remembers what
was signed until no block can take it any more, or until a block was seen to hold it.
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
"""Fields that differ between two commands of the same words; an encrypted memo is another each time."""

Unresolved = Mapping[str, tuple[str, int]]
"""By the fingerprint of what was signed: the transaction's id, and its expiration."""


_MONEY = re.compile(r"(?=.*[1-9])\d+\.\d{3} [A-Z]+", re.ASCII)
"""An amount of money that is not 0; shares, which have six decimals, are set rather than paid."""


def make_fingerprint(operations: Sequence[Any]) -> str:
    """What tells payments (operations in the legacy JSON form) from others; empty if there is none among them.

    Votes, keys and settings may be told to the chain twice without harm, and are often tried again.
    """
    if not any(_MONEY.fullmatch(str(value)) for _, fields in operations for value in fields.values()):
        return ""
    kept = []
    for name, fields in operations:
        kept.append([name, {key: part for key, part in fields.items() if key not in _CHOSEN_ANEW}])
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()


def doubt_repeat(unresolved: Unresolved, fingerprint: str, now: int) -> str:
    """Why sending something may do it twice; empty if nothing like it is on its way."""
    transaction_id, expiration = unresolved.get(fingerprint, ("", 0))
    if now > expiration + MARGIN_SECONDS:
        return ""
    return (
        f"the same was signed before as transaction {transaction_id}, whose outcome is not known: until "
        f"{time_text(expiration)} UTC a block may still take it, and then it would be done twice"
    )


def add_unresolved(unresolved: Unresolved, fingerprint: str, transaction: Transaction, now: int) -> dict[str, Any]:
    """With a transaction that was signed now, and without those that no block takes any more."""
    current = {key: value for key, value in unresolved.items() if now <= value[1] + MARGIN_SECONDS}
    return {**current, fingerprint: (transaction.id.hex(), transaction.expiration)}
