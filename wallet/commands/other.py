"""Commands for applications: custom JSON, and any operation written as JSON."""

from __future__ import annotations

import operations.registry  # noqa: F401 - declares every operation that `send` may be given
from client.declare import argument, option
from operations.custom import CustomJson
from wallet.app import App
from wallet.commands.common import command, parse_json, read_operations, read_text


@command("custom-json")
def custom_json(
    app: App,
    account: str,
    id_: str,
    data: str = argument("JSON"),
    active: bool = option("Sign with the active key instead of the posting key."),
) -> None:
    """Put JSON on the chain for an application. JSON may be "@FILE", or "-" for standard input."""
    if data == "-" or data.startswith("@"):
        data = read_text(app, data.removeprefix("@"))
    parse_json(data)
    auths = ((account,), ()) if active else ((), (account,))
    app.send(CustomJson(required_auths=auths[0], required_posting_auths=auths[1], id=id_, json=data))


@command("send")
def send_operations(app: App, data: str = argument("JSON")) -> None:
    """Send any operation written as JSON (a list sends several as one transaction).

    Both forms are taken: ["transfer", {...}] and {"type": "transfer_operation", "value": {...}}. JSON may be "@FILE",
    or "-" for standard input.
    """
    app.send(*read_operations(app, data))
