"""What surrounds a node: clock, timers, connections, small files, and those who listen."""

from typing import NamedTuple, Protocol

from chain.effects import FeedItem
from chain.pending import Dropped
from protocol.block import Block
from protocol.p2p.messages import Endpoint


class Disk(Protocol):
    """Small files that survive a crash."""

    def read(self, name: str) -> bytes | None:
        """Returns what was written last under a name, or None."""

    def write(self, name: str, data: bytes) -> None:
        """Replaces a file, all or nothing; it is durable when this returns. Raises StoreWriteFailed."""


class MemoryDisk:
    """Files of a node that keeps nothing."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        """Returns what was written last under a name, or None."""
        return self._files.get(name)

    def write(self, name: str, data: bytes) -> None:
        """Replaces a file."""
        self._files[name] = data


class Link(NamedTuple):
    """A connection whose keys have been exchanged.

    `remote` and `local` are the two ends as the socket shows them; `digest` is what each side signs to prove that its
    node key speaks on this very connection (32 bytes).
    """

    is_outbound: bool
    remote: Endpoint
    local: Endpoint
    digest: bytes


class World(Protocol):
    """Everything a node can ask for. No method calls the node back before it returns."""

    @property
    def disk(self) -> Disk:
        """The node's small files."""

    def now_ms(self) -> int:
        """The wall clock in milliseconds since the epoch."""

    def monotonic_ms(self) -> int:
        """A clock that nobody sets, in milliseconds since some moment."""

    def set_timer(self, name: str, at_ms: int) -> None:
        """Asks for `on_timer(name)` at that moment, in place of an earlier request of the same name."""

    def random_bytes(self, count: int) -> bytes:
        """Bytes that nobody can foresee."""

    def publish(self, items: tuple[FeedItem, ...]) -> None:
        """Hands on what happened to the chain."""

    def tell_dropped(self, dropped: list[Dropped]) -> None:
        """Hands on which of the transactions that were taken this node no longer keeps."""

    def note(self, event: str, **figures: object) -> None:
        """Hands on what the operator should see: an event's name and its figures."""

    def connect(self, endpoint: Endpoint) -> None:
        """Dials; `on_connect` or `on_connect_failed` follows."""

    def send(self, connection: int, number: int, payload: bytes) -> None:
        """Sends a message behind those sent before."""

    def has_room(self, connection: int) -> bool:
        """Whether more should be sent now; after False `on_writable` follows when there is room again."""

    def disconnect(self, connection: int) -> None:
        """Closes a connection once what was sent is written; `on_disconnect` does not follow."""

    def recover(self, job: int, blocks: list[Block]) -> None:
        """Has the signers of blocks recovered elsewhere, where that can be; `on_recovered(job)` follows in any case."""
