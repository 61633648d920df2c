"""The list of per-block steps: what stands in it, and that a step is left out only when it has nothing to do."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from chain.steps import STEPS, Step, bind_steps
from operations.transfer import Transfer
from operations.vesting import WithdrawVesting
from protocol.assets import VESTS, Asset
from state.engine.kv import MemoryBackend
from tests.audit.play import Player
from tests.chains import FIRST
from tests.harness import Harness, steem

WAITING = [step for step in STEPS if step.when is not None and not step.rule]


def name_of(step: Step) -> str:
    return step.process.__name__


def test_every_step_is_a_function_of_the_context_in_the_room_of_its_rules() -> None:
    for step in STEPS:
        assert list(inspect.signature(step.process).parameters) == ["ctx"]
        assert step.process.__module__.split(".")[0] in ("consensus", "rewards", "tokens", "chain")


def test_every_waiting_step_looks_into_an_index_that_exists() -> None:
    world = Harness()
    bound = bind_steps(STEPS, world.tables, world.ctx.rules.replace(tokens_live=True))
    assert [step.process for step in bound] == [step.process for step in STEPS]
    assert all((step.has_due is None) == (listed.when is None) for step, listed in zip(bound, STEPS, strict=True))


def test_the_steps_of_tokens_are_not_there_where_tokens_are_not_live() -> None:
    world = Harness()
    bound = bind_steps(STEPS, world.tables, world.ctx.rules)
    left_out = [step for step in STEPS if step.process not in {step.process for step in bound}]
    assert {step.rule for step in left_out} == {"tokens_live"}
    assert [step.process for step in bound] == [step.process for step in STEPS if not step.rule]


def test_an_empty_block_scans_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever waits in the indexes, as long as nothing of it is due."""
    world = Harness()
    world.create_accounts("alice", "bob")
    world.vest("alice", 100_000)
    world.post("alice", "post")
    world.push(WithdrawVesting("alice", Asset(1_000, VESTS)))
    world.push(Transfer(FIRST, "bob", steem(1), ""))
    while world.gpo.head_block_number % 21 != 3:
        world.generate_block()
    scanned: list[bytes] = []
    scan = MemoryBackend.scan

    def scan_and_note(self: MemoryBackend, low: bytes, high: bytes | None, reverse: bool = False) -> Any:
        scanned.append(low)
        return scan(self, low, high, reverse)

    monkeypatch.setattr(MemoryBackend, "scan", scan_and_note)
    world.generate_block()
    assert scanned == []


def test_a_step_that_is_left_out_would_have_changed_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a played chain every step that has nothing due is run all the same, and leaves no trace."""
    player = Player(7)
    player.start()
    ledger: Any = player.world.chain.ledger
    ctx, store = ledger.ctx, ledger.store
    left_out = dict.fromkeys(map(name_of, WAITING), 0)
    done = dict.fromkeys(map(name_of, WAITING), 0)

    def run_all(now: int) -> None:
        for process, has_due, prefix, shift in ledger._steps:
            if has_due is None or has_due(*prefix, now + shift):
                if has_due is not None:
                    done[process.__name__] += 1
                process(ctx)
                continue
            before = store.pending_changes, len(ctx.events), len(ctx.reports)
            process(ctx)
            assert (store.pending_changes, len(ctx.events), len(ctx.reports)) == before, process.__name__
            left_out[process.__name__] += 1

    monkeypatch.setattr(ledger, "_run_steps", run_all)
    for _ in range(700):
        player.step()
    assert min(left_out.values()) > 10
    assert sum(count > 0 for count in done.values()) >= 4, done
