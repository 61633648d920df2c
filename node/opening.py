"""Loading settings, chain config and chain for commands."""

from __future__ import annotations

from pathlib import Path

import platformdirs

import index.indexes
from chain.chain import Chain
from client.progress import Display
from index.indexes import Indexes
from node.failures import EXIT_USAGE, CommandError
from node.settings import Settings
from node.shell.files import make_private
from protocol.config import ChainConfig


def load_chain_config(settings: Settings) -> ChainConfig:
    """Loads the chain config that the settings name. Raises CommandError, ChainConfigError."""
    if settings.chain is None and settings.preset is None:
        raise CommandError(
            "Which chain? Name one that comes with the program with --preset (steem, testnet, dev), or a chain config "
            "file with --chain.",
            EXIT_USAGE,
        )
    return ChainConfig.load(settings.chain) if settings.chain else ChainConfig.preset(settings.preset or "dev")


def find_data_dir(settings: Settings, config: ChainConfig) -> Path:
    """Returns the data directory of a chain."""
    if settings.data_dir is not None:
        return settings.data_dir
    return Path(platformdirs.user_data_dir("plaudit", appauthor=False)) / config.chain.name


def open_in(
    settings: Settings, config: ChainConfig, data_dir: Path | None, has_history: bool | None = True
) -> tuple[Chain, Indexes]:
    """Opens the chain and its indexes in a directory, or in memory without one. Raises as `Chain.open`."""
    if data_dir is not None:
        make_private(data_dir)
    with Display() as display:
        return index.indexes.open_chain(
            config,
            data_dir,
            has_history=has_history,
            progress=display,
            cache_rows=settings.cache_rows,
            cache_bytes=settings.cache_mib << 20,
            invariants=settings.invariants_check,
        )


def open_chain(settings: Settings, config: ChainConfig) -> tuple[Chain, Indexes]:
    """Opens the chain of the data directory; creates one if there is none. Raises as `Chain.open`."""
    return open_in(settings, config, find_data_dir(settings, config), settings.history)


def open_existing(settings: Settings, config: ChainConfig, has_history: bool | None = True) -> tuple[Chain, Indexes]:
    """Opens the chain of the data directory. Raises CommandError if there is none, and as `Chain.open`."""
    data_dir = find_data_dir(settings, config)
    if not ((data_dir / "state").is_dir() or (data_dir / "block_log").is_file()):
        raise CommandError(f"{data_dir} holds no chain. Name the directory of one with --data-dir.")
    return open_in(settings, config, data_dir, has_history)


def refuse_to_replace(file: Path, force: bool) -> None:
    """Raises CommandError for a file that exists, unless it is to be overwritten."""
    if file.exists() and not force:
        raise CommandError(f"{file} exists. Choose another name, or write over it with --force.")
