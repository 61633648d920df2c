"""The command that makes account history anew."""

from __future__ import annotations

from typing import Any

import click

from node.failures import plain_errors
from node.opening import collect, load_chain_config, open_existing
from node.options import chain_options


@click.group()
def history() -> None:
    """Account history."""


@history.command("rebuild")
@chain_options
def rebuild(**flags: Any) -> None:
    """Drop the account history and make it anew from the block log."""
    settings = collect(flags)
    config = load_chain_config(settings)
    with plain_errors():
        chain, indexes = open_existing(settings, config)
        try:
            indexes.rebuild()
            click.echo(f"The account history was made anew up to block {chain.head_number}.")
        finally:
            chain.close()
