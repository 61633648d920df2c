"""The command that runs a development chain."""

from __future__ import annotations

from typing import Any

import click

from node.dev.api import DevApi
from node.dev.chain import dev_settings, load_dev_config, render_banner
from node.failures import plain_errors
from node.opening import collect, open_in
from node.options import log_options, setting_options
from node.shell.daemon import run_daemon
from node.shell.files import DirectoryDisk
from node.shell.logs import configure_logging


@click.command()
@setting_options(
    data_dir="Keep the chain in this directory.  [default: in memory]",
    chain="Chain config file with known keys.  [default: preset dev]",
)
@setting_options("rpc")
@click.option(
    "--block-time", type=click.IntRange(1, 3600), metavar="SECONDS", help="Time between blocks.  [default: 3]"
)
@click.option("--automine", is_flag=True, help="Make a block as soon as a transaction comes, and none without one.")
@log_options
def dev(block_time: int | None, automine: bool, **flags: Any) -> None:
    """Run a development chain on this machine, with ten funded accounts whose keys it shows.

    It also serves dev_api, which makes blocks at once and lets time pass.
    """
    settings = collect(flags)
    configure_logging(settings.log_level, settings.log_json)
    with plain_errors():
        config = load_dev_config(settings.chain, block_time)
        node_settings = dev_settings(config, automine)
        chain, indexes = open_in(settings, config, settings.data_dir)
        where = "kept in memory" if settings.data_dir is None else f"kept in {settings.data_dir}"
        run_daemon(
            chain,
            indexes,
            node_settings,
            settings.rpc,
            disk=DirectoryDisk(settings.data_dir) if settings.data_dir else None,
            extra_apis=lambda shell: {"dev_api": DevApi(shell.node)},
            on_ready=lambda shell, url: click.echo(render_banner(config, url, where, automine)),
        )
