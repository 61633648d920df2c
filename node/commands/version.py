"""Show the version of Plaudit, of Python, and of the protocol."""

from __future__ import annotations

import platform
from importlib import metadata

import click

from protocol.config import ChainConfig


@click.command("version", help=__doc__)
def command() -> None:
    """Shows the versions."""
    protocol_version = ChainConfig.preset("dev").blockchain_version
    click.echo(f"plaudit {metadata.version('plaudit')}")
    click.echo(f"protocol {protocol_version}, {platform.python_implementation()} {platform.python_version()}")
