"""The commands about chain configs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import click

from client.declare import group
from node.opening import refuse_to_replace
from node.options import FORCE, take_settings
from node.settings import Settings
from protocol.config import ChainConfig
from protocol.config_template import render_template


@group()
def chain() -> None:
    """Chain configs: files that describe a chain."""


@chain.command("init")
def init(
    file: Path,
    settings: Annotated[Settings, take_settings(preset="Start from this chain.  [default: a new one like dev]")],
    force: bool = FORCE,
) -> None:
    """Write a commented chain config to FILE, to be edited and used with --chain."""
    refuse_to_replace(file, force)
    found = ChainConfig.preset(settings.preset) if settings.preset else None
    file.write_text(render_template(found), encoding="utf-8")
    click.echo(f"{file} is written. Change it, look it over with `plaudit config check {file}`, then run it:")
    click.echo(f"  plaudit dev --chain {file}")
