"""aiohttp's half of a connection: the only place that looks inside of it, and where its faults are ours to answer."""

from __future__ import annotations

import logging
from typing import Any, Final

from aiohttp import web
from aiohttp.http import HttpProcessingError

from rpc.errors import cut_trace

log = logging.getLogger("plaudit.rpc")

SERVER: Final = "plaudit"
"""The header Server: a version would only tell which faults to try."""


class Handler(web.RequestHandler):
    """aiohttp's connection, which says no versions, also where aiohttp itself finds a fault."""

    __slots__ = ()

    @property
    def has_request(self) -> bool:
        """Whether a request that was read waits to be handled. A test keeps that aiohttp means the same by it."""
        return bool(self._messages)

    def data_received(self, data: bytes) -> None:
        """Takes bytes. The error that stands for what is no HTTP is kept without the trace that leads back to here."""
        super().data_received(data)
        for message, _ in self._messages:
            if (error := getattr(message, "exc", None)) is not None:
                cut_trace(error)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Writes a response."""
        if not resp.prepared:
            resp.headers["Server"] = SERVER  # Some responses are aiohttp's own.
        return await super().finish_response(request, resp, start_time)

    def log_exception(self, *args: Any, **kw: Any) -> None:
        """Logs a fault of the node; what is no HTTP is the client's, and anybody could fill the log with it."""
        if isinstance(kw.get("exc_info"), HttpProcessingError):
            log.debug("a client does not speak HTTP: %s", kw["exc_info"])
        else:
            super().log_exception(*args, **kw)


class Server(web.Server):
    """Makes connections."""

    def __call__(self) -> Handler:
        return Handler(self, loop=self._loop, **self._kwargs)
