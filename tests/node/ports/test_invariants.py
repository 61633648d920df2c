"""Invariants in a running node: settings by name, the log, the metrics, the health, and recounts beside it."""

import asyncio
import logging
from pathlib import Path

import aiohttp
import pytest

from chain.chain import Chain
from index.indexes import Indexes
from node.dev.chain import dev_settings
from node.settings import SettingsError, collect_settings
from node.shell import recounts
from node.shell.recounts import recount_repeatedly
from operations.transfer import Transfer
from state.invariants import RECOUNTS
from state.watch import CHECKS
from tests.chain.test_watch import mint, plant, spoil
from tests.harness import Harness, dev_config, steem
from tests.node.commands.test_cli import Daemon
from tests.node.operated import operated, until


def test_they_are_named_in_a_table_of_the_config_file_a_flag_or_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "node.toml"
    file.write_text('[invariants]\ncheck = ["supply", "index"]\nrecount = ["votes"]\nrecount_minutes = 5\n')
    settings = collect_settings({"config": str(file)}, {})
    assert (settings.invariants_check, settings.invariants_recount) == (("supply", "index"), ("votes",))
    assert settings.invariants_recount_minutes == 5
    by_flag = collect_settings({"config": str(file), "invariants_check": ("balances",)}, {})
    assert by_flag.invariants_check == ("balances",)
    by_variable = collect_settings({}, {"PLAUDIT_INVARIANTS_CHECK": "supply index"})
    assert by_variable.invariants_check == ("supply", "index")


@pytest.mark.parametrize(("name", "known"), [("invariants_check", CHECKS), ("invariants_recount", RECOUNTS)])
def test_an_unknown_one_is_refused_with_those_that_there_are(name: str, known: dict[str, object]) -> None:
    with pytest.raises(SettingsError) as caught:
        collect_settings({name: ("soundness",)}, {})
    assert f"soundness is none of {', '.join(known)}" in str(caught.value)


async def test_a_broken_one_is_in_the_log_the_metrics_and_the_health(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    plant(monkeypatch, mint)
    indexes = Indexes()
    chain = Chain.open(dev_config(), followers=(indexes,), invariants=("supply",))
    world = Harness(chain=chain, indexes=indexes, first_block=False)
    settings = dev_settings(world.config, automine=True)
    async with operated(world=world, settings=settings, has_network=False) as node:
        transaction = world.sign(world.build(Transfer("alice", "bob", steem(1), "")), world.key("alice"))
        node.shell.broadcast(transaction)
        await until(lambda: chain.head_number == 2)
        number = chain.head_number
        metrics = await node.read_metrics()
        status = await node.command("status", code=1)
        async with aiohttp.ClientSession() as session, session.get(f"{node.url}/health") as response:
            health = response.status
    (line,) = [record for record in caplog.records if getattr(record, "event", "") == "invariant_broken"]
    assert line.levelno == logging.ERROR
    assert (
        f"transfer broke the invariant supply in block {number}, transaction {transaction.id.hex()}: supply of STEEM"
        in line.message
    )
    assert metrics['plaudit_invariants_broken_total{invariant="supply"}'] == 1
    assert "its state is inconsistent: broken invariants supply (see its log)" in status.output
    assert health == 503


async def test_recounts_run_beside_the_node_and_tell_what_differs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = Harness(dev_config())
    accounts = world.tables.accounts
    spoil(world, lambda ctx: accounts.update(accounts.get("alice"), withdraw_routes=3))
    async with operated(world=world, has_network=False) as node:
        broken = node.shell.node.broken_invariants
        task = asyncio.create_task(recount_repeatedly(world.chain, ("supply", "withdrawals"), 1, broken))
        await until(lambda: broken.counts)
        task.cancel()
    assert dict(broken.counts) == {"withdrawals": 1}
    assert [record.message for record in caplog.records if "recounted supply,withdrawals up to block" in record.message]


async def test_a_recount_that_fails_is_logged_and_made_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(recounts, "recount", fail)
    monkeypatch.setattr(recounts, "SECONDS_PER_MINUTE", 0)
    world = Harness(dev_config())
    async with operated(world=world, has_network=False) as node:
        task = asyncio.create_task(recount_repeatedly(world.chain, ("supply",), 1, node.shell.node.broken_invariants))
        await until(lambda: len([record for record in caplog.records if record.exc_info]) > 1)
        task.cancel()
    assert "recounting supply up to block" in caplog.text


def test_a_daemon_checks_and_recounts_what_its_settings_name(tmp_path: Path) -> None:
    flags = ("--invariants-check", "supply", "--invariants-check", "index", "--invariants-recount", "votes")
    daemon = Daemon("node", "--preset", "dev", "--data-dir", tmp_path, "--rpc", "127.0.0.1:0", *flags)
    try:
        daemon.wait_for("recounted votes up to block 0")
    finally:
        daemon.stop()


def test_the_page_for_operators_names_all() -> None:
    page = (Path(__file__).parents[3] / "docs/operators.md").read_text(encoding="utf-8")
    assert [name for name in (*CHECKS, *RECOUNTS) if f"`{name}`" not in page] == []
