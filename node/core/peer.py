"""A connected peer: its identity, the state of its handshake, and its cost so far.

Other state of a peer is in parts, each declared by the module that alone reads and writes it.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple, TypeVar

from node.core.allowance import Allowance
from node.core.states import State
from node.core.world import Link
from protocol.p2p.messages import Endpoint

NO_NODE_ID = bytes(33)

FETCH_ITEMS_MAX = 100
"""Maximum number of items in one gossip request. Reference nodes are asked for one at a time, as they do themselves:
they close the connection if one item of a list has expired."""

COST_MAX = 10_000
"""Burst limit of a peer's cost, in units of about 10 microseconds of work."""

COST_REFUND_PER_SECOND = 1_000
"""Cost refunded per second: one percent of a CPU."""

DOUBTFUL_BYTES_PER_COST = 100
"""Bytes per cost unit of a block that can not be applied, or that is on a side branch and not signed by its witness."""

P = TypeVar("P")


class Direction(IntEnum):
    """Which side dialled, by its number on the wire."""

    UNKNOWN = 0
    INBOUND = 1
    OUTBOUND = 2


class Reach(IntEnum):
    """Whether a peer can be dialled, by its number on the wire."""

    UNKNOWN = 0
    FIREWALLED = 1
    OPEN = 2


class Introduction(NamedTuple):
    """What a peer's hello says about it; empty before the hello.

    Only `node_key` is proved: it signed this connection's secret. `node_id`, which identifies the process, is not.
    """

    node_key: bytes = b""
    node_id: bytes = NO_NODE_ID
    user_agent: str = ""
    listens_at: Endpoint | None = None
    reach: Reach = Reach.UNKNOWN
    inbound_port: int = 0
    user_data: dict[str, Any] = {}

    @property
    def identity(self) -> bytes:
        """Node key and process id; only one connection per identity is kept."""
        return self.node_key + self.node_id

    @property
    def fetch_max(self) -> int:
        """Maximum number of items per request to this peer."""
        return FETCH_ITEMS_MAX if "config_digest" in self.user_data else 1

    @property
    def has_blocks(self) -> bool:
        """Whether the peer's chain had any block at its hello, as far as it says."""
        return self.user_data.get("last_known_block_number") != 0


STRANGER = Introduction()


@dataclass(slots=True, eq=False)
class Peer:
    """One connection and when it was opened (world's clock, ms). `state` and `who` are written by the handshake
    only."""

    connection: int
    link: Link
    connected_at_ms: int
    state: State = State.GREETED
    who: Introduction = STRANGER
    work: Allowance = field(default_factory=lambda: Allowance(COST_MAX, COST_REFUND_PER_SECOND))
    """Rate limit of its messages."""
    _parts: dict[type[Any], Any] = field(default_factory=dict)

    def part(self, kind: type[P]) -> P:
        """Returns the part of a class, created on first use. Only the module that declares the class may call this."""
        found: P | None = self._parts.get(kind)
        if found is None:
            found = self._parts[kind] = kind()
        return found

    @property
    def name(self) -> str:
        """Its name in log lines: the address."""
        return str(self.who.listens_at or self.link.remote)

    @property
    def direction(self) -> Direction:
        """Who dialled."""
        return Direction.OUTBOUND if self.link.is_outbound else Direction.INBOUND

    @property
    def is_active(self) -> bool:
        """Whether the handshake is done."""
        return self.state is State.ACTIVE

    @property
    def is_accepted(self) -> bool:
        """Whether its hello was accepted."""
        return self.state in (State.WELCOME, State.AGREED, State.ACTIVE)

    @property
    def is_cheap(self) -> bool:
        """Whether enough of its limit is left to request more items that might be rejected."""
        return self.work.cost <= COST_MAX // 2
