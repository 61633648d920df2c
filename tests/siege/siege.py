"""A witness with 21 keys, attackers in processes of their own, and a second witness that nobody attacks."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic, thread_time
from typing import NamedTuple

from protocol.keys import recover, sign_digest
from tests.network.chains import WITNESSES, NetworkChain, block_key
from tests.network.daemons import ROOT, Daemon, until
from tests.network.network import Network
from tests.siege.target import HOST, Target

HELD_SECONDS_MAX = 0.020
MEMORY_BYTES_MAX = 400 << 20
FILES_MAX = 1024
ATTACKERS_NICE = 19
SETTLE_SECONDS = 3.0
MEMORY_SAMPLE_SECONDS = 0.2
EXIT_SECONDS = 15.0
FAULTS_SHOWN = 5
RECOVERY_SECONDS = 82e-6
"""Processor time to recover a signer on the machine, and at the speed, for which the bound of 20 ms was set."""

RECOVERIES = 100
BEGIN_SECONDS = 60.0
BLOCKS_BEFORE = 3
"""Blocks that a node makes before it is measured: the first one counts all slots since the beginning as missed."""
HELD = "plaudit_loop_held_seconds_bucket"


class Figures(NamedTuple):
    """What a node says of itself: blocks made, slots that the chain counts as missed, rounds of its loop by length."""

    made: int
    missed: int
    rounds: dict[tuple[str, float], float]

    def find_longest(self, earlier: Figures, work: str) -> float:
        """The upper bound of the longest round since then, in seconds; 0 when none took over a millisecond."""
        longest, before = 0.0, 0.0
        for (kind, bound), count in sorted(self.rounds.items()):
            if kind == work:
                since = count - earlier.rounds.get((kind, bound), 0)
                longest = bound if since > before else longest
                before = since
        return longest


class Outcome(NamedTuple):
    """What a time under attack has shown; seconds and bytes."""

    name: str
    made: int
    missed: int
    control_made: int
    control_missed: int
    held: float
    held_by_block: float
    memory: int
    faults: tuple[str, ...]
    slowness: float = 1.0

    def list_problems(self, held_max: float = HELD_SECONDS_MAX) -> Iterable[str]:
        """What a witness that nobody stops does not show. A machine that stops the control, too, proves nothing."""
        if self.missed > self.control_missed:
            yield f"{self.name}: {self.missed} slots missed, {self.control_missed} by the control"
        if not self.made:
            yield f"{self.name}: no block was made"
        if self.held > held_max:
            yield f"{self.name}: the loop was held for up to {self.held * 1000:.0f} ms"
        if self.memory > MEMORY_BYTES_MAX:
            yield f"{self.name}: {self.memory >> 20} MiB of memory"
        yield from (f"{self.name}: {fault}" for fault in self.faults[:FAULTS_SHOWN])


class Siege:
    """The two witnesses, and what was found."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._session = network._session
        self.witness = network.add("witness", WITNESSES)
        self.control = network.add("control", WITNESSES)
        self.witness.files_max = self.control.files_max = FILES_MAX

    async def start(self) -> None:
        """Starts both."""
        for daemon in (self.witness, self.control):
            await daemon.start((), "--stale-production", "--metrics", f"{HOST}:0")
        for daemon in (self.witness, self.control):
            await until(partial(self._has_begun, daemon), BEGIN_SECONDS, f"{daemon} makes blocks")

    async def _has_begun(self, daemon: Daemon) -> bool:
        return (await self._read(daemon)).made >= BLOCKS_BEFORE

    async def endure(self, name: str, attacks: Sequence[str], seconds: float, processes: int = 100) -> Outcome:
        """Attacks the witness for so long in all these ways at once, by at most so many processes."""
        slowness = measure_slowness()
        target = Target(self.witness.rpc_port, self.witness.p2p_port, str(self._network.chain.file), seconds)
        logged = len(self.witness.read_events())
        before = [await self._read(daemon) for daemon in (self.witness, self.control)]
        watching = asyncio.create_task(self._watch_memory())
        attackers = [await self._attack(part, target) for part in share(attacks, processes)]
        for attacker in attackers:
            assert attacker.stdout is not None and attacker.stdin is not None
            await attacker.stdout.readline()
        for attacker in attackers:
            assert attacker.stdin is not None
            attacker.stdin.write(b"go\n")
        await asyncio.sleep(seconds)
        await asyncio.gather(*(_await_end(attacker) for attacker in attackers))
        await asyncio.sleep(SETTLE_SECONDS)
        watching.cancel()
        memory = 0
        with suppress(asyncio.CancelledError):
            await watching
        memory = self._memory
        after = [await self._read(daemon) for daemon in (self.witness, self.control)]
        pairs = list(zip(before, after, strict=True))
        made, missed = [new.made - old.made for old, new in pairs], [new.missed - old.missed for old, new in pairs]
        held, held_by_block = (after[0].find_longest(before[0], work) for work in ("other", "block"))
        events = self.witness.read_events()[logged:]
        faults = tuple(str(event) for event in events if event.get("level") == "error")
        slots = made[0], missed[0], made[1], missed[1]
        return Outcome(name, *slots, held, held_by_block, memory, faults, slowness)

    async def _attack(self, attacks: Sequence[str], target: Target) -> asyncio.subprocess.Process:
        words = ["nice", "-n", str(ATTACKERS_NICE), sys.executable, "-m", "tests.siege.attacker", *attacks]
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*words, target.to_text(), cwd=ROOT, stdin=pipe, stdout=pipe)

    async def _watch_memory(self) -> None:
        self._memory = 0
        while True:
            self._memory = max(self._memory, self.witness.read_resident_bytes())
            await asyncio.sleep(MEMORY_SAMPLE_SECONDS)

    async def _read(self, daemon: Daemon) -> Figures:
        """The figures of this moment. Raises AssertionError when the port for metrics is silent."""
        url = f"http://{HOST}:{daemon.metrics_port}/metrics"
        async with self._session.get(url) as response:
            assert response.status == 200, await response.text()
            lines = (line.rpartition(" ") for line in (await response.text()).splitlines() if not line.startswith("#"))
            values = {name: float(value) for name, _, value in lines}
        rounds = {}
        for name, value in values.items():
            if name.startswith(HELD):
                labels = dict(part.split("=") for part in name[len(HELD) + 1 : -1].replace('"', "").split(","))
                rounds[labels["work"], float(labels["le"])] = value
        missed = sum(value for name, value in values.items() if name.startswith("plaudit_witness_missed_blocks_total"))
        return Figures(int(values["plaudit_blocks_produced_total"]), int(missed), rounds)


async def _await_end(attacker: asyncio.subprocess.Process) -> None:
    """Waits for the end of an attacker, which is killed when it does not come."""
    end = monotonic() + EXIT_SECONDS
    try:
        async with asyncio.timeout(max(0.1, end - monotonic())):
            code = await attacker.wait()
    except TimeoutError:
        attacker.kill()
        await attacker.wait()
        return
    assert code == 0, f"an attacker ended with {code}: it attacked nothing"


def measure_slowness() -> float:
    """How many times slower this machine computes now than the one for which the bound was set: the best of five."""
    digest = bytes(32)
    signature = sign_digest(digest, block_key(WITNESSES[0]))
    seconds = []
    for _ in range(5):
        begun = thread_time()
        for _ in range(RECOVERIES):
            recover(digest, signature)
        seconds.append(thread_time() - begun)
    return min(seconds) / RECOVERIES / RECOVERY_SECONDS


def share(attacks: Sequence[str], processes: int) -> list[Sequence[str]]:
    """Deals attacks out to processes."""
    return [part for at in range(min(processes, len(attacks))) if (part := attacks[at::processes])]


def make_chain(folder: Path) -> NetworkChain:
    """The chain of both witnesses: a block a second."""
    return NetworkChain(folder / "chain.toml", people=40, block_seconds=1)
