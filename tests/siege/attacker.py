"""One attack in this process: python -m tests.siege.attacker NAME TARGET."""

from __future__ import annotations

import asyncio
import resource
import sys

from tests.siege import clients, peers, transactions
from tests.siege.target import ATTACKS, Target

__all__ = ["clients", "peers", "transactions"]


def main(name: str, target: str) -> None:
    """Attacks until the time is over."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard > 0 else 8192, hard))
    asyncio.run(ATTACKS[name][1](Target.from_text(target)))


if __name__ == "__main__":
    main(*sys.argv[1:])
