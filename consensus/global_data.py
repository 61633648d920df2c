"""Chain-wide state that every block updates: the head, filled and missed slots, and the producer's record.

Source: libraries/chain/database.cpp, update_global_dynamic_data, update_signing_witness and create_block_summary.
"""

from consensus.signing_keys import keep_last_signing_key
from consensus.slots import SLOTS_WATCHED, get_round_witnesses, get_slot_at_time
from protocol.errors import ChainError, known_as
from protocol.integers import UINT32_MAX
from protocol.types import NULL_PUBLIC_KEY
from protocol.virtual_operations import ShutdownWitness
from state.context import Context
from state.tables.globals import BlockSummary
from state.tables.witnesses import Witness

BLOCK_SUMMARY_MASK = 0xFFFF
"""A block's summary is kept under the low 16 bits of its number."""

_SLOTS_MASK = (1 << SLOTS_WATCHED) - 1


@known_as(4070000, "undo_database_exception", "undo database exception")
class UndoHistoryExhausted(ChainError):
    """The maximum number of reversible blocks is reached; no block may follow until one becomes irreversible."""


def update_global_dynamic_data(ctx: Context) -> None:
    """Makes the block the head, and counts the slots missed before it for their witnesses and for the chain."""
    block, gpo = ctx.applied_block.block, ctx.gpo
    missed = get_slot_at_time(ctx, block.timestamp) - 1 if gpo.time != 0 else 0
    if missed > 0:
        _count_missed(ctx, missed, block.witness)
    slots = compute_slots_filled(gpo.recent_slots_filled, missed)
    gpo = ctx.update_gpo(
        recent_slots_filled=slots,
        participation_count=slots.bit_count(),
        head_block_number=block.number,
        head_block_id=block.id,
        time=block.timestamp,
        current_aslot=gpo.current_aslot + missed + 1,
    )
    limit = ctx.rules.max_undo_history_blocks
    if not gpo.head_block_number - gpo.last_irreversible_block_num < limit:
        raise UndoHistoryExhausted(
            "_dgp.head_block_number - _dgp.last_irreversible_block_num < STEEM_MAX_UNDO_HISTORY",
            "The database does not have enough undo history to support a blockchain with so many missed blocks. "
            "Please add a checkpoint if you would like to continue applying blocks beyond this point.",
            last_irreversible_block_num=gpo.last_irreversible_block_num,
            head=gpo.head_block_number,
            max_undo=limit,
        )


def compute_slots_filled(slots: int, missed: int) -> int:
    """Shifts a block and the `missed` slots before it into the bitmap of the latest slots.

    As in the reference, the block's own bit is shifted in first, before the zeros of the slots missed before it.
    """
    if missed >= SLOTS_WATCHED:
        return 0
    return (slots << 1 | 1) << missed & _SLOTS_MASK


def _count_missed(ctx: Context, missed: int, producer: str) -> None:
    """Adds the `missed` slots after the head to their witnesses' totals, except those of the block's producer.

    There may be millions of missed slots, so they are counted by position in the round instead of one by one.
    """
    names = get_round_witnesses(ctx)
    first = ctx.gpo.current_aslot + 1
    witnesses = ctx.tables.witnesses
    for position, name in enumerate(names):
        before = (position - first) % len(names)
        if name == producer or before >= missed:
            continue
        witness = witnesses.get(name)
        count = (missed - 1 - before) // len(names) + 1
        witness = witnesses.update(witness, total_missed=witness.total_missed + count & UINT32_MAX)
        _shut_down_if_absent(ctx, witness)


def _shut_down_if_absent(ctx: Context, witness: Witness) -> None:
    """Removes the signing key of a witness that missed its slot and made no block for too long, if the rules say so.

    An absent witness that stays in the rounds of a small chain prevents blocks from becoming irreversible.
    """
    limit = ctx.rules.witness_shutdown_blocks
    silent = ctx.gpo.head_block_number - witness.last_confirmed_block_num
    if limit and silent > limit and witness.signing_key != NULL_PUBLIC_KEY:
        ctx.tables.witnesses.update(witness, signing_key=NULL_PUBLIC_KEY)
        ctx.emit(ShutdownWitness(witness.owner))


def update_signing_witness(ctx: Context) -> None:
    """Records the block in its producer's row."""
    block, signing_key = ctx.applied_block[:2]
    witnesses = ctx.tables.witnesses
    witness = witnesses.get(block.witness)
    witness = witnesses.update(witness, last_aslot=ctx.gpo.current_aslot, last_confirmed_block_num=block.number)
    if witness.signing_key == NULL_PUBLIC_KEY:
        keep_last_signing_key(ctx, witness, signing_key)


def create_block_summary(ctx: Context) -> None:
    """Stores the block's id for the TaPoS check of later transactions."""
    block = ctx.applied_block.block
    table = ctx.tables.block_summaries
    number = block.number & BLOCK_SUMMARY_MASK
    summary = table.find(number)
    if summary is None:
        table.insert(BlockSummary(id=number, block_id=block.id))
    else:
        table.update(summary, block_id=block.id)
