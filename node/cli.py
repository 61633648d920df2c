"""The command line `plaudit`: each module of node/commands is a command, which has its name and says what it does."""

from __future__ import annotations

import ast
import pkgutil
from importlib import import_module
from importlib.util import find_spec
from inspect import cleandoc
from pathlib import Path
from typing import Any

import click

from client.errors import ClientError
from client.harmless import HarmlessGroup, harmless_errors
from node import commands


class CommandGroup(HarmlessGroup):
    """The commands, each loaded when it is used: a module of node/commands, its help as docstring, it as `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted(module.name for module in pkgutil.iter_modules(commands.__path__))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        found: click.Command = import_module(f"{commands.__name__}.{cmd_name}").command
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command; what goes wrong when a node is asked is told in one line."""
        with harmless_errors():
            try:
                return super().invoke(ctx)
            except ClientError as error:
                shown = click.ClickException(f"{error.cause}. {error.remedy}".rstrip())
                vars(shown)["exit_code"] = error.exit_code
                raise shown from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands with the first sentence of each; none is loaded for it."""
        names = self.list_commands(ctx)
        limit = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, click.Command(name, help=read_help(name)).get_short_help_str(limit)) for name in names]
            )


def read_help(name: str) -> str:
    """The help of a command, as its module has it for docstring."""
    spec = find_spec(f"{commands.__name__}.{name}")
    assert spec is not None and spec.origin is not None, "the command is a module of the package"
    return cleandoc(ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or "")


@click.group(cls=CommandGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Plaudit: a node of a Steem-protocol chain, its tools, and a wallet."""


if __name__ == "__main__":
    main()
