"""One node as a process of its own: started, asked over JSON-RPC, read by its log, killed and stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

import aiohttp
import orjson

from tests.network.chains import NetworkChain, block_key
from tests.processes import read_resident_bytes

ROOT = Path(__file__).resolve().parents[2]
PLAUDIT = Path(sys.executable).with_name("plaudit")
START_SECONDS = 60
STOP_SECONDS = 30
CALL_SECONDS = 20

WITH_FEW_FILES = (
    "import os, resource, sys; files = int(sys.argv[1]);"
    "resource.setrlimit(resource.RLIMIT_NOFILE, (files, files)); os.execv(sys.argv[2], sys.argv[2:])"
)
"""Runs a command with a limit of open files."""

Value = TypeVar("Value")
Event = dict[str, Any]


class RpcError(Exception):
    """A node's answer that is an error."""


async def until(look: Callable[[], Awaitable[Value]], seconds: float, what: str) -> Value:
    """Looks until it finds something true, and returns it. Raises AssertionError after `seconds`."""
    end = monotonic() + seconds
    while True:
        found = await look()
        if found:
            return found
        assert monotonic() < end, f"not within {seconds:.0f} s: {what}"
        await asyncio.sleep(0.1)


class Daemon:
    """One node. Its data, its keys and its log (all runs of it) are in `folder`."""

    def __init__(
        self, name: str, folder: Path, chain: NetworkChain, session: aiohttp.ClientSession, witnesses: Sequence[str]
    ) -> None:
        self.name = name
        self.folder = folder
        self.data_dir = folder / "data"
        self.witnesses = tuple(witnesses)
        self.rpc_port = 0
        self.p2p_port = 0
        self.metrics_port = 0
        self.files_max = 0
        """How many files the process may open; 0: as many as the system allows."""
        self._chain = chain
        self._session = session
        self._process: subprocess.Popen[bytes] | None = None
        self._is_to_run = False
        self._events: list[Event] = []
        self._read_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._write_keys()

    def __repr__(self) -> str:
        return f"daemon {self.name}"

    def _write_keys(self) -> None:
        lines = [block_key(witness).to_wif() for witness in self.witnesses]
        (self.folder / "keys").write_text("\n".join(lines), encoding="ascii")

    # The process

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def has_died(self) -> bool:
        """Whether the process has ended though nobody here killed or stopped it."""
        return self._is_to_run and not self.is_running

    @property
    def pid(self) -> int:
        """The number of the running process."""
        assert self._process is not None, f"{self} was never started"
        return self._process.pid

    @property
    def log_file(self) -> Path:
        """Where the node writes its log, a JSON object a line."""
        return self.folder / "log"

    async def start(self, seeds: Iterable[int] = (), *options: str) -> None:
        """Starts the process with peers on these ports of this machine; returns when its own ports are open."""
        assert not self.is_running, f"{self} runs"
        begun_at = len(self.read_events())
        command = [str(PLAUDIT), "node", "--chain", str(self._chain.file), "--data-dir", str(self.data_dir)]
        command += ["--rpc", "127.0.0.1:0", "--p2p", "127.0.0.1:0", "--no-discover", "--log-json", *options]
        command += [part for port in seeds for part in ("--seed", f"127.0.0.1:{port}")]
        if self.witnesses:
            command += ["--witness-key-file", str(self.folder / "keys")]
            command += [part for witness in self.witnesses for part in ("--witness", witness)]
        if self.files_max:
            command = [sys.executable, "-c", WITH_FEW_FILES, str(self.files_max), *command]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._is_to_run = True
        await until(lambda: self._find_ports(begun_at), START_SECONDS, f"{self} has started, see {self.log_file}")

    async def _find_ports(self, begun_at: int) -> bool:
        assert self.is_running, f"{self} ended at its start, see {self.log_file}"
        for event in self.read_events()[begun_at:]:
            words = dict(word.split("=", 1) for word in event.get("message", "").split() if "=" in word)
            if "p2p" in words:
                self.p2p_port = int(words["p2p"].rpartition(":")[2])
            if "metrics" in words:
                self.metrics_port = int(words["metrics"].rpartition(":")[2])
            if "rpc" in words:
                self.rpc_port = int(words["rpc"].rpartition(":")[2])
                return True
        return False

    def kill(self) -> None:
        """Ends the process without giving it a moment: kill -9."""
        assert self._process is not None, f"{self} was never started"
        self._is_to_run = False
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    async def stop(self) -> None:
        """Asks the process to end, and sees that it ends well."""
        assert self._process is not None and self.is_running, f"{self} does not run"
        self._is_to_run = False
        self._process.send_signal(signal.SIGTERM)
        await until(self._has_ended, STOP_SECONDS, f"{self} stops")
        assert self._process.returncode == 0, f"{self} ended with {self._process.returncode}, see {self.log_file}"

    async def _has_ended(self) -> bool:
        return not self.is_running

    def read_resident_bytes(self) -> int:
        """The resident memory of the process."""
        return read_resident_bytes(self.pid)

    def read_cpu_seconds(self) -> float:
        """The processor time that the process has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # The log

    def read_events(self, *names: str) -> list[Event]:
        """Returns what the node has logged so far, in all its runs; only events of some names if these are given."""
        if self.log_file.exists():
            with self.log_file.open("rb") as file:
                file.seek(self._read_bytes)
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read_bytes += len(whole)
            self._events += [_parse_line(line) for line in whole.splitlines()]
        return [event for event in self._events if not names or event.get("event") in names]

    def read_final_at_stop(self) -> int:
        """Returns the number of the last irreversible block when the process was stopped last."""
        said = [event["message"] for event in self.read_events() if event.get("message", "").startswith("stopped ")]
        return int(said[-1].rpartition("irreversible=")[2])

    # JSON-RPC

    async def call(self, method: str, params: Any = None) -> Any:
        """Returns the result of a method. Raises RpcError, and aiohttp's errors when the node does not answer."""
        body = orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": {} if params is None else params})
        async with self._session.post(f"http://127.0.0.1:{self.rpc_port}", data=body) as response:
            answer = orjson.loads(await response.read())
        if "error" in answer:
            raise RpcError(f"{self} answers {method} with {answer['error']}")
        return answer["result"]

    async def get_properties(self) -> dict[str, Any]:
        """Returns the head's number and id, and the number of the last irreversible block, among others."""
        found: dict[str, Any] = await self.call("condenser_api.get_dynamic_global_properties", [])
        return found

    async def get_block(self, number: int) -> dict[str, Any] | None:
        """Returns a block of the node's main chain, or None."""
        found = await self.call("block_api.get_block", {"block_num": number})
        block: dict[str, Any] | None = found.get("block")
        return block

    async def find_digest(self, number: int) -> tuple[str, str] | None:
        """Returns the id of a block and the digest of the state after it; None when the node does not have it."""
        try:
            found = await self.call("plaudit_api.get_state_digest", {"block_num": number})
        except RpcError:
            return None
        return found["block_id"], found["digest"]


def _parse_line(line: bytes) -> Event:
    """A log line; what is not one of the node's (a trace, say) counts as a message."""
    try:
        event: Event = orjson.loads(line)
    except ValueError:
        return {"level": "error", "message": line.decode(errors="replace")}
    return event
