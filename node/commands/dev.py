"""The command that runs a development chain."""

from __future__ import annotations

from typing import Annotated

import click

from client.declare import command, option
from node.options import take_settings
from node.settings import Settings
from protocol.units import HOUR_SECONDS

OPTIONS = take_settings(
    data_dir="Keep the chain in this directory.  [default: in memory]",
    chain="Chain config file with known keys.  [default: preset dev]",
    rpc="",
    log_level="",
    log_json="",
)


@command()
def dev(
    settings: Annotated[Settings, OPTIONS],
    block_time: int | None = option(
        "Time between blocks.  [default: 3]", type=click.IntRange(1, HOUR_SECONDS), metavar="SECONDS"
    ),
    automine: bool = option("Make a block as soon as a transaction comes, and none without one."),
) -> None:
    """Run a development chain on this machine with ten funded accounts, and print their keys.

    It also serves dev_api, which produces blocks on command and advances the time.
    """
    from node.dev.running import run_dev_chain  # noqa: PLC0415 - loads the node, and help does not need it

    run_dev_chain(settings, block_time, automine)
