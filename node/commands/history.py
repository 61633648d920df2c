"""The command that makes account history anew."""

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
    """Drop the account history and make it anew from the block log."""
    config = load_chain_config(settings)
    chain, indexes = open_existing(settings, config)
    try:
        indexes.rebuild()
        click.echo(f"The account history was made anew up to block {chain.head_number}.")
    finally:
        chain.close()
