"""Tables that explain a payout: votes, share of the fund, curators, beneficiaries and author."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from client.render import fields, table
from protocol.assets import SBD, STEEM, VESTS, Asset, symbol_from_nai_string
from protocol.curves import CURVES
from protocol.identity import ChainIdentity
from protocol.times import date_text
from wallet.amounts import format_amount, format_percent
from wallet.session import Json


class _Figures:
    """Formats the figures of an explanation, which are integers in the smallest unit of their token."""

    def __init__(self, identity: ChainIdentity) -> None:
        self._identity = identity
        self.steem_symbol, self.sbd_symbol = identity.steem_symbol, identity.sbd_symbol

    def steem(self, amount: Any) -> str:
        return format_amount(Asset(int(amount), STEEM), self._identity)

    def sbd(self, amount: Any) -> str:
        return format_amount(Asset(int(amount), SBD), self._identity)

    def vests(self, amount: Any) -> str:
        return format_amount(Asset(int(amount), VESTS), self._identity)

    def price(self, price: Json) -> str:
        sides = []
        for side in ("base", "quote"):
            shown = price[side]
            symbol = symbol_from_nai_string(shown["nai"], shown["precision"])
            sides.append(format_amount(Asset(int(shown["amount"]), symbol), self._identity))
        return f"{sides[1]} = {sides[0]}" if int(price["base"]["amount"]) else "none yet"


def draw_explanation(shown: Json, identity: ChainIdentity) -> RenderableType:
    """All steps of a payout in their order."""
    figures = _Figures(identity)
    state = "would be paid if its payout were now" if shown["pending"] else "was paid"
    heading = f"@{shown['author']}/{shown['permlink']} {state} ({date_text(int(shown['time']))} UTC)"
    return Group(
        fields(_claim(shown), heading),
        fields(_share(shown, figures), "\nShare of the reward fund"),
        fields(_division(shown, figures), "\nDivision"),
        _curators(shown, figures),
        _receivers(shown, figures),
        fields(_sums(shown, figures), "Sums"),
    )


def _claim(shown: Json) -> list[tuple[str, str]]:
    curve = int(shown["curve"])
    return [
        ("reward shares of all votes", f"{int(shown['net_rshares']):,}"),
        ("curve", CURVES[curve].replace("_", " ") if 0 <= curve < len(CURVES) else str(curve)),
        ("value of the curve", f"{int(shown['curve_value']):,}"),
        ("reward weight", format_percent(int(shown["reward_weight_bp"]))),
        ("claim", f"{int(shown['claim']):,}"),
    ]


def _share(shown: Json, figures: _Figures) -> list[tuple[str, str]]:
    dust = " (dust: nothing is paid)" if shown["is_dust"] else ""
    return [
        ("reward fund", figures.steem(shown["fund_balance"])),
        ("claims of all posts", f"{int(shown['total_claims']):,}"),
        ("fund * claim / claims", figures.steem(shown["share"])),
        ("worth", f"{figures.sbd(shown['share_sbd'])}{dust}"),
        ("dust below", figures.sbd(shown["dust_limit_sbd"])),
        (
            "author's limit",
            f"{figures.sbd(shown['max_accepted_payout_sbd'])} = {figures.steem(shown['max_accepted_payout_steem'])}",
        ),
        ("reward", figures.steem(shown["reward"])),
        ("price", figures.price(shown["median_price"])),
    ]


def _division(shown: Json, figures: _Figures) -> list[tuple[str, str]]:
    allowed = "" if shown["curation_allowed"] else " (the author gives nothing to curators)"
    return [
        ("curators' part", format_percent(int(shown["curation_bp"])) + allowed),
        ("set apart for curators", figures.steem(shown["curation_steem"])),
        ("paid to curators", figures.steem(shown["curation_paid"])),
        ("back to the fund", figures.steem(shown["curation_returned"])),
        ("author and beneficiaries", figures.steem(shown["author_steem"])),
        (f"of it paid in {figures.sbd_symbol} at most", format_percent(int(shown["percent_steem_dollars"]))),
        (f"{figures.sbd_symbol} print rate", format_percent(int(shown["sbd_print_rate_bp"]))),
    ]


def _curators(shown: Json, figures: _Figures) -> RenderableType:
    window = int(shown["reverse_auction_seconds"])
    rows = [
        (
            part["voter"],
            format_percent(int(part["vote_percent"])),
            f"{int(part['rshares']):,}",
            f"{part['auction_seconds']} of {window} s",
            "-" if part["full_weight"] is None else f"{int(part['full_weight']):,}",
            f"{int(part['weight']):,}",
            figures.steem(part["steem"]),
            figures.vests(part["vests"]),
        )
        for part in shown["curators"]
    ]
    columns = ("curator", "vote", "rshares", "voted after", "full weight", "weight", "part", "paid as")
    title = f"\nCurators (sum of weights {int(shown['total_vote_weight']):,})"
    return table(columns, rows, title, right=(1, 2, 3, 4, 5, 6, 7))


def _receivers(shown: Json, figures: _Figures) -> RenderableType:
    author = shown["author_part"]
    parts = [(f"{part['account']} ({format_percent(int(part['weight_bp']))})", part) for part in shown["beneficiaries"]]
    rows = [
        (
            name,
            figures.steem(part["steem"]),
            figures.steem(part["sbd_share"]),
            figures.sbd(part["paid_sbd"]),
            figures.steem(part["paid_steem"]),
            figures.steem(part["vesting_steem"]),
            figures.vests(part["paid_vests"]),
        )
        for name, part in [*parts, (f"{author['account']} (author)", author)]
    ]
    sbd, steem = figures.sbd_symbol, figures.steem_symbol
    columns = ("receiver", "part", f"{sbd} half", f"paid {sbd}", f"paid {steem}", "power half", "paid power")
    return table(columns, rows, "Beneficiaries and author", right=(1, 2, 3, 4, 5, 6))


def _sums(shown: Json, figures: _Figures) -> list[tuple[str, str]]:
    return [
        ("out of the fund", figures.steem(shown["fund_paid"])),
        ("payout", figures.sbd(shown["total_payout_sbd"])),
        ("curators", figures.sbd(shown["curator_payout_sbd"])),
        ("beneficiaries", figures.sbd(shown["beneficiary_payout_sbd"])),
    ]
