"""aiohttp's side of a connection: the only module that uses aiohttp's internals, and the handling of its errors."""

from __future__ import annotations

import logging
from typing import Any, Final

from aiohttp import web
from aiohttp.http import HttpProcessingError

from rpc.errors import cut_trace

log = logging.getLogger("plaudit.rpc")

SERVER: Final = "plaudit"
"""The header Server, without a version, which would only help attackers."""


class Handler(web.RequestHandler):
    """aiohttp's request handler, with a Server header without version also in aiohttp's own error responses."""

    __slots__ = ()

    @property
    def has_request(self) -> bool:
        """Whether a parsed request waits to be handled. A test checks that aiohttp's attribute still means this."""
        return bool(self._messages)

    def data_received(self, data: bytes) -> None:
        """Parses bytes. Drops the traceback of an HTTP parse error, which would keep this frame alive."""
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
        """Logs an internal error. Invalid HTTP is not logged, as any client could flood the log with it."""
        if isinstance(kw.get("exc_info"), HttpProcessingError):
            log.debug("a client does not speak HTTP: %s", kw["exc_info"])
        else:
            super().log_exception(*args, **kw)


class Server(web.Server):
    """Creates connections."""

    def __call__(self) -> Handler:
        return Handler(self, loop=self._loop, **self._kwargs)
