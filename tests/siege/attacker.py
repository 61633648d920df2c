"""Attacks in this process: python -m tests.siege.attacker NAME... TARGET."""

from __future__ import annotations

import asyncio
import resource
import sys

from tests.siege import clients, peers, transactions
from tests.siege.target import ATTACKS, Target

__all__ = ["ATTACKS", "clients", "peers", "transactions"]


async def attack(names: list[str], target: Target) -> None:
    """Attacks in all these ways at once."""
    await asyncio.gather(*(ATTACKS[name][1](target) for name in names))


def main(names: list[str], target: Target) -> None:
    """Says that it is ready, waits for a line, and attacks until the time is over."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard > 0 else 8192, hard))
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(attack(names, target))


if __name__ == "__main__":
    main(sys.argv[1:-1], Target.from_text(sys.argv[-1]))
