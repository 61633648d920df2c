"""beem 0.24.26 on a chain of any kind: it learns id, prefix and symbols from the node."""

from typing import Any

from beem import Steem
from beem.account import Account
from steps import KEYS, SETTINGS, quick

steem = Steem(node=SETTINGS["url"], keys=[KEYS["alice"]["active"]])


def account(name: str) -> Account:
    """An account as it is now."""
    return Account(name, blockchain_instance=steem)


def balance(name: str) -> Any:
    """What an account can spend."""
    return account(name).balances["available"][0]


def send(amount: str) -> Any:
    """Sends tokens from alice to bob."""
    value, symbol = amount.split(" ")
    return account("alice").transfer("bob", float(value), symbol, "quick")


if __name__ == "__main__":
    quick(balance, send)
