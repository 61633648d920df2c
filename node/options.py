"""Command-line options, derived from the declarations of the settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final

import click

from client.declare import Bundle, Parsed, option
from client.defaults import ADMIN_DEFAULT
from node.settings import Address, Setting, Settings, collect_settings, list_settings, parse_loopback

Directory = Annotated[Path, click.Path(file_okay=False, path_type=Path)]


def take_settings(*names: str, **texts: str) -> Bundle:
    """Adds options for the settings with these names, in this order, before the command's own options.

    A text replaces that of the setting, including its default in words. The command receives Settings, built from
    options, environment and config file; it raises SettingsError.
    """
    options = [_make_option(list_settings()[name], texts.get(name)) for name in (*names, *texts)]
    return Bundle(options, lambda **flags: collect_settings(flags, os.environ))


def _make_option(setting: Setting, text: str | None) -> click.Parameter:
    default = f"  [default: {setting.default_text}]" if setting.default_text else ""
    shown = text or setting.text + default
    if setting.kind is bool:
        both = "" if setting.default is False else f"/--no-{setting.flag[2:]}"
        return click.Option([f"{setting.flag}{both}"], is_flag=True, default=None, help=shown)
    return click.Option(
        [setting.flag], type=_find_type(setting), metavar=setting.metavar, multiple=setting.is_list, help=shown
    )


def _find_type(setting: Setting) -> click.ParamType[Any] | type[int] | None:
    """Returns the option type that click checks; all other checks are those of the settings from all sources."""
    if setting.choices:
        return click.Choice(setting.choices)
    if setting.kind is Path:
        return click.Path(file_okay=setting.metavar == "FILE", dir_okay=setting.metavar != "FILE", path_type=Path)
    return int if setting.kind is int else None


CHAIN: Final = ("data_dir", "preset", "chain")
ChainSettings = Annotated[Settings, take_settings(*CHAIN)]
Admin = Annotated[Address, Parsed("HOST:PORT", parse_loopback)]

FORCE: Final = option("Write over a file that exists.")
JSON: Final = option("Print JSON for programs.", "--json")
ADMIN: Final = option("Admin port of the node (its --admin).", default=ADMIN_DEFAULT, envvar="PLAUDIT_ADMIN")
