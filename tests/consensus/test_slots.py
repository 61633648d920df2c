"""Slots, missed ones, and what a block changes about the chain as a whole."""

from __future__ import annotations

import pytest

from consensus.global_data import UndoHistoryExhausted, compute_slots_filled
from consensus.slots import get_participation_rate, get_scheduled_witness, get_slot_at_time, get_slot_time
from protocol.types import NULL_PUBLIC_KEY
from tests.chains import FIRST
from tests.consensus.chains import apply_block, generate, give_keys, make_block
from tests.consensus.worlds import change_witness, make_context, make_round, parse_time

ALL = (1 << 128) - 1
GENESIS = parse_time("2016-01-01T00:00:00")


def test_the_first_slot_is_one_interval_after_the_genesis() -> None:
    ctx = make_context()
    assert get_slot_time(ctx, 0) == 0
    assert get_slot_time(ctx, 1) == GENESIS + 3
    assert get_slot_at_time(ctx, GENESIS + 2) == 0
    assert get_slot_at_time(ctx, GENESIS + 3) == 1
    assert get_slot_at_time(ctx, GENESIS + 5) == 1
    assert get_slot_at_time(ctx, GENESIS + 6) == 2


def test_slots_after_a_head_that_is_not_on_a_slot_are() -> None:
    ctx = make_context()
    ctx.update_gpo(head_block_number=5, time=GENESIS + 100)
    assert get_slot_time(ctx, 1) == GENESIS + 99 + 3
    assert get_slot_at_time(ctx, GENESIS + 101) == 0
    assert get_slot_at_time(ctx, GENESIS + 102) == 1


def test_slots_go_round_the_schedule() -> None:
    ctx = make_context()
    names = make_round(ctx, 5)
    ctx.update_gpo(current_aslot=13)
    assert [get_scheduled_witness(ctx, slot) for slot in range(1, 7)] == [
        names[(13 + slot) % 5] for slot in range(1, 7)
    ]


@pytest.mark.parametrize(
    ("slots", "missed", "expected"),
    [
        (0, 0, 1),
        (0b101, 0, 0b1011),
        (0b1, 2, 0b1100),
        (ALL, 0, ALL),
        (ALL, 3, ALL - 7),
        (ALL, 127, 1 << 127),
        (ALL, 128, 0),
        (ALL, 49_464_599, 0),
    ],
)
def test_the_bit_of_a_block_comes_before_the_zeros_it_missed(slots: int, missed: int, expected: int) -> None:
    assert compute_slots_filled(slots, missed) == expected


def test_block_1_of_the_reference_chain_missed_49_million_slots() -> None:
    ctx = make_context()
    give_keys(ctx)
    block = make_block(ctx, timestamp=parse_time("2020-09-13T12:30:00"))
    apply_block(ctx, block)
    gpo = ctx.gpo
    assert (gpo.head_block_number, gpo.head_block_id, gpo.time) == (1, block.id, block.timestamp)
    assert gpo.current_aslot == 49_464_600
    assert (gpo.recent_slots_filled, gpo.participation_count) == (0, 0)
    assert gpo.available_account_subsidies == 797
    witness = ctx.tables.witnesses.get(FIRST)
    assert (witness.total_missed, witness.last_aslot, witness.last_confirmed_block_num) == (0, 49_464_600, 1)
    generate(ctx, 22)
    gpo = ctx.gpo
    assert (gpo.recent_slots_filled, gpo.participation_count) == (4_194_303, 22)
    assert (gpo.last_irreversible_block_num, gpo.available_account_subsidies) == (2, 18_331)
    assert get_participation_rate(ctx) == 10_000 * 22 // 128
    assert ctx.tables.block_summaries.get(1).block_id == block.id


@pytest.mark.parametrize("missed", [0, 1, 2, 4, 5, 6, 23, 1000])
def test_missed_slots_count_for_their_witnesses(missed: int) -> None:
    """Counterpart of the reference's loop over all missed slots; the block's own producer is let off."""
    ctx = make_context()
    names = make_round(ctx, 5)
    give_keys(ctx)
    generate(ctx, 3)
    turns = [get_scheduled_witness(ctx, slot) for slot in range(1, missed + 1)]
    block = make_block(ctx, missed + 1)
    apply_block(ctx, block)
    for name in names:
        expected = 0 if name == block.witness else turns.count(name)
        assert ctx.tables.witnesses.get(name).total_missed == expected, name
    assert ctx.gpo.current_aslot == 4 + missed
    assert ctx.gpo.participation_count == ctx.gpo.recent_slots_filled.bit_count()


def test_too_many_reversible_blocks() -> None:
    ctx = make_context()
    ctx.rules = ctx.rules.replace(irreversible_by_witness_from_block=0, max_undo_history_blocks=100)
    make_round(ctx, 21)
    give_keys(ctx)
    generate(ctx, 20)
    ctx.update_gpo(head_block_number=120, last_irreversible_block_num=20)
    ctx.update_gpo(head_block_id=(120).to_bytes(4, "big") + bytes(16))
    with pytest.raises(UndoHistoryExhausted, match="not have enough undo history"):
        apply_block(ctx, make_block(ctx))


@pytest.mark.parametrize(("reversible", "is_refused"), [(99, False), (100, True)])
def test_the_last_block_that_the_undo_history_has_room_for(reversible: int, is_refused: bool) -> None:
    """As in the reference, a block is refused with which as many are reversible as the history is long."""
    ctx = make_context()
    ctx.rules = ctx.rules.replace(irreversible_by_witness_from_block=0, max_undo_history_blocks=100)
    make_round(ctx, 21)
    give_keys(ctx)
    generate(ctx, 20)
    ctx.update_gpo(head_block_number=119, last_irreversible_block_num=120 - reversible)
    ctx.update_gpo(head_block_id=(119).to_bytes(4, "big") + bytes(16))
    block = make_block(ctx)
    if is_refused:
        with pytest.raises(UndoHistoryExhausted):
            apply_block(ctx, block)
    else:
        apply_block(ctx, block)


@pytest.mark.parametrize(("silent", "is_shut_down"), [(60, False), (61, True)])
def test_the_last_block_of_silence_before_a_witness_is_shut_down(silent: int, is_shut_down: bool) -> None:
    """As in the reference, more than the limit: the head when the slot was missed, without the witness's own block."""
    ctx = make_context()
    ctx.rules = ctx.rules.replace(witness_shutdown_blocks=60)
    names = make_round(ctx, 5)
    give_keys(ctx)
    generate(ctx, 3)
    absent = get_scheduled_witness(ctx, 1)
    head = 10 + silent
    ctx.update_gpo(head_block_number=head, head_block_id=head.to_bytes(4, "big") + bytes(16))
    for name in names:
        change_witness(ctx, name, last_confirmed_block_num=10 if name == absent else head)
    apply_block(ctx, make_block(ctx, 2))
    assert (ctx.tables.witnesses.get(absent).signing_key == NULL_PUBLIC_KEY) is is_shut_down


def test_participation_while_blocks_are_missed() -> None:
    """Counterpart of rsf_missed_blocks: the latest slot first, a block stands behind the zeros of its missed slots."""
    ctx = make_context()
    give_keys(ctx)
    generate(ctx)
    shown = "1" * 128
    assert (ctx.gpo.recent_slots_filled, get_participation_rate(ctx)) == (ALL, 10_000)
    skips = (1, 1, 2, 3, 5, 8, 13, 0, 0, 0, 0, 64, 32)
    filled = (127, 126, 124, 121, 116, 108, 95, 95, 95, 95, 95, 31, 8)
    for missed, count in zip(skips, filled, strict=True):
        generate(ctx, 1, missed + 1)
        shown = ("0" * missed + "1" + shown)[:128]
        assert f"{ctx.gpo.recent_slots_filled:0128b}"[::-1] == shown
        assert get_participation_rate(ctx) == 10_000 * count // 128
        assert ctx.gpo.participation_count == count


def test_a_minute_without_blocks() -> None:
    """Counterpart of skip_block."""
    ctx = make_context()
    give_keys(ctx)
    generate(ctx, 2)
    when = get_slot_time(ctx, 20)
    generate(ctx, 1, slot=20)
    assert (ctx.gpo.head_block_number, ctx.time) == (3, when)
    generate(ctx)
    assert (ctx.gpo.head_block_number, ctx.time) == (4, when + 3)
