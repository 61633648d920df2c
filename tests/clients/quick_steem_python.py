"""steem-python 1.0.1, the first Python client; it knows chains with STEEM only, and another id or prefix
by a patch."""

from typing import Any

from steem import Steem
from steembase import chains
from steps import KEYS, SETTINGS, quick

chains.known_chains["STEEM"].update(chain_id=SETTINGS["chainId"], prefix=SETTINGS["prefix"])
steem = Steem(nodes=[SETTINGS["url"]], keys=[KEYS["alice"]["active"]])


def balance(name: str) -> Any:
    """What an account can spend."""
    return steem.get_account(name)["balance"]


def send(amount: str) -> Any:
    """Sends tokens from alice to bob."""
    value, symbol = amount.split(" ")
    return steem.commit.transfer("bob", float(value), symbol, "quick", account="alice")


if __name__ == "__main__":
    quick(balance, send)
