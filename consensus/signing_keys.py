"""The one rule that keeps a small chain alive: the last witness who can sign a block stays able to.

A witness leaves by setting the null key. The reference lets the last one of a round leave too, and then nobody can
make a block any more. Here the witness who signed the newest block gets that block's key back when no witness of the
round has a key; no chain of the reference goes on after such a block, so none is read differently.
"""

from consensus.slots import get_round_witnesses
from protocol.types import NULL_PUBLIC_KEY
from state.context import Context
from state.tables.witnesses import Witness


def keep_last_signing_key(ctx: Context, witness: Witness, signing_key: bytes) -> None:
    """Gives a witness that has no key any more that of the block it just made, if nobody in the round has one."""
    witnesses = ctx.tables.witnesses
    if any(witnesses.get(scheduled).signing_key != NULL_PUBLIC_KEY for scheduled in get_round_witnesses(ctx)):
        return
    witnesses.update(witness, signing_key=signing_key)
