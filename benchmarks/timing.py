"""What the benchmarks share: one line per figure, and signed material to work on."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from protocol.block import Block
from protocol.config import ChainConfig, GenesisAccount
from protocol.keys import PrivateKey, encode_public_key, recover
from tests.harness import Harness, config_with

USERS = tuple(f"user{number:03}" for number in range(200))
"""Names of the accounts that the benchmarks add."""

LIBRARIES = ("btclib-libsecp256k1", "msgpack", "orjson", "plyvel", "plyvel-next", "pydantic", "aiohttp")


def show(what: str, figure: float, unit: str, note: str = "") -> None:
    """Prints one figure."""
    print(f"  {what:<64} {figure:>12,.2f} {unit}{'  ' + note if note else ''}", flush=True)


def show_machine() -> None:
    """Prints what the figures were measured on."""
    print(f"{platform.python_implementation()} {platform.python_version()}, {platform.machine()}, {platform.system()}")
    installed = {name: found for name in LIBRARIES if (found := find_version(name))}
    print(", ".join(f"{name} {found}" for name, found in installed.items()), flush=True)


def find_version(name: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def measure(action: Callable[[], object], count: int, repeats: int = 3) -> float:
    """The least time that one of `count` actions took, in seconds, over some repeats."""
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        for _ in range(count):
            action()
        best = min(best, (time.perf_counter() - started) / count)
    return best


def elapsed(action: Callable[[], object]) -> float:
    """The time that an action took, in seconds."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def bench_config(**rules: Any) -> ChainConfig:
    """Preset dev with 200 more accounts, and without the pauses and limits that would only slow the preparation."""
    free = {"min_root_comment_interval_seconds": 0, "min_vote_interval_seconds": 0, "custom_op_block_limit": 10**6}
    config = config_with("dev", **free | rules)
    key = encode_public_key(PrivateKey.from_seed("init_key").public_key, config.identity.address_prefix)
    users = tuple(GenesisAccount(name=name, owner_key=key, balance=10**9, vesting_shares=10**15) for name in USERS)
    genesis = config.genesis.model_copy(update={"accounts": config.genesis.accounts + users})
    return config.model_copy(update={"genesis": genesis})


def make_world(**rules: Any) -> Harness:
    """A chain in memory with 210 funded accounts."""
    return Harness(bench_config(**rules))


def recover_all(blocks: list[Block], chain_id: bytes) -> int:
    """Recovers the key of every signature of some blocks, and nothing else; returns how many."""
    count = 0
    for block in blocks:
        recover(block.digest, block.header.witness_signature)
        count += 1
        for transaction in block.transactions:
            digest = transaction.digest(chain_id)
            for signature in transaction.signatures:
                recover(digest, signature)
                count += 1
    return count
