"""GET /metrics: that the figures are those of the node, that labels are bounded, and that nothing else is there."""

import asyncio
import time
import urllib.request
from pathlib import Path

import aiohttp
import pytest

from node.core import NodeSettings, ProductionOutcome
from node.core.addresses import Ban
from node.ports.metrics import Metrics
from operations.transfer import Transfer
from protocol.block import Block
from protocol.errors import PluginRefused, ProtocolError, Rejected
from protocol.keys import PrivateKey
from protocol.resources import RESOURCE_NAMES
from rpc.port_limits import OPERATOR_LIMITS
from tests.harness import Harness, dev_config, steem
from tests.node.commands.test_cli import TESTNET, daemon
from tests.node.operated import Operated, operated, until

CALLS = "plaudit_rpc_seconds_count"
ERRORS = "plaudit_rpc_errors_total"


def make_transfer(node: Operated, receiver: str = "bob", amount: int = 1) -> dict[str, object]:
    """A signed transfer of alice as JSON."""
    world = node.world
    transaction = world.sign(world.build(Transfer("alice", receiver, steem(amount), "")), world.key("alice"))
    return transaction.to_json(world.codec, True)


async def test_the_figures_of_the_chain_are_those_of_the_node() -> None:
    async with operated(has_network=False) as node:
        node.world.push(Transfer("alice", "bob", steem(1), ""))
        metrics = await node.read_metrics()
        chain = node.shell.chain
    (info,) = [name for name in metrics if name.startswith("plaudit_info{")]
    assert 'chain="dev"' in info and f'chain_id="{chain.config.chain_id.hex()}"' in info and 'version="' in info
    assert metrics["plaudit_head_block_number"] == chain.head_number == 1
    assert metrics["plaudit_irreversible_block_number"] == chain.irreversible_number
    assert metrics["plaudit_head_block_age_seconds"] == pytest.approx(time.time() - chain.head_time, abs=10)
    assert metrics["plaudit_pending_transactions"] == 1
    assert metrics["plaudit_pending_bytes"] == chain.pending.size_bytes > 0
    assert metrics["plaudit_can_write"] == 1
    assert 0 <= metrics["plaudit_participation_ratio"] <= 1
    assert {name for name in metrics if name.startswith("plaudit_rc_pool{")} == {
        f'plaudit_rc_pool{{resource="{name}"}}' for name in RESOURCE_NAMES
    }
    assert metrics["process_resident_memory_bytes"] > 1_000_000
    assert metrics["process_cpu_seconds_total"] > 0
    for absent in ("plaudit_peers", "plaudit_missing_blocks", "plaudit_blocks_produced", "plaudit_slots_missed"):
        assert not [name for name in metrics if name.startswith(absent)]
    assert not [name for name in metrics if "_created" in name]


async def test_before_the_first_block_there_are_no_pools() -> None:
    async with operated(world=Harness(dev_config(), first_block=False), has_network=False) as node:
        metrics = await node.read_metrics()
    assert metrics["plaudit_head_block_number"] == 0
    assert not [name for name in metrics if name.startswith("plaudit_rc_pool")]


async def test_blocks_are_timed_when_they_were_taken() -> None:
    async with operated(has_network=False) as node:
        other = Harness(dev_config(), first_block=False)
        other.generate_block()
        bad = Block.from_bytes(node.world.codec, other.generate_block().packed)
        before = (await node.read_metrics())["plaudit_block_apply_seconds_count"]
        node.shell.submit_block(bad)
        metrics = await node.read_metrics()
        assert metrics["plaudit_block_apply_seconds_count"] == before + 1
        assert metrics['plaudit_block_apply_seconds_bucket{le="+Inf"}'] == before + 1
        assert metrics["plaudit_block_apply_seconds_sum"] > 0
        with pytest.raises(ProtocolError):
            node.shell.submit_block(Block.make(node.world.codec, previous=bytes(20), timestamp=0, witness="alice"))
        assert (await node.read_metrics())["plaudit_block_apply_seconds_count"] == before + 1


async def test_transactions_are_counted_by_what_became_of_them() -> None:
    async with operated(has_network=False, world=Harness(dev_config(), needs_credits=True)) as node:
        await node.ask("network_broadcast_api.broadcast_transaction", trx=make_transfer(node))
        await node.ask("network_broadcast_api.broadcast_transaction", trx=make_transfer(node, amount=10**15))
        transfer = Transfer("bob", "alice", steem(1), "")
        node.shell.node.take_transaction(node.world.sign(node.world.build(transfer), node.world.key("bob")))
        with pytest.raises(ProtocolError):
            node.shell.node.take_transaction(node.world.build(transfer))
        metrics = await node.read_metrics()
    assert metrics['plaudit_transactions_total{result="accepted",source="client"}'] == 1
    assert metrics['plaudit_transactions_total{result="refused",source="client"}'] == 1
    assert metrics['plaudit_transactions_total{result="accepted",source="peer"}'] == 1
    assert metrics['plaudit_transactions_total{result="refused",source="peer"}'] == 1


async def test_transactions_without_credits_are_told_from_others() -> None:
    world = Harness()
    world.create_account("alice")
    world.fund("alice", 1_000)
    world.chain.refuses_without_credits = True
    async with operated(world=world, has_network=False) as node:
        answer = await node.ask("network_broadcast_api.broadcast_transaction", trx=make_transfer(node, "null"))
        assert "RC" in answer["error"]["message"]
        metrics = await node.read_metrics()
    assert metrics['plaudit_transactions_total{result="no_credits",source="client"}'] == 1


def test_other_refusals_of_the_node_are_not_for_credits() -> None:
    metrics = Metrics()
    metrics.on_transaction("client", PluginRefused("", "too many custom operations"))
    metrics.on_transaction("client", Rejected("", "no"))
    refused = metrics.registry.get_sample_value("plaudit_transactions_total", {"source": "client", "result": "refused"})
    assert refused == 2


async def test_calls_are_measured_by_method_and_nobody_makes_up_labels() -> None:
    async with operated(has_network=False) as node:
        await node.ask("condenser_api.get_account_count")
        await node.ask("call", **{})
        await node.ask("condenser_api.get_account_count", wrong=1)
        for number in range(20):
            await node.ask(f"condenser_api.nonsense_{number}")
        body = [{"jsonrpc": "2.0", "method": "call", "params": ["database_api", "get_config", {}], "id": 1}] * 3
        async with aiohttp.ClientSession() as session, session.post(node.url, json=body) as response:
            assert len(await response.json()) == 3
        metrics = await node.read_metrics()
    counted = {name: value for name, value in metrics.items() if name.startswith((CALLS, ERRORS))}
    assert counted == {
        f'{CALLS}{{method="condenser_api.get_account_count"}}': 2,
        f'{CALLS}{{method="database_api.get_config"}}': 3,
        f'{CALLS}{{method="unknown"}}': 21,
        f'{ERRORS}{{method="condenser_api.get_account_count"}}': 1,
        f'{ERRORS}{{method="unknown"}}': 21,
    }


async def test_peers_traffic_and_bans_are_counted() -> None:
    async with operated() as node, operated("other") as other:
        assert node.shell.node.network is not None and other.shell.node.network is not None
        node.shell.node.network.ban(Ban(1, 0, "a test"))
        other.shell.node.network.add_seed(node.endpoint)
        await until(
            lambda: other.shell.get_status()["peers"]["outbound"] and node.shell.get_status()["peers"]["inbound"]
        )
        metrics, others = await node.read_metrics(), await other.read_metrics()
    assert (metrics['plaudit_peers{direction="inbound"}'], metrics['plaudit_peers{direction="outbound"}']) == (1, 0)
    assert (others['plaudit_peers{direction="inbound"}'], others['plaudit_peers{direction="outbound"}']) == (0, 1)
    assert (metrics["plaudit_bans"], others["plaudit_bans"]) == (1, 0)
    assert (metrics["plaudit_missing_blocks"], others["plaudit_missing_blocks"]) == (0, 0)
    assert abs(metrics["plaudit_peers_clock_offset_seconds"]) < 1
    for figures in (metrics, others):
        assert figures["plaudit_p2p_sent_bytes_total"] > 100
        assert figures["plaudit_p2p_received_bytes_total"] > 100


async def test_production_is_counted_by_outcome() -> None:
    key = PrivateKey.from_seed("somebody")
    settings = NodeSettings(("initminer", "nobody"), {key.public_key: key}, stale_production=False)
    async with operated(settings=settings, has_network=False) as node:
        node.shell.node.producer.counts.update([ProductionOutcome.PRODUCED] * 3 + [ProductionOutcome.NOT_MY_TURN])
        node.shell.node.producer.counts.update([ProductionOutcome.LAG] * 2)
        metrics = await node.read_metrics()
    assert metrics["plaudit_blocks_produced_total"] == 3
    missed = {name: value for name, value in metrics.items() if name.startswith("plaudit_slots_missed_total{")}
    assert missed.pop('plaudit_slots_missed_total{reason="lag"}') == 2
    assert set(missed.values()) == {0}
    assert {name.split('"')[1] for name in missed} >= {"no_private_key", "not_synced", "low_participation", "slot_used"}
    assert metrics['plaudit_witness_missed_blocks_total{witness="initminer"}'] == 0
    assert not [name for name in metrics if "nobody" in name]


@pytest.mark.parametrize(
    ("verb", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/metrics/", 200),
        ("HEAD", "/metrics/", 200),
        ("HEAD", "/", 404),
        ("POST", "/metrics", 405),
        ("HEAD", "/metrics", 200),
    ],
)
async def test_there_is_nothing_else_on_the_port(verb: str, path: str, status: int) -> None:
    async with (
        operated(has_network=False) as node,
        aiohttp.ClientSession() as session,
        session.request(verb, f"http://{node.metrics}{path}") as response,
    ):
        assert response.status == status


async def test_prometheus_and_openmetrics_are_spoken_and_many_may_ask_at_once() -> None:
    async with operated(has_network=False) as node, aiohttp.ClientSession() as session:
        url = f"http://{node.metrics}/metrics"
        async with session.get(url) as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=")
            assert "# TYPE plaudit_head_block_number gauge" in await response.text()
        async with session.get(url, headers={"Accept": "application/openmetrics-text; version=1.0.0"}) as response:
            assert response.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
            assert (await response.text()).endswith("# EOF\n")

        async def ask() -> int:
            async with session.get(url) as response:
                await response.read()
                return response.status

        assert set(await asyncio.gather(*(ask() for _ in range(OPERATOR_LIMITS.connections.whole - 1)))) == {200}


def test_a_real_node_serves_metrics_and_takes_commands(tmp_path: Path) -> None:
    ports = ("--metrics", "127.0.0.1:0", "--admin", "[::1]:0", "--p2p", "127.0.0.1:0")
    with daemon(*TESTNET, "--data-dir", tmp_path, *ports) as node:
        metrics = node.text.split("listening metrics=")[1].split()[0]
        assert "listening admin=http://[::1]:" in node.text
        with urllib.request.urlopen(f"{metrics}/metrics", timeout=10) as answer:
            assert b"plaudit_head_block_number 0.0" in answer.read()
        assert node.stop() == 0
        assert "Traceback" not in node.text
