"""When blocks become irreversible."""

from __future__ import annotations

import pytest

from consensus.irreversibility import compute_confirmed_block, update_last_irreversible_block
from state.context import Context
from tests.chains import FIRST
from tests.consensus.worlds import change_witness, make_context, make_round


def with_switch_at(ctx: Context, height: int) -> Context:
    ctx.rules = ctx.rules.replace(irreversible_by_witness_from_block=height)
    return ctx


@pytest.mark.parametrize(
    ("confirmations", "expected"),
    [
        ([7], 7),
        ([9, 3], 3),
        ([5, 3, 4], 3),
        ([4, 5, 6, 1], 4),
        ([1, 1, 1, 2, 2, 2, 2, 2, 2, 2], 1),
        ([1, 1, 2, 2, 2, 2, 2, 2, 2, 2], 2),
        (list(range(100, 121)), 105),
        ([0] * 5 + [50] * 16, 50),
        ([0] * 6 + [50] * 15, 0),
    ],
)
def test_three_quarters_must_have_built_on_a_block(confirmations: list[int], expected: int) -> None:
    assert compute_confirmed_block(confirmations, 7500) == expected


@pytest.mark.parametrize(("head", "expected"), [(1, 0), (21, 0), (22, 1), (23, 2), (43, 22), (863_999, 863_978)])
def test_below_the_switch_it_is_a_fixed_depth(head: int, expected: int) -> None:
    """The reference chains: 0 up to block 21, then 21 behind the head, whoever produces."""
    ctx = make_context()
    make_round(ctx, 21, last_confirmed_block_num=head)
    ctx.update_gpo(head_block_number=head)
    update_last_irreversible_block(ctx)
    assert ctx.gpo.last_irreversible_block_num == expected


def test_from_the_switch_on_the_witnesses_decide() -> None:
    ctx = make_context()
    names = make_round(ctx, 21)
    for place, name in enumerate(names):
        change_witness(ctx, name, last_confirmed_block_num=864_000 - place)
    ctx.update_gpo(head_block_number=863_999, last_irreversible_block_num=863_977)
    update_last_irreversible_block(ctx)
    assert ctx.gpo.last_irreversible_block_num == 863_978
    ctx.update_gpo(head_block_number=864_000)
    update_last_irreversible_block(ctx)
    assert ctx.gpo.last_irreversible_block_num == 864_000 - 15


def test_it_never_goes_back() -> None:
    ctx = with_switch_at(make_context(), 0)
    make_round(ctx, 3, last_confirmed_block_num=5)
    ctx.update_gpo(head_block_number=9, last_irreversible_block_num=7)
    update_last_irreversible_block(ctx)
    assert ctx.gpo.last_irreversible_block_num == 7


def test_a_witness_alone_makes_every_block_final() -> None:
    ctx = with_switch_at(make_context(), 0)
    change_witness(ctx, FIRST, last_confirmed_block_num=12)
    ctx.update_gpo(head_block_number=12)
    update_last_irreversible_block(ctx)
    assert ctx.gpo.last_irreversible_block_num == 12
