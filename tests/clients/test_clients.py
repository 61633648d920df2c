"""Unmodified beem, steem, dsteem and dhive do all that a person does on a development node; each step is looked at.

A bounded part runs with every `make test`, one flow per client; `make clients` runs them all: every way of connecting,
two more clients, and chains of other ids, prefixes and symbols. Without Node.js or a network (before the clients are
cached) they are skipped, except where CI is set.
"""

from pathlib import Path
from typing import Any, Final

import pytest

from protocol.config import ChainConfig
from tests.clients.expectations import BEEM, DSTEEM, STEEM, WEBSOCKET_HAS_NOT, in_websocket
from tests.clients.flow import Steps, dev_node, differences, run_flow, without_client
from tests.clients.install import NotInstalled

FLOW_TIMEOUT: Final = 500
"""Seconds for one test, with an installation before it."""

pytestmark = pytest.mark.timeout(FLOW_TIMEOUT)


def play(script: str, folder: Path, chain: Path | None = None, block_seconds: int = 1, **settings: str) -> Steps:
    """Runs a flow on a node of its own."""
    config = ChainConfig.preset("dev") if chain is None else ChainConfig.load(chain)
    try:
        with dev_node(folder, block_seconds, chain) as url:
            return run_flow(script, url, folder, config, **settings)
    except NotInstalled as problem:
        without_client(problem)


def check(steps: Steps, expected: dict[str, Any]) -> None:
    """Fails with a list of all steps that did not come out as expected."""
    found = differences(steps, expected)
    assert not found, "\n".join(["steps that differ:", *found])


def test_beem(tmp_path: Path) -> None:
    check(play("beem_flow.py", tmp_path, mode="default"), BEEM)


def test_steem(tmp_path: Path) -> None:
    check(play("steem_flow.js", tmp_path, mode="http"), STEEM)


def test_dsteem(tmp_path: Path) -> None:
    check(play("dsteem_flow.js", tmp_path), DSTEEM)


def test_dhive(tmp_path: Path) -> None:
    check(play("dhive_flow.js", tmp_path), DSTEEM)


@pytest.mark.slow
def test_beem_reading_through_condenser_api(tmp_path: Path) -> None:
    expected = {name: value for name, value in BEEM.items() if name not in ("error_unknown_api", "stream_batches")}
    expected["transfer"] = BEEM["transfer"] | {"operation": "transfer"}
    check(play("beem_flow.py", tmp_path, mode="condenser"), expected)


@pytest.mark.slow
def test_beem_broadcasting_through_network_broadcast_api(tmp_path: Path) -> None:
    check(play("beem_flow.py", tmp_path, mode="appbase"), BEEM)


@pytest.mark.slow
def test_steem_over_a_websocket(tmp_path: Path) -> None:
    expected = {name: in_websocket(value) for name, value in STEEM.items() if name not in WEBSOCKET_HAS_NOT}
    check(play("steem_flow.js", tmp_path, mode="ws"), expected)


@pytest.mark.slow
def test_steem_with_appbase_names(tmp_path: Path) -> None:
    check(play("steem_flow.js", tmp_path, mode="appbase"), STEEM)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "expected", "mode"),
    [
        ("beem_flow.py", BEEM, "default"),
        ("steem_flow.js", STEEM, "http"),
        ("dsteem_flow.js", DSTEEM, ""),
        ("dhive_flow.js", DSTEEM, ""),
    ],
)
def test_with_blocks_every_three_seconds(script: str, expected: dict[str, Any], mode: str, tmp_path: Path) -> None:
    check(play(script, tmp_path, block_seconds=3, mode=mode), expected)


PROFILES: Final = {
    "own id": {"chain_id": "5a" * 32},
    "testnet": {"chain_id": "46" * 32, "prefix": "TST", "steem": "TESTS", "sbd": "TBD", "is_test_net": "true"},
    "own prefix": {"chain_id": "7b" * 32, "prefix": "ABC"},
}
WORKS: Final = {
    "dev": ("beem", "steem", "dsteem", "dhive", "lighthive", "steem-python"),
    "own id": ("beem", "steem", "dsteem", "dhive", "lighthive", "steem-python"),
    "testnet": ("beem", "steem", "dsteem", "dhive", "lighthive"),
    "own prefix": ("beem", "steem", "dsteem", "dhive", "lighthive", "steem-python"),
}
"""Which clients work on which chain, as docs/clients.md says."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("profile", "client"), [(profile, client) for profile, clients in WORKS.items() for client in clients]
)
def test_a_transfer_on_chains_of_every_kind(profile: str, client: str, tmp_path: Path) -> None:
    script = "quick_flow.js" if client in ("steem", "dsteem", "dhive") else f"quick_{client.replace('-', '_')}.py"
    chain = None if profile == "dev" else write_chain(tmp_path / "chain.toml", **PROFILES[profile])
    steps = play(script, tmp_path, chain, client=client)
    symbol = PROFILES.get(profile, {}).get("steem", "STEEM")
    check(steps, {"balance": f"1000000.000 {symbol}", "transfer": 1000})


def write_chain(
    file: Path, chain_id: str, prefix: str = "STM", steem: str = "STEEM", sbd: str = "SBD", is_test_net: str = "false"
) -> Path:
    """Writes the development preset with another identity."""
    text = (Path(__file__).parents[2] / "protocol" / "presets" / "dev.toml").read_text()
    identity = [
        f'chain_id = "{chain_id}"',
        f'address_prefix = "{prefix}"',
        f'steem_symbol = "{steem}"',
        f'sbd_symbol = "{sbd}"',
        f"is_test_net = {is_test_net}",
    ]
    text = text.replace('"STM', f'"{prefix}').replace('name = "dev"', "\n".join(['name = "profile"', *identity]), 1)
    file.write_text(text)
    return file
