"""Parts that several commands share: how a command is declared, and arguments with a form of their own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NamedTuple

import click

from wallet.app import App
from wallet.errors import UsageError, WalletError

pass_app = click.make_pass_decorator(App)

TEXT_BYTES_MAX = 16 * 1024 * 1024


class WalletCommand(click.Command):
    """A command that also takes --json, --yes and --node behind its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += [
            click.Option(
                ["--json", "is_json"], is_flag=True, expose_value=False, callback=_set, help="Print JSON for programs."
            ),
            click.Option(
                ["--yes", "-y", "is_sure"], is_flag=True, expose_value=False, callback=_set, help="Send without asking."
            ),
            click.Option(["--node", "node"], expose_value=False, callback=_set, help="URL of the node to ask."),
        ]


class SubGroup(click.Group):
    """A group whose commands are WalletCommands."""

    command_class = WalletCommand


def _set(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    app = ctx.find_object(App)
    if value and app is not None:
        setattr(app, str(parameter.name), value)


class PostName(NamedTuple):
    """The author and permlink of a post."""

    author: str
    permlink: str

    def __str__(self) -> str:
        return f"@{self.author}/{self.permlink}"


class PostNameType(click.ParamType[PostName]):
    """Reads "@author/permlink"; a whole URL of a web site may stand in front."""

    name = "@author/permlink"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> PostName:
        """Returns the parts; refuses what has not both."""
        if isinstance(value, PostName):
            return value
        shown = str(value)
        start = shown.rfind("@")
        author, slash, permlink = shown[start + 1 :].partition("/")
        if not author or not slash or not permlink or "/" in permlink:
            self.fail(f"{shown!r} is not a post; write @author/permlink", param, ctx)
        return PostName(author, permlink)


POST_NAME = PostNameType()


def read_text(app: App, path: str) -> str:
    """The text of a file, or of standard input if the path is "-". Raises WalletError."""
    try:
        if path == "-":
            app.stdin_is_used = True
            content = sys.stdin.buffer.read(TEXT_BYTES_MAX + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(TEXT_BYTES_MAX + 1)
    except OSError as error:
        raise WalletError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > TEXT_BYTES_MAX:
        raise WalletError(f"{path} is too large for a text")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: byte {error.start}") from None
