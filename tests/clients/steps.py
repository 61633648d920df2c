"""What the flows of the Python clients share: the settings the test hands over, and one line of JSON for each step.

The flows run in the clients' own environment: nothing of the node can be imported here.
"""

import json
import sys
import time
import urllib.request
from collections.abc import Callable
from typing import Any, TypeVar

SETTINGS: dict[str, Any] = json.loads(sys.argv[1])
KEYS: dict[str, dict[str, str]] = SETTINGS["keys"]
PATIENCE_SECONDS = 20.0
T = TypeVar("T")


def step(name: str, action: Callable[[], Any]) -> Any:
    """Runs one step; what it returns, or the error that the client raises, is the step's outcome."""
    value = None
    try:
        value = action()
        line = {"step": name, "value": value}
    except Exception as error:
        line = {"step": name, "error": {"type": type(error).__name__, "message": str(error), "text": repr(error)}}
    print(json.dumps(line, default=str), flush=True)
    return value


def dev(method: str, params: dict[str, Any]) -> Any:
    """Calls the node's own development commands; no client has a function for them."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": f"dev_api.{method}", "params": params}).encode()
    with urllib.request.urlopen(SETTINGS["url"], body, timeout=60) as answer:
        return json.loads(answer.read())["result"]


def until(get: Callable[[], T]) -> T:
    """Waits until `get` gives something true, and returns it. Raises TimeoutError."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if value := get():
            return value
        time.sleep(0.1)
    raise TimeoutError("it did not happen in time")


def thousandths(asset: Any) -> int:
    """An amount of a token in thousandths; takes "1.000 STEEM" and anything printed so."""
    return round(float(str(asset).split(" ", maxsplit=1)[0]) * 1000)


def quick(balance: Callable[[str], Any], send: Callable[[str], Any]) -> None:
    """The steps of a short flow: reads a balance and sends a transfer of the amount given."""
    amount = f"1.000 {SETTINGS['symbol']}"
    before = step("balance", lambda: str(balance("bob")))

    def transfer() -> int:
        send(amount)
        return until(lambda: thousandths(balance("bob")) - thousandths(before))

    step("transfer", transfer)
