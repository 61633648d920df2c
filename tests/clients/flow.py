"""Starts a development node, runs a client's script against it, and reads what came of each step."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest

from protocol.config import ChainConfig
from tests.clients.install import HERE, NODE_MODULES, NotInstalled, install_npm, install_python

ROOT: Final = HERE.parent.parent
START_SECONDS: Final = 40.0
FLOW_SECONDS: Final = 120
STOP_SECONDS: Final = 10
NEED_MORE: Final = ("lighthive", "steem-python")

Steps = dict[str, dict[str, Any]]


@contextmanager
def dev_node(folder: Path, block_seconds: int = 1, chain: Path | None = None) -> Iterator[str]:
    """Runs `plaudit dev` on a free port; gives its URL."""
    port = _free_port()
    command = [sys.executable, "-m", "node", "dev", "--rpc", f"127.0.0.1:{port}", "--block-time", str(block_seconds)]
    if chain is not None:
        command += ["--chain", str(chain)]
    log = folder / "node.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_for_head(url, process, log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    assert process.returncode == 0, f"the node ended with {process.returncode}: {log.read_text()[-2000:]}"
    assert "Traceback" not in log.read_text(), f"the node failed inside: {log.read_text()[-4000:]}"


def run_flow(script: str, url: str, folder: Path, config: ChainConfig, **settings: str) -> Steps:
    """Runs a script of this folder with its client; returns its steps by name.

    Raises NotInstalled, and AssertionError when the script ends badly.
    """
    keys: dict[str, dict[str, str]] = {}
    for account, role, key in config.development_keys():
        keys.setdefault(account.name, {})[role] = key.to_wif()
    known: dict[str, Any] = {
        "url": url,
        "wsUrl": url.replace("http", "ws", 1),
        "chainId": config.chain_id.hex(),
        "prefix": config.chain.address_prefix,
        "symbol": config.chain.steem_symbol,
        "keys": keys,
    }
    language = "js" if script.endswith(".js") else "python"
    client = script.removeprefix("quick_").removesuffix(".py").replace("_", "-")
    done = subprocess.run(
        [*client_command(language, client), str(HERE / script), json.dumps(known | settings)],
        cwd=folder,
        env=client_environment(folder),
        capture_output=True,
        text=True,
        timeout=FLOW_SECONDS,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.returncode == 0, f"{script} ended with {done.returncode} after {lines[-1:]}: {done.stderr[-2000:]}"
    return {line["step"]: line for line in lines}


def client_command(language: str, client: str) -> list[str]:
    """The interpreter for a client's language, after installing what the client needs. Raises NotInstalled."""
    if language == "js":
        return [install_npm(), "--no-deprecation"]
    python = install_python("requirements.txt")
    if client in NEED_MORE:
        install_python("requirements-more.txt")
    return [str(python)]


def client_environment(folder: Path) -> dict[str, str]:
    """The environment of a script. The Python clients keep settings in the user's folder: they get one of their own."""
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "NODE_PATH": str(NODE_MODULES)}


def without_client(problem: NotInstalled) -> NoReturn:
    """Ends a test whose client cannot be had: skipped on a developer's machine, a failure where CI is set."""
    if os.environ.get("CI"):
        pytest.fail(f"client libraries are needed in CI: {problem}")
    pytest.skip(f"client libraries are missing: {problem}")


def differences(steps: Steps, expected: dict[str, Any]) -> list[str]:
    """Says what is not as expected: the values of steps, the errors (`Raises`), missing and unexpected steps."""
    found = [f"{name}: no such step" for name in expected if name not in steps]
    for name, step in steps.items():
        if name not in expected:
            found.append(f"{name}: not expected: {step}")
        elif isinstance(wanted := expected[name], Raises | Begins):
            if not wanted.fits(step):
                found.append(f"{name}: expected {wanted}, got {step.get('error', step.get('value'))}")
        elif "error" in step or step["value"] != wanted:
            found.append(f"{name}: expected {wanted}, got {step.get('error', step.get('value'))}")
    return found


class Raises:
    """An error as the client shows it: its class, and its message (`...` stands for anything)."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        self.message = message

    def fits(self, step: dict[str, Any]) -> bool:
        """Whether the client raised this."""
        if "error" not in step:
            return False
        error = step["error"]
        pattern = ".*".join(re.escape(part) for part in self.message.split("..."))
        return error["type"] == self.kind and re.fullmatch(pattern, error["message"], re.DOTALL) is not None

    def __repr__(self) -> str:
        return f"{self.kind}: {self.message}"


class Begins:
    """An account history, numbered from 0, that begins with these operations; what was sent together has any order."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def fits(self, step: dict[str, Any]) -> bool:
        """Whether the numbers have no gap and the first operations are these."""
        if "error" in step:
            return False
        numbers = [number for number, _ in step["value"]]
        names = [name for _, name in step["value"]]
        return numbers == list(range(len(numbers))) and sorted(names[: len(self.names)]) == sorted(self.names)

    def __repr__(self) -> str:
        return f"history that begins with {self.names}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait_for_head(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until the node answers and has made its first blocks."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if json.loads(answer.read())["head_block_number"] > 3:
                    return
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"the node did not start: {log.read_text()[-2000:]}")
