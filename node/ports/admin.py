"""node_api: the operator's methods, on a separate port for local requests only.

A proxy on this machine also connects from the loopback interface, so these methods are never on the client port, and
forwarded requests are refused. So are requests that a web page can send: with another content type, an Origin, or a
Host that is not this machine (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Annotated, Any, Final

from aiohttp import web

from index.snapshot import SnapshotError, SnapshotSource
from node.core import Node
from node.core.addresses import Ban
from node.core.network import Network
from node.ports.status import describe_status
from node.settings import SEEDS_MAX, Address, parse_address
from node.shell.peering import resolve
from node.shell.snapshot_file import save_snapshot
from protocol.errors import Invalid, Rejected
from protocol.p2p.messages import Endpoint
from protocol.times import time_text
from protocol.units import DAY_SECONDS
from rpc.apis.jsonrpc import JsonRpcApi
from rpc.dispatch import Dispatcher
from rpc.http_port import JSON, HttpPort, Refused, Request
from rpc.kinds import AtMost, Length, Name, Unsigned
from rpc.method import Method, collect_methods, rpc_method
from rpc.objects import Json
from rpc.port_limits import OPERATOR_LIMITS, PortLimits
from rpc.this_machine import find_foreign_host, find_proxy, is_loopback
from state.engine.errors import StoreError, StoreWriteFailed
from state.engine.progress import QUIET

BATCH_LENGTH_MAX: Final = 20
BATCH_SECONDS_MAX: Final = 60.0
BAN_SECONDS: Final = DAY_SECONDS
BAN_SECONDS_MAX: Final = 100 * 365 * DAY_SECONDS
REASON_LENGTH_MAX: Final = 200
SNAPSHOT_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class NodeApi:
    """The methods of node_api. Snapshots go to the folder `snapshots`; without one they are refused."""

    def __init__(self, node: Node, snapshots: Path | None = None) -> None:
        self.node = node
        self._snapshots = snapshots
        self._added: set[Endpoint] = set()
        self._is_writing = False

    @rpc_method()
    def get_status(self) -> Json:
        """The status of GET /, and the address for peers, the witnesses of this node, and the bans."""
        node = self.node
        shown = describe_status(node)
        shown["witnesses"] = list(node.settings.witnesses)
        if node.network is not None:
            figures = node.network.figures
            shown["listens_at"] = None if figures.listens_at is None else str(figures.listens_at)
            shown["known_addresses"] = figures.known_addresses
            shown["bans"] = len(figures.bans)
            shown["sent_bytes"], shown["received_bytes"] = figures.sent_bytes, figures.received_bytes
        return shown

    @rpc_method()
    def list_peers(self) -> Json:
        """The connections to peers, oldest first; `is_active` once the handshake is done."""
        return {"peers": [peer._asdict() for peer in self._get_network().figures.peers]}

    @rpc_method()
    def list_bans(self) -> Json:
        """The banned IP addresses, until when (null: for ever), and why."""
        return {"bans": [_show_ban(ban) for ban in self._get_network().figures.bans]}

    @rpc_method()
    def ban(
        self,
        address: Name,
        seconds: Annotated[
            Unsigned, AtMost(BAN_SECONDS_MAX, "seconds <= ${{maximum}}", "seconds is ${n}", "n")
        ] = BAN_SECONDS,
        reason: Annotated[
            str, Length(REASON_LENGTH_MAX, "reason.size() <= ${{maximum}}", "the reason is too long")
        ] = "by the operator",
    ) -> Json:
        """Drops the connections of an IP address and refuses new ones for `seconds` (0: for ever)."""
        until_ms = self.node.world.now_ms() + seconds * 1000 if seconds else 0
        ban = Ban(_parse_ip(address), until_ms, reason)
        self._get_network().ban(ban)
        return {"ban": _show_ban(ban)}

    @rpc_method()
    def unban(self, address: Name) -> Json:
        """Removes the ban of an IP address; returns whether there was one."""
        try:
            return {"was_banned": self._get_network().unban(_parse_ip(address))}
        except StoreWriteFailed as error:
            raise Rejected("", "the ban is lifted until the next start only: ${why}", why=str(error)) from error

    @rpc_method()
    def disconnect(self, peer: Name) -> Json:
        """Closes the connections to an address (IP:PORT, as listed). Either side may reconnect; a ban prevents that."""
        return {"disconnected": self._get_network().disconnect(_parse_endpoint(peer))}

    @rpc_method()
    async def add_seed(self, peer: Name) -> Json:
        """Dials HOST:PORT now and, until the node stops, whenever it is not connected, as --seed does."""
        try:
            address = parse_address(peer)
        except ValueError as error:
            raise Rejected("", "${peer}: ${why}", peer=peer, why=str(error)) from error
        assert isinstance(address, Address)
        endpoint = await resolve(address)
        if endpoint is None:
            raise Rejected("", "${peer} is not known to the name service", peer=peer)
        if endpoint.port == 0:
            raise Rejected("port != 0", "${peer} has no port", peer=peer)
        if self._get_network().is_banned(endpoint):
            raise Rejected("", "${peer} is banned", peer=peer)
        if len(self._added | {endpoint}) > SEEDS_MAX:
            raise Rejected("seeds <= ${max}", "no more seeds can be added until the node is restarted", max=SEEDS_MAX)
        self._get_network().add_seed(endpoint)
        self._added.add(endpoint)
        return {"seed": str(endpoint)}

    @rpc_method()
    async def create_snapshot(self, name: Name) -> Json:
        """Writes the state of the last irreversible block to a new file in `snapshots` of the data directory.

        The node keeps running; the response is sent when the file is complete. One snapshot is written at a time.
        """
        path = self._find_snapshot_path(name)
        if self._is_writing:
            raise Rejected("", "another snapshot is being written")
        self._is_writing = True
        try:
            source = SnapshotSource(self.node.chain)
            summary = await asyncio.to_thread(_write, source, path)
        except (SnapshotError, StoreError, OSError) as error:
            raise Rejected("", "no snapshot was written: ${why}", why=str(error)) from error
        finally:
            self._is_writing = False
        return summary

    def _find_snapshot_path(self, name: str) -> Path:
        if self._snapshots is None:
            raise Rejected("", "this node has no data directory for snapshots")
        if not SNAPSHOT_NAME.fullmatch(name):
            raise Rejected("", "${name} is not the name of a file: letters, digits, dots, dashes; no folder", name=name)
        path = self._snapshots / name
        if path.exists():
            raise Rejected("", "${path} exists; choose another name, or remove it", path=str(path))
        return path

    def _get_network(self) -> Network:
        """Raises Rejected for a node without peers."""
        if self.node.network is None:
            raise Rejected("", "this node has no peers: it runs without --p2p and --seed")
        return self.node.network


def _write(source: SnapshotSource, path: Path) -> Json:
    """Writes a snapshot in a separate thread. Raises SnapshotError, StoreError, OSError."""
    try:
        path.parent.mkdir(exist_ok=True)
        summary = save_snapshot(source, path, QUIET)
    finally:
        source.close()
    head = summary.header.meta.head
    return {
        "file": str(path),
        "block_num": head.number,
        "block_id": head.block_id.hex(),
        "state_digest": head.digest.hex(),
        "rows": summary.rows,
        "history_entries": summary.history_entries,
        "bytes": summary.size,
        "checksum": summary.checksum.hex(),
    }


def _parse_ip(text: str) -> int:
    try:
        return int(IPv4Address(text.strip()))
    except AddressValueError as error:
        raise Rejected("", "${text} is not an IPv4 address, as peers have", text=text) from error


def _parse_endpoint(text: str) -> Endpoint:
    try:
        return Endpoint.parse(text.strip())
    except Invalid as error:
        raise Rejected("", "${text} is not an address of a peer: IP:PORT", text=text) from error


def _show_ban(ban: Ban) -> Json:
    until = time_text(ban.until_ms // 1000) if ban.until_ms else None
    return {"address": ban.host, "until": until, "reason": ban.reason}


class AdminPort:
    """Serves the operator's JSON-RPC requests, from this machine only."""

    def __init__(self, api: NodeApi, limits: PortLimits = OPERATOR_LIMITS) -> None:
        methods: dict[str, Method] = {}
        apis: Mapping[str, Any] = {"node_api": api, "jsonrpc": JsonRpcApi(lambda: methods)}
        methods.update(collect_methods(apis, frozenset()))
        self._dispatcher = Dispatcher(methods, BATCH_LENGTH_MAX, BATCH_SECONDS_MAX)
        self._port = HttpPort(self._answer, limits)

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Opens the port, which must be on the loopback interface; returns its address. Raises OSError."""
        assert is_loopback(host), "the settings allow no other address"
        return await self._port.start(host, port)

    async def stop(self) -> None:
        """Closes the port."""
        await self._port.stop()

    async def _answer(self, request: Request) -> web.StreamResponse:
        for status, find in _OBJECTIONS:
            problem = find(request.raw)
            if problem:
                raise Refused(status, problem)
        return await self._port.answer_json(request, self._dispatcher.answer)


def _object_to_peer(request: web.BaseRequest) -> str:
    """A request from another machine."""
    peer = request.transport.get_extra_info("peername") if request.transport else None
    if peer and is_loopback(str(peer[0])):
        return ""
    return "the admin port answers requests from this machine only (127.0.0.0/8 and ::1)"


def _object_to_proxy(request: web.BaseRequest) -> str:
    """A request that a proxy forwarded."""
    found = find_proxy(request.headers)
    return f"{found}: the admin port is not to be reached through one" if found else ""


def _object_to_page(request: web.BaseRequest) -> str:
    """A request that a web page sends, even a local one."""
    if "Origin" in request.headers or "Sec-Fetch-Site" in request.headers:
        return "the admin port takes nothing from web pages"
    return ""


def _object_to_host(request: web.BaseRequest) -> str:
    """A request whose Host is not this machine (DNS rebinding)."""
    return find_foreign_host(request.headers)


def _object_to_verb(request: web.BaseRequest) -> str:
    return "" if request.method == "POST" else "the admin port takes JSON-RPC requests by POST only"


def _object_to_type(request: web.BaseRequest) -> str:
    return "" if request.content_type == JSON else f"a request has to have the Content-Type {JSON}"


_OBJECTIONS: Final[tuple[tuple[int, Callable[[web.BaseRequest], str]], ...]] = (
    (403, _object_to_peer),
    (403, _object_to_proxy),
    (403, _object_to_page),
    (403, _object_to_host),
    (405, _object_to_verb),
    (415, _object_to_type),
)
"""Reasons to refuse a request, with the HTTP status."""
