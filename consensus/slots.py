"""Slots: the assignment of times to witnesses.

Time is cut into slots of one block interval. Slot 0 is that of the head block, slot 1 the next one, and so on; a slot
in which no block was made is a missed one. The absolute slot number (`current_aslot`) counts all slots since the
genesis, and picks the witness from the round's shuffled list.

Source: libraries/chain/database.cpp, get_slot_time, get_slot_at_time, get_scheduled_witness and
witness_participation_rate.
"""

from protocol.units import BASIS_POINTS
from state.context import SINGLETON, Context

SLOTS_WATCHED = 128
"""Width of the bitmap `recent_slots_filled`: one bit for each of the latest slots. Part of the protocol."""


def get_slot_time(ctx: Context, slot: int) -> int:
    """The time of a slot after the head block, in seconds since the epoch; 0 for slot 0.

    The first slot of a chain without blocks is one interval after the genesis.
    """
    if slot == 0:
        return 0
    interval = ctx.rules.block_interval_seconds
    gpo = ctx.gpo
    if gpo.head_block_number == 0:
        return gpo.time + slot * interval
    return gpo.time // interval * interval + slot * interval


def get_slot_at_time(ctx: Context, when: int) -> int:
    """The number of the slot that `when` (seconds since the epoch) lies in; 0 if that is not after the head block."""
    first_slot_time = get_slot_time(ctx, 1)
    if when < first_slot_time:
        return 0
    return (when - first_slot_time) // ctx.rules.block_interval_seconds + 1


def get_scheduled_witness(ctx: Context, slot: int) -> str:
    """The witness scheduled for a slot after the head block, according to the current round."""
    schedule = ctx.tables.witness_schedule.get(SINGLETON)
    position = (ctx.gpo.current_aslot + slot) % schedule.num_scheduled_witnesses
    return schedule.current_shuffled_witnesses[position]


def get_round_witnesses(ctx: Context) -> tuple[str, ...]:
    """The names of the round's witnesses in slot order, without the unused places of a small round."""
    schedule = ctx.tables.witness_schedule.get(SINGLETON)
    return schedule.current_shuffled_witnesses[: schedule.num_scheduled_witnesses]


def get_participation_rate(ctx: Context) -> int:
    """The share of the latest 128 slots that have a block, in basis points."""
    return BASIS_POINTS * ctx.gpo.recent_slots_filled.bit_count() // SLOTS_WATCHED
