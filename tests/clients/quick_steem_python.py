"""steem-python 1.0.1, the first Python client; it knows STEEM chains only, and another chain id by a patch."""

from typing import Any

from steem import Steem
from steembase import chains
from steps import KEYS, SETTINGS, quick

if set(SETTINGS["chainId"]) != {"0"}:
    # docs: steem-python-id
    chains.known_chains["STEEM"]["chain_id"] = SETTINGS["chainId"]
    # end
# docs: steem-python
steem = Steem(nodes=[SETTINGS["url"]], keys=[KEYS["alice"]["active"]])
# end


def balance(name: str) -> Any:
    """What an account can spend."""
    return steem.get_account(name)["balance"]


def send(amount: str) -> Any:
    """Sends tokens from alice to bob."""
    value, symbol = amount.split(" ")
    return steem.commit.transfer("bob", float(value), symbol, "quick", account="alice")


if __name__ == "__main__":
    quick(balance, send)
