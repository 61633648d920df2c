"""Connections between hosts: messages with delay, loss, duplication, reordering, cuts, partitions and little room."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING

from node.core import Link
from protocol.p2p.messages import Endpoint

if TYPE_CHECKING:
    from tests.sim.host import Host, SimWorld
    from tests.sim.run import Simulation

PORT = 2001
FIRST_ADDRESS = 10 << 24 | 1
ROOM_BYTES = 64 << 10
DIAL_TIMEOUT_MS = 5_000
SILENT_DEATH_MS = 20_000
"""After so long a connection to a machine without power is noticed to be dead."""


def endpoint_of(index: int) -> Endpoint:
    """Where a host listens."""
    return Endpoint(FIRST_ADDRESS + index, PORT)


class End:
    """One end of a connection: what its host knows it by, and what is on the way from it to the other end."""

    __slots__ = (
        "connection",
        "deaf_until_ms",
        "free_at_ms",
        "held",
        "is_broken",
        "is_open",
        "last_at_ms",
        "link",
        "peer",
        "queued",
        "world",
    )

    peer: End

    def __init__(self, world: SimWorld, connection: int, link: Link) -> None:
        self.world = world
        self.connection = connection
        self.link = link
        self.is_broken = False
        self.is_open = False
        self.last_at_ms = 0
        self.free_at_ms = 0
        self.queued = 0
        self.deaf_until_ms = 0
        self.held: list[tuple[int, bytes] | None] = []
        """Messages that a soft partition holds back; None is the end of the connection."""

    @property
    def host(self) -> Host:
        return self.world.host


class Wires:
    """All connections of a network."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._ends: dict[tuple[int, int], End] = {}
        self._dialled = 0
        self._blocked: Counter[tuple[int, int]] = Counter()
        self._is_soft: dict[tuple[int, int], bool] = {}
        low, high = sim.plan.delay_ms
        count = len(sim.plan.hosts)
        self._delays = {
            (one, other): sim.random.randint(low, high)
            for one in range(count)
            for other in range(count)
            if one != other
        }

    # Weather

    def block(self, pairs: tuple[tuple[int, int], ...], is_soft: bool) -> None:
        """Begins a partition."""
        self._blocked.update(pairs)
        self._is_soft.update(dict.fromkeys(pairs, is_soft))

    def unblock(self, pairs: tuple[tuple[int, int], ...]) -> None:
        """Ends a partition: what was held back goes out."""
        self._blocked.subtract(pairs)
        for end in list(self._ends.values()):
            if end.held and not self._is_blocked(end.host, end.peer.host):
                held, end.held = end.held, []
                for item in held:
                    if item is None:
                        self._schedule_end(end)
                    else:
                        self._schedule(end, *item)

    def cut_one(self) -> None:
        """Tears a connection: both ends hear of it."""
        whole = [end for end in self._ends.values() if end.is_open and end.peer.is_open and end.link.is_outbound]
        if whole:
            self._sim.count("cut links")
            self._reset(self._sim.random.choice(whole))

    def calm(self) -> None:
        """No more weather: short delays, and broken connections are torn at once."""
        for pair in self._delays:
            self._delays[pair] = self._sim.random.randint(5, 60)
        for end in list(self._ends.values()):
            if end.is_broken:
                self._reset(end)

    # What hosts do

    def dial(self, world: SimWorld, endpoint: Endpoint) -> None:
        """A host connects to an address."""
        index = endpoint.address - FIRST_ADDRESS
        hosts = self._sim.hosts
        if not 0 <= index < len(hosts) or endpoint.port != PORT:
            self._sim.loop.after(DIAL_TIMEOUT_MS, self._fail_dial, world, endpoint, "no answer")
            return
        other = hosts[index]
        if self._is_blocked(world.host, other) or self._is_blocked(other, world.host) or self._is_lost():
            self._sim.loop.after(DIAL_TIMEOUT_MS, self._fail_dial, world, endpoint, "no answer")
            return
        self._sim.loop.after(self._delay(world.host, other), self._accept, world, other, endpoint)

    def _fail_dial(self, world: SimWorld, endpoint: Endpoint, why: str) -> None:
        world.host.call(world, "on_connect_failed", endpoint, why)

    def _accept(self, world: SimWorld, other: Host, endpoint: Endpoint) -> None:
        back = self._delay(other, world.host)
        if other.world is None or other.node is None:
            self._sim.loop.after(back, self._fail_dial, world, endpoint, "refused")
            return
        if not world.is_running:
            return
        self._dialled += 1
        local = Endpoint(FIRST_ADDRESS + world.host.index, 20_000 + self._dialled % 40_000)
        digest = sha256(b"%d" % self._dialled).digest()
        near = End(world, world.host.next_connection(), Link(True, endpoint, local, digest))
        far = End(other.world, other.next_connection(), Link(False, local, endpoint, digest))
        near.peer, far.peer = far, near
        for end in (near, far):
            self._ends[end.host.index, end.connection] = end
        far.is_open = True
        far.last_at_ms = self._sim.loop.now_ms + back
        self._sim.loop.at(far.last_at_ms, self._connected, near)
        other.call(far.world, "on_connect", far.connection, far.link)

    def _connected(self, end: End) -> None:
        if not end.world.is_running:
            self._lose(end.peer, "connection reset")
            return
        end.is_open = True
        end.host.call(end.world, "on_connect", end.connection, end.link)
        if not end.peer.is_open:
            self._lose(end, "closed by the other side")

    def send(self, world: SimWorld, connection: int, number: int, payload: bytes) -> None:
        """A host sends a message."""
        end = self._ends.get((world.host.index, connection))
        if end is None or not end.is_open or end.world is not world:
            return
        self._sim.count("messages")
        self._sim.count("bytes", len(payload))
        if self._is_lost():
            self._sim.count("lost messages")
            self._break(end)
        elif not self._is_blocked(end.host, end.peer.host):
            end.queued += len(payload)
            self._schedule(end, number, payload)
        elif self._is_soft[end.host.index, end.peer.host.index]:
            self._sim.count("held messages")
            end.queued += len(payload)
            end.held.append((number, payload))
        else:
            self._sim.count("messages lost to partitions")
            self._break(end)

    def _break(self, end: End) -> None:
        """A message is lost, comes twice or in the wrong place: the connection is torn sooner or later.

        TCP would give up when nothing is acknowledged, and the cipher of the channel would no longer fit.
        """
        if not end.is_broken:
            end.is_broken = True
            self._sim.loop.after(self._sim.random.randint(500, SILENT_DEATH_MS), self._reset, end)

    def _reset(self, end: End) -> None:
        self._lose(end, "connection reset")
        self._lose(end.peer, "connection reset")

    def has_room(self, world: SimWorld, connection: int) -> bool:
        """Whether an end takes more now."""
        end = self._ends.get((world.host.index, connection))
        if end is None or not end.is_open:
            return True
        now = self._sim.loop.now_ms
        if now >= end.deaf_until_ms and self._happens(self._sim.plan.no_room):
            end.deaf_until_ms = now + self._sim.random.randint(50, 3_000)
            self._sim.count("times without room")
            self._sim.loop.at(end.deaf_until_ms, self._writable, end)
        return now >= end.deaf_until_ms and end.queued < ROOM_BYTES

    def close(self, world: SimWorld, connection: int) -> None:
        """A host closes a connection once everything is sent."""
        end = self._ends.get((world.host.index, connection))
        if end is None or end.world is not world:
            return
        del self._ends[world.host.index, connection]
        end.is_open = False
        if end.held:
            end.held.append(None)
            self._ends[world.host.index, connection] = end
        elif not self._is_blocked(end.host, end.peer.host):
            self._schedule_end(end)
        else:
            self._sim.loop.after(SILENT_DEATH_MS, self._lose, end.peer, "timed out")

    def on_death(self, host: Host, is_silent: bool) -> None:
        """A host's process is gone: the others hear of it soon, or late when the machine itself is gone."""
        for end in [end for end in self._ends.values() if end.host is host]:
            end.is_open = False
            del self._ends[host.index, end.connection]
            delay = SILENT_DEATH_MS if is_silent else self._delay(host, end.peer.host)
            self._sim.loop.after(delay, self._lose, end.peer, "connection reset")

    def connections_of(self, world: SimWorld) -> list[int]:
        """The open connections of a process."""
        return [end.connection for end in self._ends.values() if end.world is world and end.is_open]

    # On the way

    def _schedule(self, end: End, number: int, payload: bytes) -> None:
        sim = self._sim
        now = sim.loop.now_ms
        at = now
        if sim.is_weather and sim.plan.bytes_per_second:
            end.free_at_ms = max(now, end.free_at_ms) + len(payload) * 1000 // sim.plan.bytes_per_second
            at = end.free_at_ms
        sim.loop.at(at, self._sent, end, len(payload)) if at > now else self._sent(end, len(payload))
        at += self._delay(end.host, end.peer.host)
        if self._happens(sim.plan.reordering):
            sim.count("messages out of order")
            at += sim.random.randint(0, 2_000)
            self._break(end)
        else:
            at = end.last_at_ms = max(at, end.last_at_ms)
        sim.loop.at(at, self._deliver, end.peer, number, payload)
        if self._happens(sim.plan.duplication):
            sim.count("duplicated messages")
            self._break(end)
            sim.loop.at(at + sim.random.randint(0, 2_000), self._deliver, end.peer, number, payload)

    def _sent(self, end: End, size: int) -> None:
        was_full = end.queued >= ROOM_BYTES
        end.queued -= size
        if was_full and end.queued < ROOM_BYTES:
            self._sim.loop.after(0, self._writable, end)

    def _writable(self, end: End) -> None:
        if end.is_open and self._sim.loop.now_ms >= end.deaf_until_ms and end.queued < ROOM_BYTES:
            end.host.call(end.world, "on_writable", end.connection)

    def _schedule_end(self, end: End) -> None:
        at = max(self._sim.loop.now_ms + self._delay(end.host, end.peer.host), end.last_at_ms)
        self._sim.loop.at(at, self._lose, end.peer, "closed by the other side")
        if not end.is_open:
            self._ends.pop((end.host.index, end.connection), None)

    def _deliver(self, end: End, number: int, payload: bytes) -> None:
        if end.is_open:
            end.host.deliver(end.world, end.connection, number, payload)

    def _lose(self, end: End, why: str) -> None:
        if end.is_open:
            end.is_open = False
            self._ends.pop((end.host.index, end.connection), None)
            end.host.call(end.world, "on_disconnect", end.connection, why)

    def _delay(self, one: Host, other: Host) -> int:
        if one is other:
            return 1
        jitter = self._sim.plan.jitter_ms if self._sim.is_weather else 5
        return self._delays[one.index, other.index] + self._sim.random.randint(0, jitter)

    def _is_blocked(self, one: Host, other: Host) -> bool:
        return self._blocked[one.index, other.index] > 0

    def _is_lost(self) -> bool:
        return self._happens(self._sim.plan.loss)

    def _happens(self, chance: float) -> bool:
        """Whether something of the weather happens now."""
        return self._sim.is_weather and chance > 0 and self._sim.random.random() < chance
