"""A liveness rule for small chains: the last witness with a signing key cannot lose it.

A witness retires by setting the null key. In the reference the last one of a round can retire too, which halts the
chain. Here, if no witness of the round has a signing key, the producer of the newest block keeps the key that signed
it. A chain of the reference has no further blocks at that point, so this rule changes the meaning of none.
"""

from consensus.slots import get_round_witnesses
from protocol.types import NULL_PUBLIC_KEY
from state.context import Context
from state.tables.witnesses import Witness


def keep_last_signing_key(ctx: Context, witness: Witness, signing_key: bytes) -> None:
    """Restores the key that signed the block to its producer, if no witness of the round has a signing key."""
    witnesses = ctx.tables.witnesses
    if any(witnesses.get(scheduled).signing_key != NULL_PUBLIC_KEY for scheduled in get_round_witnesses(ctx)):
        return
    witnesses.update(witness, signing_key=signing_key)
