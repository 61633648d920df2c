"""One simulated network, from its first moment to four rounds after the weather."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, NamedTuple

import chain.finality as finality_module
import node.core.catching_up as catching_up
from node.core.mining import LEAD_MS_MAX
from protocol import keys
from protocol.transaction import Transaction
from tests.sim.chains import SimChain, make_chain
from tests.sim.checks import Checker, applies
from tests.sim.clients import Clients, Sent
from tests.sim.faulty import FaultyWorld, Mischief
from tests.sim.host import Host, SimWorld
from tests.sim.loop import Failure, Loop, Trace
from tests.sim.weather import SLOT_MS, START_MS, Crash, CrashPlan, Fault, Partition, Plan, draw_plan
from tests.sim.wires import FIRST_ADDRESS, Wires

LATE_MS_MAX = 900
QUIET_MS = LEAD_MS_MAX + 50
"""So long before a slot begins nothing is under way when all is well: the next block is begun soon after."""

MIDDLE_MS = 2_500
"""A process that was to die in the middle of something, and did nothing that could be cut short, lives on then."""


class Report(NamedTuple):
    """How a run went. `failure` is None when all checks held."""

    seed: int
    failure: Failure | None
    features: tuple[str, ...]
    counts: Counter[str]
    largest: dict[str, int]
    trace: str
    last_lines: tuple[str, ...]
    plan: Plan


class Simulation:
    """Everything of one run; all chance comes from one generator."""

    def __init__(self, seed: int, sink: Callable[[str], None] | None = None) -> None:
        self.random = Random(seed)
        self.plan = draw_plan(seed, self.random)
        self.chain: SimChain = make_chain(self.plan.places, self.plan.runners)
        start = self.chain.config.genesis.time if self.plan.from_genesis else self.chain.beginning_time
        self.start_ms = start * 1000 + START_MS
        self.loop = Loop(self.start_ms)
        self.trace = Trace(sink)
        self.counts: Counter[str] = Counter()
        self.is_weather = True
        self.true_transactions: set[bytes] = set()
        self.faulty_witnesses = frozenset(
            name for host in self.plan.hosts if host.fault is not None for name in host.witnesses
        )
        self.wires = Wires(self)
        self.checker = Checker(self)
        self.hosts = [Host(self, index, plan) for index, plan in enumerate(self.plan.hosts)]
        self.clients = Clients(self)
        self._must_arrive: list[Transaction] = []
        self._stopped_ms = 0

    # For hosts and wires

    def count(self, what: str, much: int = 1) -> None:
        """Counts something that happened, for the summary."""
        self.counts[what] += much

    def make_world(self, host: Host) -> SimWorld:
        """What a new process of a host lives in."""
        if host.plan.fault in (None, Fault.SILENT, Fault.TWINS):
            return SimWorld(host)
        return FaultyWorld(host)

    def holds_keys(self, host: Host) -> bool:
        """Whether a host has the keys of its witnesses."""
        return host.plan.fault is not Fault.SILENT

    def find_host(self, address: str) -> Host | None:
        """The host with an IPv4 address."""
        index = int(address.rpartition(".")[2]) - FIRST_ADDRESS % 256 if address.startswith("10.0.0.") else -1
        return self.hosts[index] if 0 <= index < len(self.hosts) else None

    def on_taken(self, sent: Sent) -> None:
        """A node took a transaction; nothing can get lost once the weather is over."""
        if sent.must_arrive and not self.is_weather:
            self._must_arrive.append(sent.transaction)

    def draw_lateness(self) -> int:
        """How late a timer goes off."""
        if self.is_weather and self.plan.late_timers and self.random.random() < self.plan.late_timers:
            self.count("late timers")
            return self.random.randint(1, LATE_MS_MAX)
        return 0

    # The run

    def run(self) -> None:
        """Plays the whole run; raises Failure."""
        try:
            self._schedule()
            self.loop.run_until(self.start_ms + self.plan.weather_ms)
            self._end_weather()
            self._run_calm()
            self.checker.check_end()
        finally:
            for host in self.hosts:
                host.storage.remove()

    def _schedule(self) -> None:
        plan, loop, start = self.plan, self.loop, self.start_ms
        for host in self.hosts:
            loop.at(
                start + host.plan.joins_at_ms + (0 if host.plan.joins_at_ms else self.random.randint(0, 1_000)),
                self._begin,
                host,
            )
        for partition in plan.partitions:
            loop.at(start + partition.at_ms, self._begin_partition, partition)
            loop.at(start + partition.end_ms, self._end_partition, partition)
        for at_ms in plan.cuts:
            loop.at(start + at_ms, self.wires.cut_one)
        for crash in plan.crashes:
            loop.at(start + crash.at_ms, self._crash, crash)
        for step in plan.clock_steps:
            loop.at(start + step.at_ms, self._set_clock, self.hosts[step.host], step.offset_ms)
        for spell in plan.full_disks:
            loop.at(start + spell.at_ms, self._set_full, self.hosts[spell.host], True)
            loop.at(start + spell.end_ms, self._set_full, self.hosts[spell.host], False)
        last = plan.weather_ms + plan.places * SLOT_MS
        for _ in range(plan.transactions):
            loop.at(start + self.random.randrange(1_000, last), self.clients.send_one)
        for host in self.hosts:
            if host.plan.fault in (Fault.RUBBISH, Fault.MUTE, Fault.WITHHOLDING):
                Mischief(self, host).schedule()

    def _begin(self, host: Host) -> None:
        if host.lives == 0:
            host.start()

    def _begin_partition(self, partition: Partition) -> None:
        self.trace.add(f"{self.loop.now_ms} partition {partition.blocked}")
        self.wires.block(partition.blocked, partition.is_soft)

    def _end_partition(self, partition: Partition) -> None:
        self.trace.add(f"{self.loop.now_ms} healed {partition.blocked}")
        self.wires.unblock(partition.blocked)

    def _set_clock(self, host: Host, offset_ms: int) -> None:
        host.offset_ms = offset_ms

    def _set_full(self, host: Host, is_full: bool) -> None:
        host.storage.fuse.is_disk_full = is_full

    def _crash(self, crash: CrashPlan) -> None:
        host = self.hosts[crash.host]
        if host.world is None or not self.is_weather:
            return
        self.count(f"crash: {crash.how.value}")
        host.restart_at_ms = self.loop.now_ms + crash.down_ms
        host.clock_back_ms = crash.clock_back_ms
        if crash.how is Crash.IN_THE_MIDDLE:
            host.storage.fuse.arm(crash.actions, crash.is_power_lost)
            self.loop.after(MIDDLE_MS, self._spare, host, host.world)
            return
        if crash.how is Crash.STOPPED:
            host.stop()
        else:
            host.die(is_power_lost=crash.how is Crash.POWER_LOST)
        self.loop.at(host.restart_at_ms, host.start_again)

    def _spare(self, host: Host, world: SimWorld) -> None:
        if host.world is world:
            host.storage.fuse.disarm()

    # After the weather

    def _end_weather(self) -> None:
        self.is_weather = False
        self._stopped_ms = self.loop.now_ms
        self.trace.add(f"{self.loop.now_ms} calm")
        self.wires.calm()
        for host in self.hosts:
            host.storage.fuse.is_disk_full = False
            host.storage.fuse.disarm()
            host.offset_ms = host.drift_ppm = 0
            if host.world is None:
                host.start()
        for host in self.hosts:
            self.checker.measure(host)
        for sent in self.clients.taken:
            if sent.must_arrive and any(self._has(host, sent.transaction) for host in self._honest()):
                self._must_arrive.append(sent.transaction)

    def _honest(self) -> list[Host]:
        return [host for host in self.hosts if host.is_honest]

    def _has(self, host: Host, transaction: Transaction) -> bool:
        """Whether a transaction waits at a node or is in its chain."""
        chain = host.chain
        return chain is not None and (transaction.id in chain.pending or self.checker.is_in_chain(transaction, chain))

    def _run_calm(self) -> None:
        """Looks at the network just before each slot, until all is well or the time is over."""
        end = self._stopped_ms + self.plan.calm_ms
        at = self._stopped_ms // SLOT_MS * SLOT_MS + SLOT_MS - QUIET_MS
        problem = Failure("one head", "the weather is not over")
        while at <= end:
            self.loop.run_until(at)
            found = self._find_problem()
            if found is None:
                self.count("calm slots", (at - self._stopped_ms) // SLOT_MS)
                return
            problem = found
            at += SLOT_MS
        raise problem

    def _find_problem(self) -> Failure | None:
        """What is still wrong after the weather, or None."""
        hosts = self._honest()
        chains = [host.chain for host in hosts if host.chain is not None]
        if len(chains) != len(hosts) or len({chain.head_id for chain in chains}) != 1:
            heads = ", ".join(f"{chain.head_number} {chain.head_id.hex()[8:16]}" for chain in chains)
            return Failure("one head", f"{len(chains)} of {len(hosts)} honest nodes run; their heads are {heads}")
        for host, chain in zip(hosts, chains, strict=True):
            block_id = chain.reader.get_block_id(chain.irreversible_number)
            if block_id is None or self.checker.time_of(block_id) * 1000 <= self._stopped_ms:
                text = f"{host} holds block {chain.irreversible_number} irreversible, which is older than the calm"
                return Failure("irreversibility advances", text)
        for transaction in self._must_arrive:
            if not self.checker.is_in_chain(transaction, chains[0]) and applies(chains[0], transaction):
                return Failure("every transaction", f"{transaction.id.hex()} is valid and in no block")
        return None


@contextmanager
def _grouping_commits(blocks: int) -> Iterator[None]:
    """Lets nodes group their commits when they are so many blocks behind, which takes hundreds otherwise."""
    before = catching_up.BULK_BLOCKS, finality_module.GROUP_BLOCKS
    if blocks:
        catching_up.BULK_BLOCKS = finality_module.GROUP_BLOCKS = blocks
    try:
        yield
    finally:
        catching_up.BULK_BLOCKS, finality_module.GROUP_BLOCKS = before


@contextmanager
def _remembering_keys() -> Iterator[None]:
    """Recovers each signature once: the same blocks and transactions come to every node."""
    original = keys.recover
    known: dict[tuple[Any, ...], bytes] = {}

    def recover(digest: bytes, signature: bytes, accept: Any = keys.is_canonical) -> bytes:
        job = digest, signature, accept
        found = known.get(job)
        if found is None:
            found = known[job] = original(digest, signature, accept)
        return found

    keys.recover = recover
    try:
        yield
    finally:
        keys.recover = original


def run_seed(seed: int, sink: Callable[[str], None] | None = None) -> Report:
    """Plays one seed and reports; nothing is raised for what the checkers find."""
    failure: Failure | None = None
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        with _remembering_keys():
            sim = Simulation(seed, sink)
            try:
                with _grouping_commits(sim.plan.bulk_blocks):
                    sim.run()
            except Failure as found:
                failure = found
                sim.trace.add(f"{sim.loop.now_ms} {found}")
    finally:
        if was_collecting:
            gc.enable()
    sim.counts["blocks"] += sim.checker.blocks
    sim.counts["undone blocks"] += sim.checker.undone
    return Report(
        seed,
        failure,
        tuple(sim.plan.features()),
        sim.counts,
        sim.checker.largest,
        sim.trace.digest(),
        tuple(sim.trace.lines),
        sim.plan,
    )
