"""Several daemons and the links between them, in a directory that is kept when a run fails."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import aiohttp

from tests.network.chains import NetworkChain
from tests.network.daemons import CALL_SECONDS, PLAUDIT, ROOT, Daemon
from tests.network.links import Link

COMMAND_SECONDS = 120
FAULTS_SHOWN = 3
LINES_SHOWN = 20


def choose_seed() -> int:
    """The seed of a run: PLAUDIT_NETWORK_SEED, or a new one."""
    return int(os.environ.get("PLAUDIT_NETWORK_SEED", time.time_ns() % 1_000_000))


@contextmanager
def kept_directory(seed: int) -> Iterator[Path]:
    """A directory that is removed when all went well; otherwise it stays, and is printed with the seed."""
    folder = Path(tempfile.mkdtemp(prefix="plaudit-network-"))
    try:
        yield folder
    except BaseException:
        print(f"failed with PLAUDIT_NETWORK_SEED={seed}; logs and data of the nodes are in {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder)


class Network:
    """The daemons by name, and the links by the names of the one that dials and the one that listens."""

    def __init__(self, folder: Path, chain: NetworkChain, session: aiohttp.ClientSession) -> None:
        self.folder = folder
        self.chain = chain
        self.daemons: dict[str, Daemon] = {}
        self.links: dict[tuple[str, str], Link] = {}
        self._session = session
        self._beginning = folder / "beginning"

    @property
    def running(self) -> list[Daemon]:
        """The daemons whose process is there."""
        return [daemon for daemon in self.daemons.values() if daemon.is_running]

    def add(self, name: str, witnesses: Sequence[str] = (), *, has_beginning: bool = True) -> Daemon:
        """Makes a daemon, with the beginning of the chain in its data directory or with nothing."""
        daemon = Daemon(name, self.folder / name, self.chain, self._session, witnesses)
        if has_beginning:
            if not self._beginning.exists():
                self.chain.make_beginning(self._beginning)
            shutil.copytree(self._beginning, daemon.data_dir)
        self.daemons[name] = daemon
        return daemon

    async def link_all(self) -> None:
        """Makes a link from each daemon to each that was made before it."""
        names = list(self.daemons)
        for place, dialling in enumerate(names):
            for listening in names[:place]:
                link = self.links[dialling, listening] = Link(self._finder(listening))
                await link.open()

    def _finder(self, name: str) -> Callable[[], int]:
        return lambda: self.daemons[name].p2p_port

    async def start(self, name: str, *options: str) -> None:
        """Starts a daemon with its links as seeds."""
        ports = [link.port for (dialling, _), link in self.links.items() if dialling == name]
        await self.daemons[name].start(ports, *options)

    def between(self, one_side: Iterable[str]) -> list[Link]:
        """The links from a group of daemons to all others."""
        group = set(one_side)
        return [link for ends, link in self.links.items() if (ends[0] in group) != (ends[1] in group)]

    def find_faults(self) -> list[str]:
        """What no daemon of a network of honest ones logs: an error, a ban, a block or a message that is refused."""
        found = []
        for daemon in self.daemons.values():
            bad = [event for event in daemon.read_events() if event.get("level") == "error"]
            bad += daemon.read_events("banned", "peer_fault", "block_refused", "malformed_message")
            found += [f"{daemon} logged {event}" for event in bad[:FAULTS_SHOWN]]
        return found

    def print_logs(self) -> None:
        """Prints the last lines of every log: the directory may be out of reach for those who see that a run failed."""
        for daemon in self.daemons.values():
            lines = daemon.log_file.read_text(encoding="utf-8").splitlines() if daemon.log_file.exists() else []
            print(f"the end of the log of {daemon}:", *lines[-LINES_SHOWN:], sep="\n", file=sys.stderr)

    async def command(self, *words: str) -> str:
        """Runs a command of plaudit to its end, and returns what it prints."""
        process = await asyncio.create_subprocess_exec(
            str(PLAUDIT), *words, cwd=ROOT, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
        )
        out, problem = await asyncio.wait_for(process.communicate(), COMMAND_SECONDS)
        assert process.returncode == 0, f"plaudit {' '.join(words)} ended with {process.returncode}: {problem.decode()}"
        return out.decode()


@asynccontextmanager
async def open_network(folder: Path, chain: NetworkChain) -> AsyncIterator[Network]:
    """A network without daemons yet; at the end all of them are stopped, or killed after a failure."""
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0)) as session:
        network = Network(folder, chain, session)
        try:
            yield network
            for daemon in network.running:
                await daemon.stop()
        except BaseException:
            network.print_logs()
            raise
        finally:
            for daemon in network.running:
                daemon.kill()
            for link in network.links.values():
                await link.close()
