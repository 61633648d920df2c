"""Links between nodes that a test can cut: each is a TCP proxy, and the node that dials knows the proxy's port only."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

CHUNK_BYTES = 1 << 16


class Link:
    """A proxy to the port that `find_target` names (0: nobody is there), which may change with each start of the node.

    `up_bytes` went from the one that dials to the one that listens, `down_bytes` the other way.
    """

    def __init__(self, find_target: Callable[[], int]) -> None:
        self.port = 0
        self.up_bytes = 0
        self.down_bytes = 0
        self._find_target = find_target
        self._is_cut = False
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Opens the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Closes the port and all connections."""
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def cut(self) -> None:
        """Ends the connections and lets no new one come about."""
        self._is_cut = True
        for task in self._connections:
            task.cancel()

    def stall(self) -> None:
        """Carries nothing on, without a word to either side: what a broken cable looks like."""
        self._flows.clear()

    def heal(self) -> None:
        """Works again; what waited while it was stalled goes on."""
        self._is_cut = False
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a connection is served by a task"
        self._connections.add(task)
        try:
            if not self._is_cut:
                await self._carry(reader, writer)
        except OSError:
            return
        except asyncio.CancelledError:
            return  # The link was cut.
        finally:
            self._connections.discard(task)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carries bytes both ways until one side ends."""
        await self._flows.wait()
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._find_target())
        both = (
            asyncio.create_task(self._pump(reader, far_writer, self._count_up)),
            asyncio.create_task(self._pump(far_reader, writer, self._count_down)),
        )
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in both:
                pump.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            far_writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: Callable[[int], None]
    ) -> None:
        while data := await reader.read(CHUNK_BYTES):
            await self._flows.wait()
            count(len(data))
            writer.write(data)
            await writer.drain()

    def _count_up(self, size: int) -> None:
        self.up_bytes += size

    def _count_down(self, size: int) -> None:
        self.down_bytes += size
