"""Network set-up from the settings: node key, addresses of seeds, and the port for peers."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Iterable

from node.core import Checkpoint, Disk, NetworkSettings
from node.core.network import Network
from node.settings import Address, Settings
from protocol.errors import Invalid
from protocol.keys import PrivateKey
from protocol.p2p.messages import Endpoint

log = logging.getLogger("plaudit.p2p")

NODE_KEY_FILE = "node_key"
RESOLVE_SECONDS = 30
"""Interval of DNS lookups of seeds, whose addresses may change or not be registered yet."""


def make_network_settings(settings: Settings, disk: Disk) -> NetworkSettings | None:
    """Returns None for a node without peers. Raises StoreWriteFailed when the node's key cannot be written."""
    if not settings.has_network:
        return None
    return NetworkSettings(
        load_node_key(disk),
        listen=_find_endpoint(settings.p2p) if settings.p2p else None,
        connections_wanted=settings.connections_wanted,
        connections_max=settings.connections_max,
        per_address_max=settings.connections_per_address,
        per_subnet_max=settings.connections_per_subnet,
        discovers=settings.discover,
        checkpoint=Checkpoint(*settings.checkpoint) if settings.checkpoint else None,
    )


def load_node_key(disk: Disk) -> PrivateKey:
    """Loads the key that identifies the node to peers; creates it at the first start. Raises StoreWriteFailed."""
    try:
        return PrivateKey.from_wif((disk.read(NODE_KEY_FILE) or b"").decode("ascii").strip())
    except (Invalid, UnicodeDecodeError):
        key = PrivateKey(os.urandom(32))
        disk.write(NODE_KEY_FILE, key.to_wif().encode())
        return key


def _find_endpoint(address: Address) -> Endpoint | None:
    try:
        return Endpoint.parse(f"{address.host}:{address.port}")
    except Invalid:
        return None


async def follow_seeds(network: Network, seeds: Iterable[Address]) -> None:
    """Resolves the seeds' names now and periodically, and passes the addresses to the core."""
    names = tuple(seeds)
    is_known = set[Address]()
    while True:
        for seed in names:
            endpoint = await resolve(seed)
            if endpoint is not None:
                network.add_seed(endpoint)
                is_known.add(seed)
            elif seed not in is_known:
                log.warning("seed=%s is not known to the name service (yet)", seed)
        if all(_find_endpoint(seed) for seed in names):
            return
        await asyncio.sleep(RESOLVE_SECONDS)


async def resolve(seed: Address) -> Endpoint | None:
    """Resolves a host name; returns None without an IPv4 address."""
    endpoint = _find_endpoint(seed)
    if endpoint is not None:
        return endpoint
    try:
        found = await asyncio.get_running_loop().getaddrinfo(seed.host, seed.port, family=socket.AF_INET)
    except OSError:
        return None
    return _find_endpoint(Address(str(found[0][4][0]), seed.port))
