"""A made-up node for tests: an HTTP server that gives prepared answers and keeps the requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], bytes]


class FakeNode:
    """What the server answers, changeable while it runs."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.status = 200
        self.requests: list[dict[str, Any]] = []
        self.answer: Answer = answer_result({})


def answer_result(result: Any) -> Answer:
    """Answers every request with this result."""
    return lambda request: json.dumps({"jsonrpc": "2.0", "result": result, "id": request["id"]}).encode()


def answer_error(code: int, message: str, data: Any = None) -> Answer:
    """Answers every request with this error."""
    error = {"code": code, "message": message, "data": data}
    return lambda request: json.dumps({"jsonrpc": "2.0", "error": error, "id": request["id"]}).encode()


@contextmanager
def fake_node() -> Iterator[FakeNode]:
    """Yields a server that runs until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            node.requests.append(request)
            body = node.answer(request)
            self.send_response(node.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Keeps quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    node = FakeNode(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield node
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
