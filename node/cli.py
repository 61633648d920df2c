"""The command line `plaudit`: the commands of node/commands, and the wallet."""

from __future__ import annotations

from typing import Any

import click

from client.commands import ModuleGroup
from client.declare import group
from client.harmless import harmless_errors


class CommandGroup(ModuleGroup):
    """Shows errors that the user can fix as one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; exits with 1 when it fails, with 2 for a usage error."""
        with harmless_errors():
            try:
                return super().invoke(ctx)
            except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
                raise
            except Exception as error:
                from node.failures import make_plain  # noqa: PLC0415 - loads the chain, and help does not need it

                shown = make_plain(error)
                if shown is None:
                    raise
                raise shown from error


@group(
    cls=CommandGroup,
    sources=("node.commands", "wallet.cli"),
    context_settings={"help_option_names": ["-h", "--help"]},
)
def main() -> None:
    """Plaudit: a node of a Steem-protocol chain, its tools, and a wallet."""


if __name__ == "__main__":
    main()
