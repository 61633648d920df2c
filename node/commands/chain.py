"""The commands about chain configs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from node.failures import plain_errors
from node.opening import refuse_to_replace
from node.options import FILE, force_option, setting_options
from protocol.config import ChainConfig
from protocol.config_template import render_template


@click.group()
def chain() -> None:
    """Chain configs: files that describe a chain."""


@chain.command("init")
@click.argument("file", type=FILE)
@setting_options(preset="Start from this chain.  [default: a new one like dev]")
@force_option
def init(file: Path, preset: Any, force: bool) -> None:
    """Write a chain config with a comment on every key to FILE, to be changed and used with --chain."""
    refuse_to_replace(file, force)
    with plain_errors():
        file.write_text(render_template(ChainConfig.preset(preset) if preset else None), encoding="utf-8")
    click.echo(f"{file} is written. Change it, look it over with `plaudit config check {file}`, then run it:")
    click.echo(f"  plaudit dev --chain {file}")
