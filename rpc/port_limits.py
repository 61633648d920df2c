"""Resource limits of an HTTP port, in total and per client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

Client = Hashable
"""The unit that limits apply to: an address, or a connection where the address identifies no client."""

FORWARDED_FOR: Final = "X-Forwarded-For"
IPV6_NETWORK_BITS: Final = 64
"""Prefix of an IPv6 address that identifies one client, who is free to choose the rest."""


class Share(NamedTuple):
    """A limit in total and per client."""

    whole: int
    one: int


class PortLimits(NamedTuple):
    """The limits of a port.

    `requests` are in progress: their body is received, their response not yet written. `held_bytes` are bodies,
    complete or not, and responses not yet read; the first `small_bytes` of each are free. Timeouts in seconds are for
    headers (and idle connections), for a body or a websocket message to arrive, and for a response to be read.
    """

    connections: Share = Share(1024, 128)
    requests: Share = Share(1024, 128)
    held_bytes: Share = Share(64 << 20, 32 << 20)
    small_bytes: int = 16 << 10
    body_bytes_max: int = 4 << 20
    websocket_requests_max: int = 64
    head_seconds: float = 75.0
    body_seconds: float = 30.0
    write_seconds: float = 60.0
    linger_seconds: float = 1.0
    stop_seconds: float = 5.0


OPERATOR_LIMITS: Final = PortLimits(
    connections=Share(16, 16),
    requests=Share(16, 16),
    held_bytes=Share(8 << 20, 8 << 20),
    body_bytes_max=1 << 20,
    body_seconds=10.0,
    stop_seconds=2.0,
)
"""Limits of the ports for the operator's own tools."""


class Overloaded(Exception):
    """A limit is reached; the text says which."""


class Gauge:
    """Usage of one resource by clients."""

    def __init__(self, share: Share, name: str) -> None:
        self.share = share
        self.held = 0
        self._name = name
        self._by_client: Counter[Client] = Counter()

    def take(self, client: Client, amount: int = 1) -> None:
        """Allocates an amount to a client. Raises Overloaded."""
        if self.held + amount > self.share.whole:
            raise Overloaded(f"{self._name} of all clients together are at the limit of this node, ask again later")
        if self._by_client[client] + amount > self.share.one:
            raise Overloaded(f"{self._name} of one client are limited to {self.share.one}, ask again later")
        self.held += amount
        self._by_client[client] += amount

    def release(self, client: Client, amount: int = 1) -> None:
        """Releases an amount of a client."""
        self.held -= amount
        self._by_client[client] -= amount
        if not self._by_client[client]:
            del self._by_client[client]

    @contextmanager
    def holding(self, client: Client, amount: int = 1) -> Iterator[None]:
        """Allocates an amount to a client during a `with` block. Raises Overloaded."""
        self.take(client, amount)
        try:
            yield
        finally:
            self.release(client, amount)


def name_client(
    peer: str | None, headers: Mapping[str, str], connection: Hashable, proxies: frozenset[str] = frozenset()
) -> Client:
    """Returns the client of a request: as stated by a trusted proxy, else its address.

    A loopback or private address may be a proxy that is not configured, with any number of clients behind it, so each
    of its connections counts as a client.
    """
    address = _parse(peer)
    if address is None:
        return connection
    if str(address) in proxies:
        passed_on = [_parse(part.strip()) for part in headers.get(FORWARDED_FOR, "").split(",")[-16:]]
        found = next((one for one in reversed(passed_on) if one is None or str(one) not in proxies), None)
        return connection if found is None else _name_network(found)
    return connection if address.is_private else _name_network(address)


def names_itself(peer: str | None, proxies: frozenset[str]) -> Client | None:
    """Returns the client that an address identifies before any request, or None."""
    address = _parse(peer)
    if address is None or address.is_private or str(address) in proxies:
        return None
    return _name_network(address)


def _parse(text: str | None) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _name_network(address: IPv4Address | IPv6Address) -> Client:
    if isinstance(address, IPv4Address):
        return str(address)
    return int(address) >> (128 - IPV6_NETWORK_BITS)
