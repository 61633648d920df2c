"""Faults planted in the program, each for the length of a run, and how soon the simulated networks show them.

`python -m tests.sim.faults` (`make sim-faults`) plays seeds with each fault until a checker fails, names the checker,
and fails if one is not found, or is found by a checker that has nothing to do with it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest
from rich.console import Console

import chain.start
import consensus.header
import consensus.irreversibility
import node.core.gossip
import node.core.network
import node.core.node
import node.core.serving
import node.core.sync
import node.core.synopsis
from chain.finality import Finality
from chain.fork_tree import ForkTree
from chain.ledger import Ledger
from chain.pool import Pool
from chain.switch import Switch
from node.core.guard import UNUSED, ProductionGuard
from node.core.network import Network
from node.core.offering import Offering
from node.core.sync import Sync
from protocol.errors import ProtocolError
from protocol.p2p.messages import BLOCK_ITEM, TRANSACTION_ITEM
from state.engine.store import Store
from state.engine.table import Table
from tests.sim.run import Simulation, run_seed
from tests.sim.seeds import LONG_SEEDS
from tests.sim.storage import SimLog, _WatchedLog

Patch = pytest.MonkeyPatch


class PlantedFault(NamedTuple):
    """A fault: how it is planted, and the checkers that can find it."""

    plant: Callable[[Patch], None]
    checkers: tuple[str, ...]
    is_common: bool = False
    """Whether a few seeds are enough to see it."""

    @property
    def name(self) -> str:
        """What is wrong, in words."""
        return self.plant.__name__.strip("_").replace("_", " ")


class Finding(NamedTuple):
    """The seed that showed a fault, and what the checker said."""

    seed: int
    checker: str
    text: str


def _one_witness_fewer_makes_irreversible(patch: Patch) -> None:
    def faulty(confirmations: Any, threshold_bp: int) -> int:
        may_lack = (10_000 - threshold_bp) * len(confirmations) // 10_000
        return int(sorted(confirmations)[min(may_lack + 1, len(confirmations) - 1)])

    patch.setattr(consensus.irreversibility, "compute_confirmed_block", faulty)


def _a_third_of_the_witnesses_makes_irreversible(patch: Patch) -> None:
    """With nobody who recounts: only two irreversible blocks at one height can show it."""

    def faulty(confirmations: Any, _threshold_bp: int) -> int:
        return int(sorted(confirmations)[len(confirmations) * 2 // 3])

    patch.setattr(consensus.irreversibility, "compute_confirmed_block", faulty)
    patch.setattr("tests.sim.checks.Checker._check_count", lambda *_: None)


def _an_index_is_not_undone(patch: Patch) -> None:
    restore, undo = Table.restore, Store.undo_block

    def without_index(table: Any, key: Any, old: Any) -> None:
        if table.name != "seen_transactions":
            restore(table, key, old)
            return
        indexes, table._indexes = table._indexes, ()
        restore(table, key, old)
        table._indexes = indexes

    def faulty(store: Any) -> Any:
        with Patch.context() as inner:
            inner.setattr(Table, "restore", without_index)
            return undo(store)

    patch.setattr(Store, "undo_block", faulty)


def _undoing_forgets_the_digest(patch: Patch) -> None:
    undo, compute = Store.undo_block, Store._compute_digest

    def faulty(store: Any) -> Any:
        change = store._sealed[-1].digest_change
        store.kept_change = getattr(store, "kept_change", 0) + change
        return undo(store)

    def compute_faulty(store: Any, blocks: Any) -> bytes:
        digest = int.from_bytes(compute(store, blocks), "big") + getattr(store, "kept_change", 0)
        return (digest % (1 << 256)).to_bytes(32, "big")

    patch.setattr(Store, "undo_block", faulty)
    patch.setattr(Store, "_compute_digest", compute_faulty)


def _undoing_leaves_the_last_change_of_accounts(patch: Patch) -> None:
    restore, undo = Table.restore, Store.undo_block

    def forgetful(table: Any, key: Any, old: Any) -> None:
        if table.name != "accounts" or old is None:
            restore(table, key, old)

    def faulty(store: Any) -> Any:
        with Patch.context() as inner:
            inner.setattr(Table, "restore", forgetful)
            return undo(store)

    patch.setattr(Store, "undo_block", faulty)


def _blocks_of_the_future_are_taken(patch: Patch) -> None:
    patch.setattr(node.core.node, "FUTURE_SECONDS_MAX", 10**6)


def _the_guard_is_not_written(patch: Patch) -> None:
    def faulty(guard: Any, key: bytes, slot_time: int) -> None:
        guard._used = guard._used | {key: UNUSED.add(slot_time)}

    patch.setattr(ProductionGuard, "reserve", faulty)


def _the_guard_is_not_asked(patch: Patch) -> None:
    patch.setattr(ProductionGuard, "is_free", lambda *_: True)


def _transactions_of_undone_blocks_are_dropped(patch: Patch) -> None:
    begin = Pool.begin_head
    patch.setattr(Pool, "begin_head", lambda self, included=(), _undone=(): begin(self, included))


def _signatures_of_blocks_are_not_checked(patch: Patch) -> None:
    patch.setattr(consensus.header, "is_signed_by", lambda *_: True)


def _signatures_of_transactions_are_not_checked(patch: Patch) -> None:
    patch.setattr(Ledger, "_check_authority", lambda *_: ())


def _the_slot_of_a_block_is_not_checked(patch: Patch) -> None:
    patch.setattr(consensus.header, "_check_slot", lambda *_: None)


def _a_longer_branch_is_not_switched_to(patch: Patch) -> None:
    patch.setattr(Switch, "_switch", lambda *_: None)


def _committed_blocks_can_be_replaced(patch: Patch) -> None:
    """Blocks become irreversible only in name: after a switch below them the other branch is told."""
    patch.setattr(Finality, "try_commit", lambda *_: None)
    _a_third_of_the_witnesses_makes_irreversible(patch)


def _an_irreversible_block_is_told_again(patch: Patch) -> None:
    push = Switch.push_block

    def faulty(switch: Any, *arguments: Any) -> Any:
        switch._finality.number = switch._ledger.irreversible_number
        return push(switch, *arguments)

    patch.setattr(Switch, "push_block", faulty)


def _ids_are_told_from_the_block_behind_the_common_one(patch: Patch) -> None:
    find_ids = node.core.synopsis.find_ids

    def faulty(chain_: Any, synopsis: Any) -> Any:
        ids, remaining = find_ids(chain_, synopsis)
        return (ids[1:], remaining) if len(ids) > 1 else (ids, remaining)

    patch.setattr(node.core.serving, "find_ids", faulty)


def _peers_are_asked_for_ids_once_only(patch: Patch) -> None:
    patch.setattr(Sync, "_ask_again", lambda *_: None)


def _waiting_transactions_are_offered_once_only(patch: Patch) -> None:
    patch.setattr(Offering, "offer_pending", lambda *_: None)
    patch.setattr(Offering, "offer_again", lambda *_: None)
    patch.setattr(Network, "offer_pending", lambda *_: None)


def _the_block_log_is_not_synced(patch: Patch) -> None:
    patch.setattr(SimLog, "sync", lambda *_: None)
    patch.setattr(_WatchedLog, "sync", lambda self: self._flush())


def _reversible_blocks_are_not_restored(patch: Patch) -> None:
    patch.setattr(chain.start, "_replay_reversible", lambda *_: ())


def _offers_are_not_limited(patch: Patch) -> None:
    patch.setattr(node.core.gossip, "OFFERS_MAX", {BLOCK_ITEM: 10**9, TRANSACTION_ITEM: 10**9})


def _requests_never_time_out(patch: Patch) -> None:
    for module in (node.core.gossip, node.core.sync):
        patch.setattr(module, "ANSWER_MS_MAX", 10**9)
        patch.setattr(module, "PATIENCE_MS", 10**9)


def _every_refused_block_is_punished(patch: Patch) -> None:
    take = node.core.node.Node.take_block

    def faulty(node_: Any, block: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return take(node_, block, *arguments, **options)
        except ProtocolError:
            node_.chain.switch._tree.mark_invalid(block.id)
            raise

    patch.setattr(node.core.node.Node, "take_block", faulty)


def _blocks_without_a_parent_are_forgotten_and_never_asked_for(patch: Patch) -> None:
    patch.setattr(ForkTree, "keep_unlinked", lambda *_: None)
    patch.setattr(Sync, "begin", _begin_only_new(Sync.begin))


def _begin_only_new(begin: Callable[..., None]) -> Callable[..., None]:
    def faulty(sync: Any, peer: Any) -> None:
        if sync.lacks_blocks_of(peer):
            begin(sync, peer)

    return faulty


def _refused_blocks_are_offered_on(patch: Patch) -> None:
    take = node.core.node.Node.take_block

    def faulty(node_: Any, block: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return take(node_, block, *arguments, **options)
        except ProtocolError:
            node_.network.offer_block(block)
            raise

    patch.setattr(node.core.node.Node, "take_block", faulty)


INVALID = ("blocks are valid",)
BEHIND = ("one head", "irreversibility advances")
STATE = ("equal digest at equal block", "digest fits the rows", "invariants")
FAULTS: tuple[PlantedFault, ...] = (
    PlantedFault(_one_witness_fewer_makes_irreversible, ("irreversible by three quarters",), is_common=True),
    PlantedFault(_a_third_of_the_witnesses_makes_irreversible, ("one irreversible chain",), is_common=True),
    PlantedFault(_committed_blocks_can_be_replaced, ("one irreversible chain",), is_common=True),
    PlantedFault(_an_irreversible_block_is_told_again, ("the feed tells all",), is_common=True),
    PlantedFault(_an_index_is_not_undone, ("indexes fit their rows",), is_common=True),
    PlantedFault(_undoing_forgets_the_digest, STATE, is_common=True),
    PlantedFault(_undoing_leaves_the_last_change_of_accounts, STATE, is_common=True),
    PlantedFault(_blocks_of_the_future_are_taken, INVALID),
    PlantedFault(_the_guard_is_not_written, ("one signature for a slot",)),
    PlantedFault(_the_guard_is_not_asked, ("one signature for a slot",)),
    PlantedFault(_transactions_of_undone_blocks_are_dropped, ("undone transactions wait again",), is_common=True),
    PlantedFault(_signatures_of_blocks_are_not_checked, INVALID),
    PlantedFault(_signatures_of_transactions_are_not_checked, INVALID),
    PlantedFault(_the_slot_of_a_block_is_not_checked, INVALID),
    PlantedFault(_a_longer_branch_is_not_switched_to, BEHIND, is_common=True),
    PlantedFault(_ids_are_told_from_the_block_behind_the_common_one, BEHIND, is_common=True),
    PlantedFault(_peers_are_asked_for_ids_once_only, BEHIND, is_common=True),
    PlantedFault(_blocks_without_a_parent_are_forgotten_and_never_asked_for, BEHIND),
    PlantedFault(_waiting_transactions_are_offered_once_only, ("every transaction",), is_common=True),
    PlantedFault(_the_block_log_is_not_synced, ("no exception",), is_common=True),
    PlantedFault(_reversible_blocks_are_not_restored, ("restart equals replay",), is_common=True),
    PlantedFault(_offers_are_not_limited, ("queues are bounded",)),
    PlantedFault(_requests_never_time_out, (*BEHIND, "every transaction")),
    PlantedFault(_every_refused_block_is_punished, ("no honest peer is blamed", *BEHIND), is_common=True),
    PlantedFault(_refused_blocks_are_offered_on, ("no honest peer is blamed",)),
)


def find(fault: PlantedFault, seeds: Iterable[int]) -> Finding | None:
    """Plays seeds with a fault until a checker fails."""
    for seed in seeds:
        Simulation(seed)  # The chain's beginning is made before the fault is there.
        with Patch.context() as patch:
            fault.plant(patch)
            failure = run_seed(seed).failure
        if failure is not None:
            return Finding(seed, failure.checker, failure.text)
    return None


def main(arguments: list[str] | None = None) -> int:
    """Plants every fault in turn."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.faults", description=__doc__)
    parser.add_argument("words", nargs="*", help="only faults whose names contain one of these")
    parser.add_argument("--seeds", type=int, default=len(LONG_SEEDS), help="how many seeds are played at most for each")
    chosen = parser.parse_args(arguments)
    console = Console(soft_wrap=True)
    missed = 0
    for fault in FAULTS:
        if chosen.words and not any(word in fault.name for word in chosen.words):
            continue
        found = find(fault, range(1, 1 + chosen.seeds))
        if found is None or found.checker not in fault.checkers:
            missed += 1
        shown = "NOT FOUND" if found is None else f"seed {found.seed}, {found.checker}: {found.text}"
        mark = "" if found is None or found.checker in fault.checkers else "BY ANOTHER CHECKER: "
        console.print(f"{fault.name}\n    {mark}{shown}", markup=False, highlight=False)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
