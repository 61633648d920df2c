"""Runs a development chain in this process."""

from __future__ import annotations

import click

from node.dev.api import DevApi
from node.dev.chain import dev_settings, load_dev_config, render_banner
from node.opening import open_in
from node.settings import Settings
from node.shell.daemon import run_daemon
from node.shell.files import DirectoryDisk
from node.shell.logs import configure_logging


def run_dev_chain(settings: Settings, block_time: int | None, automine: bool) -> None:
    """Creates the chain, or opens the one of the data directory, and runs it until it is stopped."""
    configure_logging(settings.log_level, settings.log_json)
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
