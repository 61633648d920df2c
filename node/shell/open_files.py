"""How many files the process may have open, and how its sockets share them.

A node that has no file left can neither accept a connection nor write its database, its guard or its log. So sockets
get what is left when all that a block needs has its part.
"""

from __future__ import annotations

import resource
from typing import Final, NamedTuple

from node.shell.transport import OPENING_MAX
from rpc.port_limits import OPERATOR_LIMITS, PortLimits, Share

WANTED: Final = 1 << 16
"""More open files than this are of no use to a node."""

OWN_FILES: Final = 64
"""The block log, the guard, the logs, pipes to the second process, and what a library opens for a moment."""

DATABASE_PART: Final = 5
DATABASE_FILES_MAX: Final = 1000
"""LevelDB keeps up to a fifth of the limit open, and at most so many."""

CLIENTS_MIN: Final = 16
PEERS_MIN: Final = 8
OPERATOR_PORTS: Final = 2


class FilePlan(NamedTuple):
    """What a limit of open files is used for: connections to peers, and those of clients of JSON-RPC."""

    limit: int
    peers: int
    clients: int

    def fit(self, limits: PortLimits) -> PortLimits:
        """The limits of the port for clients with so many connections; one client has an eighth of them at most."""
        return limits._replace(connections=Share(self.clients, min(limits.connections.one, max(1, self.clients // 8))))


def raise_limit() -> int:
    """Raises the soft limit of open files as far as the system allows; returns it. To be called before files are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return soft  # Some systems have a lower bound of their own.
        return wanted
    return WANTED if soft == resource.RLIM_INFINITY else soft


def plan_files(limit: int, peers_wanted: int, clients_wanted: int) -> FilePlan:
    """Shares a limit; `peers_wanted` is 0 for a node without a network."""
    database = min(limit // DATABASE_PART, DATABASE_FILES_MAX)
    left = limit - OWN_FILES - database - OPERATOR_PORTS * OPERATOR_LIMITS.connections.whole
    peers = 0
    if peers_wanted:
        peers = min(peers_wanted, max(PEERS_MIN, left // 2 - OPENING_MAX))
        left -= peers + OPENING_MAX
    return FilePlan(limit, peers, min(clients_wanted, max(CLIENTS_MIN, left)))
