"""The command about resource credits: what an account has, when they are back, and what they are enough for."""

from __future__ import annotations

from typing import Any, Final

from rich.console import Group, RenderableType

from client.durations import describe_seconds
from client.errors import ClientError
from client.render import fields, table
from operations.account import ClaimAccount
from operations.content import Comment
from operations.custom import CustomJson
from operations.transfer import Transfer
from operations.vote import Vote
from protocol.assets import STEEM, Asset
from protocol.operation import Operation
from protocol.resources import RESOURCE_NAMES
from protocol.times import parse_time
from protocol.transaction import Transaction
from protocol.units import BASIS_POINTS
from wallet.amounts import format_percent
from wallet.app import App
from wallet.commands.balance import REGENERATION_SECONDS
from wallet.commands.common import command
from wallet.session import Json, Session

BLOCK_SECONDS: Final = 3
"""Where the node does not say how far blocks are apart."""

_BODY: Final = "x" * 1_000
_NAME: Final = "x" * 10


def _examples() -> dict[str, Operation]:
    return {
        "transfers": Transfer(_NAME, _NAME, Asset(1, STEEM), ""),
        "votes": Vote(_NAME, _NAME, _NAME, BASIS_POINTS),
        "posts of 1,000 characters": Comment("", _NAME, _NAME, _NAME * 2, _NAME * 3, _BODY, ""),
        "custom_json of 50 characters": CustomJson((), (_NAME,), _NAME, "x" * 50),
        "claimed accounts": ClaimAccount(_NAME, Asset(0, STEEM), ()),
    }


@command()
def rc(app: App, name: str) -> None:
    """Show the resource credits of an account, when they are full, and what they are enough for."""
    shown = summarize_credits(app.session, name)
    app.output.show(shown, lambda: _draw(shown))


def summarize_credits(session: Session, name: str) -> Json:
    """Credits of an account at the time of the head block, in VESTS satoshis, with what usual operations cost."""
    session.get_account(name)
    found = session.client.call("rc_api.find_rc_accounts", {"accounts": [name]})["rc_accounts"]
    if not found:
        raise ClientError(f"no resource credits are counted for {name} yet", "They are from the first block on.")
    properties = session.properties()
    row, now = found[0], parse_time(properties["time"])
    maximum = int(row["max_rc"])
    current = min(int(row["rc_manabar"]["current_mana"]), maximum)
    current = min(current + maximum * (now - row["rc_manabar"]["last_update_time"]) // REGENERATION_SECONDS, maximum)
    costs = _read_costs(session, properties)
    return {
        "name": name,
        "rc": current,
        "max_rc": maximum,
        "percent": format_percent(current * BASIS_POINTS // maximum if maximum > 0 else 0),
        "from_creation": int(row["max_rc_creation_adjustment"]["amount"]),
        "seconds_until_full": -((current - maximum) * REGENERATION_SECONDS // maximum) if maximum > 0 else None,
        "costs": costs,
        "enough_for": {what: max(current, 0) // cost if cost else None for what, cost in costs.items()},
    }


def _read_costs(session: Session, properties: Json) -> dict[str, int]:
    """What the examples cost now, by the node's pools and price curves."""
    call = session.client.call
    params = call("rc_api.get_resource_params", {})["resource_params"]
    pools = call("rc_api.get_resource_pool", {})["resource_pool"]
    vests = str(properties["total_vesting_shares"]).split()[0].replace(".", "")
    block_seconds = max(1, int(session.config.get("STEEM_BLOCK_INTERVAL", BLOCK_SECONDS)))
    regeneration = int(vests) // max(1, REGENERATION_SECONDS // block_seconds)
    costs = {}
    for what, operation in _examples().items():
        transaction = Transaction.make(
            session.codec,
            ref_block_num=0,
            ref_block_prefix=0,
            expiration=0,
            operations=(operation,),
            signatures=(bytes(65),),
        )
        counts = zip(RESOURCE_NAMES, transaction.counts, strict=True)
        costs[what] = sum(
            _compute_cost(params[resource], int(pools[resource]["pool"]), count, regeneration)
            for resource, count in counts
        )
    return costs


def _compute_cost(params: Any, pool: int, count: int, regeneration: int) -> int:
    if count <= 0 or regeneration <= 0:
        return 0
    curve = params["price_curve_params"]
    factor = (regeneration * int(curve["coeff_a"]) >> int(curve["shift"])) + 1
    units = count * int(params["resource_dynamics_params"]["resource_unit"])
    return factor * units // (int(curve["coeff_b"]) + max(pool, 0)) + 1


def _draw(shown: Json) -> RenderableType:
    seconds = shown["seconds_until_full"]
    overview = {
        "credits": f"{shown['rc']:,} of {shown['max_rc']:,} ({shown['percent']})",
        "of them for the creation fee": f"{shown['from_creation']:,}",
        "full in": "never: power up first" if seconds is None else describe_seconds(seconds),
    }
    rows = [
        (what, f"{cost:,}", "any number" if shown["enough_for"][what] is None else f"{shown['enough_for'][what]:,}")
        for what, cost in shown["costs"].items()
    ]
    return Group(
        fields(overview, f"Resource credits of {shown['name']}"),
        table(("enough for", "each costs", "how many"), rows, right=(1, 2)),
    )
