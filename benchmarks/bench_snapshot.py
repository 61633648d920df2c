"""Times snapshots: python -m benchmarks.bench_snapshot [accounts] (PLAUDIT_BENCH_ACCOUNTS or 100,000 unless given).

Builds a data directory with so many accounts, each with keys of its own, then creates, verifies and restores its
snapshot with the commands, and starts a node on what was restored, which it also kills with SIGKILL. Each command is a
process of its own; its time and the most memory that it took are shown. LevelDB maps its files, so much of what is
resident may be files that the system keeps in memory for as long as nobody needs the room.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from benchmarks.bench_restart import BATCH, open_world, push_all, start
from benchmarks.timing import elapsed, show
from operations.account import AccountCreate
from tests.harness import authority_of
from tests.processes import read_resident_bytes

ACCOUNTS = int(os.environ.get("PLAUDIT_BENCH_ACCOUNTS", "100000"))
RESTARTS = 2


def main(accounts: int = ACCOUNTS) -> None:
    """Prints the figures."""
    with tempfile.TemporaryDirectory() as directory:
        source, restored, file = (Path(directory, name) for name in ("source", "restored", "snapshot"))
        taken = elapsed(lambda: build(source, accounts))
        show(f"build a state of {accounts:,} accounts with history", taken, "s")
        show("its data directory", count_bytes(source) / 2**20, "MiB")
        run_command("create without history", "create", f"{file}.small", "--no-history", "--data-dir", source)
        show("the file", count_bytes(Path(f"{file}.small")) / 2**20, "MiB")
        run_command("create with history", "create", file, "--data-dir", source)
        show("the file", count_bytes(file) / 2**20, "MiB")
        run_command("verify", "verify", file)
        run_command("restore", "restore", file, "--data-dir", restored)
        show("the data directory", count_bytes(restored) / 2**20, "MiB")
        for name, data in (("the source", source), ("what was restored", restored)):
            for _ in range(RESTARTS):
                process, seconds = start(str(data))
                show(f"start on {name} until the first answer", seconds, "s")
                show("resident memory then", read_resident_bytes(process.pid) / 2**20, "MiB")
                process.send_signal(signal.SIGKILL)
                process.wait()


def build(directory: Path, accounts: int) -> None:
    """Fills a data directory by transactions with many operations each."""
    world, fee = open_world(directory)
    for first in range(0, accounts, BATCH):
        create = []
        for number in range(first, min(first + BATCH, accounts)):
            name = f"user{number:06}"
            owner, active, posting, memo = (make_key(f"{name} {role}") for role in range(4))
            keys = authority_of(owner), authority_of(active), authority_of(posting), memo
            create.append(AccountCreate(fee, "initminer", name, *keys, ""))
        push_all(world, create, world.key("initminer"))
    world.generate_blocks(3)
    world.chain.close()


def make_key(text: str) -> bytes:
    """Bytes with the form of a public key, which nobody has to sign for."""
    return b"\x02" + sha256(text.encode()).digest()


def run_command(what: str, *arguments: object) -> None:
    """Runs `plaudit snapshot` and prints the seconds, process start included, and its largest resident memory."""
    chain = [] if arguments[0] == "verify" else ["--preset", "dev"]
    command = [sys.executable, "-m", "node", "snapshot", *map(str, arguments), *chain]
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    own, resident = 0, 0
    while process.poll() is None:
        figures = read_memory(process.pid)
        own, resident = max(own, figures.get("RssAnon", 0)), max(resident, figures.get("VmHWM", 0))
        time.sleep(0.02)
    taken = time.perf_counter() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    note = f"at most {own / 1024:,.0f} MiB of its own, {resident / 1024:,.0f} MiB with the files it has mapped"
    show(f"snapshot {what}", taken, "s", note)


def read_memory(pid: int) -> dict[str, int]:
    """The figures of a process's memory in KiB (Linux); none when it has just ended."""
    lines = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if words[-1] == "kB"}


def count_bytes(path: Path) -> int:
    """The bytes of a file, or of all files below a folder."""
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ACCOUNTS)
