"""The auditor's books and the chain's state agree to the last unit, on the reference's chains and on random plays."""

from __future__ import annotations

import os
from secrets import randbelow
from time import perf_counter
from typing import Any

import pytest

from tests.audit.auditor import Auditor
from tests.audit.operations import HANDLERS
from tests.audit.play import Player, audited, play_config
from tests.audit.seeds import BOUNDED_SEEDS, KEPT_SEEDS

BOUNDED_OPERATIONS = 800
LONG_OPERATIONS = int(os.environ.get("PLAUDIT_AUDIT_OPERATIONS", "24000"))

VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"skip_price_feed_limit_check": True, "vesting_withdraw_intervals": 13},
    {"cashout_window_seconds": 86_400, "min_feeds": 1, "feed_interval_blocks": 40, "reverse_auction_seconds": 3600},
)
"""Rules that plays differ in, by seed."""

EVENTS = [
    "author_reward",
    "comment_reward",
    "curation_reward",
    "comment_benefactor_reward",
    "comment_payout_update",
    "producer_reward",
    "fill_order",
    "fill_convert_request",
    "fill_vesting_withdraw",
    "fill_transfer_from_savings",
    "interest",
    "return_vesting_delegation",
    "clear_null_account_balance",
    "proposal_pay",
    "sps_fund",
]


def play(seed: int, operations: int) -> Auditor:
    """Plays until so many operations are in blocks; an error names the seed."""
    player = Player(seed, play_config(**VARIANTS[seed % len(VARIANTS)]))
    with audited(player.world) as auditor:
        try:
            player.start()
            while auditor.operations < operations:
                player.step()
            player.make_block()
            auditor.compare_all()
        except BaseException as error:
            error.add_note(f"play it again: PLAUDIT_AUDIT_SEED={seed} make audit")
            raise
    player.world.recount()
    return auditor


def play_bounded() -> None:
    """Plays all that `make test` plays; planted faults are looked for with no more."""
    for seed in (*BOUNDED_SEEDS, *KEPT_SEEDS):
        play(seed, BOUNDED_OPERATIONS)


@pytest.mark.parametrize("seed", [*BOUNDED_SEEDS, *KEPT_SEEDS])
def test_the_books_agree_with_a_random_play(seed: int) -> None:
    auditor = play(seed, BOUNDED_OPERATIONS)
    assert auditor.operations >= BOUNDED_OPERATIONS


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_books_agree_with_long_random_plays() -> None:
    given = os.environ.get("PLAUDIT_AUDIT_SEED")
    seeds = [int(given)] if given else [*BOUNDED_SEEDS, *KEPT_SEEDS, 100 + randbelow(2**31)]
    seen: set[str] = set()
    for seed in seeds:
        began = perf_counter()
        auditor = play(seed, -(-LONG_OPERATIONS // len(seeds)))
        seen.update(auditor.kinds)
        seconds = perf_counter() - began
        print(f"seed {seed}: {auditor.operations} operations in {auditor.blocks} blocks, {seconds:.0f} s")
    assert given or not sorted({*HANDLERS, *EVENTS} - {"witness_set_properties"} - seen), "something never happened"
