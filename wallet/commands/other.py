"""Commands for applications: custom JSON, and any operation written as JSON."""

from __future__ import annotations

import json
from typing import Any

import click

import operations.registry  # noqa: F401 - declares every operation that `send` may be given
from operations.custom import CustomJson
from protocol.errors import Invalid
from wallet.app import App
from wallet.commands.common import WalletCommand, pass_app, read_text
from wallet.errors import UsageError


@click.command("custom-json", cls=WalletCommand)
@click.argument("account")
@click.argument("id_", metavar="ID")
@click.argument("data", metavar="JSON")
@click.option("--active", is_flag=True, help="Sign with the active key instead of the posting key.")
@pass_app
def custom_json(app: App, account: str, id_: str, data: str, active: bool) -> None:
    """Put JSON on the chain for an application. JSON may be "@FILE", or "-" for standard input."""
    if data == "-" or data.startswith("@"):
        data = read_text(app, data.removeprefix("@"))
    _parse(data)
    auths = ((account,), ()) if active else ((), (account,))
    app.send(CustomJson(required_auths=auths[0], required_posting_auths=auths[1], id=id_, json=data))


@click.command("send", cls=WalletCommand)
@click.argument("data", metavar="JSON")
@pass_app
def send_operations(app: App, data: str) -> None:
    """Send any operation written as JSON (a list sends several as one transaction).

    Both forms are taken: ["transfer", {...}] and {"type": "transfer_operation", "value": {...}}. JSON may be "@FILE",
    or "-" for standard input.
    """
    if data == "-" or data.startswith("@"):
        data = read_text(app, data.removeprefix("@"))
    value = _parse(data)
    is_one = isinstance(value, dict) or (isinstance(value, list) and value[:1] and isinstance(value[0], str | int))
    if not is_one and not (isinstance(value, list) and value):
        raise UsageError("this is no operation", 'Write ["transfer", {"from": ...}].')
    try:
        operations = [app.session.codec.operation_from_json(item) for item in ([value] if is_one else value)]
    except Invalid as error:
        raise UsageError(f"this is no operation: {error.message.partition(':')[2]}") from None
    app.send(*operations)


def _parse(data: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"this is not JSON: {error}") from None


COMMANDS: tuple[click.Command, ...] = (custom_json, send_operations)
