"""lighthive 0.4.4 on a chain of any kind: it has the node serialize what it signs."""

from typing import Any

from lighthive.client import Client
from lighthive.datastructures import Operation
from steps import KEYS, SETTINGS, quick

client = Client(nodes=[SETTINGS["url"]], keys=[KEYS["alice"]["active"]], chain={"chain_id": SETTINGS["chainId"]})


def balance(name: str) -> Any:
    """What an account can spend."""
    return client.account(name).raw_data["balance"]


def send(amount: str) -> Any:
    """Sends tokens from alice to bob."""
    return client.broadcast(Operation("transfer", {"from": "alice", "to": "bob", "amount": amount, "memo": "quick"}))


if __name__ == "__main__":
    quick(balance, send)
