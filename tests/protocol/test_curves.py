"""Reward curves against figures worked out by hand from their formulas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.codec import Codec
from protocol.curves import CURVES, RewardCurve, compute_approximate_square_root, evaluate_reward_curve, get_curve
from protocol.rules import Rules
from protocol.types import CurveId
from tests.chains import MAINNET

S = 2_000_000_000_000


@pytest.mark.parametrize(
    ("value", "root"),
    [
        (0, 0),
        (1, 1),
        (2, 1),
        (3, 1),
        (4, 2),
        (8, 3),  # m = 3: top bit 2, below it half of the odd bit 2
        (15, 3),
        (16, 4),
        (24, 5),  # 4, and half of 8 >> 2
        (10_000, 103),  # m = 13: 64, and half of 64 + (1808 >> 7)
        (1 << 42, 1 << 21),
        (1 << 126, 1 << 63),
        ((1 << 128) - 1, (1 << 64) - 1),
    ],
)
def test_square_root(value: int, root: int) -> None:
    assert compute_approximate_square_root(value) == root


@given(st.integers(1, (1 << 128) - 1))
def test_square_root_is_near(value: int) -> None:
    """Straight lines between the powers of two: at most 1 below the exact root, at most 6.1 % above it."""
    root = compute_approximate_square_root(value)
    assert (root + 2) ** 2 > value
    assert root * root * 1000 <= value * 1126


@pytest.mark.parametrize(
    ("curve", "rshares", "constant", "value"),
    [
        (RewardCurve.QUADRATIC, 3, 2, 21),  # 5 * 5 - 2 * 2
        (RewardCurve.QUADRATIC, 1 << 64, 0, 0),  # 2 ** 128 does not fit
        (RewardCurve.BOUNDED_CURATION, 1, 1, (1 << 64) // 3),
        (RewardCurve.BOUNDED_CURATION, 2 * S, S, 1 << 63),  # half of the bound
        (RewardCurve.LINEAR, 12345, S, 12345),
        (RewardCurve.SQUARE_ROOT, 10_000, S, 103),
        (RewardCurve.CONVERGENT_LINEAR, 1, S, 0),  # (2 s + 1) / (4 s + 1)
        (RewardCurve.CONVERGENT_LINEAR, S, S, 1_200_000_000_000),  # (4 - 1) s s / 5 s
        (RewardCurve.CONVERGENT_LINEAR, 4 * S, S, 6_000_000_000_000),  # (25 - 1) s s / 8 s
        (RewardCurve.CONVERGENT_LINEAR, 7, 0, 7),
        (RewardCurve.CONVERGENT_SQUARE_ROOT, (1 << 42) - 2 * S, S, 189_803),  # 398046511104 / 2 ** 21
        (RewardCurve.CONVERGENT_SQUARE_ROOT, 0, 0, 0),
    ],
)
def test_curve(curve: RewardCurve, rshares: int, constant: int, value: int) -> None:
    assert evaluate_reward_curve(rshares, curve.number, constant) == value


@given(st.integers(0, 10**18), st.integers(0, 10**18))
def test_claims_never_fall(low: int, high: int) -> None:
    low, high = sorted((low, high))
    for curve in (RewardCurve.LINEAR, RewardCurve.CONVERGENT_LINEAR, RewardCurve.SQUARE_ROOT):
        assert evaluate_reward_curve(low, curve.number, S) <= evaluate_reward_curve(high, curve.number, S)


def test_curation_weight() -> None:
    """Counterpart of the reference's curation_weight_test.

    4 * 10**12 lies between 2 ** 41 and 2 ** 42: the root is 2 ** 20 + (2 ** 20 + (1800976744448 >> 21)) / 2.
    """
    for rshares in (856_158, 0):
        root = compute_approximate_square_root(rshares + 2 * S)
        assert root == 2_002_250
        assert rshares // root == 0
        assert evaluate_reward_curve(rshares, RewardCurve.CONVERGENT_SQUARE_ROOT.number, S) == 0
    rshares = 3_351_842_535_167
    new_weight = evaluate_reward_curve(rshares, RewardCurve.CONVERGENT_SQUARE_ROOT.number, S)
    assert new_weight == rshares // compute_approximate_square_root(rshares + 2 * S)
    old_weight = 0
    for missing in range(856_158, -1, -1):
        weight = evaluate_reward_curve(rshares - missing, RewardCurve.CONVERGENT_SQUARE_ROOT.number, S)
        assert old_weight <= weight <= new_weight
        old_weight = weight
    assert old_weight == new_weight


@pytest.mark.parametrize("number", [-1, len(CURVES)])
def test_an_unknown_curve_fails(number: int) -> None:
    with pytest.raises(ValueError, match="no reward curve has the number"):
        evaluate_reward_curve(1, number, S)
    with pytest.raises(ValueError, match="no reward curve has the number"):
        get_curve(number)


def test_a_curve_has_one_name_and_one_number_in_every_form() -> None:
    """Source: misc_utilities.hpp, curve_id."""
    names = ["quadratic", "bounded_curation", "linear", "square_root", "convergent_linear", "convergent_square_root"]
    codec = Codec(MAINNET)
    for number, (name, curve) in enumerate(zip(names, RewardCurve, strict=True)):
        assert (curve.number, str(curve), get_curve(number)) == (number, name, curve)
        assert codec.to_json(CurveId, number) == name and codec.from_json(CurveId, name) == number
        assert Rules(author_reward_curve=name).author_reward_curve is curve  # type: ignore[arg-type]
