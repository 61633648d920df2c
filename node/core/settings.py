"""Settings of the node core."""

from collections.abc import Mapping
from typing import NamedTuple

from protocol.keys import PrivateKey
from protocol.p2p.messages import Endpoint


class Checkpoint(NamedTuple):
    """A block that the operator trusts: the chain must contain it, and up to it signatures are not checked."""

    number: int
    id: bytes


class NetworkSettings(NamedTuple):
    """Settings of the network.

    `node_key` identifies the node to peers. `seeds` are dialled whenever they are not connected. `listen` is where
    peers can connect, None when they can not. With `discovers`, addresses received from peers are dialled too, until
    there are `connections_wanted` outbound connections. Up to `connections_max` inbound ones are accepted, at most
    `per_address_max` from one IP address and `per_subnet_max` from one /24, with at most `handshakes_per_address`
    and in total `handshakes_max` handshakes per minute. Loopback connections count towards the totals only.
    """

    node_key: PrivateKey
    seeds: tuple[Endpoint, ...] = ()
    listen: Endpoint | None = None
    connections_wanted: int = 20
    connections_max: int = 200
    per_address_max: int = 8
    per_subnet_max: int = 32
    handshakes_per_address: int = 60
    handshakes_max: int = 1_200
    discovers: bool = True
    checkpoint: Checkpoint | None = None


class NodeSettings(NamedTuple):
    """Settings of a node.

    `witness_keys` maps the public signing key (33 bytes) to the private key; `witnesses` are the names it produces
    for. Without them it makes no block. `stale_production` allows production on an old head (of a new or abandoned
    chain); `participation_min_bp` is the share of the last 128 slots that must be filled; `automine` produces a block
    as soon as a transaction is pending, and no empty ones. With `mine_at_start` (and always with `automine`) a block is
    produced at the start, so that the chain's time equals the clock's.
    `network` is None for a node without peers. `recounts` are the invariants that are recounted over the whole state
    every `recount_minutes`.
    """

    witnesses: tuple[str, ...] = ()
    witness_keys: Mapping[bytes, PrivateKey] = {}
    stale_production: bool = True
    participation_min_bp: int = 3300
    automine: bool = False
    mine_at_start: bool = False
    network: NetworkSettings | None = None
    recounts: tuple[str, ...] = ()
    recount_minutes: int = 60
