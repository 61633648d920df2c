"""How a node takes part in its chain and in the network."""

from collections.abc import Mapping
from typing import NamedTuple

from protocol.keys import PrivateKey
from protocol.p2p.messages import Endpoint


class Checkpoint(NamedTuple):
    """A block that the operator trusts: the chain must contain it, and up to it signatures are not checked."""

    number: int
    id: bytes


class NetworkSettings(NamedTuple):
    """How the node meets others.

    `node_key` names the node to its peers. `seeds` are dialled whenever they are not connected. `listen` is where
    peers can connect, None when they can not. With `discovers` the addresses that peers tell are dialled too, until
    `connections_wanted` of these are there; up to `connections_max` of others are accepted, of which `per_address_max`
    are from one IP address and `per_subnet_max` from one /24, and per minute `handshakes_per_address` and
    `handshakes_max` of all. What comes from this very machine counts towards the sums only.
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
    """How this node takes part.

    `witness_keys` maps the public signing key (33 bytes) to the private key; `witnesses` are the names it produces
    for. Without them it makes no block. `stale_production` allows to go on from a head that is long past (a chain
    that starts, or that everybody left); `participation_min_bp` is the part of the last 128 slots that must be
    filled; `automine` makes a block as soon as a transaction waits, and none without one. With `mine_at_start`
    (and always with `automine`) a block is made at once at the start, so that the chain's time is the clock's.
    `network` is None for a node without peers. `recounts` are invariants that are recounted over the whole state, again
    `recount_minutes` after each time.
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
