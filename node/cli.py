"""The command line `plaudit`: the commands of node/commands, and the wallet."""

from __future__ import annotations

from typing import Any

import click

from client.commands import ModuleGroup
from client.errors import ClientError
from client.harmless import harmless_errors


class CommandGroup(ModuleGroup):
    """Tells what goes wrong when a node is asked in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; exits with 1 when it failed, with 2 when it was wrongly used."""
        with harmless_errors():
            try:
                return super().invoke(ctx)
            except ClientError as error:
                shown = click.ClickException(f"{error.cause}. {error.remedy}".rstrip())
                vars(shown)["exit_code"] = error.exit_code
                raise shown from error


@click.group(
    cls=CommandGroup,
    sources=("node.commands", "wallet.cli"),
    context_settings={"help_option_names": ["-h", "--help"]},
)
def main() -> None:
    """Plaudit: a node of a Steem-protocol chain, its tools, and a wallet."""


if __name__ == "__main__":
    main()
