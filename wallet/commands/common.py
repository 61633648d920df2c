"""Parts that several commands share: how a command is declared, and arguments with a form of their own."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import click

from client import declare
from client.declare import DeclaredGroup, Parsed
from client.errors import ClientError, UsageError
from protocol.errors import Invalid
from protocol.operation import Operation
from protocol.times import parse_time
from wallet.app import App

TEXT_BYTES_MAX = 16 * 1024 * 1024
_NEGATIVE = re.compile(r"-\.?\d[\d.,]*(?:%|\s*[A-Z]*)", re.ASCII)
"""A negative amount, percentage or number; no option has such letters."""


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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes what looks like a negative number for a value, not for an option: it is refused as such or meant."""
        if any(_NEGATIVE.fullmatch(argument) for argument in args):
            ctx.ignore_unknown_options = True
        return super().parse_args(ctx, args)


class WalletSubGroup(DeclaredGroup):
    """A group whose commands are WalletCommands."""

    command_class = WalletCommand


command = partial(declare.command, cls=WalletCommand)
group = partial(declare.group, cls=WalletSubGroup)


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


def _parse_post(shown: str) -> PostName:
    """Reads "@author/permlink"; a whole URL of a web site may stand in front. Raises ValueError."""
    author, slash, permlink = shown[shown.rfind("@") + 1 :].partition("/")
    if not author or not slash or not permlink or "/" in permlink:
        raise ValueError(f"{shown!r} is not a post; write @author/permlink")
    return PostName(author, permlink)


def _parse_moment(shown: str) -> int:
    """Reads "2026-01-31" or "2026-01-31T12:00:00" as seconds since the epoch. Raises ValueError."""
    try:
        return parse_time(f"{shown}T00:00:00" if len(shown) == len("2026-01-31") else shown)
    except Invalid:
        how = "write 2026-01-31 or 2026-01-31T12:00:00 (UTC), at the latest 2038-01-19T03:14:07"
        raise ValueError(f"{shown!r} is no time; {how}") from None


Post = Annotated[PostName, Parsed("@author/permlink", _parse_post)]
Moment = Annotated[int, Parsed("time", _parse_moment)]
"""A time in UTC, as seconds since the epoch."""
Number = Annotated[int, click.IntRange(0, 0xFFFFFFFF)]
From = Annotated[str, "FROM"]
To = Annotated[str, "TO"]


def read_text(app: App, path: str) -> str:
    """The text of a file, or of standard input if the path is "-". Raises ClientError."""
    try:
        if path == "-":
            app.stdin_is_used = True
            content = sys.stdin.buffer.read(TEXT_BYTES_MAX + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(TEXT_BYTES_MAX + 1)
    except OSError as error:
        raise ClientError(f"{path} cannot be read: {error.strerror}") from None
    if len(content) > TEXT_BYTES_MAX:
        raise ClientError(f"{path} is too large for a text")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: byte {error.start}") from None


def parse_json(data: str) -> Any:
    """Reads JSON. Raises UsageError."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"this is not JSON: {error}") from None


def read_operations(app: App, data: str) -> list[Operation]:
    """One operation or a list of them, as JSON in either form, in a file ("@FILE") or from standard input ("-")."""
    if data == "-" or data.startswith("@"):
        data = read_text(app, data.removeprefix("@"))
    value = parse_json(data)
    is_one = isinstance(value, dict) or (isinstance(value, list) and value[:1] and isinstance(value[0], str | int))
    if not is_one and not (isinstance(value, list) and value):
        raise UsageError("this is no operation", 'Write ["transfer", {"from": ...}].')
    try:
        return [app.session.codec.operation_from_json(item) for item in ([value] if is_one else value)]
    except Invalid as error:
        raise UsageError(f"this is no operation: {error.message.partition(':')[2]}") from None


def choose_number(taken: Iterable[int], start: int) -> int:
    """The first number from `start` on that is not taken."""
    used = set(taken)
    number = start
    while number in used:
        number += 1
    return number
