"""The command that gives voting rights up for good."""

from __future__ import annotations

from client.declare import argument, option
from operations.recovery import DeclineVotingRights
from wallet.app import App
from wallet.commands.common import command


@command("decline-voting")
def decline_voting(
    app: App,
    account_name: str = argument("ACCOUNT"),
    cancel: bool = option("Take the wish back; possible within the waiting time."),
) -> None:
    """Give all voting rights up for good; it counts after 30 days. The owner key signs."""
    app.send(DeclineVotingRights(account=account_name, decline=not cancel))
