"""Load for minutes on three daemons with 21 witnesses between them: python -m tests.network.soak [SECONDS] [RATE].

Signed transfers, votes and posts come in at a steady rate over JSON-RPC, spread over the three nodes. It fails when a
transaction is refused, or accepted and not irreversible on all nodes; when a slot is missed or blocks are late; when
the nodes do not keep up with the rate; and when memory grows after the warm-up, for which the nodes have small caches.
PLAUDIT_SLOW_MACHINE=2 lets blocks be twice as late, for machines that have other work.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import aiohttp
from rich.console import Console
from rich.table import Table

from tests.network.chains import WITNESSES, NetworkChain
from tests.network.daemons import Daemon, RpcError, until
from tests.network.network import Network, choose_seed, kept_directory, open_network
from tests.network.people import People, Reference, broadcast, find_reference

NAMES = ("a", "b", "c")
PEOPLE = 1000
BLOCK_SECONDS = 3
TICK_SECONDS = 0.05
SAMPLE_SECONDS = 2.0
IN_FLIGHT_MAX = 400
"""Requests that wait for an answer at one time; when the nodes are slower, less is sent, and that is told."""

FINAL_SECONDS = 180
LATE_MS_MAX = int(100 * float(os.environ.get("PLAUDIT_SLOW_MACHINE", "1")))
"""So near to the beginning of their slots 95 of 100 blocks are made, signed, applied, on disk and offered to the peers.
"""

STATUS_SAMPLE = 100
THIRD_SAMPLES_MIN = 15

CACHES = ("--cache-rows", "20000", "--cache-mib", "8")
"""Those that nodes have by default are larger and take longer to fill than the warm-up."""

FULL_BLOCKS_SECONDS = 90
"""So long after the beginning all reversible blocks are full of transactions."""

WARM_UP_SECONDS = 900
"""What has a limit is full after five minutes: 50,000 transactions kept for peers, the caches, the remembered ids, the
write buffers of the database. As long again and more it takes until what is freed and used anew lies scattered over the
heap as it does ever after: a few MiB a minute at first, none in the end."""

MEASURED_SECONDS = 600

GROWTH_BYTES_MAX = 8 << 20
"""How much more memory a node may have in the last third of the time after the warm-up than in the first one, beside
what more reversible blocks take; -1 to 4 MiB were measured. The thirds of ten minutes are 80,000 transactions apart, so
a leak of 105 bytes for each is too much."""

REVERSIBLE_BYTES = 8 << 10
"""What a transaction takes while its block can be undone, at the most: 6.1 kB were measured. 15 to 29 blocks can be
undone with 21 witnesses in an order that is drawn anew each round. Hardly any of it goes back to the system when they
are fewer again, so memory grows, ever more seldom, whenever they are more than ever before."""


class Sample(NamedTuple):
    """How a daemon was at a moment, in seconds since the load began; memory in bytes, processor time in seconds."""

    at: float
    resident: int
    cpu_seconds: float
    head: int
    final: int


class Growth(NamedTuple):
    """How much more memory there was late than early, and by how many the most reversible blocks so far were more."""

    resident: int
    blocks: int


class Result(NamedTuple):
    """What a run has shown of one daemon."""

    produced: int
    late_ms: list[int]
    received_ms: list[int]
    switches: int
    first: Sample
    last: Sample
    growth: Growth | None


class Load:
    """Sends transactions at a steady rate, and remembers which were accepted."""

    def __init__(self, network: Network, seed: int, rate: int) -> None:
        self.accepted: list[str] = []
        self.refused: Counter[str] = Counter()
        self.left_out = 0
        self._network = network
        self._people = People(network.chain, seed)
        self._reference = Reference(0, bytes(20))
        self._rate = rate
        self._under_way: set[asyncio.Task[None]] = set()
        self._turn = 0

    async def run(self, seconds: float) -> None:
        """Sends for so long, then waits for the answers."""
        begun = time.monotonic()
        due = 0
        renewed_at: float | None = None
        while (passed := time.monotonic() - begun) < seconds:
            if renewed_at is None or passed - renewed_at > BLOCK_SECONDS:
                self._reference = await find_reference(self._network.daemons[NAMES[0]])
                renewed_at = passed
            wanted = int(passed * self._rate)
            for _ in range(wanted - due):
                self._send_one()
            due = wanted
            await asyncio.sleep(TICK_SECONDS)
        await asyncio.gather(*self._under_way)

    def _send_one(self) -> None:
        if len(self._under_way) >= IN_FLIGHT_MAX:
            self.left_out += 1
            return
        self._turn += 1
        daemon = self._network.daemons[NAMES[self._turn % len(NAMES)]]
        task = asyncio.create_task(self._send_to(daemon))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send_to(self, daemon: Daemon) -> None:
        transaction = self._people.make(self._reference)
        try:
            await broadcast(daemon, self._network.chain, transaction)
        except RpcError as error:
            self.refused[str(error)[:200]] += 1
        else:
            self.accepted.append(transaction.id.hex())


class Soak:
    """One run: the load, the samples taken meanwhile, and what is made of them."""

    def __init__(self, network: Network, seed: int, seconds: float, rate: int) -> None:
        self.network = network
        self.seconds = seconds
        self.rate = rate
        self.load = Load(network, seed, rate)
        self.samples: dict[str, list[Sample]] = {name: [] for name in NAMES}
        self.problems: list[str] = []
        self.results: dict[str, Result] = {}

    async def run(self) -> None:
        """Starts the daemons, loads them and checks all; the problems found are in `problems`."""
        await self._start()
        first = (await self._daemon().get_properties())["head_block_number"]
        missed_before = await self._read_missed()
        sampling = asyncio.create_task(self._sample())
        try:
            await self.load.run(self.seconds)
        finally:
            sampling.cancel()
        last = await self._wait_until_final()
        missed = (await self._read_missed()) - missed_before
        reasons = Counter(
            str(event["reason"]) for daemon in self.network.running for event in daemon.read_events("missed")
        )
        self._expect(not missed, f"slots missed: {dict(missed)}; reasons that were logged: {dict(reasons)}")
        self._expect(not self.load.refused, f"refused: {dict(self.load.refused.most_common(3))}")
        self._expect(not self.load.left_out, f"not sent, because answers were slow: {self.load.left_out}")
        await self._check_included(first, last)
        self.problems += self.network.find_faults()
        self.results = {name: self._judge(name, first, last) for name in NAMES}

    def _daemon(self) -> Daemon:
        return self.network.daemons[NAMES[0]]

    def _expect(self, is_so: bool, problem: str) -> None:
        if not is_so:
            self.problems.append(problem)

    async def _start(self) -> None:
        ports: list[int] = []
        for place, name in enumerate(NAMES):
            daemon = self.network.add(name, WITNESSES[place :: len(NAMES)])
            await daemon.start(ports, *CACHES, *(("--stale-production",) if not ports else ()))
            ports.append(daemon.p2p_port)
        await until(self._is_one, 60, "all daemons have the same new head")

    async def _is_one(self) -> bool:
        heads: list[int] = [(await daemon.get_properties())["head_block_number"] for daemon in self.network.running]
        return min(heads) == max(heads) > self.network.chain.beginning_blocks + 1

    async def _sample(self) -> None:
        begun = time.monotonic()
        while True:
            for name, daemon in self.network.daemons.items():
                properties = await daemon.get_properties()
                self.samples[name].append(
                    Sample(
                        time.monotonic() - begun,
                        daemon.read_resident_bytes(),
                        daemon.read_cpu_seconds(),
                        properties["head_block_number"],
                        properties["last_irreversible_block_num"],
                    )
                )
            await asyncio.sleep(SAMPLE_SECONDS)

    async def _read_missed(self) -> Counter[str]:
        found = await self._daemon().call("condenser_api.get_witnesses_by_vote", ["", 100])
        return Counter({witness["owner"]: witness["total_missed"] for witness in found})

    # What must be true

    async def _wait_until_final(self) -> int:
        """Waits until the block that a node has now (with all that was accepted) is irreversible on all nodes."""
        await asyncio.sleep(2 * BLOCK_SECONDS)
        last: int = max([(await daemon.get_properties())["head_block_number"] for daemon in self.network.running])

        async def is_final() -> bool:
            finals = [(await daemon.get_properties())["last_irreversible_block_num"] for daemon in self.network.running]
            return bool(min(finals) >= last)

        await until(is_final, FINAL_SECONDS, f"block {last} is irreversible on all nodes")
        return last

    async def _check_included(self, first: int, last: int) -> None:
        """Every accepted transaction is in an irreversible block, and that block is the same on all nodes."""
        included: set[str] = set()
        for number in range(first + 1, last + 1):
            blocks = [await daemon.get_block(number) for daemon in self.network.running]
            ids = {block["block_id"] if block else "" for block in blocks}
            self._expect(len(ids) == 1 and "" not in ids, f"block {number} is not the same on all nodes: {ids}")
            included.update(blocks[0]["transaction_ids"] if blocks[0] else ())
        lost = set(self.load.accepted) - included
        self._expect(
            not lost, f"accepted, but in no irreversible block: {len(lost)}, one of them {next(iter(lost), '')}"
        )
        for trx_id in self.load.accepted[:: max(1, len(self.load.accepted) // STATUS_SAMPLE)]:
            for daemon in self.network.running:
                found = await daemon.call("transaction_status_api.find_transaction", {"transaction_id": trx_id})
                self._expect(found["status"] == "within_irreversible_block", f"{daemon} says {found} of {trx_id}")

    def _judge(self, name: str, first: int, last: int) -> Result:
        daemon, samples = self.network.daemons[name], self.samples[name]
        produced = [event for event in daemon.read_events("produced") if first < event["number"] <= last]
        received = [event for event in daemon.read_events("received") if first < event["number"] <= last]
        late = [abs(event["late_ms"]) for event in produced]
        late_ms, growth = percentile(late, 0.95), compute_growth(samples)
        allowed = GROWTH_BYTES_MAX + (growth.blocks * BLOCK_SECONDS * self.rate * REVERSIBLE_BYTES if growth else 0)
        self._expect(late_ms <= LATE_MS_MAX, f"{daemon}: 5 of 100 blocks were {late_ms} ms or more off their slot")
        self._expect(
            growth is None or growth.resident <= allowed,
            f"the memory of {daemon} grew by {growth.resident >> 20 if growth else 0} MiB, {allowed >> 20} are allowed",
        )
        ages, switches = [event["age_ms"] for event in received], sum(event["undone"] > 0 for event in received)
        return Result(len(produced), late, ages, switches, samples[0], samples[-1], growth)


def compute_growth(samples: list[Sample]) -> Growth | None:
    """Compares the mean of the last third with that of the first one, both after the warm-up.

    None for a run that ends before there is enough to compare.
    """
    warm = [sample for sample in samples if sample.at >= WARM_UP_SECONDS]
    third = len(warm) // 3
    if third < THIRD_SAMPLES_MIN:
        return None
    full = [sample for sample in samples if sample.at >= FULL_BLOCKS_SECONDS]
    early, late = warm[:third], warm[-third:]
    resident = [statistics.fmean(sample.resident for sample in part) for part in (early, late)]
    middles = [part[third // 2].at for part in (early, late)]
    blocks = [max(sample.head - sample.final for sample in full if sample.at <= middle) for middle in middles]
    return Growth(int(resident[1] - resident[0]), blocks[1] - blocks[0])


def percentile(values: Iterable[int], part: float) -> int:
    """The value that so many (as a part of 1) do not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0


def show(soak: Soak, console: Console) -> None:
    """Prints what the run has shown."""
    load = soak.load
    title = f"{soak.seconds:.0f} s at {soak.rate} transactions a second: {len(load.accepted)} accepted"
    table = Table(title=title)
    table.add_column("", no_wrap=True)
    for name in NAMES:
        table.add_column(f"node {name}", justify="right")
    rows = list(soak.results.values())
    table.add_row("blocks produced", *(str(result.produced) for result in rows))
    table.add_row("switches to another branch", *(str(result.switches) for result in rows))
    table.add_row("own block offered off its slot, median ms", *(str(percentile(r.late_ms, 0.5)) for r in rows))
    table.add_row("  95 of 100 within, ms", *(str(percentile(r.late_ms, 0.95)) for r in rows))
    table.add_row("  the latest, ms", *(str(max(r.late_ms, default=0)) for r in rows))
    table.add_row("others' blocks taken in, median ms", *(str(percentile(r.received_ms, 0.5)) for r in rows))
    table.add_row("  99 of 100 within, ms", *(str(percentile(r.received_ms, 0.99)) for r in rows))
    table.add_row("resident memory at the start, MiB", *(str(r.first.resident >> 20) for r in rows))
    table.add_row("  at the end, MiB", *(str(r.last.resident >> 20) for r in rows))
    growths = ("too short a run" if r.growth is None else f"{r.growth.resident / 2**20:.1f}" for r in rows)
    table.add_row("  growth after the warm-up, MiB", *growths)
    table.add_row(
        "  most reversible blocks then, more by", *("" if r.growth is None else str(r.growth.blocks) for r in rows)
    )
    table.add_row(
        "processor",
        *(f"{100 * (r.last.cpu_seconds - r.first.cpu_seconds) / (r.last.at - r.first.at):.0f} %" for r in rows),
    )
    console.print(table)
    for problem in soak.problems:
        console.print(f"[red]problem:[/red] {problem}", highlight=False)


async def main(seconds: int = WARM_UP_SECONDS + MEASURED_SECONDS, rate: int = 200) -> int:
    """Runs it and returns the exit code."""
    seed = choose_seed()
    with kept_directory(seed) as folder:
        chain = NetworkChain(folder / "chain.toml", PEOPLE, BLOCK_SECONDS)
        async with open_network(folder, chain) as network:
            soak = Soak(network, seed, seconds, rate)
            try:
                await soak.run()
            except aiohttp.ClientError as error:
                raise AssertionError(f"a daemon does not answer: {error}") from error
            show(soak, Console(width=110))
        assert not soak.problems, f"{len(soak.problems)} problems"
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*map(int, sys.argv[1:]))))
