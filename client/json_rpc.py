"""A JSON-RPC client over HTTP for one node, one request at a time."""

from __future__ import annotations

import http.client
import itertools
import json
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from client.defaults import TIMEOUT_SECONDS
from client.errors import NodeConfused, NodeRefused, NodeUnreachable, UsageError
from protocol.secrecy import has_private_key

ANSWER_BYTES_MAX = 64 * 1024 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class NodeClient:
    """A client of a node. Every error is a ClientError that describes what is wrong with the node or its response."""

    def __init__(self, url: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Raises UsageError for a URL other than http or https. Sends nothing yet."""
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"{url!r} is not the address of a node", "It looks like http://127.0.0.1:8090")
        self.url = url
        self.timeout_seconds = timeout_seconds
        self._ids = itertools.count(1)
        # Proxies from the environment are not used for local nodes.
        proxies = urllib.request.ProxyHandler({}) if parts.hostname in _LOOPBACK else urllib.request.ProxyHandler()
        self._opener = urllib.request.build_opener(proxies)

    def call(self, method: str, params: Any = ()) -> Any:
        """Returns the result of `api.method`. Raises NodeUnreachable, NodeConfused or NodeRefused.

        Raises UsageError instead of sending a private key (in a misplaced argument or a memo).
        """
        request_id = next(self._ids)
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": request_id})
        if has_private_key(body):
            raise UsageError(
                "what would be sent to the node has a private key in it", "Nothing was sent: see what stands where."
            )
        answer = self._read_answer(self._post(body.encode()))
        error = answer.get("error")
        if error is not None:
            if not isinstance(error, dict):
                raise self._confused("its error is not an object")
            code = error.get("code")
            raise NodeRefused(code if isinstance(code, int) else 0, str(error.get("message", "")), error.get("data"))
        if "result" not in answer or answer.get("id") != request_id:
            raise self._confused("the answer belongs to no request")
        return answer["result"]

    def _post(self, body: bytes) -> bytes:
        request = urllib.request.Request(self.url, data=body, headers={"Content-Type": "application/json"})
        try:
            with self._opener.open(request, timeout=self.timeout_seconds) as response:
                content: bytes = response.read(ANSWER_BYTES_MAX + 1)
        except urllib.error.HTTPError as error:
            content = error.read(ANSWER_BYTES_MAX + 1)
            if not content.lstrip().startswith(b"{"):
                raise self._confused(f"HTTP status {error.code} ({error.reason})") from None
        except TimeoutError as error:
            raise self._unreachable(f"no answer within {self.timeout_seconds:g} seconds") from error
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(_reason(error)) from error
        if len(content) > ANSWER_BYTES_MAX:
            raise self._confused(f"the answer has more than {ANSWER_BYTES_MAX} bytes")
        return content

    def _read_answer(self, content: bytes) -> dict[str, Any]:
        try:
            answer = json.loads(content)
        except (ValueError, RecursionError):
            raise self._confused("the answer is not JSON") from None
        if not isinstance(answer, dict):
            raise self._confused("the answer is not an object")
        return answer

    def _unreachable(self, reason: str) -> NodeUnreachable:
        return NodeUnreachable(
            f"the node at {self.url} cannot be reached: {reason}",
            "Start one with `plaudit dev`, or name another: --node URL, or the environment variable PLAUDIT_NODE.",
        )

    def _confused(self, reason: str) -> NodeConfused:
        return NodeConfused(f"{self.url} does not answer like a node: {reason}", "Check the address given by --node.")


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(cause) or type(cause).__name__
