"""What a seed draws: which network, which chain, which weather, which faults. Every feature is on in some seeds only.

All that is drawn here is drawn once, before the run, so that a run can be described in one paragraph.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import NamedTuple

from tests.sim.chains import may_lack

FIRST_WITNESS = "witness00"
SLOT_MS = 3000
SMALL_ROUND = 4
"""Of four witnesses three make a block irreversible. So two of them that change sides once, as they do when two
branches that began together are parted, are enough for two irreversible blocks: so small a round has milder weather."""
FEW_MOVERS = 3
"""If so few honest witnesses that change sides are enough (Plan.movers), partitions last half a round at most."""
START_MS = 100
"""A run starts so long after the beginning of a slot."""


class Fault(StrEnum):
    """What is wrong with the witnesses of a faulty node."""

    SILENT = "silent"
    TWINS = "twins"
    TWO_FACED = "two-faced"
    WITHHOLDING = "withholding"
    RUBBISH = "rubbish"
    MUTE = "mute"
    INVALID_BLOCKS = "invalid blocks"


ABSENT = (Fault.SILENT, Fault.WITHHOLDING, Fault.RUBBISH, Fault.MUTE, Fault.INVALID_BLOCKS)
"""Faults whose witnesses' blocks may never be on the main chain: they say nothing useful, or are closed."""

DOUBLE = (Fault.TWINS, Fault.TWO_FACED)
"""Faults whose witnesses sign two blocks for a slot; one of them can be on the main chain, and nobody is banned."""


class Crash(StrEnum):
    """How a process ends."""

    KILLED = "killed"
    POWER_LOST = "power lost"
    IN_THE_MIDDLE = "in the middle of a write"
    STOPPED = "stopped and started"


class CrashPlan(NamedTuple):
    """A process that ends, and when it is back. Times in milliseconds since the start of the run."""

    at_ms: int
    host: int
    how: Crash
    down_ms: int
    actions: int
    """After how many further writes and messages it dies, for a crash in the middle."""
    is_power_lost: bool
    clock_back_ms: int
    """How far behind the machine's clock is afterwards, as clocks are that nobody keeps going."""


class Partition(NamedTuple):
    """Pairs (from, to) of hosts that do not hear each other for a while. A soft one holds messages back, as TCP does;
    a hard one loses them."""

    at_ms: int
    end_ms: int
    blocked: tuple[tuple[int, int], ...]
    is_one_way: bool
    is_soft: bool


class Spell(NamedTuple):
    """Something that is so on one host for a while."""

    at_ms: int
    end_ms: int
    host: int


class ClockStep(NamedTuple):
    """A host's clock is set."""

    at_ms: int
    host: int
    offset_ms: int


@dataclass(slots=True)
class HostPlan:
    """One host: its witnesses, and what is wrong with it if anything."""

    witnesses: tuple[str, ...]
    fault: Fault | None = None
    twin_of: int | None = None
    joins_at_ms: int = 0
    """0: it is there from the start, with the chain's beginning on its disk; else it comes later, from nothing."""
    stale_production: bool = True
    participation_min_bp: int = 0
    seeds: tuple[int, ...] = ()
    discovers: bool = True
    has_history: bool = False
    has_real_log: bool = False
    clock_offset_ms: int = 0
    clock_drift_ppm: int = 0

    def holds(self, witness: str) -> bool:
        """Whether it makes the blocks of a witness."""
        return witness in self.witnesses


@dataclass(slots=True)
class Plan:
    """One seed's run."""

    seed: int
    places: int = 7
    runners: int = 0
    from_genesis: bool = False
    hosts: list[HostPlan] = field(default_factory=list)
    weather_slots: int = 30
    delay_ms: tuple[int, int] = (5, 60)
    jitter_ms: int = 10
    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    bytes_per_second: int = 0
    no_room: float = 0.0
    late_timers: float = 0.0
    recovery_ms: int = 0
    partitions: list[Partition] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    """Moments at which a connection, drawn then, is torn."""
    crashes: list[CrashPlan] = field(default_factory=list)
    full_disks: list[Spell] = field(default_factory=list)
    clock_steps: list[ClockStep] = field(default_factory=list)
    transactions: int = 10
    bulk_blocks: int = 0
    """So far behind, a node groups its commits; 0: as the program has it, which is farther than any node here is."""

    @property
    def movers(self) -> int:
        """How many honest witnesses, with all that sign twice, can make two blocks of one height irreversible by
        building on both, as the reference's rule lets them when they change sides."""
        doubles = {name for host in self.hosts if host.fault in DOUBLE for name in host.witnesses}
        return 2 * (self.places - may_lack(self.places)) - self.places - len(doubles)

    @property
    def weather_ms(self) -> int:
        """How long the weather lasts."""
        return self.weather_slots * SLOT_MS

    @property
    def calm_ms(self) -> int:
        """Four rounds: how long the network has afterwards."""
        return 4 * self.places * SLOT_MS

    def features(self) -> list[str]:
        """What is on in this run, by name."""
        hosts = self.hosts
        named = {
            "long delays": self.delay_ms[1] > 200,
            "loss": self.loss > 0,
            "duplication": self.duplication > 0,
            "reordering": self.reordering > 0,
            "slow links": self.bytes_per_second > 0,
            "no room": self.no_room > 0,
            "late timers": self.late_timers > 0,
            "partitions": any(not partition.is_one_way for partition in self.partitions),
            "one-way partitions": any(partition.is_one_way for partition in self.partitions),
            "link cuts": bool(self.cuts),
            "clock offset": any(host.clock_offset_ms for host in hosts),
            "clock drift": any(host.clock_drift_ppm for host in hosts),
            "clock steps": bool(self.clock_steps),
            "clock set back by a crash": any(crash.clock_back_ms for crash in self.crashes),
            "full disks": bool(self.full_disks),
            "late joiners": any(host.joins_at_ms for host in hosts),
            "grouped commits": self.bulk_blocks > 0 and any(host.joins_at_ms for host in hosts),
            "from genesis": self.from_genesis,
            "runners": self.runners > 0,
            "history": any(host.has_history for host in hosts),
            "real block log": any(host.has_real_log for host in hosts),
        }
        found = [name for name, is_on in named.items() if is_on]
        found += [f"crash: {how.value}" for how in Crash if any(crash.how is how for crash in self.crashes)]
        found += [f"faulty: {fault.value}" for fault in Fault if any(host.fault is fault for host in hosts)]
        return found or ["nothing"]


def draw_plan(seed: int, random: Random) -> Plan:
    """Draws everything that a run needs to know beforehand."""
    plan = Plan(seed)
    plan.places = random.choice((4, 7, 7, 7, 7, 8, 9, 10, 10, 11, 13, 13, 21))
    plan.weather_slots = random.randint(20, 45)
    plan.from_genesis = random.random() < 0.1
    plan.transactions = random.choice((0, 4, 8, 12, 20))
    faulty = _draw_faulty(plan, random)
    _draw_hosts(plan, faulty, random)
    _draw_links(plan, random)
    if plan.places > SMALL_ROUND:
        _draw_partitions(plan, random)
    _draw_crashes(plan, random)
    _draw_clocks(plan, random)
    _draw_disks(plan, random)
    if random.random() < 0.3:
        plan.bulk_blocks = random.randint(5, 25)
    return plan


def _draw_faulty(plan: Plan, random: Random) -> list[tuple[Fault, int]]:
    """Which faults, and how many witnesses have each: a third at most, and those whose blocks never count at most as
    many as irreversibility can do without."""
    lack = may_lack(plan.places)
    if lack >= 2 and random.random() < 0.3:
        plan.runners = 1  # A runner that comes into the round has confirmed nothing for long, which is a lack, too.
        lack -= 1
    found: list[tuple[Fault, int]] = []
    left = plan.places // 3
    absent = min(left, lack)
    if random.random() < 0.4 and absent:
        fault = random.choice(ABSENT)
        count = random.randint(1, absent)
        found.append((fault, count))
        left -= count
    if random.random() < 0.3 and left and plan.places > SMALL_ROUND:
        found.append((random.choice(DOUBLE), random.randint(1, left)))
    return found


def _draw_hosts(plan: Plan, faulty: list[tuple[Fault, int]], random: Random) -> None:
    names = [f"witness{index:02d}" for index in range(plan.places + 2 * plan.runners)]
    random.shuffle(names)
    if plan.from_genesis:  # The first witness makes the first round alone, and all it makes is irreversible at once.
        names.remove(FIRST_WITNESS)
        names.append(FIRST_WITNESS)
    for fault, count in faulty:
        taken, names = tuple(names[:count]), names[count:]
        plan.hosts.append(HostPlan(taken, fault))
        if fault is Fault.TWINS:
            plan.hosts.append(HostPlan(taken, fault, twin_of=len(plan.hosts) - 1))
    producers = random.randint(2, 5)
    shares: list[list[str]] = [[] for _ in range(producers)]
    for index, name in enumerate(names):
        shares[index if index < producers else random.randrange(producers)].append(name)
    plan.hosts += [HostPlan(tuple(share)) for share in shares]
    if random.random() < 0.3:
        plan.hosts.append(HostPlan(()))
    if random.random() < 0.3:
        joins_at_ms = random.randint(5_000, plan.weather_ms)
        plan.hosts.append(HostPlan((), joins_at_ms=joins_at_ms))
    _draw_settings(plan, random)


def _draw_settings(plan: Plan, random: Random) -> None:
    hosts = plan.hosts
    is_mesh = random.random() < 0.5
    is_careful = random.random() < 0.3
    has_real_logs = random.random() < 0.2
    has_histories = random.random() < 0.1
    careful = [host for host in hosts if host.fault is None and host.witnesses and not host.holds("witness00")][1:]
    if plan.from_genesis:  # Only the first witness can go on from an old head in the first round.
        careful = [host for host in careful if FIRST_WITNESS not in host.witnesses]
    for index, host in enumerate(hosts):
        others = [other for other in range(len(hosts)) if other != index]
        host.seeds = tuple(others) if is_mesh else tuple(sorted(random.sample(others, min(2, len(others)))))
        if not is_mesh and index:
            host.seeds = tuple(sorted({*host.seeds, index - 1}))  # Nobody is left alone.
        host.discovers = is_mesh or random.random() < 0.8
        host.has_real_log = has_real_logs
        host.has_history = has_histories and random.random() < 0.5
        if is_careful and any(host is other for other in careful):
            host.stale_production = False
            host.participation_min_bp = 3300


def _draw_links(plan: Plan, random: Random) -> None:
    if random.random() < 0.4:
        low = random.randint(20, 400)
        plan.delay_ms = (low, low + random.randint(100, 1500))
        plan.jitter_ms = random.randint(5, 300)
        if plan.places <= SMALL_ROUND:  # A block crosses such a network well within a slot.
            plan.delay_ms, plan.jitter_ms = (low // 4, low // 4 + 50), min(plan.jitter_ms, 50)
    if random.random() < 0.25:
        plan.loss = random.choice((0.002, 0.01, 0.05))
    if random.random() < 0.25:
        plan.duplication = random.choice((0.005, 0.02, 0.1))
    if random.random() < 0.25:
        plan.reordering = random.choice((0.005, 0.02, 0.1))
    if random.random() < 0.15:
        plan.bytes_per_second = random.choice((4_000, 16_000, 64_000))
    if random.random() < 0.2:
        plan.no_room = random.choice((0.02, 0.2))
    if random.random() < 0.2:
        plan.late_timers = random.choice((0.02, 0.1))
    plan.recovery_ms = random.choice((0, 5, 100, 1000))
    if random.random() < 0.3:
        plan.cuts = sorted(random.randrange(plan.weather_ms) for _ in range(random.randint(1, 8)))


def _draw_partitions(plan: Plan, random: Random) -> None:
    if random.random() < 0.4:
        plan.partitions += [_draw_partition(plan, random, False) for _ in range(random.randint(1, 3))]
    if random.random() < 0.25:
        plan.partitions += [_draw_partition(plan, random, True) for _ in range(random.randint(1, 3))]


def _draw_partition(plan: Plan, random: Random, is_one_way: bool) -> Partition:
    at_ms = random.randrange(plan.weather_ms)
    slots = random.randint(2, 15)
    if plan.movers <= FEW_MOVERS:
        slots = min(slots, plan.places // 2)
    end_ms = min(plan.weather_ms, at_ms + slots * SLOT_MS)
    sides = [random.random() < 0.5 for _ in plan.hosts]
    sides[random.randrange(len(sides))] ^= True
    blocked = [
        (one, other)
        for one, side in enumerate(sides)
        for other, other_side in enumerate(sides)
        if side != other_side and (side or not is_one_way)
    ]
    return Partition(at_ms, end_ms, tuple(blocked), is_one_way, random.random() < 0.5)


def _draw_crashes(plan: Plan, random: Random) -> None:
    if random.random() >= 0.5:
        return
    if random.random() < 0.2:
        _draw_bad_moments(plan, random)
        return
    up_again = [0] * len(plan.hosts)
    down: list[tuple[int, int]] = []
    for at_ms in sorted(_draw_crash_time(plan, random) for _ in range(random.randint(1, 5))):
        host = random.randrange(len(plan.hosts))
        down_ms = random.choice((500, 3_000, 10_000, 30_000))
        is_down = sum(1 for begin, end in down if begin <= at_ms < end)
        if at_ms < max(up_again[host], plan.hosts[host].joins_at_ms) or is_down >= max(1, len(plan.hosts) // 3):
            continue
        how = random.choice(tuple(Crash))
        plan.crashes.append(
            CrashPlan(
                at_ms,
                host,
                how,
                down_ms,
                random.randint(0, 60),
                random.random() < 0.5 or how is Crash.POWER_LOST,
                random.randint(500, 8_000) if random.random() < 0.3 else 0,
            )
        )
        up_again[host] = at_ms + down_ms + 5_000
        down.append((at_ms, up_again[host]))


def _draw_bad_moments(plan: Plan, random: Random) -> None:
    """One producer loses its power while it makes blocks, and wakes up when its clock shows the time before."""
    host = max(range(len(plan.hosts)), key=lambda index: len(plan.hosts[index].witnesses))
    for slot in range(1, plan.weather_slots, random.randint(2, 4)):
        at_ms = (slot + 1) * SLOT_MS - START_MS - 10
        plan.crashes.append(
            CrashPlan(
                at_ms, host, Crash.IN_THE_MIDDLE, 500, random.randint(1, 12), True, random.choice((0, 3_000, 4_000))
            )
        )


def _draw_crash_time(plan: Plan, random: Random) -> int:
    """Any moment, or one about the beginning of a slot, when blocks are made and travel."""
    if random.random() < 0.5:
        return random.randrange(plan.weather_ms)
    return random.randrange(plan.weather_slots) * SLOT_MS + SLOT_MS - START_MS + random.randint(-10, 600)


def _draw_clocks(plan: Plan, random: Random) -> None:
    if random.random() < 0.3:
        most = random.choice((100, 400, 1_500, 4_000) if plan.places > SMALL_ROUND else (100, 400))
        for host in plan.hosts:
            host.clock_offset_ms = random.randint(-most, most)
    if random.random() < 0.2:
        for host in plan.hosts:
            host.clock_drift_ppm = random.randint(-5_000, 5_000)
    if random.random() < 0.15 and plan.places > SMALL_ROUND:
        for _ in range(random.randint(1, 3)):
            plan.clock_steps.append(
                ClockStep(
                    random.randrange(plan.weather_ms), random.randrange(len(plan.hosts)), random.randint(-4_000, 4_000)
                )
            )


def _draw_disks(plan: Plan, random: Random) -> None:
    if random.random() < 0.1:
        at_ms = random.randrange(plan.weather_ms)
        end_ms = min(plan.weather_ms, at_ms + random.randint(3_000, 30_000))
        plan.full_disks.append(Spell(at_ms, end_ms, random.randrange(len(plan.hosts))))
