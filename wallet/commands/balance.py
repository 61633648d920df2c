"""The command that shows what an account has."""

from __future__ import annotations

from rich.console import Group, RenderableType

from client.render import NEVER, fields, moment, table
from protocol.assets import STEEM, VESTS, Asset
from protocol.times import parse_time
from protocol.units import BASIS_POINTS
from wallet.amounts import format_amount, format_percent, group_digits, parse_amount
from wallet.app import App
from wallet.commands.common import command
from wallet.session import Json, Session

REGENERATION_SECONDS = 432_000


@command()
def balance(app: App, name: str) -> None:
    """Show everything an account has: liquid, savings, power, rewards, mana."""
    session = app.session
    account = session.get_account(name)
    shown = summarize_balance(session, account)
    app.output.show(shown, lambda: _draw_balance(shown))


def summarize_balance(session: Session, account: Json) -> Json:
    """The balances of an account, with power in both units and mana as percentages."""
    properties = session.properties()
    power = session.power()

    def vests(name: str) -> int:
        return parse_amount(account[name], session.identity, VESTS).amount

    def both(amount: int) -> Json:
        steem = Asset(abs(power.to_steem(amount)) * (1 if amount >= 0 else -1), STEEM)
        return {
            "vests": format_amount(Asset(amount, VESTS), session.identity),
            "steem_power": format_amount(steem, session.identity),
        }

    own, lent, borrowed = vests("vesting_shares"), vests("delegated_vesting_shares"), vests("received_vesting_shares")
    leaving = _leaving(account, vests("vesting_withdraw_rate"))
    effective = own - lent + borrowed - leaving
    shown = {
        "name": account["name"],
        "liquid": {"steem": account["balance"], "sbd": account["sbd_balance"]},
        "savings": {"steem": account["savings_balance"], "sbd": account["savings_sbd_balance"]},
        "rewards": {
            "steem": account["reward_steem_balance"],
            "sbd": account["reward_sbd_balance"],
            "vests": account["reward_vesting_balance"],
            "steem_power": account["reward_vesting_steem"],
        },
        "power": {
            "own": both(own),
            "delegated_out": both(lent),
            "delegated_in": both(borrowed),
            "effective": both(effective),
        },
        "mana": _mana(session, account, properties, effective),
    }
    if account["next_vesting_withdrawal"] != NEVER:
        shown["power_down"] = {
            "next": account["next_vesting_withdrawal"],
            "each": both(vests("vesting_withdraw_rate")),
            "left": both(int(account["to_withdraw"]) - int(account["withdrawn"])),
        }
    return shown


def _leaving(account: Json, rate: int) -> int:
    """The VESTS that the next payment of a power-down takes; they carry no mana any more."""
    if account["next_vesting_withdrawal"] == NEVER:
        return 0
    return min(rate, int(account["to_withdraw"]) - int(account["withdrawn"]))


def _mana(session: Session, account: Json, properties: Json, effective: int) -> Json:
    seconds = int(session.config.get("STEEM_VOTING_MANA_REGENERATION_SECONDS", REGENERATION_SECONDS))
    now = parse_time(properties["time"])
    pool = int(properties.get("downvote_pool_percent", 0))

    def percent(bar: Json, maximum: int) -> str:
        if maximum <= 0:
            return format_percent(0)
        elapsed = max(0, now - int(bar["last_update_time"]))
        current = min(maximum, int(bar["current_mana"]) + maximum * min(elapsed, seconds) // seconds)
        return format_percent(max(0, current) * BASIS_POINTS // maximum)

    return {
        "vote": percent(account["voting_manabar"], effective),
        "downvote": percent(account["downvote_manabar"], effective * pool // BASIS_POINTS),
    }


def _draw_balance(shown: Json) -> RenderableType:
    rows = [
        ("liquid", group_digits(shown["liquid"]["steem"]), group_digits(shown["liquid"]["sbd"])),
        ("savings", group_digits(shown["savings"]["steem"]), group_digits(shown["savings"]["sbd"])),
        ("rewards to claim", group_digits(shown["rewards"]["steem"]), group_digits(shown["rewards"]["sbd"])),
        ("", group_digits(shown["rewards"]["steem_power"]) + " as power", group_digits(shown["rewards"]["vests"])),
    ]
    power = [
        (name.replace("_", " "), group_digits(part["steem_power"]), group_digits(part["vests"]))
        for name, part in shown["power"].items()
    ]
    parts: list[RenderableType] = [
        table(("tokens", "", ""), rows, shown["name"], right=(1, 2)),
        table(("power", "worth", "shares"), power, right=(1, 2)),
        fields({"vote mana": shown["mana"]["vote"], "downvote mana": shown["mana"]["downvote"]}),
    ]
    if "power_down" in shown:
        down = shown["power_down"]
        each, left = down["each"]["steem_power"], down["left"]["steem_power"]
        parts.append(fields({"power-down": f"{each} next at {moment(down['next'])} UTC, {left} left"}))
    return Group(*parts)
