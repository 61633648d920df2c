"""Reward curves: the claim of a post's rshares on a fund, and the weight of a vote's rshares among the curators.

All arithmetic is unsigned 128-bit and wraps around, as in the reference.
Source: libraries/chain/util/reward.cpp, evaluate_reward_curve and approx_sqrt; misc_utilities.hpp, curve_id.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from protocol.integers import UINT64_MAX, UINT128_MAX

Formula = Callable[[int, int], int]
"""The value of a curve at rshares (more than 0), with the content constant of its fund."""


def compute_approximate_square_root(value: int) -> int:
    """The reference's approximate square root: exact at even powers of two, linear in between.

    Let m be the position of the highest set bit. Bit m / 2 is the highest of the result; the bits below it are the
    lowest bit of m followed by the bits below bit m of `value`, truncated to m / 2 bits.
    """
    if value == 0:
        return 0
    top = value.bit_length() - 1
    root_top = top >> 1
    below = (value & ((1 << top) - 1)) >> (top - root_top)
    if top & 1:
        below |= 1 << root_top
    return (1 << root_top) | (below >> 1)


def _quadratic(rshares: int, constant: int) -> int:
    shifted = rshares + constant
    return (shifted * shifted - constant * constant) & UINT128_MAX


def _bounded_curation(rshares: int, constant: int) -> int:
    return ((rshares & UINT64_MAX) << 64) // ((2 * constant + rshares) & UINT128_MAX)


def _linear(rshares: int, constant: int) -> int:
    return rshares


def _square_root(rshares: int, constant: int) -> int:
    return compute_approximate_square_root(rshares)


def _convergent_linear(rshares: int, constant: int) -> int:
    shifted = rshares + constant
    return ((shifted * shifted - constant * constant) & UINT128_MAX) // ((rshares + 4 * constant) & UINT128_MAX)


def _convergent_square_root(rshares: int, constant: int) -> int:
    return rshares // compute_approximate_square_root((rshares + 2 * constant) & UINT128_MAX)


class RewardCurve(StrEnum):
    """A curve: its value is the name in JSON and chain configs, its position the number on the wire."""

    number: int
    """The number under which the state and the wire know the curve."""
    formula: Formula

    def __new__(cls, name: str, formula: Formula) -> RewardCurve:
        """Makes a curve from its name and formula."""
        curve = str.__new__(cls, name)
        curve._value_ = name
        curve.number = len(cls.__members__)
        curve.formula = formula
        return curve

    QUADRATIC = "quadratic", _quadratic
    BOUNDED_CURATION = "bounded_curation", _bounded_curation
    LINEAR = "linear", _linear
    SQUARE_ROOT = "square_root", _square_root
    CONVERGENT_LINEAR = "convergent_linear", _convergent_linear
    CONVERGENT_SQUARE_ROOT = "convergent_square_root", _convergent_square_root


CURVES: Final = tuple(RewardCurve)
_FORMULAS: Final = {curve.number: curve.formula for curve in CURVES}


def get_curve(number: int) -> RewardCurve:
    """The curve of a number; raises ValueError if there is none."""
    if not 0 <= number < len(CURVES):
        raise ValueError(f"no reward curve has the number {number}")
    return CURVES[number]


def evaluate_reward_curve(rshares: int, number: int, constant: int) -> int:
    """The value of the curve with this number at `rshares` (not negative), with the fund's content constant.

    Every curve begins at 0. Raises ValueError if no curve has the number.
    """
    formula = _FORMULAS.get(number)
    if formula is None:
        raise ValueError(f"no reward curve has the number {number}")
    return formula(rshares, constant) if rshares else 0
