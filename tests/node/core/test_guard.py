"""The record of used slots: what is free, what a reset frees, and that no slot is ever used twice."""

from __future__ import annotations

import random
import time
from pathlib import Path
from struct import pack

import pytest

from chain.chain import Chain
from node.core.guard import FILE, GAP_SECONDS, ProductionGuard
from node.core.world import MemoryDisk
from node.shell.files import DirectoryDisk
from protocol.config import ChainConfig
from tests.node.operated import run_command

KEY = b"\x02" * 33
DAY = 86_400
NOW = 1_800_000_000


def test_after_a_day_ahead_and_back_the_slots_between_are_free_again() -> None:
    disk = MemoryDisk()
    guard = ProductionGuard(disk)
    for slot in (NOW, NOW + 63, NOW + DAY, NOW + DAY + 63):
        guard.reserve(KEY, slot)
    assert not guard.is_free(KEY, NOW + 126)
    assert list(guard.reset(NOW + 100)) == [KEY]
    again = ProductionGuard(disk)
    wanted = {NOW + 63: False, NOW + 99: False, NOW + 102: True, NOW + DAY - 3: True}
    wanted |= {NOW + DAY: False, NOW + DAY + 30: False, NOW + DAY + 63: False, NOW + DAY + 66: True}
    assert {slot: again.is_free(KEY, slot) for slot in wanted} == wanted
    again.reserve(KEY, NOW + 102)
    assert not again.is_free(KEY, NOW + 102) and again.is_free(KEY, NOW + 105)
    again.reserve(KEY, NOW + DAY + 66)
    assert not again.is_free(KEY, NOW + 105), "once the time has come there is nothing to go back to"


def test_without_a_slot_in_the_future_nothing_is_reset() -> None:
    guard = ProductionGuard(MemoryDisk())
    guard.reserve(KEY, NOW)
    assert guard.reset(NOW) == {}
    assert not guard.is_free(KEY, NOW)


def test_what_an_earlier_version_wrote_is_read_and_frees_nothing() -> None:
    disk = MemoryDisk()
    disk.write(FILE, KEY + pack("<Q", NOW + DAY))
    guard = ProductionGuard(disk)
    assert guard.find_latest(KEY) == NOW + DAY
    (used,) = guard.reset(NOW).values()
    assert used.floor >= NOW and used.first == used.latest == NOW + DAY
    assert not guard.is_free(KEY, NOW - 3) and not guard.is_free(KEY, NOW + DAY)


@pytest.mark.parametrize("seed", range(20))
def test_no_slot_is_ever_reserved_twice_whatever_the_clock_and_the_operator_do(seed: int) -> None:
    chance, disk = random.Random(seed), MemoryDisk()
    used: set[int] = set()
    clock = NOW
    for _ in range(2_000):
        guard = ProductionGuard(disk)
        clock += chance.choice((3, 3, 3, 60, GAP_SECONDS + 3, DAY, -DAY, -60, -3))
        if chance.randrange(20) == 0:
            guard.reset(clock)
        if guard.is_free(KEY, clock):
            assert clock not in used
            used.add(clock)
            guard.reserve(KEY, clock)


async def test_the_command_resets_the_guard_of_a_stopped_node_only(tmp_path: Path) -> None:
    chain = Chain.open(ChainConfig.preset("dev"), tmp_path)
    now = int(time.time())
    guard = ProductionGuard(DirectoryDisk(tmp_path))
    guard.reserve(KEY, now - 100)
    guard.reserve(KEY, now + DAY)
    try:
        assert "Stop the other process" in (await run_command("guard", "reset", "--data-dir", tmp_path, code=1)).output
    finally:
        chain.close()
    assert not ProductionGuard(DirectoryDisk(tmp_path)).is_free(KEY, now + 600)
    assert "may sign until" in (await run_command("guard", "reset", "--data-dir", tmp_path)).output
    after = ProductionGuard(DirectoryDisk(tmp_path))
    assert after.is_free(KEY, now + 600) and not after.is_free(KEY, now + DAY)
