"""The watcher of a network finds what it is there for, on chains that are made up."""

from typing import Any

import pytest

from tests.network.watcher import Watcher


class Told:
    """A daemon that answers what a test says."""

    def __init__(self, name: str, *blocks: dict[str, Any], final: int = 0, produced: tuple[Any, ...] = ()) -> None:
        self.name = name
        self.blocks = {number: block for number, block in enumerate(blocks, start=1)}
        self.final = final
        self.produced = produced

    async def get_properties(self) -> dict[str, Any]:
        return {"head_block_number": len(self.blocks), "last_irreversible_block_num": self.final}

    async def get_block(self, number: int) -> dict[str, Any] | None:
        return self.blocks.get(number)

    def read_events(self, *_names: str) -> list[dict[str, Any]]:
        return list(self.produced)


def block(block_id: str, second: int, witness: str = "witness", *transactions: str) -> dict[str, Any]:
    timestamp = f"2026-01-01T00:00:{second:02}"
    return {
        "block_id": block_id,
        "previous": "",
        "witness": witness,
        "timestamp": timestamp,
        "transaction_ids": transactions,
    }


async def look(watcher: Watcher, *daemons: Any) -> None:
    for daemon in daemons:
        await watcher.look_at(daemon)


async def test_branches_are_told_apart_and_transactions_found() -> None:
    watcher = Watcher()
    first = block("1", 1)
    left, right = block("2a", 2, "left", "paid"), block("2b", 3, "right", "paid")
    await look(watcher, Told("a", first, left), Told("b", first, right, final=2))
    assert {found.block_id for found in watcher.find_all("paid")} == {"2a", "2b"}
    assert watcher.final == {1: "1", 2: "2b"} and watcher.find_final("paid") == 2
    assert watcher.find_final("never sent") is None


async def test_two_blocks_of_one_key_for_one_slot_are_found() -> None:
    with pytest.raises(AssertionError, match="signed two blocks"):
        await look(Watcher(), Told("a", block("1a", 1)), Told("b", block("1b", 1)))


async def test_two_blocks_for_one_slot_are_found_though_one_of_them_reached_nobody() -> None:
    watcher = Watcher()
    await look(watcher, Told("a", block("1a", 1)))
    line = {"time": "2026-01-01T00:00:01.250Z", "late_ms": 249, "witness": "witness", "number": 1}
    daemon: Any = Told("b", produced=({**line, "id": "1a"},))
    assert watcher.check_produced([daemon]) == 1
    daemon.produced = ({**line, "id": "1b"},)
    with pytest.raises(AssertionError, match="signed two blocks"):
        watcher.check_produced([daemon])


async def test_two_irreversible_blocks_of_one_number_are_found() -> None:
    with pytest.raises(AssertionError, match="two irreversible blocks 1"):
        await look(Watcher(), Told("a", block("1a", 1), final=1), Told("b", block("1b", 2), final=1))


async def test_irreversibility_that_goes_back_is_found_unless_the_node_lost_its_disk() -> None:
    watcher, first, second = Watcher(), block("1", 1), block("2", 2)
    await look(watcher, Told("a", first, second, final=2))
    with pytest.raises(AssertionError, match="took back"):
        await look(watcher, Told("a", first, second, final=1))
    watcher.forget_final("a")
    await look(watcher, Told("a", first, final=1))
