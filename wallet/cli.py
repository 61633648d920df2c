"""The command line of the wallet: the group `wallet` with its settings; the commands are in wallet/commands."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import click
import platformdirs

from client.errors import EXIT_FAILED, EXIT_USAGE, ClientError, NodeRefused
from client.harmless import HarmlessGroup
from client.json_rpc import NODE_DEFAULT, TIMEOUT_SECONDS
from client.render import Output
from protocol.errors import ProtocolError
from wallet.advice import advise
from wallet.app import App
from wallet.commands import (
    account_update,
    accounts,
    chain,
    content,
    convert,
    escrow,
    funds,
    keys,
    market,
    multisig,
    other,
    proposal,
    rc,
    recover,
    savings,
    witness,
)
from wallet.keystore import (
    KeyMissing,
    KeystoreChanged,
    KeystoreDamaged,
    KeystoreError,
    KeystoreExists,
    KeystoreForeign,
    KeystoreMissing,
    KeystoreTooNew,
    WrongPassword,
)
from wallet.session import CLOCK_DIFFERENCE_MAX

DEBUG_VARIABLE = "PLAUDIT_DEBUG"

_KEYSTORE_REMEDIES: dict[type[KeystoreError], str] = {
    KeystoreExists: "Use it, or name another file with --keystore.",
    KeystoreMissing: "Make one with `plaudit wallet init`, or name yours with --keystore.",
    KeystoreForeign: "Name the right file with --keystore.",
    KeystoreTooNew: "Use the newer version of this wallet.",
    KeystoreDamaged: "Restore it from a copy, or make a new one with `plaudit wallet init` and import the keys again.",
    WrongPassword: "Try again; without the password the keys cannot be had, they must then be imported anew.",
    KeystoreChanged: "Another command changed it while this one ran: run the command again.",
    KeyMissing: "`plaudit wallet keys list` shows which keys there are.",
}


def default_keystore() -> Path:
    """Where the key file is unless --keystore says otherwise."""
    return Path(platformdirs.user_data_dir("plaudit", appauthor=False)) / "wallet.json"


class WalletGroup(HarmlessGroup):
    """Turns every error of a command into words and an exit code; nobody sees a stack trace."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; exits with 1 when it was refused or failed, with 2 when it was wrongly used."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if os.environ.get(DEBUG_VARIABLE):
                raise
            failure = describe_failure(error)
            app = ctx.find_object(App)
            (app.output if app else Output(False)).fail(failure)
            ctx.exit(failure.exit_code)


def describe_failure(error: Exception) -> ClientError:
    """Any error as one that can be shown."""
    match error:
        case NodeRefused():
            return advise(error)
        case ClientError():
            return error
        case KeystoreError():
            return ClientError(str(error), _KEYSTORE_REMEDIES.get(type(error), ""))
        case ProtocolError():
            return ClientError(error.message.partition(":")[2].strip(": ") or error.message)
        case OSError():
            return ClientError(f"{error.filename or 'file'}: {error.strerror or error}")
        case _:
            return ClientError(
                f"the wallet failed: {type(error).__name__}: {error}",
                "The node's answer is not as it should be, or this is a fault of the wallet; "
                f"{DEBUG_VARIABLE}=1 in the environment shows where.",
            )


@click.group(cls=WalletGroup, name="wallet")
@click.option("--node", envvar="PLAUDIT_NODE", default=NODE_DEFAULT, show_default=True, help="URL of the node to ask.")
@click.option(
    "--keystore",
    envvar="PLAUDIT_KEYSTORE",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="Key file.  [default: wallet.json in the user's data folder]",
)
@click.option(
    "--password-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    help="File with the key file's password (or set PLAUDIT_WALLET_PASSWORD).",
)
@click.option("--chain-id", envvar="PLAUDIT_CHAIN_ID", default="", help="Refuse a node of any other chain (hex).")
@click.option("--timeout", default=TIMEOUT_SECONDS, show_default=True, help="Seconds to wait for an answer.")
@click.option(
    "--clock-difference",
    envvar="PLAUDIT_CLOCK_DIFFERENCE",
    type=click.IntRange(0),
    default=CLOCK_DIFFERENCE_MAX,
    show_default=True,
    help="Seconds by which the node's head may be ahead of this machine's clock.",
)
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
@click.option("--yes", "-y", "is_sure", is_flag=True, help="Send without asking.")
@click.pass_context
def wallet(
    ctx: click.Context,
    node: str,
    keystore: Path | None,
    password_file: Path | None,
    chain_id: str,
    timeout: float,
    clock_difference: int,
    is_json: bool,
    is_sure: bool,
) -> None:
    """A wallet: keeps your keys in an encrypted file, signs here, and talks to a node."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a character shows "?" rather than nothing at all.
            stream.reconfigure(errors="replace")
    path = default_keystore() if keystore is None else keystore
    ctx.obj = App(node, path, password_file, chain_id, timeout, clock_difference, is_json, is_sure)


for _module in (
    *(keys, accounts, account_update, recover, funds, savings, convert, escrow),
    *(content, witness, proposal, market, rc, multisig, other, chain),
):
    for _command in _module.COMMANDS:
        wallet.add_command(_command)

__all__ = ["EXIT_FAILED", "EXIT_USAGE", "wallet"]
