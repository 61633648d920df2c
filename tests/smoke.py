"""Starts `plaudit dev` as README says and sees it make blocks: `python -m tests.smoke [COMMAND]`.

It needs no test tools, so it shows that a fresh `make setup-run` is enough.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.request

SECONDS_MAX = 120
ADDRESS = re.compile(r"rpc=(http://\S+)")


def main(command: list[str]) -> int:
    """Runs the command until its head has advanced twice; returns the exit code."""
    with subprocess.Popen([*command, "dev", "--rpc", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True) as node:
        try:
            assert node.stderr is not None
            lines = iter(node.stderr.readline, "")
            address = next(found[1] for line in lines if (found := ADDRESS.search(line)))
            number = wait_for_blocks(address)
        finally:
            node.terminate()
            node.communicate(timeout=30)
    print(f"Python {sys.version.split()[0]}: plaudit dev made block {number} and stopped with {node.returncode}")
    return node.returncode


def wait_for_blocks(address: str) -> int:
    """Waits for two blocks more than there are; returns the head's number. Raises TimeoutError."""
    end = time.monotonic() + SECONDS_MAX
    first = head = get_head(address)
    while head < first + 2:
        if time.monotonic() > end:
            raise TimeoutError(f"the head is still block {head} after {SECONDS_MAX} seconds")
        time.sleep(0.2)
        head = get_head(address)
    return head


def get_head(address: str) -> int:
    """Asks a node for the number of its head block."""
    request = {"jsonrpc": "2.0", "method": "database_api.get_dynamic_global_properties", "id": 1}
    with urllib.request.urlopen(address, json.dumps(request).encode(), timeout=10) as answer:
        return int(json.load(answer)["result"]["head_block_number"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or [sys.executable, "-m", "node.cli"]))
