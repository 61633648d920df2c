"""Watches the chains of all daemons of a network, and finds what must never be.

Two blocks of one witness for one slot; two irreversible blocks of one number; an irreversible block taken back.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import aiohttp

from tests.network.daemons import Daemon

LOOK_SECONDS = 0.3


class Seen(NamedTuple):
    """A block that was on the main chain of a node at some moment."""

    number: int
    block_id: str
    previous: str
    witness: str
    timestamp: str
    transaction_ids: tuple[str, ...]


class Watcher:
    """All blocks that were seen, and the irreversible ones by their numbers."""

    def __init__(self) -> None:
        self.blocks: dict[str, Seen] = {}
        self.final: dict[int, str] = {}
        self._final_numbers: dict[str, int] = defaultdict(int)
        self._by_slot: dict[tuple[str, str], str] = {}

    async def follow(self, daemons: Iterable[Daemon]) -> None:
        """Looks at each daemon again and again, until this is cancelled; one that does not answer is left out."""
        while True:
            for daemon in daemons:
                assert not daemon.has_died, f"{daemon} ended by itself, see {daemon.log_file}"
                if daemon.is_running:
                    try:
                        await self.look_at(daemon)
                    except (aiohttp.ClientError, TimeoutError):
                        continue
            await asyncio.sleep(LOOK_SECONDS)

    def forget_final(self, name: str) -> None:
        """A daemon begins anew without its blocks."""
        self._final_numbers[name] = 0

    def begin_at(self, name: str, number: int) -> None:
        """A daemon begins anew from a snapshot at that block, and lacks those before."""
        self._final_numbers[name] = max(self._final_numbers[name], number)

    async def look_at(self, daemon: Daemon) -> None:
        """Takes in what is new on a daemon's chain. Raises AssertionError when it must not be."""
        properties = await daemon.get_properties()
        await self._take_branch(daemon, properties["head_block_number"])
        final = properties["last_irreversible_block_num"]
        latest = self._final_numbers[daemon.name]
        assert final >= latest, f"{daemon} took back irreversible blocks: {latest} became {final}"
        for number in range(latest + 1, final + 1):
            block = await daemon.get_block(number)
            assert block is not None, f"{daemon} lacks block {number}, which it calls irreversible"
            self._take(block, number)
            earlier = self.final.setdefault(number, block["block_id"])
            assert earlier == block["block_id"], f"two irreversible blocks {number}: {earlier}, {block['block_id']}"
        self._final_numbers[daemon.name] = final

    async def _take_branch(self, daemon: Daemon, number: int) -> None:
        while number > 0:
            block = await daemon.get_block(number)
            if block is None or not self._take(block, number):
                return
            number -= 1

    def _take(self, block: dict[str, Any], number: int) -> bool:
        """Notes a block; False if it was known."""
        block_id = block["block_id"]
        if block_id in self.blocks:
            return False
        slot = block["witness"], block["timestamp"]
        self._note_slot(slot, block_id)
        self.blocks[block_id] = Seen(number, block_id, block["previous"], *slot, tuple(block["transaction_ids"]))
        return True

    def _note_slot(self, slot: tuple[str, str], block_id: str) -> None:
        twin = self._by_slot.setdefault(slot, block_id)
        assert twin == block_id, f"{slot[0]} signed two blocks for the slot {slot[1]}: {twin} and {block_id}"

    def check_produced(self, daemons: Iterable[Daemon]) -> int:
        """Takes in the blocks that the logs say were made, of which some may have reached nobody; returns how many.

        A log line tells when it was written, and how long after the beginning of the slot that was.
        """
        count = 0
        for daemon in daemons:
            for event in daemon.read_events("produced"):
                begun = datetime.fromisoformat(event["time"]) - timedelta(milliseconds=event["late_ms"] - 500)
                self._note_slot((event["witness"], begun.strftime("%Y-%m-%dT%H:%M:%S")), event["id"])
                count += 1
        return count

    def find_final(self, trx_id: str) -> int | None:
        """Returns the number of the irreversible block that contains a transaction, or None."""
        for number, block_id in self.final.items():
            if trx_id in self.blocks[block_id].transaction_ids:
                return number
        return None

    def find_all(self, trx_id: str) -> list[Seen]:
        """Returns the blocks of all branches that contain a transaction."""
        return [block for block in self.blocks.values() if trx_id in block.transaction_ids]
