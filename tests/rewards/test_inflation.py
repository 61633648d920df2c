"""Inflation, the fading of claims and the print rate, against figures worked out by hand."""

import pytest

from protocol.rules import Rules
from rewards.fund import compute_faded_claims
from rewards.inflation import compute_block_inflation, compute_inflation_rate_bp, compute_witness_pay
from rewards.virtual_supply import compute_debt_bp, compute_print_rate
from state.tables.witnesses import SCHEDULE_ELECTED, SCHEDULE_MINER, SCHEDULE_TIMESHARE
from tests.rewards.rows import make_gpo, make_schedule

RULES = Rules()


@pytest.mark.parametrize(
    ("block", "rate"),
    [
        (0, 978),
        (249_999, 978),
        (250_000, 977),
        (7_000_000, 950),
        (220_749_999, 96),
        (220_750_000, 95),
        (400_000_000, 95),
    ],
)
def test_narrowing(block: int, rate: int) -> None:
    assert compute_inflation_rate_bp(RULES, block) == rate


def test_first_block_of_a_reference_testnet() -> None:
    """250 million STEEM at 9.78 %: 244,500,000,000,000 / 105,120,000,000 satoshis; the reward fund gets 1.511."""
    gpo = make_gpo(virtual_supply=250_000_000_000)
    inflation = compute_block_inflation(RULES, gpo, 1)
    assert inflation == (2325, 1511, 348, 232)
    share = 2325 - 1511 - 348 - 232
    assert compute_witness_pay(RULES, make_schedule(), SCHEDULE_MINER, share) == 196  # 234 * 21 / 25
    assert compute_witness_pay(RULES, make_schedule(), SCHEDULE_ELECTED, share) == 196
    assert compute_witness_pay(RULES, make_schedule(), SCHEDULE_TIMESHARE, share) == 982  # 234 * 21 * 5 / 25


def test_claims_fade() -> None:
    """Two blocks of a reference testnet (heights 1295 and 1297 of chain A)."""
    claims = 1_756_041_173_576
    for _ in range(2):
        claims = compute_faded_claims(claims, 3, 1_296_000)
    assert claims == 1_756_033_043_766
    assert compute_faded_claims(1000, 1_296_000, 1_296_000) == 0
    assert compute_faded_claims(1000, 2 * 1_296_000, 1_296_000) == (1 << 128) - 1000
    assert compute_faded_claims(1000, 2 * 1_296_000, 1_296_000, can_wrap=False) == 0
    assert compute_faded_claims(1000, 648_000, 1_296_000, can_wrap=False) == 500


def test_print_rate() -> None:
    assert compute_debt_bp(0, 0) == 0
    assert compute_debt_bp(949, 10_000) == 949
    assert compute_debt_bp(1, 20_001) == 0  # 0.49998 rounds down
    assert compute_debt_bp(1, 20_000) == 1  # 0.5 rounds up
    assert compute_print_rate(900, 900, 1000) == 10_000
    assert compute_print_rate(950, 900, 1000) == 5000
    assert compute_print_rate(999, 900, 1000) == 100
    assert compute_print_rate(1000, 900, 1000) == 0
    assert compute_print_rate(900, 900, 900) == 10_000
