"""Runs a node with its settings in this process."""

from __future__ import annotations

from pathlib import Path

from chain.chain import Chain
from client.exposure import find_exposure
from node.core import NodeSettings
from node.opening import find_data_dir, load_chain_config, open_chain
from node.ports.operator_ports import OperatorPorts
from node.settings import Settings, list_secret_files
from node.shell.daemon import log, run_daemon
from node.shell.files import DirectoryDisk
from node.shell.logs import configure_logging
from node.shell.open_files import raise_limit
from node.shell.peering import make_network_settings


def run_node(settings: Settings) -> None:
    """Opens the chain and runs the node until it is stopped. Raises CommandError, SettingsError, StoreError."""
    keys = settings.read_witness_keys()
    config = load_chain_config(settings)
    configure_logging(settings.log_level, settings.log_json)
    raise_limit()
    for exposure in filter(None, map(find_exposure, list_secret_files(settings))):
        log.warning("%s", exposure)
    chain, indexes = open_chain(settings, config)
    _warn_about_keys(chain, settings.witness, set(keys))
    data_dir = find_data_dir(settings, config)
    disk = DirectoryDisk(data_dir)
    is_alone = not settings.has_network
    node_settings = NodeSettings(
        settings.witness,
        keys,
        stale_production=is_alone if settings.stale_production is None else settings.stale_production,
        participation_min_bp=settings.participation * 100,
        network=make_network_settings(settings, disk),
        recounts=settings.invariants_recount,
        recount_minutes=settings.invariants_recount_minutes,
    )
    run_daemon(
        chain,
        indexes,
        node_settings,
        settings.rpc,
        disk=disk,
        p2p=settings.p2p,
        seeds=settings.seed,
        operator=_make_operator_ports(settings, data_dir),
        proxies=settings.rpc_proxy,
    )


def _make_operator_ports(settings: Settings, data_dir: Path) -> OperatorPorts | None:
    if settings.admin is None and settings.metrics is None:
        return None
    return OperatorPorts(settings.admin, settings.metrics, data_dir / "snapshots")


def _warn_about_keys(chain: Chain, witnesses: tuple[str, ...], public_keys: set[bytes]) -> None:
    """Warns at the start of missing or wrong witness keys, which would show only in missed slots; both can change
    later."""
    for name in witnesses:
        row = chain.ctx.tables.witnesses.find(name)
        if row is None:
            log.warning("witness=%s is not a witness of this chain (yet)", name)
        elif row.signing_key not in public_keys:
            log.warning("witness=%s has another signing key in the chain than those given here", name)
