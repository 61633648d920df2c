"""node_api and the commands that use it, and who is not let in: pages, proxies, other machines, other content."""

import asyncio
import json
import re
import socket
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chain.chain import Chain
from node.core.addresses import Ban
from node.ports import admin
from node.settings import SEEDS_MAX
from node.shell.snapshot_file import verify_snapshot
from rpc.port_limits import OPERATOR_LIMITS
from state.engine.errors import StoreWriteFailed
from state.engine.progress import QuietProgress
from tests.harness import Harness, dev_config
from tests.node.commands.test_cli import run
from tests.node.operated import Operated, free_port, operated, run_command, until

QUESTION = {"jsonrpc": "2.0", "method": "node_api.get_status", "params": {}, "id": 1}


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Operated]:
    """A node with a network and nobody in it, whose chain has irreversible blocks."""
    world = Harness(dev_config())
    world.generate_blocks(30)
    async with operated(world=world, snapshots=tmp_path / "snapshots") as running:
        yield running


@pytest.fixture
async def pair(node: Operated) -> AsyncIterator[tuple[Operated, Operated]]:
    """The node and another one that has dialled it."""
    async with operated("other") as other:
        assert await other.ask_admin("add_seed", peer=str(node.endpoint)) == {"seed": str(node.endpoint)}
        await until(lambda: is_connected(node) and is_connected(other))
        yield node, other


def is_connected(node: Operated) -> bool:
    assert node.shell.node.network is not None
    return any(peer.is_active for peer in node.shell.node.network.figures.peers)


def is_alone(node: Operated) -> bool:
    assert node.shell.node.network is not None
    return not node.shell.node.network.figures.peers


# Peers


async def test_peers_are_listed_for_people_and_programs(pair: tuple[Operated, Operated]) -> None:
    node, other = pair
    text = (await node.command("peers", "list")).output
    assert re.search(r"127\.0\.0\.1:\d+ +inbound +Plaudit", text), text
    assert "in sync" in text or "peer is behind" in text
    (shown,) = json.loads((await other.command("peers", "list", "--json")).output)
    assert (shown["endpoint"], shown["direction"], shown["is_active"]) == (str(node.endpoint), "outbound", True)
    assert "outbound" in (await other.command("peers", "list")).output


async def test_a_peer_that_is_disconnected_may_come_back(pair: tuple[Operated, Operated]) -> None:
    node, other = pair
    assert await other.ask_admin("disconnect", peer="127.0.0.1:1") == {"disconnected": 0}
    assert "1 connection to" in (await other.command("peers", "disconnect", node.endpoint)).output
    assert is_alone(other)
    await until(lambda: is_alone(node))
    await until(lambda: is_connected(node))


async def test_a_banned_peer_is_dropped_and_kept_out_until_it_is_unbanned(pair: tuple[Operated, Operated]) -> None:
    node, other = pair
    text = (await node.command("peers", "ban", "127.0.0.1", "--seconds", 0, "--reason", "a test")).output
    assert text == "127.0.0.1 is banned for ever.\n"
    assert is_alone(node)
    assert re.search(r"127\.0\.0\.1 +for ever +a test", (await node.command("peers", "bans")).output)
    assert json.loads((await node.command("peers", "bans", "--json")).output) == [
        {"address": "127.0.0.1", "until": None, "reason": "a test"}
    ]
    error = await node.ask_admin("add_seed", peer=str(other.endpoint))
    assert "is banned" in error["message"]
    assert (await node.command("peers", "unban", "127.0.0.1")).output == "127.0.0.1 is not banned any more.\n"
    assert (await node.command("peers", "unban", "127.0.0.1")).output == "127.0.0.1 was not banned.\n"
    assert (await node.command("peers", "bans")).output == "Nobody is banned.\n"
    await until(lambda: is_connected(node), 15)


async def test_a_ban_ends_by_itself(node: Operated) -> None:
    text = (await node.command("peers", "ban", "10.0.0.1")).output
    assert re.fullmatch(r"10\.0\.0\.1 is banned until \d{4}-\d\d-\d\dT[\d:]{8} UTC\.\n", text)
    assert node.shell.node.network is not None
    node.shell.node.network._hub.bans.add(Ban(7, node.shell.now_ms() - 1, "over"))
    assert [ban["address"] for ban in (await node.ask_admin("list_bans"))["bans"]] == ["10.0.0.1"]


async def test_bans_survive_the_process(node: Operated) -> None:
    await node.ask_admin("ban", address="10.0.0.9", seconds=100, reason="rude")
    stored = json.loads(node.shell.disk.read("bans.json") or b"")
    assert [(entry["address"], entry["reason"]) for entry in stored] == [("10.0.0.9", "rude")]


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("ban", {"address": "::1"}, "::1 is not an IPv4 address"),
        ("ban", {"address": "10.0.0.1:2001"}, "is not an IPv4 address"),
        ("ban", {}, "needs the member 'address'"),
        ("ban", {"address": "10.0.0.1", "seconds": 10**12}, 'seconds is "1000000000000"'),
        ("ban", {"address": "10.0.0.1", "seconds": -1}, "seconds is"),
        ("ban", {"address": "10.0.0.1", "reason": "x" * 201}, "the reason is too long"),
        ("unban", {"address": "nobody"}, "nobody is not an IPv4 address"),
        ("disconnect", {"peer": "10.0.0.1"}, "10.0.0.1 is not an address of a peer"),
        ("add_seed", {"peer": "10.0.0.1"}, "an address is HOST:PORT"),
        ("add_seed", {"peer": "10.0.0.1:0"}, "has no port"),
        ("add_seed", {"peer": "name.invalid:2001"}, "is not known to the name service"),
        ("create_snapshot", {"name": "../one"}, "../one is not the name of a file"),
        ("create_snapshot", {"name": ".one"}, ".one is not the name of a file"),
        ("create_snapshot", {"name": ""}, "is not the name of a file"),
        ("nonsense", {}, "Could not find method nonsense"),
    ],
)
async def test_what_can_not_be_done_is_said(node: Operated, method: str, params: dict[str, Any], words: str) -> None:
    assert words in (await node.ask_admin(method, **params))["message"]


async def test_commands_show_refusals_in_one_line(node: Operated) -> None:
    result = await node.command("peers", "ban", "::1", code=1)
    assert result.output == "Error: The node refuses: ::1 is not an IPv4 address, as peers have.\n"


async def test_a_node_without_peers_says_so() -> None:
    async with operated(has_network=False) as node:
        for command in (("list",), ("bans",), ("ban", "10.0.0.1"), ("unban", "10.0.0.1"), ("add", "10.0.0.1:2001")):
            assert "this node has no peers" in (await node.command("peers", *command, code=1)).output
        status = await node.ask_admin("get_status")
        assert (status["peers"], "listens_at" in status) == (None, False)


async def test_only_so_many_seeds_can_be_added(node: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "SEEDS_MAX", 2)
    assert SEEDS_MAX > 2
    for number in (1, 2, 2):
        assert "seed" in await node.ask_admin("add_seed", peer=f"127.0.0.1:{number}")
    assert "no more seeds" in (await node.ask_admin("add_seed", peer="127.0.0.1:3"))["message"]


async def test_a_ban_that_the_disk_does_not_take_back_is_named(node: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    await node.ask_admin("ban", address="10.0.0.1")

    def refuse(name: str, data: bytes) -> None:
        raise StoreWriteFailed("no room")

    monkeypatch.setattr(node.shell.disk, "write", refuse)
    assert "until the next start only: no room" in (await node.ask_admin("unban", address="10.0.0.1"))["message"]


async def test_the_operator_sees_more_than_others(pair: tuple[Operated, Operated]) -> None:
    node, _ = pair
    before = await node.ask_admin("get_status")
    public = (await node.ask("plaudit_api.get_status"))["result"]
    status = await node.ask_admin("get_status")
    assert all(shown in (before[name], status[name]) for name, shown in public.items()), "a second may pass meanwhile"
    assert status["listens_at"] == str(node.endpoint)
    assert (status["witnesses"], status["bans"]) == ([], 0)
    assert status["sent_bytes"] > 0


# Snapshots


async def test_a_snapshot_of_a_running_node(node: Operated, tmp_path: Path) -> None:
    text = (await node.command("snapshot", "request", "one.snapshot")).output
    assert "The node has written a snapshot." in text
    file = tmp_path / "snapshots" / "one.snapshot"
    summary = verify_snapshot(file, node.shell.chain.config, QuietProgress())
    assert summary.header.meta.head.number == node.shell.chain.finality.committed_number
    assert f"checksum         {summary.checksum.hex()}" in text
    again = await node.command("snapshot", "request", "one.snapshot", code=1)
    assert f"{file} exists; choose another name" in again.output
    assert [path.name for path in file.parent.iterdir()] == ["one.snapshot"]
    shown = json.loads((await node.command("snapshot", "request", "two", "--json")).output)
    assert (shown["block_num"], shown["checksum"]) == (summary.header.meta.head.number, summary.checksum.hex())


async def test_one_snapshot_is_written_at_a_time(node: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, goes_on = asyncio.Event(), asyncio.Event()
    write, loop = admin._write, asyncio.get_running_loop()

    def wait_and_write(*arguments: Any) -> Any:
        loop.call_soon_threadsafe(begun.set)
        asyncio.run_coroutine_threadsafe(goes_on.wait(), loop).result(10)
        return write(*arguments)

    monkeypatch.setattr(admin, "_write", wait_and_write)
    first = asyncio.create_task(node.ask_admin("create_snapshot", name="one"))
    await begun.wait()
    assert "another snapshot is being written" in (await node.ask_admin("create_snapshot", name="two"))["message"]
    assert (await node.ask("plaudit_api.get_status"))["result"]["name"] == "plaudit"
    goes_on.set()
    assert (await first)["block_num"] > 0


async def test_a_snapshot_that_can_not_be_written_leaves_nothing_and_can_be_asked_for_again(
    node: Operated, tmp_path: Path
) -> None:
    folder = tmp_path / "snapshots"
    folder.write_text("in the way")
    assert "no snapshot was written" in (await node.ask_admin("create_snapshot", name="one"))["message"]
    folder.unlink()
    assert (await node.ask_admin("create_snapshot", name="one"))["file"] == str(folder / "one")


async def test_a_node_that_stops_gives_a_snapshot_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, stopped, folder = threading.Event(), threading.Event(), tmp_path / "snapshots"

    def dawdle(self: object, size: int, position: int = 0) -> None:
        begun.set()
        stopped.wait(20)

    monkeypatch.setattr(QuietProgress, "begin", dawdle)
    world = Harness(dev_config(), path=tmp_path / "data")
    world.generate_blocks(30)
    async with operated(world=world, snapshots=folder) as node:
        request = asyncio.create_task(node.ask_admin("create_snapshot", name="one"))
        await asyncio.to_thread(begun.wait, 10)
    stopped.set()
    await asyncio.gather(request, return_exceptions=True)
    await until(lambda: not list(folder.iterdir()))
    Chain.open(dev_config(), tmp_path / "data").close()


async def test_a_node_without_a_directory_or_without_irreversible_blocks_makes_no_snapshot(tmp_path: Path) -> None:
    async with operated() as node:
        assert "no data directory" in (await node.ask_admin("create_snapshot", name="one"))["message"]
    async with operated(world=Harness(dev_config(), first_block=False), snapshots=tmp_path / "snapshots") as node:
        assert "no irreversible block yet" in (await node.ask_admin("create_snapshot", name="one"))["message"]


# Who is let in


def admin_port(node: Operated) -> admin.AdminPort:
    """The open admin port of a node."""
    (found,) = (port for port in node.ports._open if isinstance(port, admin.AdminPort))
    return found


async def send(node: Operated, body: Any = QUESTION, **headers: str) -> tuple[int, Any]:
    """The status and the answer to a request as some program might send it."""
    chosen = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"http://{node.admin}"
    async with aiohttp.ClientSession() as session, session.post(url, data=data, headers=chosen) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(
    ("headers", "status", "words"),
    [
        ({"Origin": "http://evil.example"}, 403, "takes nothing from web pages"),
        ({"Origin": "null"}, 403, "takes nothing from web pages"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "takes nothing from web pages"),
        ({"Host": "evil.example"}, 403, "is not this machine's own"),
        ({"Host": "localhost.evil.example:8091"}, 403, "is not this machine's own"),
        ({"Host": "127.0.0.1.evil.example"}, 403, "is not this machine's own"),
        ({"Host": "10.0.0.1:8091"}, 403, "is not this machine's own"),
        ({"Host": "[::1"}, 403, "is not this machine's own"),
        ({"Host": ""}, 403, "is not this machine's own"),
        ({"X-Forwarded-For": "10.0.0.1"}, 403, "a proxy passed this request on (X-Forwarded-For)"),
        ({"X-Real-IP": "10.0.0.1"}, 403, "a proxy passed"),
        ({"Forwarded": "for=10.0.0.1"}, 403, "a proxy passed"),
        ({"Via": "1.1 proxy"}, 403, "a proxy passed"),
        ({"Content-Type": "text/plain"}, 415, "Content-Type application/json"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "Content-Type application/json"),
    ],
)
async def test_pages_proxies_and_foreign_names_are_refused(
    node: Operated, headers: dict[str, str], status: int, words: str
) -> None:
    found, answer = await send(node, **headers)
    assert found == status
    assert words in answer["error"]["message"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8091", "127.1.2.3", "[::1]:8091"])
async def test_names_of_this_machine_are_taken(node: Operated, host: str) -> None:
    status, answer = await send(node, Host=host)
    assert (status, answer["result"]["name"]) == (200, "plaudit")


async def test_a_request_from_another_machine_is_refused(node: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    def say_where(self: object, name: str, default: object = None) -> object:
        return ("192.0.2.7", 4711) if name == "peername" else default

    monkeypatch.setattr("asyncio.selector_events._SelectorSocketTransport.get_extra_info", say_where)
    status, answer = await send(node)
    assert status == 403
    assert "requests from this machine only" in answer["error"]["message"]


@pytest.mark.parametrize("verb", ["GET", "OPTIONS", "PUT", "HEAD"])
async def test_only_posts_are_taken_and_no_page_is_told_that_it_may(node: Operated, verb: str) -> None:
    async with aiohttp.ClientSession() as session, session.request(verb, f"http://{node.admin}/") as response:
        assert response.status == 405
        assert not [name for name in response.headers if name.startswith("Access-Control")]


async def test_large_and_slow_bodies_are_refused(node: Operated, monkeypatch: pytest.MonkeyPatch) -> None:
    async with aiohttp.ClientSession() as session:
        headers = {"Content-Type": "application/json"}
        async with session.post(f"http://{node.admin}", data=b" " * (2 << 20), headers=headers) as response:
            assert response.status == 413
    admin_port(node)._port.limits = OPERATOR_LIMITS._replace(body_seconds=0.1)
    reader, writer = await asyncio.open_connection(*node.admin)
    head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n"
    writer.write(head.encode())
    assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_rubbish_and_batches_are_answered_as_on_the_other_port(node: Operated) -> None:
    assert (await send(node, b"{"))[1]["error"]["code"] == -32000
    _, answers = await send(node, [QUESTION, QUESTION | {"method": "jsonrpc.get_methods"}])
    names = answers[1]["result"]
    assert {name.partition(".")[0] for name in names} == {"jsonrpc", "node_api"}
    assert "a batch may hold 20" in (await send(node, [QUESTION] * 21))[1]["error"]["message"]


async def test_only_so_many_connections_are_served(node: Operated) -> None:
    held = [await asyncio.open_connection(*node.admin) for _ in range(OPERATOR_LIMITS.connections.whole)]
    reader, writer = await asyncio.open_connection(*node.admin)
    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()
    for _, other in held:
        other.close()
        await other.wait_closed()
    assert (await node.ask_admin("get_status"))["name"] == "plaudit"


async def test_clients_can_not_call_or_see_these_methods(node: Operated) -> None:
    for method in ("node_api.get_status", "node_api.ban", "node_api.create_snapshot"):
        answer = await node.ask(method)
        assert "Could not find API node_api" in answer["error"]["message"]
    methods = (await node.ask("jsonrpc.get_methods"))["result"]
    assert methods and not [name for name in methods if name.startswith("node_api")]


# The port


async def test_the_port_is_one_of_this_machine_and_is_named_when_it_is_taken(node: Operated) -> None:
    where = ("node", "--preset", "testnet", "--rpc", "127.0.0.1:0", "--admin")
    for address in ("0.0.0.0:8091", "192.0.2.1:8091", "[::]:8091", "host.example:8091"):
        assert "the admin port is for this machine only" in run(*where, address, code=2).output
    assert "HOST:PORT" in run(*where, "8091", code=2).output
    assert "the admin port is for this machine only" in run("peers", "list", "--admin", "192.0.2.1:1", code=2).output


def test_a_taken_port_is_named_with_its_option(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        where = ("node", "--preset", "testnet", "--rpc", "127.0.0.1:0", "--data-dir", tmp_path)
        for option in ("--admin", "--metrics"):
            output = run(*where, option, address, code=1).output
            assert f"{address} is in use by another program" in output
            assert option in output


async def test_commands_say_how_a_node_gets_the_port() -> None:
    address = f"127.0.0.1:{free_port()}"
    text = (await run_command("peers", "list", "--admin", address, code=1)).output
    assert "connection refused" in text
    assert f"run it with --admin {address}" in text


async def test_commands_tell_another_port_from_the_admin_port(node: Operated) -> None:
    text = (await run_command("peers", "list", "--admin", f"localhost:{node.metrics.port}", code=1)).output
    assert f"Is 127.0.0.1:{node.metrics.port} the admin port of a node" in text
