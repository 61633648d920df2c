"""What happens to a network of four daemons, one disaster after another, and what must be true all the time."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import aiohttp

from protocol.transaction import Transaction
from tests.network.chains import WITNESSES
from tests.network.daemons import Daemon, until
from tests.network.network import Network
from tests.network.people import People, broadcast, find_reference
from tests.network.watcher import Watcher

NAMES = ("a", "b", "c", "d")
CALM_SECONDS = 120
"""Within this time everything is well again after a disaster; on an idle machine it takes a fraction of it."""

OWN_BLOCKS = 3
"""Blocks that each half makes before its links are healed."""

SEND_SECONDS = 0.4


class Story:
    """The network, its watcher, and every transaction that was sent and must end in an irreversible block."""

    def __init__(self, network: Network, seed: int) -> None:
        self.network = network
        self.watcher = Watcher()
        self.chance = random.Random(seed)
        self.sent: dict[str, str] = {}
        """By transaction id: the daemon that took it."""
        self._people = People(network.chain, seed)

    # The beginning

    async def begin(self, from_nothing: str) -> None:
        """Starts the four, each with a quarter of the witnesses; one of them has not a single block."""
        for place, name in enumerate(NAMES):
            self.network.add(name, WITNESSES[place :: len(NAMES)], has_beginning=name != from_nothing)
        await self.network.link_all()
        await self.network.start(NAMES[0], "--stale-production")
        await asyncio.gather(*map(self.network.start, NAMES[1:]))
        await until(self._all_make_blocks, CALM_SECONDS, "every daemon makes blocks")

    async def _all_make_blocks(self) -> bool:
        """Only who has seen a recent block makes some: before, a part of the network would not go on alone."""
        return all(daemon.read_events("produced") for daemon in self.network.daemons.values())

    # Transactions

    async def send(self, name: str, transaction: Transaction | None = None) -> str:
        """Sends a transfer, or the transaction given, to a daemon; it must become irreversible. Returns its id."""
        daemon = self.network.daemons[name]
        made = transaction or self._people.make_transfer(await find_reference(daemon))
        await broadcast(daemon, self.network.chain, made)
        self.sent[made.id.hex()] = name
        return made.id.hex()

    async def keep_sending(self) -> None:
        """Sends to one daemon and another until this is cancelled; those that do not answer are left out."""
        while True:
            name = self.chance.choice(NAMES)
            try:
                if self.network.daemons[name].is_running:
                    await self.send(name)
            except (aiohttp.ClientError, TimeoutError):
                continue
            await asyncio.sleep(SEND_SECONDS)

    def forget_sent_to(self, name: str) -> None:
        """What a node was sent and did not pass on when it died is lost: only blocks are kept."""
        known = {trx_id for block in self.watcher.blocks.values() for trx_id in block.transaction_ids}
        self.sent = {trx_id: taker for trx_id, taker in self.sent.items() if taker != name or trx_id in known}

    async def wait_for_blocks(self, sent: Iterable[str]) -> None:
        """Waits until transactions are in blocks: a node that dies takes with it what it did not pass on."""
        for trx_id in sent:
            await until(partial(self._is_in_block, trx_id), CALM_SECONDS, f"{trx_id} is in a block")

    # Disasters

    async def strike(self, number: int) -> str:
        """Lets the disaster of a round strike some daemons or links, and says which; each kind comes in its turn."""
        name, other = self.chance.sample(NAMES, 2)
        kind = number % 6
        if kind == 0:
            await self.part((name, other))
            return f"{name} and {other} parted from the others"
        if kind == 1:
            await asyncio.gather(self.kill(name), self.kill(other))
            return f"{name} and {other} killed"
        if kind == 2:
            await self.part((name,), silently=True)
            return f"{name} silently parted from the others"
        if kind == 3:
            await self.start_from_snapshot(name)
            return f"{name} started from a snapshot"
        if kind == 4:
            await self.part((name, other), silently=True)
            return f"{name} and {other} silently parted from the others"
        await self.start_from_nothing(name)
        return f"{name} started from nothing"

    async def kill(self, name: str) -> None:
        """Kill -9, at any moment, and the same node again on what its disk kept."""
        await asyncio.sleep(self.chance.random() * 2)
        self.network.daemons[name].kill()
        self.forget_sent_to(name)
        await self.network.start(name)

    async def start_from_nothing(self, name: str) -> None:
        """The node loses its disk and begins anew."""
        daemon = self.network.daemons[name]
        await daemon.stop()
        self.forget_sent_to(name)
        shutil.rmtree(daemon.data_dir)
        self.watcher.forget_final(name)
        await self.network.start(name)
        await self.wait_for_head(name)

    async def start_from_snapshot(self, name: str) -> None:
        """The node loses its disk and goes on from a snapshot that was made of it before."""
        daemon = self.network.daemons[name]
        file = str(daemon.folder / "snapshot")
        options = ("--chain", str(self.network.chain.file), "--data-dir", str(daemon.data_dir))
        await daemon.stop()
        self.watcher.begin_at(name, daemon.read_final_at_stop())
        self.forget_sent_to(name)
        await self.network.command("snapshot", "create", file, "--force", *options)
        shutil.rmtree(daemon.data_dir)
        await self.network.command("snapshot", "restore", file, *options)
        await self.network.start(name)
        await self.wait_for_head(name)

    async def part(self, one_side: Iterable[str], *, silently: bool = False) -> tuple[str, str]:
        """Parts the network in two until both sides have made blocks of their own with transactions of their own.

        Returns the ids of the two transactions. `silently` leaves the connections open and carries nothing.
        """
        group = sorted(one_side)
        here, there = group[0], next(name for name in NAMES if name not in group)
        links = self.network.between(group)
        for link in links:
            link.stall() if silently else link.cut()
        sent = await self.send(here), await self.send(there)
        for name, trx_id in zip((here, there), sent, strict=True):
            await self._go_on_alone(self.network.daemons[name], trx_id)
        for link in links:
            link.heal()
        return sent

    async def _go_on_alone(self, daemon: Daemon, trx_id: str) -> None:
        last = (await daemon.get_properties())["head_block_number"] + OWN_BLOCKS
        await until(lambda: self._has_block(daemon, last), CALM_SECONDS, f"{daemon} goes on alone")
        await until(lambda: self._is_in_block(trx_id), CALM_SECONDS, f"{daemon} takes {trx_id} into a block")

    async def _has_block(self, daemon: Daemon, number: int) -> bool:
        return bool((await daemon.get_properties())["head_block_number"] >= number)

    async def _is_in_block(self, trx_id: str) -> bool:
        return bool(self.watcher.find_all(trx_id))

    # Calm

    async def wait_for_head(self, name: str) -> None:
        """Waits until a daemon has the head of the others."""

        async def is_there() -> bool:
            heads = [(await daemon.get_properties())["head_block_id"] for daemon in self.network.running]
            return len(set(heads)) == 1

        await until(is_there, CALM_SECONDS, f"daemon {name} has caught up")

    async def wait_for_calm(self) -> int:
        """Waits until all have one head, and everything sent so far is irreversible on all; returns a block's number.

        That block is known to all, with the same state.
        """
        sent = dict(self.sent)
        lost: list[str] = []

        async def is_final() -> bool:
            lost[:] = [trx_id for trx_id in sent if self.watcher.find_final(trx_id) is None]
            return not lost

        await until(is_final, CALM_SECONDS, f"these are irreversible: {lost}")
        number = max((self.watcher.find_final(trx_id) or 0 for trx_id in sent), default=0)
        await until(lambda: self._is_final_everywhere(number), CALM_SECONDS, f"block {number} is irreversible on all")
        return await until(self._find_same_digest, CALM_SECONDS, "all have the same state after the same block")

    async def _is_final_everywhere(self, number: int) -> bool:
        if len(self.network.running) < len(NAMES):
            return False
        finals = [(await daemon.get_properties())["last_irreversible_block_num"] for daemon in self.network.running]
        return bool(min(finals) >= number)

    async def _find_same_digest(self) -> int:
        """The head of the slowest, if all have it with the same digest; 0 otherwise."""
        heads = [(await daemon.get_properties())["head_block_number"] for daemon in self.network.running]
        found = {await daemon.find_digest(min(heads)) for daemon in self.network.running}
        by_id = {block_id: digest for block_id, digest in filter(None, found)}
        assert len(by_id) == len(found - {None}), f"one block {min(heads)}, but different states: {found}"
        return min(heads) if len(found) == 1 and None not in found else 0


async def play(network: Network, seed: int, happen: Callable[[Story], Awaitable[None]]) -> Story:
    """Plays a story with its watcher beside it; whatever the watcher objects to ends it at once."""
    story = Story(network, seed)
    watching = asyncio.create_task(story.watcher.follow(network.daemons.values()))
    try:
        happening = asyncio.ensure_future(happen(story))
        await asyncio.wait((watching, happening), return_when=asyncio.FIRST_COMPLETED)
        if watching.done():
            happening.cancel()
            watching.result()
        await happening
    finally:
        watching.cancel()
    assert not network.find_faults()
    assert story.watcher.check_produced(network.daemons.values()) > 0
    return story
