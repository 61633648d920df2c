"""Activation of hard forks.

Once a round the witnesses' votes decide the next version and its time (see `schedule`). At the end of the first block
from that time on, every hard fork up to that version is applied: an upgrade of the state if needed, and new rules from
the next block on. The state stores the number of the last one, so the rules can be derived from the state after a
restart or an undo. Rules that the reference copies into its objects (shares of inflation, curves, places of a round)
are copied again when a hard fork changes them.

Source: libraries/chain/database.cpp, init_hardforks, process_hardforks, set_hardfork and apply_hardfork.
"""

from collections.abc import Callable, Mapping
from typing import Final

from consensus.schedule import reset_virtual_schedule_time
from consensus.versions import find_hardfork, get_hardfork_version
from protocol.curves import RewardCurve
from protocol.errors import Rejected, UnknownHardfork
from protocol.hardforks import UPGRADE_NAMES
from protocol.rules import Rules
from protocol.virtual_operations import Hardfork
from state.context import SINGLETON, Context

_IN_GLOBAL_PROPERTIES: Final = {
    "required_actions_partition_bp": "required_actions_partition_percent",
    "vote_power_reserve_rate": "vote_power_reserve_rate",
    "delegation_return_period_seconds": "delegation_return_period",
    "reverse_auction_seconds": "reverse_auction_seconds",
    "sbd_stop_bp": "sbd_stop_percent",
    "sbd_start_bp": "sbd_start_percent",
    "content_reward_percent_bp": "content_reward_percent",
    "vesting_reward_percent_bp": "vesting_reward_percent",
    "proposal_fund_percent_bp": "sps_fund_percent",
    "downvote_pool_bp": "downvote_pool_percent",
}
_IN_WITNESS_SCHEDULE: Final = {
    name: name
    for name in (
        "elected_weight",
        "timeshare_weight",
        "miner_weight",
        "max_voted_witnesses",
        "max_miner_witnesses",
        "max_runner_witnesses",
        "hardfork_required_witnesses",
    )
}
_IN_REWARD_FUND: Final = {
    "content_constant": "content_constant",
    "curation_rewards_bp": "percent_curation_rewards",
    "content_fund_bp": "percent_content_rewards",
    "author_reward_curve": "author_reward_curve",
    "curation_reward_curve": "curation_reward_curve",
}
"""The rules that are copied into rows of the state (the three tables above), and the fields that hold them."""

UPGRADES: Final[dict[str, Callable[[Context], None]]] = {
    upgrade.__name__: upgrade for upgrade in (reset_virtual_schedule_time,)
}
"""The state upgrades of hard forks, by the name that a chain config uses.

They may change anything: this layer is above all operations and rules.
"""
assert tuple(UPGRADES) == UPGRADE_NAMES, "the chain config may name what is here, and nothing else"


def current_rules(ctx: Context) -> Rules:
    """The rules for the next block, derived from the state.

    Callers set `ctx.rules` to them after opening a state or undoing blocks. Raises UnknownHardfork if the state is past
    a hard fork that the chain config does not know.
    """
    last = ctx.tables.hardfork_property.get(SINGLETON).last_hardfork
    config = ctx.config
    if not config.hardforks.applied_at_genesis <= last <= len(config.hard_forks):
        raise UnknownHardfork("")
    return config.rules_at(last)


def process_hardforks(ctx: Context) -> None:
    """Applies every scheduled hard fork whose time has come.

    Raises UnknownHardfork for a hard fork that this node does not know, because it must not continue with old rules.
    """
    table = ctx.tables.hardfork_property
    hardfork = table.get(SINGLETON)
    while hardfork.current_hardfork_version < hardfork.next_hardfork and hardfork.next_hardfork_time <= ctx.time:
        apply_hardfork(ctx, hardfork.last_hardfork + 1)
        hardfork = table.get(SINGLETON)


def apply_hardfork(ctx: Context, number: int) -> None:
    """Applies one hard fork now: event, upgrade of the state, its record, new rules.

    Raises UnknownHardfork, and Rejected if it does not directly follow the last one.
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
    before, ctx.rules = ctx.rules, current_rules(ctx)
    _copy_changed_rules(ctx, before)


def _copy_changed_rules(ctx: Context, before: Rules) -> None:
    """Updates the copies of changed rules in the state; values set by witnesses or other rules are kept."""
    changes = _find_changes(before, ctx.rules, _IN_GLOBAL_PROPERTIES)
    if changes:
        ctx.update_gpo(**changes)
    changes = _find_changes(before, ctx.rules, _IN_WITNESS_SCHEDULE)
    if changes:
        schedules = ctx.tables.witness_schedule
        schedules.update(schedules.get(SINGLETON), **changes)
    changes = _find_changes(before, ctx.rules, _IN_REWARD_FUND)
    if changes:
        funds = ctx.tables.reward_funds
        funds.update(funds.get(ctx.rules.post_reward_fund_name), **changes)


def _find_changes(before: Rules, after: Rules, places: Mapping[str, str]) -> dict[str, int]:
    """The fields whose rule changed, with their new values."""
    changes: dict[str, int] = {}
    for rule, field in places.items():
        value = getattr(after, rule)
        if value != getattr(before, rule):
            changes[field] = value.number if isinstance(value, RewardCurve) else value
    return changes


def set_hardfork(ctx: Context, number: int) -> None:
    """Schedules a hard fork for the end of the next block without votes, for tests and private chains."""
    table = ctx.tables.hardfork_property
    table.update(
        table.get(SINGLETON), next_hardfork=get_hardfork_version(ctx.config, number), next_hardfork_time=ctx.time
    )
