"""The limit of open files (file descriptors), and its division among sockets and files.

Without a free descriptor a node can neither accept connections nor write its database, the guard or the log. So sockets
get only what is left after reserving descriptors for block production.
"""

from __future__ import annotations

import resource
from typing import Final, NamedTuple

from node.shell.transport import OPENING_MAX
from rpc.port_limits import OPERATOR_LIMITS, PortLimits, Share

WANTED: Final = 1 << 16
"""A node has no use for more open files."""

OWN_FILES: Final = 64
"""Reserved for the block log, the guard, logs, pipes to the second process, and temporary files of libraries."""

DATABASE_PART: Final = 5
DATABASE_FILES_MAX: Final = 1000
"""LevelDB keeps up to a fifth of the limit open, and at most this many files."""

CLIENTS_MIN: Final = 16
PEERS_MIN: Final = 8
OPERATOR_PORTS: Final = 2


class FilePlan(NamedTuple):
    """Division of a limit of open files: connections to peers, and of JSON-RPC clients."""

    limit: int
    peers: int
    clients: int

    def fit(self, limits: PortLimits) -> PortLimits:
        """Adapts the limits of the client port to the available connections; a client may have an eighth of them."""
        return limits._replace(connections=Share(self.clients, min(limits.connections.one, max(1, self.clients // 8))))


def raise_limit() -> int:
    """Raises the soft limit of open files as far as the system allows; returns it. Call before opening files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):
            return soft  # Some systems have a lower limit of their own.
        return wanted
    return WANTED if soft == resource.RLIM_INFINITY else soft


def plan_files(limit: int, peers_wanted: int, clients_wanted: int) -> FilePlan:
    """Divides a limit; `peers_wanted` is 0 for a node without a network."""
    database = min(limit // DATABASE_PART, DATABASE_FILES_MAX)
    left = limit - OWN_FILES - database - OPERATOR_PORTS * OPERATOR_LIMITS.connections.whole
    peers = 0
    if peers_wanted:
        peers = min(peers_wanted, max(PEERS_MIN, left // 2 - OPENING_MAX))
        left -= peers + OPENING_MAX
    return FilePlan(limit, peers, min(clients_wanted, max(CLIENTS_MIN, left)))
