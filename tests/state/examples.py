"""The shortest runs of the store's machine that show each fault known so far; they are replayed before random ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.state.machine import StoreMachine

Step = tuple[str, Mapping[str, Any]]
"""A rule of the machine and its arguments; `data` are the values that the rule draws, in order."""


class Drawn:
    """Stands for Hypothesis's data: what is drawn is known."""

    def __init__(self, *values: object) -> None:
        self._values = iter(values)

    def draw(self, _strategy: object) -> object:
        """The next value."""
        return next(self._values)


def _put(name: str = "a", group: int = 0, rank: int = 0) -> Step:
    return "put_item", {"name": name, "group": group, "rank": rank, "is_open": False, "points": []}


def _vote(voter: str, weight: int) -> Step:
    return "put_vote", {"item": 0, "voter": voter, "weight": weight, "remove": False}


def _due(stop: tuple[int, int, str]) -> Step:
    return "look_for_what_is_due", {"which": ("votes", "by_weight"), "data": (stop, 1)}


START: Step = ("start", {"cache_rows": 3})
BEGIN: Step = ("begin", {})
ROLLBACK: Step = ("rollback", {})
SQUASH: Step = ("squash", {})
SEAL: Step = ("seal", {"again": True})
SEAL_LAST: Step = ("seal", {"again": False})
UNDO: Step = ("undo", {"again": False})
COMMIT_1: Step = ("commit", {"data": (1,)})
COMMIT_2: Step = ("commit", {"data": (2,)})
DELETE: Step = ("delete_item", {"data": ("a",)})

EXAMPLES: dict[str, tuple[Step, ...]] = {
    "forget_index_in_undo": (START, _put(), ROLLBACK),
    "forget_present_keys": (START, _put(), DELETE),
    "commit_newest_rows": (START, _put(), SEAL, _put(group=1), SEAL_LAST, COMMIT_1),
    "commit_drops_newer_rows": (START, _put(), SEAL, _put(group=1), SEAL_LAST, COMMIT_1),
    "keep_stale_cache": (START, *(_put(name) for name in ("", "a", "ab", "b")), SEAL_LAST, COMMIT_1),
    "forget_to_subtract": (START, _put(), SEAL, COMMIT_1, _put(group=1), SEAL_LAST),
    "remember_wrong_hashes": (START, _put(), SEAL, COMMIT_1, _put(group=1), SEAL_LAST, COMMIT_2),
    "count_undone_blocks_in_the_digest": (START, _put(), SEAL, _put("b"), SEAL_LAST, UNDO),
    "forget_what_came_before_the_first": (START, _vote("a", 1), _due((1, 0, "a")), _vote("b", -1), _due((1, 0, "a"))),
    "squash_as_rollback": (START, BEGIN, _put(), SQUASH),
    "ignore_removed_keys": (START, _put(), SEAL, COMMIT_1, DELETE),
    "leave_old_index_entries": (START, _put(), SEAL, COMMIT_1, _put(group=1), SEAL_LAST, COMMIT_2),
    "leak_on_undo": (START, _put(), ROLLBACK),
    "keep_ids_in_undo": (START, _put(), ROLLBACK, BEGIN, _put()),
    "remember_gone_keys_that_came_back": (START, _put(), SEAL, COMMIT_1, DELETE, ROLLBACK),
}


def replay(machine: type[StoreMachine], steps: tuple[Step, ...]) -> None:
    """Takes the steps, and checks everything behind each, as Hypothesis does."""
    made = machine()
    try:
        for name, arguments in steps:
            data = {"data": Drawn(*arguments["data"])} if "data" in arguments else {}
            getattr(made, name)(**{**arguments, **data})
            made.check_everything()
    finally:
        made.teardown()
