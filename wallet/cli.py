"""The command line of the wallet: the group `wallet` with its settings; the commands are in wallet/commands."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import click

from client.commands import ModuleGroup
from client.declare import group, option
from client.defaults import CLOCK_DIFFERENCE_MAX, NODE_DEFAULT, TIMEOUT_SECONDS

DEBUG_VARIABLE = "PLAUDIT_DEBUG"


class WalletGroup(ModuleGroup):
    """Shows every error of a command as a message with an exit code, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; exits with 1 when it was refused or failed, with 2 for a usage error."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE):
                raise
            from wallet.failures import tell  # noqa: PLC0415 - takes long to load, and help does not need it

            ctx.exit(tell(error, ctx))


@group(cls=WalletGroup, sources=("wallet.commands",))
def wallet(
    node: str = option("URL of the node to ask.", envvar="PLAUDIT_NODE", default=NODE_DEFAULT),
    keystore: Path | None = option(
        "Key file.  [default: wallet.json in the user's data folder]", envvar="PLAUDIT_KEYSTORE"
    ),
    password_file: Path | None = option("File with the key file's password (or set PLAUDIT_WALLET_PASSWORD)."),
    chain_id: str = option("Refuse a node of any other chain (hex).", envvar="PLAUDIT_CHAIN_ID", default=""),
    timeout: float = option("Seconds to wait for an answer.", default=TIMEOUT_SECONDS),
    clock_difference: int = option(
        "Seconds by which the node's head may be ahead of this machine's clock.",
        envvar="PLAUDIT_CLOCK_DIFFERENCE",
        type=click.IntRange(0),
        default=CLOCK_DIFFERENCE_MAX,
    ),
    is_json: bool = option("Print JSON for programs.", "--json"),
    is_sure: bool = option("Send without asking.", "--yes", "-y"),
) -> None:
    """A wallet: keeps keys in an encrypted file, signs locally, and talks to a node."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Characters that the terminal's encoding lacks are shown as "?".
            stream.reconfigure(errors="replace")
    from wallet.app import App, default_keystore  # noqa: PLC0415 - takes long to load, and help does not need it

    click.get_current_context().obj = App(
        node, keystore or default_keystore(), password_file, chain_id, timeout, clock_difference, is_json, is_sure
    )
