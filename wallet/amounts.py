"""Amounts and percentages as people write them, read exactly: nothing is ever rounded."""

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
    """Reads "1.000 STEEM" (or "1 STEEM") with the symbols of the chain; raises UsageError.

    Digits after the point may be left out, never be too many. `allowed` limits the symbols, if given.
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
    """The amount as the chain writes it: "1.000 STEEM"."""
    precision = decimals(asset.symbol)
    sign = "-" if asset.amount < 0 else ""
    whole, part = divmod(abs(asset.amount), 10**precision)
    return f"{sign}{whole}.{part:0{precision}d} {identity.symbol_names[asset.symbol]}"


def group_digits(text: str) -> str:
    """An amount with commas between thousands, for reading: "1,000,000.000 STEEM"."""
    number, _, symbol = text.partition(" ")
    whole, point, part = number.partition(".")
    return f"{int(whole):,}{point}{part}" + (f" {symbol}" if symbol else "")


def parse_percent(text: str, *, negative: bool = False) -> int:
    """Reads "12.5%" as basis points (1,250); raises UsageError outside of 0..100 (or -100..100)."""
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is not a percentage", 'Write it as in "50%" or "12.34%".')
    points = int(match[2]) * 100 + int((match[3] or "").ljust(2, "0"))
    if points > BASIS_POINTS or (match[1] == "-" and not negative):
        raise UsageError(f"{text!r} is outside of {'-100' if negative else '0'}% to 100%")
    return -points if match[1] == "-" else points


def format_percent(points: int) -> str:
    """Basis points as a percentage with two decimals."""
    sign = "-" if points < 0 else ""
    return f"{sign}{abs(points) // 100}.{abs(points) % 100:02d}%"


class Power:
    """Converts between VESTS and the STEEM behind them, at the rate of one moment."""

    def __init__(self, shares: int, fund: int) -> None:
        """Takes all VESTS and the STEEM behind them, in the smallest units."""
        self.shares = shares
        self.fund = fund

    def to_steem(self, vests: int) -> int:
        """The STEEM that so many VESTS stand for, rounded down."""
        return vests * self.fund // self.shares if self.shares else 0

    def to_vests(self, asset: Asset) -> Asset:
        """The VESTS that an amount of STEEM stands for, rounded down; VESTS stay as they are."""
        if asset.symbol == VESTS:
            return asset
        if not self.fund:
            raise UsageError("there is no power on this chain yet", "Give the amount in vesting shares.")
        return Asset(asset.amount * self.shares // self.fund, VESTS)
