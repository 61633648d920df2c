"""Hard fork versions, as they appear in votes and in the version reports of witnesses.

Source: libraries/chain/database.cpp, init_hardforks.
"""

from typing import Final

from protocol.config import ChainConfig
from protocol.errors import UnknownHardfork
from protocol.hardforks import HardFork, parse_version

HARDFORK_VERSION_MASK: Final = 0xFFFF0000
"""The part of a version that names a hard fork; the low 16 bits are the release of a program."""


def find_hardfork(config: ChainConfig, number: int) -> HardFork | None:
    """The hard fork with this number; None if the chain config has none."""
    forks = config.hard_forks
    return forks[number - 1] if 1 <= number <= len(forks) else None


def get_hardfork_version(config: ChainConfig, number: int) -> int:
    """The packed version of a hard fork; 0 for number 0, the genesis. Raises UnknownHardfork."""
    if number == 0:
        return 0
    fork = find_hardfork(config, number)
    if fork is None:
        raise UnknownHardfork("")
    return parse_version(fork.version) & HARDFORK_VERSION_MASK


def get_node_version(config: ChainConfig) -> int:
    """The packed version that this node's witnesses report: the newer of the program's and the newest hard fork's."""
    known = get_hardfork_version(config, len(config.hard_forks))
    return max(parse_version(config.blockchain_version), known)
