"""Reward curves: what a post's rshares claim of the fund, and what a vote's rshares weigh among the curators.

All arithmetic is that of unsigned 128-bit integers that wrap around, as in the reference.
Source: libraries/chain/util/reward.cpp, evaluate_reward_curve and approx_sqrt.
"""

from enum import IntEnum
from typing import Final

from protocol.integers import UINT64_MAX, UINT128_MAX


class Curve(IntEnum):
    """The numbers under which curves are stored. Source: misc_utilities.hpp, curve_id."""

    QUADRATIC = 0
    BOUNDED_CURATION = 1
    LINEAR = 2
    SQUARE_ROOT = 3
    CONVERGENT_LINEAR = 4
    CONVERGENT_SQUARE_ROOT = 5


_QUADRATIC: Final = int(Curve.QUADRATIC)
_BOUNDED_CURATION: Final = int(Curve.BOUNDED_CURATION)
_LINEAR: Final = int(Curve.LINEAR)
_SQUARE_ROOT: Final = int(Curve.SQUARE_ROOT)
_CONVERGENT_LINEAR: Final = int(Curve.CONVERGENT_LINEAR)
_CONVERGENT_SQUARE_ROOT: Final = int(Curve.CONVERGENT_SQUARE_ROOT)


def compute_approximate_square_root(value: int) -> int:
    """The reference's cheap square root: the exact one at even powers of two, a straight line in between.

    With m the place of the highest set bit, the result's highest bit is m / 2, and the bits below it are half of
    what stands below the highest bit of `value` (with the odd bit of m in front), cut to length.
    """
    if value == 0:
        return 0
    top = value.bit_length() - 1
    root_top = top >> 1
    below = (value & ((1 << top) - 1)) >> (top - root_top)
    if top & 1:
        below |= 1 << root_top
    return (1 << root_top) | (below >> 1)


def evaluate_reward_curve(rshares: int, curve: int, constant: int) -> int:
    """The value of a curve at `rshares` (not negative), with the fund's content constant; every curve begins at 0."""
    if rshares == 0:
        return 0
    if curve == _CONVERGENT_LINEAR:
        shifted = rshares + constant
        return ((shifted * shifted - constant * constant) & UINT128_MAX) // ((rshares + 4 * constant) & UINT128_MAX)
    if curve == _CONVERGENT_SQUARE_ROOT:
        return rshares // compute_approximate_square_root((rshares + 2 * constant) & UINT128_MAX)
    if curve == _LINEAR:
        return rshares
    if curve == _SQUARE_ROOT:
        return compute_approximate_square_root(rshares)
    if curve == _QUADRATIC:
        shifted = rshares + constant
        return (shifted * shifted - constant * constant) & UINT128_MAX
    if curve == _BOUNDED_CURATION:
        return ((rshares & UINT64_MAX) << 64) // ((2 * constant + rshares) & UINT128_MAX)
    return 0
