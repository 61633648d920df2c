"""The command that rebuilds the account history."""

from __future__ import annotations

import click

from client.declare import group
from node.opening import load_chain_config, open_existing
from node.options import ChainSettings


@group()
def history() -> None:
    """Account history."""


@history.command("rebuild")
def rebuild(settings: ChainSettings) -> None:
    """Rebuild the account history from the block log."""
    config = load_chain_config(settings)
    chain, indexes = open_existing(settings, config)
    try:
        indexes.rebuild()
        click.echo(f"The account history was rebuilt up to block {chain.head_number}.")
    finally:
        chain.close()
