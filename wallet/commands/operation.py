"""A command for every operation, made from its declaration: what it is, and an option for each field."""

from __future__ import annotations

from functools import partial
from inspect import cleandoc
from typing import Any, Final

import click

from client.errors import UsageError
from operations.registry import ALL_OPERATIONS
from protocol.codec import codec_for
from protocol.composites import Field
from protocol.errors import Invalid
from protocol.identity import STEEM_MAINNET
from protocol.operation import Operation, operation_by_name
from protocol.shapes import AssetShape, Blob, Boolean, FixedBytes, Integer, Text, WideInteger
from protocol.wire import Malformed
from wallet.app import App
from wallet.commands.common import WalletCommand, group, parse_json

PLAIN: Final = (AssetShape, Blob, Boolean, FixedBytes, Integer, Text, WideInteger)
"""Shapes whose JSON may be a text; fields of all others are given as JSON."""


TAKEN: Final = frozenset(flag.lstrip("-") for option in WalletCommand("").params for flag in option.opts)


class OperationGroup(click.Group):
    """A group with a command for each operation that can be sent; each is made when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the operations."""
        return sorted(cls.wire_name for cls in ALL_OPERATIONS.values() if not cls.virtual)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of an operation."""
        declared = operation_by_name(cmd_name)
        return None if declared is None or declared.virtual else _make_command(declared)


@group("operation", cls=OperationGroup)
def operation() -> None:
    """Send one operation, whichever it is: each has a command of its name, with an option for each field."""


def _make_command(declared: type[Operation]) -> click.Command:
    fields = codec_for(STEEM_MAINNET).fields(declared).fields
    words = cleandoc(declared.__doc__ or "").partition("Source: ")[0].strip()
    options: list[click.Parameter] = [_make_option(field) for field in fields]
    return WalletCommand(declared.wire_name, params=options, callback=partial(_send, declared), help=words)


def make_flag(name: str) -> str:
    """The option of a field; one that every command of the wallet has already is called --field-…."""
    return f"--{'field-' if name in TAKEN else ''}{name.replace('_', '-')}"


def _make_option(field: Field) -> click.Option:
    flag = make_flag(field.json_name)
    metavar = "TEXT" if isinstance(field.shape, PLAIN) else "JSON"
    return click.Option([flag, field.json_name], default=None, metavar=metavar, help=field.text)


def _send(declared: type[Operation], /, **given: str | None) -> None:
    """Sends the operation; a field that is not given has the value that JSON input without it has."""
    app = click.get_current_context().find_object(App)
    assert app is not None, "the wallet's group made it"
    codec = app.session.codec
    shown = {field.json_name: _read(field, given[field.json_name]) for field in codec.fields(declared).fields}
    present = {name: value for name, value in shown.items() if value is not None}
    app.send(codec.operation_from_json([declared.wire_name, present]))


def _read(field: Field, text: str | None) -> Any:
    """The JSON form of a field, None if it was not given; it is tried here to say whose fault an error is."""
    if text is None:
        return None
    value = text if isinstance(field.shape, PLAIN) else parse_json(text)
    try:
        field.shape.from_json(value)
    except (Invalid, Malformed) as error:
        raise UsageError(f"{make_flag(field.json_name)} {text!r}: {error}") from None
    return value
