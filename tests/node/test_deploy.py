"""The files of deploy/: what can be read of them is right, and the network of the compose file runs on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from node.core import ProductionOutcome
from node.ports.status import NOT_MISSED
from node.settings import collect_settings
from protocol.config import ChainConfig
from protocol.keys import PrivateKey
from tests.node.commands.test_cli import Daemon, run
from tests.node.operated import free_port, operated

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]


# The image


def test_the_image_holds_every_package_of_the_project() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    packages = {name.removesuffix("*") for name in project["tool"]["setuptools"]["packages"]["find"]["include"]}
    assert packages == {path.parent.name for path in ROOT.glob("*/py.typed")}
    assert {f"!{name}" for name in (*packages, "pyproject.toml", "requirements.lock")} <= set(ignored)
    assert ignored[ignored.index("*")] == "*"


def test_the_image_installs_only_what_is_pinned() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    installs = re.findall(r"pip install (.*)", text)
    assert len(installs) == 2
    assert "--require-hashes" in installs[0] and "--no-deps" in installs[0]
    assert "--no-deps --no-build-isolation" in installs[1]
    assert re.search(r"^USER plaudit$", text, re.MULTILINE)
    assert json.loads(re.search(r"CMD (\[.*status.*\])", text)[1]) == ["plaudit", "status"]  # type: ignore[index]
    assert re.search(r"^ARG BASE=python:3\.\d+\.\d+-slim-\w+$", text, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE}", "${BASE}"]
    assert "setuptools==" in (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_a_release_is_built_on_the_digest_of_its_base(tmp_path: Path) -> None:
    docker = tmp_path / "docker"  # A stand-in: it answers for the registry and writes down what it is asked to build.
    digest = "sha256:" + "ab" * 32
    docker.write_text(
        f'#!/bin/sh\nif [ "$1" = buildx ]; then echo {digest}; else printf "%s\\n" "$@" > {tmp_path}/asked; fi\n',
        encoding="utf-8",
    )
    docker.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = [str(DEPLOY / "release.sh"), "1.2.3"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "asked").read_text(encoding="utf-8").split("\n")
    (base,) = (word for word in asked if word.startswith("BASE="))
    assert re.fullmatch(rf"BASE=python:3\.\d+\.\d+-slim-\w+@{digest}", base)
    assert "plaudit:1.2.3" in asked
    assert digest in done.stdout
    assert subprocess.run([DEPLOY / "release.sh"], env=environment, capture_output=True, check=False).returncode == 2


# The network of three nodes


def test_nothing_but_json_rpc_is_published_and_only_on_this_machine() -> None:
    for service in SERVICES.values():
        (published,) = service["ports"]
        assert re.fullmatch(r"127\.0\.0\.1:\d+:8090", published)
        assert service["environment"]["PLAUDIT_ADMIN"].startswith("127.0.0.1:")
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
        sources = [volume.split(":")[0] for volume in service["volumes"]]
        assert all(source in COMPOSE["volumes"] or (DEPLOY / source).is_file() for source in sources)
    assert len({service["ports"][0] for service in SERVICES.values()}) == len(SERVICES)


def test_every_witness_is_on_one_node_with_its_public_key() -> None:
    config = ChainConfig.load(DEPLOY / "chain.toml")
    keys: dict[str, str] = {}
    for service in SERVICES.values():
        environment = service["environment"]
        names, private = environment["PLAUDIT_WITNESS"].split(), environment["PLAUDIT_WITNESS_KEY"].split()
        assert not keys.keys() & set(names)
        keys |= dict(zip(names, private, strict=True))
    assert keys.keys() == {witness.owner for witness in config.genesis.witnesses}
    for witness in config.genesis.witnesses:
        assert PrivateKey.from_wif(keys[witness.owner]).public_key == config.public_key(witness.signing_key)
    assert config.genesis.witnesses[0].owner in SERVICES["node1"]["environment"]["PLAUDIT_WITNESS"]
    assert [name for name, service in SERVICES.items() if "--stale-production" in service["command"]] == ["node1"]
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    assert text.count("# PUBLIC KEYS") == len(SERVICES)


class LocalService:
    """A service of the compose file as a process of this machine: its command and environment, with other addresses."""

    def __init__(self, name: str, folder: Path, chain: Path, ports: dict[str, int]) -> None:
        service = SERVICES[name]
        self.folder = folder / name
        self.folder.mkdir()
        self.command = [self._to_local(word, ports) for word in service["command"]]
        self.environment = {key: str(value) for key, value in service["environment"].items()}
        self.environment |= {
            "PLAUDIT_CHAIN": str(chain),
            "PLAUDIT_DATA_DIR": str(self.folder),
            "PLAUDIT_P2P": f"127.0.0.1:{ports[name]}",
            **{f"PLAUDIT_{port}": f"127.0.0.1:{free_port()}" for port in ("RPC", "ADMIN", "METRICS")},
        }

    def _to_local(self, word: str, ports: dict[str, int]) -> str:
        host, _, port = word.partition(":")
        return f"127.0.0.1:{ports[host]}" if port == "2001" and host in ports else word

    @contextmanager
    def running(self) -> Iterator[Daemon]:
        daemon = Daemon(*self.command, **self.environment)
        try:
            daemon.wait_for_start()
            yield daemon
            assert daemon.stop() == 0, daemon.text
            assert "Traceback" not in daemon.text
        finally:
            if daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()

    def ask(self, *words: str) -> Any:
        """What a command says that is run in the container of the service."""
        address = self.environment["PLAUDIT_RPC"]
        environment = {**self.environment, "PLAUDIT_NODE": f"http://{address}"}
        words = (sys.executable, "-m", "node.cli", *words, "--json")
        done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


def test_the_network_of_the_compose_file_runs(tmp_path: Path) -> None:
    chain = tmp_path / "chain.toml"
    slow = (DEPLOY / "chain.toml").read_text(encoding="utf-8")
    chain.write_text(slow.replace("block_interval_seconds = 3", "block_interval_seconds = 1"), encoding="utf-8")
    ports = {name: free_port() for name in SERVICES}
    services = [LocalService(name, tmp_path, chain, ports) for name in SERVICES]
    with ExitStack() as stack:
        nodes = [stack.enter_context(service.running()) for service in services]
        end = time.monotonic() + 60
        while min(node.get()["last_irreversible_block_number"] for node in nodes) < 6:
            assert time.monotonic() < end, [node.get() for node in nodes]
            time.sleep(0.2)
        common = [node.call("block_api.get_block", {"block_num": 6})["result"]["block"]["block_id"] for node in nodes]
        assert len(set(common)) == 1
        for service in services:  # The first blocks are all of node 1: the others have slots from the second round on.
            while (status := service.ask("status"))["production"]["produced"] == 0:
                assert time.monotonic() < end, status
            assert status["healthy"]
            assert len(service.ask("peers", "list")) == 2


# The unit, the settings, the proxy, the alerts


def test_the_settings_of_the_unit_are_settings() -> None:
    settings = collect_settings({"config": str(DEPLOY / "node.toml")}, {})
    assert settings.admin is not None and settings.metrics is not None and settings.p2p is not None
    assert (settings.rpc.host, settings.metrics.host) == ("127.0.0.1", "127.0.0.1")
    text = (DEPLOY / "node.toml").read_text(encoding="utf-8").replace("#witness", "witness")
    assert tomllib.loads(text)["witness_key_file"] == "/etc/plaudit/witness_keys"


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    text = (DEPLOY / "plaudit.service").read_text(encoding="utf-8")
    assert "LimitCORE=0\n" in text and re.search(r"^MemoryMax=\d+G$", text, re.MULTILINE)
    assert "ExecStart=/opt/plaudit/.venv/bin/plaudit node --config /etc/plaudit/node.toml\n" in text
    assert f"StateDirectory={Path(tomllib.loads((DEPLOY / 'node.toml').read_text())['data_dir']).name}\n" in text
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("there is no systemd here")
    unit = tmp_path / "plaudit.service"
    unit.write_text(text.replace("/opt/plaudit/.venv/bin/plaudit", "/bin/true"), encoding="utf-8")
    done = subprocess.run([tool, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_proxy_passes_on_to_json_rpc_only() -> None:
    text = re.sub(r"#.*", "", (DEPLOY / "nginx.conf").read_text(encoding="utf-8"))
    assert re.findall(r"proxy_pass +(\S+);", text) == ["http://plaudit_rpc"]
    assert re.findall(r"\bserver +(\S+:\d+);", text) == ["127.0.0.1:8090"]
    assert "X-Forwarded-For" in text


async def test_alerts_are_about_metrics_that_there_are() -> None:
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    asked = set(re.findall(r"plaudit_\w+", " ".join(rule["expr"] for rule in rules)))
    text = (ROOT / "node" / "ports" / "metrics.py").read_text(encoding="utf-8")
    async with operated() as node:
        served = {name.partition("{")[0] for name in await node.read_metrics()}
    declared = set(re.findall(r'"(plaudit_[a-z_0-9]+)"', text))
    assert asked <= served | declared | {f"{name}_total" for name in declared}
    assert len(asked) >= 8


# The handbook


def test_the_handbook_names_every_metric_alert_and_reason() -> None:
    text = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    declared = set(
        re.findall(r'"(plaudit_[a-z_0-9]+)"', (ROOT / "node" / "ports" / "metrics.py").read_text(encoding="utf-8"))
    )
    shown = {name.removesuffix("_total") for name in re.findall(r"`(plaudit_[a-z_0-9]+)", text)}
    assert shown == declared
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
    assert re.findall(r"^\| (Plaudit\w+) ", text, re.MULTILINE) == [rule["alert"] for rule in rules]
    reasons = {outcome.value for outcome in ProductionOutcome} - {outcome.value for outcome in NOT_MISSED}
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) >= reasons


def test_the_handbook_names_commands_that_there_are() -> None:
    text = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    commands = set(
        re.findall(r"plaudit ((?:peers|snapshot|wallet witness|wallet keys|config) [a-z]+|status|node)\b", text)
    )
    assert len(commands) > 12
    for command in commands:
        assert "Usage: " in run(*command.split(), "--help").output
