"""The environment of a node: clock, timers, connections, small files, and outputs."""

from typing import NamedTuple, Protocol

from chain.effects import FeedItem
from chain.pending import Dropped
from protocol.block import Block
from protocol.p2p.messages import Endpoint


class Disk(Protocol):
    """Small files that survive a crash."""

    def read(self, name: str) -> bytes | None:
        """Returns the last content written under a name, or None."""

    def write(self, name: str, data: bytes) -> None:
        """Replaces a file, all or nothing; it is durable when this returns. Raises StoreWriteFailed."""


class MemoryDisk:
    """Files in memory, of a node that persists nothing."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        """Returns the last content written under a name, or None."""
        return self._files.get(name)

    def write(self, name: str, data: bytes) -> None:
        """Replaces a file."""
        self._files[name] = data


class Link(NamedTuple):
    """A connection after the key exchange.

    `remote` and `local` are the endpoints of the socket; `digest` (32 bytes) is signed by each side to bind its node
    key to this connection.
    """

    is_outbound: bool
    remote: Endpoint
    local: Endpoint
    digest: bytes


class World(Protocol):
    """The interface to the environment. No method calls the node back before it returns."""

    @property
    def disk(self) -> Disk:
        """The node's small files."""

    def now_ms(self) -> int:
        """The wall clock in milliseconds since the epoch."""

    def monotonic_ms(self) -> int:
        """A monotonic clock, in milliseconds."""

    def set_timer(self, name: str, at_ms: int) -> None:
        """Schedules `on_timer(name)` at a time, replacing an earlier timer of the same name."""

    def random_bytes(self, count: int) -> bytes:
        """Returns cryptographically secure random bytes."""

    def publish(self, items: tuple[FeedItem, ...]) -> None:
        """Publishes changes of the chain."""

    def tell_dropped(self, dropped: list[Dropped]) -> None:
        """Reports accepted transactions that this node dropped."""

    def note(self, event: str, **figures: object) -> None:
        """Logs an event for the operator: its name and fields."""

    def connect(self, endpoint: Endpoint) -> None:
        """Dials an address; `on_connect` or `on_connect_failed` follows."""

    def send(self, connection: int, number: int, payload: bytes) -> None:
        """Queues a message for sending."""

    def has_room(self, connection: int) -> bool:
        """Whether the write buffer has room (backpressure); after False, `on_writable` follows when it has."""

    def disconnect(self, connection: int) -> None:
        """Closes a connection after the queued messages are written; `on_disconnect` does not follow."""

    def recover(self, job: int, blocks: list[Block]) -> None:
        """Starts signer recovery in another process if possible; `on_recovered(job)` follows in any case."""
