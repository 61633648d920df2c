"""Targets of the units of a token's launch and emissions.

A target is an account name or one of: $from, $from.vesting (the contributor), $market_maker, $rewards, $vesting, and
$!name.vesting (an account, powered up).
Source: smt_util.hpp, smt_util.cpp and smt_operations.cpp of master.
"""

from typing import NamedTuple

from protocol.names import is_valid_account_name

CONTRIBUTOR_TARGET = "$from"
CONTRIBUTOR_VESTING_TARGET = "$from.vesting"
CONTRIBUTOR_TARGETS = (CONTRIBUTOR_TARGET, CONTRIBUTOR_VESTING_TARGET)
MARKET_MAKER_TARGET = "$market_maker"
REWARDS_TARGET = "$rewards"
VESTING_TARGET = "$vesting"
ACCOUNT_PREFIX = "$!"
VESTING_SUFFIX = ".vesting"


def is_account_vesting_target(target: str) -> bool:
    """Whether a target has the form $!name.vesting. Source: smt_util.cpp, is_founder_vesting."""
    return (
        len(target) > len(ACCOUNT_PREFIX) + len(VESTING_SUFFIX)
        and target.startswith(ACCOUNT_PREFIX)
        and target.endswith(VESTING_SUFFIX)
    )


def is_steem_target(target: str) -> bool:
    """Whether contributed STEEM may go there. Source: smt_operations.cpp, is_valid_smt_ico_steem_destination."""
    return is_valid_account_name(target) or target == MARKET_MAKER_TARGET or is_account_vesting_target(target)


def is_token_target(target: str) -> bool:
    """Whether tokens of a launch may go there. Source: smt_operations.cpp, is_valid_smt_ico_token_destination."""
    return is_steem_target(target) or target in CONTRIBUTOR_TARGETS or target == REWARDS_TARGET


def is_emission_target(target: str) -> bool:
    """Whether emitted tokens may go there. Source: smt_util.cpp, is_valid_emissions_destination."""
    return is_steem_target(target) or target in (REWARDS_TARGET, VESTING_TARGET)


def is_unit_target(target: str) -> bool:
    """Whether the target of a unit is valid. Source: smt_operations.cpp, is_valid_unit_target."""
    return is_token_target(target) or target == VESTING_TARGET


class AccountTarget(NamedTuple):
    """An account that a target names, and whether what it gets is powered up."""

    name: str
    is_powered_up: bool


def find_target_account(target: str) -> AccountTarget | None:
    """The account that a target of a known form names; None for the others."""
    if is_account_vesting_target(target):
        return AccountTarget(target.removeprefix(ACCOUNT_PREFIX).removesuffix(VESTING_SUFFIX), True)
    return None if target[0] == "$" else AccountTarget(target, False)
