"""The address book and the ban list. Both are kept on disk across restarts.

Source: libraries/net/peer_database.cpp; unlike this one, the reference's list is lost when it stops.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import orjson

from node.core.world import Disk
from protocol.errors import Invalid
from protocol.p2p.messages import Endpoint

ADDRESSES_FILE = "peers.json"
BANS_FILE = "bans.json"

ADDRESSES_MAX = 1000
"""Maximum number of addresses; the ones not reached for the longest time are evicted first."""

BANS_MAX = 10_000

RETRY_MS = 2_000
"""Wait before an address that failed once is dialled again; each failure in a row doubles it."""

SEED_RETRY_MS_MAX = 10_000
RETRY_MS_MAX = 3_600_000

FAILURES_MAX = 16
"""An address that fails this many times in a row is removed, unless it is a seed."""


@dataclass(slots=True)
class Address:
    """One place to dial; times are in milliseconds since the epoch."""

    endpoint: Endpoint
    is_seed: bool = False
    is_self: bool = False
    reached_at_ms: int = 0
    failures: int = 0
    retry_at_ms: int = 0
    identity: bytes = b""
    """Identity of the last peer found at this address."""


class AddressBook:
    """All known addresses."""

    def __init__(self, disk: Disk, seeds: tuple[Endpoint, ...]) -> None:
        self._disk = disk
        self._addresses: dict[Endpoint, Address] = {seed: Address(seed, is_seed=True) for seed in seeds}
        self._is_changed = False
        for entry in _read_list(disk, ADDRESSES_FILE):
            self._take_entry(entry)

    def __len__(self) -> int:
        return len(self._addresses)

    def _take_entry(self, entry: Any) -> None:
        try:
            endpoint = Endpoint.parse(str(entry["endpoint"]))
            reached = int(entry["reached_at_ms"])
        except (Invalid, KeyError, TypeError, ValueError):
            return
        self.learn(endpoint).reached_at_ms = reached

    def learn(self, endpoint: Endpoint) -> Address:
        """Returns the entry of an address, creating it if it is new."""
        found = self._addresses.get(endpoint)
        if found is None:
            found = self._addresses[endpoint] = Address(endpoint)
            self._is_changed = True
            if len(self._addresses) > ADDRESSES_MAX:
                self._forget_some()
        return found

    def _forget_some(self) -> None:
        """Evicts an eighth of the addresses, never reached and oldest first; keeps the newest one."""
        others = [address for address in self._addresses.values() if not address.is_seed][:-1]
        others.sort(key=lambda address: (address.reached_at_ms, -address.failures))
        for address in others[: ADDRESSES_MAX // 8]:
            del self._addresses[address.endpoint]

    def find(self, endpoint: Endpoint) -> Address | None:
        """Returns the entry of an address, or None."""
        return self._addresses.get(endpoint)

    def on_reached(self, endpoint: Endpoint, identity: bytes, now_ms: int) -> None:
        """Records a completed handshake with the peer at this address."""
        address = self.learn(endpoint)
        address.reached_at_ms, address.failures, address.identity = now_ms, 0, identity
        address.retry_at_ms = now_ms + RETRY_MS
        self._is_changed = True

    def on_failed(self, endpoint: Endpoint, now_ms: int, jitter_ms: int) -> None:
        """Records a failed dial or a closed connection; delays the next attempt."""
        address = self._addresses.get(endpoint)
        if address is None:
            return
        wait = RETRY_MS << min(address.failures, 20)
        address.failures += 1
        address.retry_at_ms = now_ms + min(wait, SEED_RETRY_MS_MAX if address.is_seed else RETRY_MS_MAX) - jitter_ms
        if address.failures > FAILURES_MAX and not address.is_seed:
            del self._addresses[endpoint]
            self._is_changed = True

    def list_due(self, now_ms: int, is_seed: bool) -> list[Address]:
        """Returns the addresses that may be dialled now, most recently reached first."""
        due = [
            address
            for address in self._addresses.values()
            if address.is_seed == is_seed and not address.is_self and address.retry_at_ms <= now_ms
        ]
        return sorted(due, key=lambda address: (address.failures, -address.reached_at_ms, address.endpoint))

    def save(self) -> None:
        """Writes the address book if it has changed. Raises StoreWriteFailed."""
        if not self._is_changed:
            return
        entries = [
            {"endpoint": str(address.endpoint), "reached_at_ms": address.reached_at_ms}
            for address in self._addresses.values()
            if not address.is_self and not address.is_seed
        ]
        self._disk.write(ADDRESSES_FILE, orjson.dumps(entries, option=orjson.OPT_INDENT_2))
        self._is_changed = False


@dataclass(frozen=True, slots=True)
class Ban:
    """A banned IPv4 address (as a number) and when the ban ends, in milliseconds since the epoch; 0 means never."""

    address: int
    until_ms: int
    reason: str

    @property
    def host(self) -> str:
        """The address as text."""
        return str(IPv4Address(self.address))


class Bans:
    """The ban list; written to disk on every change."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._bans: dict[int, Ban] = {}
        for entry in _read_list(disk, BANS_FILE):
            try:
                ban = Ban(int(IPv4Address(entry["address"])), int(entry["until_ms"]), str(entry["reason"]))
            except (KeyError, TypeError, ValueError):
                continue
            self._bans[ban.address] = ban

    def find(self, address: int, now_ms: int) -> Ban | None:
        """Returns the ban of an address, or None."""
        ban = self._bans.get(address)
        if ban is not None and 0 < ban.until_ms <= now_ms:
            del self._bans[address]
            return None
        return ban

    def list(self, now_ms: int) -> list[Ban]:
        """Returns all bans in force, by address."""
        found = (self.find(address, now_ms) for address in sorted(self._bans))
        return [ban for ban in found if ban is not None]

    def add(self, ban: Ban) -> None:
        """Bans an address, or replaces its ban. Raises StoreWriteFailed."""
        self._bans.pop(ban.address, None)
        self._bans[ban.address] = ban
        while len(self._bans) > BANS_MAX:
            del self._bans[self._find_least()]
        self._save()

    def _find_least(self) -> int:
        """Picks the ban to evict: the oldest temporary one, else the oldest. Permanent bans are set by the operator."""
        return next((address for address, ban in self._bans.items() if ban.until_ms), next(iter(self._bans)))

    def remove(self, address: int) -> bool:
        """Lifts a ban; False if there was none. Raises StoreWriteFailed."""
        if self._bans.pop(address, None) is None:
            return False
        self._save()
        return True

    def _save(self) -> None:
        entries = [{"address": ban.host, "until_ms": ban.until_ms, "reason": ban.reason} for ban in self._bans.values()]
        self._disk.write(BANS_FILE, orjson.dumps(entries, option=orjson.OPT_INDENT_2))


def _read_list(disk: Disk, name: str) -> list[Any]:
    """Reads a list from a JSON file; a damaged file counts as empty, since the list can be rebuilt."""
    try:
        found = orjson.loads(disk.read(name) or b"[]")
    except ValueError:
        return []
    return found if isinstance(found, list) else []
