"""The command that gives voting rights up for good."""

from __future__ import annotations

from collections.abc import Callable

import click

from operations.recovery import DeclineVotingRights
from wallet.app import App
from wallet.commands.common import WalletCommand, pass_app

WEIGHT_MAX = 0xFFFF
THRESHOLD_MAX = 0xFFFFFFFF
Decorator = Callable[[Callable[..., None]], Callable[..., None]]
MEMBER = "KEY|ACCOUNT[=WEIGHT]"


@click.command("decline-voting", cls=WalletCommand)
@click.argument("account_name", metavar="ACCOUNT")
@click.option("--cancel", is_flag=True, help="Take the wish back; possible within the waiting time.")
@pass_app
def decline_voting(app: App, account_name: str, cancel: bool) -> None:
    """Give all voting rights up for good; it counts after 30 days. The owner key signs."""
    app.send(DeclineVotingRights(account=account_name, decline=not cancel))
