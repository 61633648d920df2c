"""An open port over a fresh chain."""

import asyncio

from node.ports.health import find_problem
from rpc.port_limits import PortLimits
from rpc.server import RpcServer
from tests.rpc.service import Service

QUESTION = '{"jsonrpc":"2.0","method":"condenser_api.get_account_count","params":[],"id":0}'
WEBSOCKET = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
)
"""The head that asks for a websocket, as browsers send it."""


class Port:
    """The server of JSON-RPC on a port of this machine; behind `proxies`, a test says who asks."""

    def __init__(
        self,
        service: Service,
        limits: PortLimits | None = None,
        *,
        healthy_age_seconds: int = 60,
        proxies: frozenset[str] = frozenset(),
    ) -> None:
        self.service = service
        self.server = RpcServer(
            service.dispatcher,
            service.shell.get_status,
            find_problem,
            healthy_age_seconds=healthy_age_seconds,
            limits=limits,
            proxies=proxies,
        )
        self.host, self.port = "", 0

    async def open(self) -> None:
        """Opens the port."""
        self.host, self.port = await self.server.start("127.0.0.1", 0)

    @property
    def url(self) -> str:
        """The address for HTTP."""
        return f"http://{self.host}:{self.port}"

    async def connect(self, data: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Opens a connection and sends bytes on it."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(data)
        return reader, writer

    async def send_raw(self, data: bytes, *, until_close: bool = False) -> bytes:
        """Sends bytes on a connection of their own and returns what comes back."""
        reader, writer = await self.connect(data)
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(-1 if until_close else 100_000), 5)
        writer.close()
        return answer
