"""A peer, for as long as it is connected: who it says it is, how far its handshake is, and what it has cost.

Whatever else is known of it is in parts, each declared beside the room that alone reads and writes it.
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
"""Items of gossip that one request asks a peer for. A node of the reference is asked for one at a time, as it does
itself: a list of which it has lost an item makes it close the connection."""

COST_MAX = 10_000
"""What a peer may cost at once, in units of about 10 microseconds of work."""

COST_REFUND_PER_SECOND = 1_000
"""How much of it is forgiven each second: a hundredth of a processor."""

DOUBTFUL_BYTES_PER_COST = 100
"""How many bytes of a block cost one unit that can not be applied, or that lies beside the main chain and that its
witness did not sign."""

P = TypeVar("P")


class Direction(IntEnum):
    """Who dialled, as messages tell it."""

    UNKNOWN = 0
    INBOUND = 1
    OUTBOUND = 2


class Reach(IntEnum):
    """Whether a peer can be dialled, as messages tell it."""

    UNKNOWN = 0
    FIREWALLED = 1
    OPEN = 2


class Introduction(NamedTuple):
    """Who a peer says it is; empty before its hello.

    `node_key` has signed this connection's secret. Anybody can say the rest, also `node_id`, which names its process.
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
        """Key and process, which only one connection may have."""
        return self.node_key + self.node_id

    @property
    def fetch_max(self) -> int:
        """How many items one request may ask it for."""
        return FETCH_ITEMS_MAX if "config_digest" in self.user_data else 1

    @property
    def has_blocks(self) -> bool:
        """Whether its chain had begun when it said hello, as far as it told."""
        return self.user_data.get("last_known_block_number") != 0


STRANGER = Introduction()


@dataclass(slots=True, eq=False)
class Peer:
    """One connection, since a moment in milliseconds of the world's clock. `state` and `who` are the handshake's."""

    connection: int
    link: Link
    connected_at_ms: int
    state: State = State.GREETED
    who: Introduction = STRANGER
    work: Allowance = field(default_factory=lambda: Allowance(COST_MAX, COST_REFUND_PER_SECOND))
    """What its messages cost."""
    _parts: dict[type[Any], Any] = field(default_factory=dict)

    def part(self, kind: type[P]) -> P:
        """The part of a kind, made when it is first asked for: by the file that declares the kind, and no other."""
        found: P | None = self._parts.get(kind)
        if found is None:
            found = self._parts[kind] = kind()
        return found

    @property
    def name(self) -> str:
        """What log lines call it: its address."""
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
        """Whether its hello was taken."""
        return self.state in (State.WELCOME, State.AGREED, State.ACTIVE)

    @property
    def is_cheap(self) -> bool:
        """Whether it has cost so little lately that it may be asked for more that could be refused."""
        return self.work.cost <= COST_MAX // 2
