"""The command that shows versions."""

from __future__ import annotations

import platform
from importlib import metadata

import click

from client.declare import command
from protocol.config import ChainConfig


@command()
def version() -> None:
    """Show the version of Plaudit, of Python, and of the protocol."""
    protocol_version = ChainConfig.preset("dev").blockchain_version
    click.echo(f"plaudit {metadata.version('plaudit')}")
    click.echo(f"protocol {protocol_version}, {platform.python_implementation()} {platform.python_version()}")
