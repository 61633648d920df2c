"""Hard forks: when the next one happens, and what happens then.

Once a round the witnesses' votes decide which version comes next and when (see `schedule`). At the end of the first
block from that time on, every hard fork up to that version is applied: an upgrade of the state where one is needed,
and new rules from the next block on. The state remembers the number of the last one, so the rules follow from the
state after a restart and after blocks were undone.

Source: libraries/chain/database.cpp, init_hardforks, process_hardforks, set_hardfork and apply_hardfork.
"""

from collections.abc import Callable
from typing import Final

from consensus.schedule import reset_virtual_schedule_time
from protocol.config import ChainConfig, HardFork, Rules
from protocol.errors import Rejected, UnknownHardfork
from protocol.hardforks import parse_version
from protocol.virtual_operations import Hardfork
from state.context import SINGLETON, Context

HARDFORK_VERSION_MASK: Final = 0xFFFF0000
"""The part of a version that names a hard fork; the low 16 bits are the release of a program."""

UPGRADES: Final[dict[str, Callable[[Context], None]]] = {
    "reset_virtual_schedule_time": reset_virtual_schedule_time,
}
"""The steps that mend the state at a hard fork, by the name that the chain config gives them."""


def find_hardfork(config: ChainConfig, number: int) -> HardFork | None:
    """The hard fork with this number, if the chain config knows it."""
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
    """The packed version that this node's witnesses report: the program's, or that of the newest hard fork it knows."""
    known = get_hardfork_version(config, len(config.hard_forks))
    return max(parse_version(config.blockchain_version), known)


def current_rules(ctx: Context) -> Rules:
    """The rules that hold for the next block, as the state says.

    Whoever opens a state, or takes blocks back, sets `ctx.rules` to this. Raises UnknownHardfork when the state is
    past a hard fork that the chain config does not know.
    """
    last = ctx.tables.hardfork_property.get(SINGLETON).last_hardfork
    config = ctx.config
    if not config.hardforks.applied_at_genesis <= last <= len(config.hard_forks):
        raise UnknownHardfork("")
    return config.rules_at(last)


def process_hardforks(ctx: Context) -> None:
    """Applies every hard fork that the witnesses voted for and whose time has come.

    Raises UnknownHardfork when this node does not know it: it must not go on with the old rules.
    """
    table = ctx.tables.hardfork_property
    hardfork = table.get(SINGLETON)
    while hardfork.current_hardfork_version < hardfork.next_hardfork and hardfork.next_hardfork_time <= ctx.time:
        apply_hardfork(ctx, hardfork.last_hardfork + 1)
        hardfork = table.get(SINGLETON)


def apply_hardfork(ctx: Context, number: int) -> None:
    """Goes through one hard fork now: event, upgrade of the state, record of it, new rules.

    Raises UnknownHardfork, and Rejected when it is not the one that follows the last.
    """
    fork = find_hardfork(ctx.config, number)
    if fork is None or (fork.upgrade and fork.upgrade not in UPGRADES):
        raise UnknownHardfork("")
    ctx.emit(Hardfork(number))
    if fork.upgrade:
        UPGRADES[fork.upgrade](ctx)
    table = ctx.tables.hardfork_property
    hardfork = table.get(SINGLETON)
    if number != hardfork.last_hardfork + 1:
        raise Rejected(
            "hardfork == hfp.last_hardfork + 1",
            "Hardfork being applied out of order",
            **{"hardfork": number, "hfp.last_hardfork": hardfork.last_hardfork},
        )
    table.update(
        hardfork,
        processed_hardforks=(*hardfork.processed_hardforks, fork.activation_time),
        last_hardfork=number,
        current_hardfork_version=get_hardfork_version(ctx.config, number),
    )
    ctx.rules = current_rules(ctx)


def set_hardfork(ctx: Context, number: int) -> None:
    """Plans a hard fork for the end of the next block without asking the witnesses, for tests and private chains."""
    table = ctx.tables.hardfork_property
    table.update(
        table.get(SINGLETON), next_hardfork=get_hardfork_version(ctx.config, number), next_hardfork_time=ctx.time
    )
