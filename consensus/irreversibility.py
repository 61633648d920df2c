"""The last irreversible block: the newest block that enough witnesses confirmed by building on it.

Source: libraries/chain/database.cpp, database::update_last_irreversible_block.
"""

from collections.abc import Sequence

from consensus.slots import get_round_witnesses
from protocol.units import BASIS_POINTS
from state.context import Context


def compute_confirmed_block(confirmations: Sequence[int], threshold_bp: int) -> int:
    """The highest block that enough witnesses confirmed.

    `confirmations` holds the number of the last block made by each witness of the round; `threshold_bp` is the share of
    witnesses, in basis points, that must have made that block or a later one.
    """
    may_lack = (BASIS_POINTS - threshold_bp) * len(confirmations) // BASIS_POINTS
    return sorted(confirmations)[may_lack]


def update_last_irreversible_block(ctx: Context) -> None:
    """Advances the last irreversible block after a block was applied; it never decreases.

    Below `irreversible_by_witness_from_block` it is a fixed number of blocks behind the head, whoever made them.
    """
    gpo = ctx.gpo
    rules = ctx.rules
    if gpo.head_block_number < rules.irreversible_by_witness_from_block:
        irreversible = gpo.head_block_number - rules.irreversible_fixed_depth_blocks
    else:
        witnesses = ctx.tables.witnesses
        confirmations = [witnesses.get(name).last_confirmed_block_num for name in get_round_witnesses(ctx)]
        irreversible = compute_confirmed_block(confirmations, rules.irreversible_threshold_bp)
    if irreversible > gpo.last_irreversible_block_num:
        ctx.update_gpo(last_irreversible_block_num=irreversible)
