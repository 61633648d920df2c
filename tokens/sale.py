"""The arithmetic of a sale: what units cost in each tier, what a contribution buys, what founders get.

A tier takes the STEEM between the cap of the tier before it and its own, in the order of contributions. A contribution
buys whole units of each tier that it reaches; what is left of a division goes back. Each unit is `steem_unit` parts of
STEEM and `token_unit` parts of tokens, times one ratio for the whole sale.

Source: libraries/chain/util/smt_token.cpp of master, whose divisions lose what is left of them, and which measures
every tier from the beginning of a contribution.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from protocol.unit_targets import CONTRIBUTOR_TARGETS
from state.context import Context
from state.tables.tokens import TokenContribution, TokenSale, TokenTier

Unit = Sequence[tuple[str, int]]
"""Targets with their parts of a unit."""


def count_parts(unit: Unit) -> int:
    """The sum of the parts of a unit."""
    return sum(parts for _, parts in unit)


def list_tiers(ctx: Context, symbol: int) -> list[TokenTier]:
    """The tiers of a token's sale in the order of their caps."""
    return list(ctx.tables.token_tiers.scan((symbol,)))


def compute_unit_ratio(cap: int, min_ratio: int, max_ratio: int, contributed: int) -> int:
    """Token units for a unit of STEEM: the fewer the more came together, within the two limits."""
    return min(max_ratio, cap * min_ratio // contributed)


def compute_ratio(sale: TokenSale, tiers: Sequence[TokenTier]) -> int:
    """The ratio of a sale to which something was contributed."""
    return compute_unit_ratio(tiers[-1].steem_satoshi_cap, sale.min_unit_ratio, sale.max_unit_ratio, sale.contributed)


def compute_greatest_supply(tiers: Sequence[TokenTier], min_ratio: int, max_ratio: int) -> int:
    """The most satoshis of a token that a sale can make, whatever is contributed, rounded down.

    The supply grows with the contributions as long as the ratio is `max_ratio`, and within each tier; so it is
    greatest where the ratio begins to fall, or at the cap of a tier above that.
    """
    cap = tiers[-1].steem_satoshi_cap
    turns = (cap * min_ratio, max_ratio)  # This many STEEM satoshis, as a fraction.
    points = [turns] + [(tier.steem_satoshi_cap, 1) for tier in tiers if tier.steem_satoshi_cap * turns[1] > turns[0]]
    return max(_compute_supply_at(tiers, *point, cap, min_ratio, max_ratio) for point in points)


def _compute_supply_at(
    tiers: Sequence[TokenTier], above: int, below: int, cap: int, min_ratio: int, max_ratio: int
) -> int:
    """The supply without rounding of a sale of above / below STEEM satoshis, rounded down at the end."""
    total, divisor = 0, 1
    begin = 0
    for tier in tiers:
        part = min(above, tier.steem_satoshi_cap * below) - begin * below
        if part > 0:
            unit = count_parts(tier.steem_unit)
            total = total * unit + part * count_parts(tier.token_unit) * divisor
            divisor *= unit
        begin = tier.steem_satoshi_cap
    divisor *= below
    if max_ratio * above <= cap * min_ratio * below:
        return total * max_ratio // divisor
    return total * cap * min_ratio * below // (divisor * above)


class Bought(NamedTuple):
    """What a contribution buys: units of each tier, and what is left of it in STEEM satoshis."""

    units: tuple[int, ...]
    rest: int


def compute_bought(tiers: Sequence[TokenTier], begin: int, amount: int) -> Bought:
    """What `amount` buys that was contributed after `begin` satoshis of others."""
    units: list[int] = []
    rest = low = 0
    for tier in tiers:
        part = max(min(begin + amount, tier.steem_satoshi_cap) - max(begin, low), 0)
        bought, left = divmod(part, count_parts(tier.steem_unit))
        units.append(bought)
        rest += left
        low = tier.steem_satoshi_cap
    return Bought(tuple(units), rest)


def compute_share(tiers: Iterable[TokenTier], units: Iterable[int], ratio: int, target: str) -> int:
    """The tokens that a target gets for units of each tier."""
    return sum(
        bought * parts * ratio
        for tier, bought in zip(tiers, units, strict=True)
        for name, parts in tier.token_unit
        if name == target
    )


def find_oldest_contribution(ctx: Context, symbol: int) -> TokenContribution | None:
    """The contribution to a sale that is paid next."""
    return ctx.tables.token_contributions.index("by_symbol_id").first((symbol,))


class FoundersPart(NamedTuple):
    """What founders get of a sale, by target: STEEM and tokens, in satoshis."""

    steem: dict[str, int]
    tokens: dict[str, int]


def compute_founders(tiers: Iterable[TokenTier], units: Iterable[int], ratio: int) -> FoundersPart:
    """What all targets but the contributors get for the units that were bought of each tier."""
    steem: dict[str, int] = {}
    tokens: dict[str, int] = {}
    for tier, bought in zip(tiers, units, strict=True):
        for target, parts in tier.steem_unit:
            steem[target] = steem.get(target, 0) + parts * bought
        for target, parts in tier.token_unit:
            if target not in CONTRIBUTOR_TARGETS:
                tokens[target] = tokens.get(target, 0) + parts * bought * ratio
    return FoundersPart(steem, tokens)
