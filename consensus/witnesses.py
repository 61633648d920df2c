"""Looking witnesses up."""

from protocol.errors import UnknownKey
from state.context import Context
from state.tables.witnesses import Witness


def get_witness(ctx: Context, name: str) -> Witness:
    """The witness with this name; raises UnknownKey. Source: database.cpp, database::get_witness."""
    witness = ctx.tables.witnesses.find(name)
    if witness is None:
        raise UnknownKey(name=name)
    return witness
