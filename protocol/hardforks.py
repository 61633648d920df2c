"""Hard forks: the twenty-four of the past, which every chain starts with, and how a future one is described.

A hard fork is a number, a version, a time before which it cannot happen, the rules it changes, and the name of
an upgrade of the state where it needs one. Witnesses vote with their block headers; see `consensus`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from protocol.rules import Rules
from protocol.shapes import version_text

UPGRADE_NAMES: Final = ("reset_virtual_schedule_time",)
"""Names of the state upgrades that `chain.hardforks` implements."""

RulesChange = Mapping[str, Any] | Callable[[Rules], Rules]


@dataclass(frozen=True, slots=True)
class HardFork:
    """One change of the rules.

    `activation_time` is in seconds since the epoch. `rules_change` names the rules that change with their new values,
    or is a function from old rules to new ones. `upgrade` names the state upgrade to run, or is empty.
    """

    number: int
    version: str
    activation_time: int
    name: str = ""
    rules_change: RulesChange = field(default_factory=dict)
    upgrade: str = ""
    _latest: list[tuple[Rules, Rules]] = field(default_factory=list, init=False, compare=False, repr=False)
    """The last rules computed, before and after: validating a whole record takes milliseconds."""

    def apply(self, rules: Rules) -> Rules:
        """Returns the rules after this hard fork; returns the same object while the rules are the same.

        Raises pydantic.ValidationError for a wrong rule or value.
        """
        if not (self._latest and self._latest[0][0] is rules):
            change = self.rules_change
            self._latest[:] = [(rules, change(rules) if callable(change) else rules.replace(**change))]
        return self._latest[0][1]


def parse_version(text: str) -> int:
    """Returns "major.hardfork.release" as the number of the wire: 8, 8 and 16 bits. Raises ValueError.

    Source: version.cpp, version::version and fc::from_variant.
    """
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts):
        raise ValueError(f'a version is "major.hardfork.release", not {text!r}')
    major, hardfork, release = (int(part) for part in parts)
    if major > 0xFF or hardfork > 0xFF or release > 0xFFFF:
        raise ValueError(f"a part of version {text!r} is too large: at most 255.255.65535")
    return major << 24 | hardfork << 16 | release


def hardfork_version(version: str) -> str:
    """Returns a version without its release, as hard forks are numbered: "0.23.1" becomes "0.23.0"."""
    return version_text(parse_version(version) & 0xFFFF0000)


_PAST_TIMES: Final = (
    1_461_605_400,
    1_461_693_600,
    1_461_762_000,
    1_462_028_400,
    1_464_714_000,
    1_467_295_200,
    1_467_590_400,
    1_467_594_000,
    1_468_454_400,
    1_468_584_000,
    1_468_767_600,
    1_469_545_200,
    1_471_269_600,
    1_474_383_600,
    1_478_620_800,
    1_481_040_000,
    1_490_886_000,
    1_490_886_000,
    1_497_970_800,
    1_537_887_600,
    1_566_918_000,
    1_567_090_800,
    1_589_983_200,
    1_597_970_800,
)
PAST_HARD_FORKS: Final = tuple(
    HardFork(number, f"0.{number}.0", time, f"0.{number}") for number, time in enumerate(_PAST_TIMES, start=1)
)
"""Hard forks 1 to 24 with the times of the live network. Source: hardfork.d/*.hf."""

_FORKS_BEFORE_VOTES: Final = 5
_TESTNET_TIME_24: Final = 1_571_065_200


def processed_hardfork_times(count: int, genesis_time: int, is_test_net: bool) -> tuple[int, ...]:
    """Returns what hardfork_property_object.processed_hardforks holds after the first `count` past hard forks.

    The first entry is the genesis. A testnet of the reference sets the forks from before the votes (1 to 5) to the
    genesis time, because it goes through them inside block 1. Source: database.cpp, init_hardforks and set_hardfork.
    """
    times = [genesis_time]
    for fork in PAST_HARD_FORKS[:count]:
        time = fork.activation_time
        if is_test_net and fork.number <= _FORKS_BEFORE_VOTES:
            time = genesis_time
        elif is_test_net and fork.number == len(PAST_HARD_FORKS):
            time = _TESTNET_TIME_24
        times.append(time)
    return tuple(times)
