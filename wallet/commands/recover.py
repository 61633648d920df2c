"""Commands that get a stolen account back."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType

from client.declare import argument, option
from client.errors import ClientError, UsageError
from client.render import fields, moment, table
from operations.recovery import ChangeRecoveryAccount, RecoverAccount, RequestAccountRecovery
from protocol.types import Authority
from wallet.app import App
from wallet.commands.common import group
from wallet.session import Json
from wallet.signing import can_sign


@group()
def recover() -> None:
    """Get a stolen account back: its recovery account requests it, its holder confirms with old and new owner key."""


@recover.command()
def request(
    app: App,
    name: str = argument("ACCOUNT"),
    new_key: str | None = argument(required=False),
    helper: str | None = option("Recovery account that asks.  [default: the one of the account]", "--by"),
    cancel: bool = option("Take the request back."),
) -> None:
    """Ask, as its recovery account, that ACCOUNT gets the owner key NEW_KEY. It holds for a day."""
    if cancel == (new_key is not None):
        raise UsageError("give either a new owner key or --cancel")
    members = () if new_key is None else ((app.session.public_key(new_key), 1),)
    operation = RequestAccountRecovery(
        recovery_account=helper or app.session.get_account(name)["recovery_account"],
        account_to_recover=name,
        new_owner_authority=Authority(len(members), (), members),
        extensions=(),
    )
    app.send(operation)


@recover.command()
def confirm(app: App, name: str = argument("ACCOUNT")) -> None:
    """Confirm a request with the new owner key and one of the last 30 days; both must be in the key file."""
    found = app.session.client.call("condenser_api.get_recovery_request", [name])
    if not isinstance(found, dict):
        raise ClientError(
            f"there is no request to recover {name}",
            "Its recovery account makes one: `plaudit wallet recover request`.",
        )
    operation = RecoverAccount(
        account_to_recover=name,
        new_owner_authority=_authority(app, found["new_owner_authority"]),
        recent_owner_authority=_find_recent(app, name),
        extensions=(),
    )
    app.send(operation)


def _find_recent(app: App, name: str) -> Authority:
    """The newest former owner authority that the key file can sign for. Raises ClientError."""
    history: list[Json] = app.session.client.call("condenser_api.get_owner_history", [name])
    for row in reversed(history):
        authority = _authority(app, row["previous_owner_authority"])
        if can_sign(authority, app.keystore):
            return authority
    raise ClientError(
        f"the key file has no former owner key of {name}",
        "Put the owner key in that was valid before it was changed: "
        f"`plaudit wallet keys import --account {name} --role owner`.",
    )


def _authority(app: App, shown: Any) -> Authority:
    authority: Authority = app.session.codec.from_json(Authority, shown)
    return authority


@recover.command()
def change(app: App, name: str = argument("ACCOUNT"), helper: str = argument("NEW_RECOVERY_ACCOUNT")) -> None:
    """Choose another recovery account; it counts after 30 days. The owner key signs."""
    app.session.get_account(helper)
    app.send(ChangeRecoveryAccount(account_to_recover=name, new_recovery_account=helper, extensions=()))


@recover.command()
def show(app: App, name: str = argument("ACCOUNT")) -> None:
    """Show an account's recovery account, open requests and former owner keys."""
    client = app.session.client
    changes = client.call("database_api.find_change_recovery_account_requests", {"accounts": [name]})["requests"]
    shown = {
        "recovery_account": app.session.get_account(name)["recovery_account"],
        "change": changes[0] if changes else None,
        "request": client.call("condenser_api.get_recovery_request", [name]),
        "former_owner_authorities": client.call("condenser_api.get_owner_history", [name]),
    }
    app.output.show(shown, lambda: _draw(shown))


def _draw(shown: Json) -> RenderableType:
    facts = {"recovery account": shown["recovery_account"] or "-"}
    if shown["change"]:
        facts["from then on"] = f"{shown['change']['recovery_account']}, {moment(shown['change']['effective_on'])} UTC"
    if shown["request"]:
        authority = shown["request"]["new_owner_authority"]
        keys = ", ".join(key for key, _weight in authority["key_auths"])
        facts["requested"] = f"{keys}, until {moment(shown['request']['expires'])} UTC"
    rows = [
        (
            f"{moment(row['last_valid_time'])} UTC",
            ", ".join(key for key, _ in row["previous_owner_authority"]["key_auths"]),
        )
        for row in shown["former_owner_authorities"]
    ]
    return Group(fields(facts), table(("valid until", "former owner key"), rows))
