"""The command that exports the wire layout."""

from __future__ import annotations

import json
from pathlib import Path

import click

import operations.registry  # noqa: F401 - declares every operation
from client.declare import command, option
from protocol.codec import codec_for
from protocol.config import ChainConfig
from protocol.layout import export_layout


@command()
def layout(chain: Path | None = option("Chain config.  [default: the main network]")) -> None:
    """Print the wire layout as JSON, with which a program in any language can encode and sign operations."""
    config = ChainConfig.load(chain) if chain else ChainConfig.preset("steem")
    click.echo(json.dumps(export_layout(codec_for(config.identity)), indent=1))
