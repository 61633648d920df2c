"""Exact parsing and formatting of amounts and percentages; nothing is rounded."""

from __future__ import annotations

import re

from client.errors import UsageError
from protocol.assets import VESTS, Asset, decimals
from protocol.identity import ChainIdentity
from protocol.integers import INT64_MAX
from protocol.units import BASIS_POINTS

_AMOUNT = re.compile(r"(\d+)(?:\.(\d+))?\s+([A-Z]{1,6})", re.ASCII)
_PERCENT = re.compile(r"([+-]?)(\d{1,3})(?:\.(\d{1,2}))?%?", re.ASCII)


def parse_amount(text: str, identity: ChainIdentity, *allowed: int) -> Asset:
    """Parses "1.000 STEEM" (or "1 STEEM") with the symbols of the chain; raises UsageError.

    Decimals may be omitted, but not exceed the precision. `allowed` restricts the symbols.
    """
    names = {name: symbol for symbol, name in identity.symbol_names.items()}
    wanted = [identity.symbol_names[symbol] for symbol in allowed or names.values()]
    if text.lstrip().startswith("-"):
        raise UsageError(f"{text!r} is negative", "An amount is 0 or more.")
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not an amount", f'Write number, space and symbol, as in "1.000 {wanted[0]}".')
    whole, fraction, name = match[1], match[2] or "", match[3]
    if name not in wanted:
        raise UsageError(f"{name} cannot be used here", f"Allowed: {', '.join(wanted)}.")
    precision = decimals(names[name])
    if len(fraction) > precision:
        raise UsageError(f"{text!r} has more than {precision} decimals", f"{name} is divided no further.")
    amount = int(whole + fraction.ljust(precision, "0"))
    if amount > INT64_MAX:
        raise UsageError(f"{text!r} is more than can exist")
    return Asset(amount, names[name])


def format_amount(asset: Asset, identity: ChainIdentity) -> str:
    """Formats an amount in the chain's form: "1.000 STEEM"."""
    precision = decimals(asset.symbol)
    sign = "-" if asset.amount < 0 else ""
    whole, part = divmod(abs(asset.amount), 10**precision)
    return f"{sign}{whole}.{part:0{precision}d} {identity.symbol_names[asset.symbol]}"


def group_digits(text: str) -> str:
    """Formats an amount with thousands separators: "1,000,000.000 STEEM"."""
    number, _, symbol = text.partition(" ")
    whole, point, part = number.partition(".")
    return f"{int(whole):,}{point}{part}" + (f" {symbol}" if symbol else "")


def parse_percent(text: str, *, negative: bool = False) -> int:
    """Parses "12.5%" to basis points (1,250); raises UsageError outside of 0..100 (or -100..100)."""
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not a percentage", 'Write it as in "50%" or "12.34%".')
    points = int(match[2]) * 100 + int((match[3] or "").ljust(2, "0"))
    if points > BASIS_POINTS or (match[1] == "-" and not negative):
        raise UsageError(f"{text!r} is outside of {'-100' if negative else '0'}% to 100%")
    return -points if match[1] == "-" else points


def format_percent(points: int) -> str:
    """Formats basis points as a percentage with two decimals."""
    sign = "-" if points < 0 else ""
    return f"{sign}{abs(points) // 100}.{abs(points) % 100:02d}%"


class Power:
    """Conversion between VESTS and STEEM at a fixed rate."""

    def __init__(self, shares: int, fund: int) -> None:
        """Takes the total VESTS and the STEEM of the vesting fund, in the smallest units."""
        self.shares = shares
        self.fund = fund

    def to_steem(self, vests: int) -> int:
        """Converts VESTS to STEEM, rounded down."""
        return vests * self.fund // self.shares if self.shares else 0

    def to_vests(self, asset: Asset) -> Asset:
        """Converts an amount of STEEM to VESTS, rounded down; VESTS are unchanged."""
        if asset.symbol == VESTS:
            return asset
        if not self.fund:
            raise UsageError("there is no power on this chain yet", "Give the amount in vesting shares.")
        return Asset(asset.amount * self.shares // self.fund, VESTS)
