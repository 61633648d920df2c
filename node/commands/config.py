"""The command that checks a config file."""

from __future__ import annotations

from pathlib import Path

import click

from client.declare import group
from protocol.config import ChainConfig


@group()
def config() -> None:
    """Checks of config files."""


@config.command("check")
def check(file: Path) -> None:
    """Check a chain config; for each invalid key show the value and what is allowed."""
    found = ChainConfig.load(file)
    genesis, rules = found.genesis, found.rules
    click.echo(f"{file} is a chain config.")
    click.echo(f"  chain      {found.chain.name}, id {found.chain_id.hex()}")
    click.echo(
        f"  symbols    {found.chain.steem_symbol}, {found.chain.sbd_symbol}, {found.chain.vests_symbol}; "
        f"keys begin with {found.chain.address_prefix}"
    )
    click.echo(f"  genesis    {len(genesis.accounts)} accounts with keys, {len(genesis.witnesses)} witnesses")
    click.echo(f"  blocks     one every {rules.block_interval_seconds} s, {len(found.hard_forks)} hard forks")
