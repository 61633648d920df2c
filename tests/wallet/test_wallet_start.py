"""What the wallet loads: help nearly nothing, commands that only read no rules, and none a database or a server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SERVER = {"plyvel", "plyvel_next", "aiohttp", "uvloop", "prometheus_client", "chain", "node", "rpc"}
"""What no command of the wallet needs."""


def load(*modules: str) -> set[str]:
    """The modules that a process has after it imported some."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules, sep='\\n')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def roots(modules: set[str]) -> set[str]:
    return {module.partition(".")[0] for module in modules}


def test_the_command_line_loads_click_and_little_else() -> None:
    loaded = load("wallet.cli")
    assert not roots(loaded) & (SERVER | {"state", "operations", "rich", "cryptography", "pydantic"})
    assert len(loaded - load("click")) <= 40


@pytest.mark.parametrize("module", ["balance", "chain", "keys"])
def test_a_command_that_signs_nothing_loads_no_rules_and_no_state(module: str) -> None:
    loaded = load(f"wallet.commands.{module}")
    assert not roots(loaded) & (SERVER | {"state", "operations", "pydantic"})
    assert len(loaded) <= 450


def test_all_commands_together_load_neither_database_nor_server() -> None:
    modules = sorted(file.stem for file in (ROOT / "wallet" / "commands").glob("*.py") if file.stem != "__init__")
    assert not roots(load(*(f"wallet.commands.{module}" for module in modules))) & SERVER
