"""Options of commands: those that set a setting are made from its declaration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from client.defaults import ADMIN_DEFAULT
from node.settings import Address, Setting, list_settings, parse_loopback

Command = TypeVar("Command", bound=Callable[..., Any])

FILE: Final = click.Path(dir_okay=False, path_type=Path)
DIRECTORY: Final = click.Path(file_okay=False, path_type=Path)


def setting_options(*names: str, **texts: str) -> Callable[[Command], Command]:
    """Options for the settings with these names, in this order, before those that mean something else here.

    A text replaces the setting's own, with its default in words.
    """

    def decorate(command: Command) -> Command:
        for name in reversed((*names, *texts)):
            command = _make_option(list_settings()[name], texts.get(name))(command)
        return command

    return decorate


def _make_option(setting: Setting, text: str | None) -> Callable[[Command], Command]:
    default = f"  [default: {setting.default_text}]" if setting.default_text else ""
    shown = text or setting.text + default
    if setting.kind is bool:
        both = "" if setting.default is False else f"/--no-{setting.flag[2:]}"
        return click.option(f"{setting.flag}{both}", is_flag=True, default=None, help=shown)
    return click.option(
        setting.flag, type=_find_type(setting), metavar=setting.metavar, multiple=setting.is_list, help=shown
    )


def _find_type(setting: Setting) -> click.ParamType[Any] | type[int] | None:
    """What the command line itself checks of a value; all else is checked with the settings of other sources."""
    if setting.choices:
        return click.Choice(setting.choices)
    if setting.kind is Path:
        return DIRECTORY if setting.metavar == "DIRECTORY" else FILE
    return int if setting.kind is int else None


def _parse_admin(ctx: click.Context, parameter: click.Parameter, value: str) -> Address:
    try:
        address = parse_loopback(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    assert isinstance(address, Address), "texts become addresses"
    return address


chain_options: Final = setting_options("data_dir", "preset", "chain")
log_options: Final = setting_options("log_level", "log_json")
force_option: Final = click.option("--force", is_flag=True, help="Write over a file that exists.")
json_option: Final = click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")


def admin_options(command: Command) -> Command:
    """Options of the commands that ask the admin port of a running node."""
    return click.option(
        "--admin",
        metavar="HOST:PORT",
        default=ADMIN_DEFAULT,
        envvar="PLAUDIT_ADMIN",
        show_default=True,
        callback=_parse_admin,
        help="Admin port of the node (its --admin).",
    )(json_option(command))
