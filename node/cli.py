"""The command line `plaudit`: what can be asked of it. Modules that take long to load are imported by their command."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from node.failures import EXIT_USAGE, CommandError, plain_errors
from node.settings import (
    ADMIN_DEFAULT,
    RPC_DEFAULT,
    URL_DEFAULT,
    Address,
    Settings,
    SettingsError,
    collect_settings,
    list_secret_files,
    parse_loopback,
)
from wallet.harmless import HarmlessGroup

if TYPE_CHECKING:
    from chain.chain import Chain
    from node.ports.operator_ports import OperatorPorts
    from protocol.config import ChainConfig

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_DIRECTORY: Final = click.Path(file_okay=False, path_type=Path)
_PRESETS: Final = ("steem", "testnet", "dev")
_LOG_LEVELS: Final = ("debug", "info", "warning", "error")


class LazyGroup(HarmlessGroup):
    """A group with the wallet in it, whose many modules are loaded only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return sorted([*super().list_commands(ctx), "wallet"])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name."""
        if cmd_name == "wallet":
            from wallet.cli import wallet

            return wallet
        return super().get_command(ctx, cmd_name)


def options(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, in the order in which help shows them."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


_chain_options = options(
    click.option(
        "--data-dir", type=_DIRECTORY, help="Directory of the chain's data.  [default: in the user's data folder]"
    ),
    click.option("--preset", type=click.Choice(_PRESETS), help="A chain that comes with the program."),
    click.option("--chain", type=_FILE, help="Chain config file (see `plaudit chain init`)."),
)
_log_options = options(
    click.option("--log-level", type=click.Choice(_LOG_LEVELS), help="What is logged.  [default: info]"),
    click.option("--log-json", is_flag=True, default=None, help="Log lines as JSON, for programs."),
)


def _parse_admin(ctx: click.Context, parameter: click.Parameter, value: str) -> Address:
    try:
        address = parse_loopback(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    assert isinstance(address, Address), "texts become addresses"
    return address


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Plaudit: a node of a Steem-protocol chain, its tools, and a wallet."""


@main.command()
@_chain_options
@click.option("--rpc", metavar="HOST:PORT", help=f"Where JSON-RPC is served.  [default: {RPC_DEFAULT}]")
@click.option(
    "--rpc-proxy",
    metavar="IP",
    multiple=True,
    help="Proxy in front of JSON-RPC whose X-Forwarded-For is to be believed; repeatable.",
)
@click.option("--p2p", metavar="HOST:PORT", help="Where peers connect.  [default: nowhere]")
@click.option(
    "--admin",
    metavar="HOST:PORT",
    help="Where `plaudit peers` and the like connect, of this machine only.  [default: nowhere]",
)
@click.option("--metrics", metavar="HOST:PORT", help="Where metrics are served, for Prometheus.  [default: nowhere]")
@click.option(
    "--seed", metavar="HOST:PORT", multiple=True, help="Peer that is dialled whenever it is not connected; repeatable."
)
@click.option("--connections-max", type=int, metavar="N", help="Connections to peers at one time.  [default: 200]")
@click.option("--connections-wanted", type=int, metavar="N", help="Connections that are looked for.  [default: 20]")
@click.option("--discover/--no-discover", default=None, help="Dial addresses that peers tell, too.  [default: on]")
@click.option(
    "--checkpoint", metavar="NUMBER,ID", help="Block of the chain up to which signatures need no check: you trust it."
)
@click.option("--witness", metavar="NAME", multiple=True, help="Make blocks for this account; can be repeated.")
@click.option(
    "--witness-key",
    metavar="WIF",
    multiple=True,
    help="Private signing key; can be repeated. Others can see it in the list of processes: better use "
    "PLAUDIT_WITNESS_KEY (words) or --witness-key-file.",
)
@click.option("--witness-key-file", type=_FILE, help="File with one private signing key a line.")
@click.option(
    "--participation", type=int, metavar="PERCENT", help="Part of the latest 128 slots to be filled.  [default: 33]"
)
@click.option(
    "--stale-production/--no-stale-production",
    default=None,
    help="Make blocks on a head that is long past, as when a chain starts.  [default: only without peers]",
)
@click.option("--history/--no-history", default=None, help="Keep account history.  [default: on]")
@click.option(
    "--cache-rows", type=int, metavar="N", help="Rows of the state kept in memory, decoded.  [default: 200000]"
)
@click.option("--cache-mib", type=int, metavar="N", help="MiB of the database kept in memory.  [default: 64]")
@click.option("--config", type=_FILE, help="TOML file with these settings: data_dir = ..., witness = [...].")
@_log_options
def node(**flags: Any) -> None:
    """Run a node: it follows the chain, serves JSON-RPC and, with witness keys, makes blocks.

    Each setting can be a flag, a variable such as PLAUDIT_DATA_DIR, or a key of the --config file; the first
    of these counts.
    """
    settings = _collect(flags)
    keys = _checked(settings.read_witness_keys)
    config = _load_chain_config(settings)
    from node.shell.logs import configure_logging

    configure_logging(settings.log_level, settings.log_json)
    from node.core import NodeSettings
    from node.shell.daemon import log, run_daemon
    from node.shell.files import DirectoryDisk
    from node.shell.open_files import raise_limit
    from node.shell.peering import make_network_settings
    from wallet.exposure import find_exposure

    raise_limit()
    for exposure in filter(None, map(find_exposure, list_secret_files(settings, flags, os.environ))):
        log.warning("%s", exposure)
    chain = _open_chain(settings, config)
    _warn_about_keys(chain, settings.witness, set(keys), log.warning)
    disk = DirectoryDisk(_data_dir(settings, config))
    is_alone = not settings.has_network
    with plain_errors():
        node_settings = NodeSettings(
            settings.witness,
            keys,
            stale_production=is_alone if settings.stale_production is None else settings.stale_production,
            participation_min_bp=settings.participation * 100,
            network=make_network_settings(settings, disk),
        )
        run_daemon(
            chain,
            node_settings,
            settings.rpc,
            disk=disk,
            p2p=settings.p2p,
            seeds=settings.seed,
            operator=_make_operator_ports(settings, _data_dir(settings, config)),
            proxies=settings.rpc_proxy,
        )


@main.command()
@click.option("--data-dir", type=_DIRECTORY, help="Keep the chain in this directory.  [default: in memory]")
@click.option("--chain", type=_FILE, help="Chain config file with known keys.  [default: preset dev]")
@click.option("--rpc", metavar="HOST:PORT", help=f"Where JSON-RPC is served.  [default: {RPC_DEFAULT}]")
@click.option(
    "--block-time", type=click.IntRange(1, 3600), metavar="SECONDS", help="Time between blocks.  [default: 3]"
)
@click.option("--automine", is_flag=True, help="Make a block as soon as a transaction comes, and none without one.")
@_log_options
def dev(block_time: int | None, automine: bool, **flags: Any) -> None:
    """Run a development chain on this machine, with ten funded accounts whose keys it shows.

    It also serves dev_api, which makes blocks at once and lets time pass.
    """
    settings = _collect(flags)
    from node.dev.api import DevApi
    from node.dev.chain import dev_settings, load_dev_config, render_banner
    from node.shell.daemon import run_daemon
    from node.shell.files import DirectoryDisk
    from node.shell.logs import configure_logging

    configure_logging(settings.log_level, settings.log_json)
    with plain_errors():
        config = load_dev_config(settings.chain, block_time)
        node_settings = dev_settings(config, automine)
        chain = _open(settings, config, settings.data_dir)
        where = "kept in memory" if settings.data_dir is None else f"kept in {settings.data_dir}"

        run_daemon(
            chain,
            node_settings,
            settings.rpc,
            disk=DirectoryDisk(settings.data_dir) if settings.data_dir else None,
            extra_apis=lambda shell: {"dev_api": DevApi(shell.node)},
            on_ready=lambda shell, url: click.echo(render_banner(config, url, where, automine)),
        )


@main.command()
@click.option("--node", "url", default=URL_DEFAULT, envvar="PLAUDIT_NODE", show_default=True, help="URL of the node.")
@click.option(
    "--max-age", type=click.IntRange(1), default=60, show_default=True, help="Age of a healthy head, in seconds."
)
@click.option("--json", "is_json", is_flag=True, help="Print JSON for programs.")
def status(url: str, max_age: int, is_json: bool) -> None:
    """Say how a running node is.

    Exit codes for monitors: 0 healthy, 1 not healthy or not to be reached.
    """
    from node.commands.status import run_status

    raise SystemExit(run_status(url, is_json, max_age))


_admin_options = options(
    click.option(
        "--admin",
        metavar="HOST:PORT",
        default=ADMIN_DEFAULT,
        envvar="PLAUDIT_ADMIN",
        show_default=True,
        callback=_parse_admin,
        help="Admin port of the node (its --admin).",
    ),
    click.option("--json", "is_json", is_flag=True, help="Print JSON for programs."),
)


@main.group()
def peers() -> None:
    """Peers of a running node on this machine, through its admin port."""


@peers.command("list")
@_admin_options
def peers_list(admin: Address, is_json: bool) -> None:
    """Show the connections to peers."""
    from node.commands.peers import show_peers

    show_peers(admin, is_json)


@peers.command("bans")
@_admin_options
def peers_bans(admin: Address, is_json: bool) -> None:
    """Show who is banned, until when and why."""
    from node.commands.peers import show_bans

    show_bans(admin, is_json)


@peers.command("ban")
@click.argument("ip")
@click.option("--seconds", type=click.IntRange(0), default=86_400, show_default=True, help="For how long; 0: for ever.")
@click.option("--reason", default="by the operator", show_default=True, help="Is shown with the ban.")
@_admin_options
def peers_ban(ip: str, seconds: int, reason: str, admin: Address, is_json: bool) -> None:
    """Drop the connections of an IP address and take none from it for a time."""
    from node.commands.peers import ban_peer

    ban_peer(admin, ip, seconds, reason, is_json)


@peers.command("unban")
@click.argument("ip")
@_admin_options
def peers_unban(ip: str, admin: Address, is_json: bool) -> None:
    """Lift the ban of an IP address."""
    from node.commands.peers import unban_peer

    unban_peer(admin, ip, is_json)


@peers.command("disconnect")
@click.argument("peer")
@_admin_options
def peers_disconnect(peer: str, admin: Address, is_json: bool) -> None:
    """Close the connections to PEER (IP:PORT as listed); it may come back: to prevent that, ban it."""
    from node.commands.peers import disconnect_peer

    disconnect_peer(admin, peer, is_json)


@peers.command("add")
@click.argument("peer")
@_admin_options
def peers_add(peer: str, admin: Address, is_json: bool) -> None:
    """Dial PEER (HOST:PORT) now and, until the node stops, whenever it is not connected."""
    from node.commands.peers import add_seed

    add_seed(admin, peer, is_json)


@main.group()
def guard() -> None:
    """The record of the slots that this machine's keys have signed for."""


@guard.command("reset")
@click.option("--data-dir", type=_DIRECTORY, required=True, help="Directory of a stopped node's data.")
def guard_reset(data_dir: Path) -> None:
    """After the clock was far ahead and is right again: let keys sign in slots that they have surely not signed for."""
    from node.commands.guard import reset_guard

    reset_guard(data_dir)


@main.group()
def chain() -> None:
    """Chain configs: files that describe a chain."""


@chain.command("init")
@click.argument("file", type=_FILE)
@click.option("--preset", type=click.Choice(_PRESETS), help="Start from this chain.  [default: a new one like dev]")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
def chain_init(file: Path, preset: Any, force: bool) -> None:
    """Write a chain config with a comment on every key to FILE, to be changed and used with --chain."""
    from protocol.config import ChainConfig
    from protocol.config_template import render_template

    if file.exists() and not force:
        raise CommandError(f"{file} exists. Choose another name, or write over it with --force.")
    with plain_errors():
        file.write_text(render_template(ChainConfig.preset(preset) if preset else None), encoding="utf-8")
    click.echo(f"{file} is written. Change it, look it over with `plaudit config check {file}`, then run it:")
    click.echo(f"  plaudit dev --chain {file}")


@main.group()
def config() -> None:
    """Checks of config files."""


@config.command("check")
@click.argument("file", type=_FILE)
def config_check(file: Path) -> None:
    """Say whether FILE is a chain config that can be used; if not, name each key, its value and what is allowed."""
    from protocol.config import ChainConfig

    with plain_errors():
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


@main.group()
def blocks() -> None:
    """Blocks in and out of files (the reference's block_log format)."""


@blocks.command("import")
@click.argument("file", type=_FILE)
@_chain_options
@click.option("--until", type=click.IntRange(1), metavar="N", help="Stop with block N as head.")
@click.option("--skip-signatures", is_flag=True, help="Do not check signatures: for a file that you trust.")
@click.option("--history/--no-history", default=None, help="Keep account history.  [default: on]")
def blocks_import(file: Path, until: int | None, skip_signatures: bool, **flags: Any) -> None:
    """Apply the blocks of FILE behind the head of the chain; a later import goes on where this one ended."""
    settings = _collect(flags)
    chain_config = _load_chain_config(settings)
    from node.commands.blocks import run_import

    with plain_errors():
        run_import(chain_config, lambda: _open_chain(settings, chain_config), file, until, skip_signatures)


@blocks.command("export")
@click.argument("file", type=_FILE)
@_chain_options
@click.option("--from", "first", type=click.IntRange(1), help="First block.  [default: the first there is]")
@click.option("--to", "last", type=click.IntRange(1), help="Last block.  [default: the head]")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
def blocks_export(file: Path, first: int | None, last: int | None, force: bool, **flags: Any) -> None:
    """Write blocks of the chain to FILE, which `plaudit blocks import` and the reference can read."""
    settings = _collect(flags)
    chain_config = _load_chain_config(settings)
    if file.exists() and not force:
        raise CommandError(f"{file} exists. Choose another name, or write over it with --force.")
    from node.commands.blocks import run_export

    with plain_errors():
        run_export(_open_existing(settings, chain_config, has_history=None), file, first, last)


@main.group()
def snapshot() -> None:
    """The state of a chain in one file, with which another node starts at once."""


@snapshot.command("create")
@click.argument("file", type=_FILE)
@_chain_options
@click.option("--no-history", is_flag=True, help="Leave account history out.")
@click.option("--force", is_flag=True, help="Write over a file that exists.")
def snapshot_create(file: Path, no_history: bool, force: bool, **flags: Any) -> None:
    """Write the state at the last irreversible block of a stopped node to FILE, with the account history it has."""
    settings = _collect(flags)
    chain_config = _load_chain_config(settings)
    if file.exists() and not force:
        raise CommandError(f"{file} exists. Choose another name, or write over it with --force.")
    from node.commands.snapshot import run_create

    run_create(lambda: _open_existing(settings, chain_config, has_history=None), file, not no_history)


@snapshot.command("request")
@click.argument("name")
@_admin_options
def snapshot_request(name: str, admin: Address, is_json: bool) -> None:
    """Have a running node write a snapshot: to the new file NAME in the folder `snapshots` of its data directory."""
    from node.commands.snapshot import run_request

    run_request(admin, name, is_json)


@snapshot.command("verify")
@click.argument("file", type=_FILE)
@_chain_options
def snapshot_verify(file: Path, **flags: Any) -> None:
    """Check all of FILE, and that it is of the chain if one is named with --preset or --chain."""
    settings = _collect(flags)
    is_named = settings.chain is not None or settings.preset is not None
    from node.commands.snapshot import run_verify

    run_verify(file, _load_chain_config(settings) if is_named else None)


@snapshot.command("restore")
@click.argument("file", type=_FILE)
@_chain_options
@click.option("--no-history", is_flag=True, help="Leave account history out.")
def snapshot_restore(file: Path, no_history: bool, **flags: Any) -> None:
    """Make a new data directory from FILE; the node goes on from its block and has no older ones."""
    settings = _collect(flags)
    chain_config = _load_chain_config(settings)
    from node.commands.snapshot import run_restore

    run_restore(file, chain_config, _data_dir(settings, chain_config), not no_history)


@main.group()
def history() -> None:
    """Account history."""


@history.command("rebuild")
@_chain_options
def history_rebuild(**flags: Any) -> None:
    """Drop the account history and make it anew from the block log."""
    settings = _collect(flags)
    chain_config = _load_chain_config(settings)
    with plain_errors():
        opened = _open_existing(settings, chain_config)
        try:
            opened.rebuild_history()
            click.echo(f"The account history was made anew up to block {opened.head_number}.")
        finally:
            opened.close()


@main.command()
def version() -> None:
    """Show the version of Plaudit, of Python, and of the protocol."""
    import platform

    from protocol.config import ChainConfig

    protocol_version = ChainConfig.preset("dev").blockchain_version
    click.echo(f"plaudit {metadata.version('plaudit')}")
    click.echo(f"protocol {protocol_version}, {platform.python_implementation()} {platform.python_version()}")


# What the commands share


def _checked(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except SettingsError as error:
        raise CommandError(str(error), EXIT_USAGE) from error


def _collect(flags: Mapping[str, Any]) -> Settings:
    settings: Settings = _checked(lambda: collect_settings(flags, os.environ))
    return settings


def _load_chain_config(settings: Settings) -> ChainConfig:
    from protocol.config import ChainConfig

    if settings.chain is None and settings.preset is None:
        raise CommandError(
            "Which chain? Name one that comes with the program with --preset (steem, testnet, dev), or a chain config "
            "file with --chain.",
            EXIT_USAGE,
        )
    with plain_errors():
        return ChainConfig.load(settings.chain) if settings.chain else ChainConfig.preset(settings.preset or "dev")


def _data_dir(settings: Settings, chain_config: ChainConfig) -> Path:
    if settings.data_dir is not None:
        return settings.data_dir
    import platformdirs

    return Path(platformdirs.user_data_dir("plaudit", appauthor=False)) / chain_config.chain.name


def _open(
    settings: Settings, chain_config: ChainConfig, data_dir: Path | None, has_history: bool | None = True
) -> Chain:
    from chain.chain import Chain
    from node.shell.files import make_private

    if data_dir is not None:
        make_private(data_dir)
    return Chain.open(
        chain_config,
        data_dir,
        has_history=has_history,
        cache_rows=settings.cache_rows,
        cache_bytes=settings.cache_mib << 20,
    )


def _open_chain(settings: Settings, chain_config: ChainConfig) -> Chain:
    with plain_errors():
        return _open(settings, chain_config, _data_dir(settings, chain_config), settings.history)


def _open_existing(settings: Settings, chain_config: ChainConfig, has_history: bool | None = True) -> Chain:
    data_dir = _data_dir(settings, chain_config)
    if not ((data_dir / "state").is_dir() or (data_dir / "block_log").is_file()):
        raise CommandError(f"{data_dir} holds no chain. Name the directory of one with --data-dir.")
    return _open(settings, chain_config, data_dir, has_history)


def _make_operator_ports(settings: Settings, data_dir: Path) -> OperatorPorts | None:
    if settings.admin is None and settings.metrics is None:
        return None
    from node.ports.operator_ports import OperatorPorts

    return OperatorPorts(settings.admin, settings.metrics, data_dir / "snapshots")


def _warn_about_keys(
    opened: Chain, witnesses: tuple[str, ...], public_keys: set[bytes], warn: Callable[..., None]
) -> None:
    """Says at the start what would else show only when a slot is missed; both can change while the node runs."""
    for name in witnesses:
        row = opened.ctx.tables.witnesses.find(name)
        if row is None:
            warn("witness=%s is not a witness of this chain (yet)", name)
        elif row.signing_key not in public_keys:
            warn("witness=%s has another signing key in the chain than those given here", name)


if __name__ == "__main__":
    main()
