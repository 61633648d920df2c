"""beem 0.24.26 on a chain of any kind: it learns id, prefix and symbols from the node, except an
unusual prefix."""

from typing import Any

from beem import Steem
from beem.account import Account
from steps import KEYS, SETTINGS, quick

url, wif = SETTINGS["url"], KEYS["alice"]["active"]
if SETTINGS["prefix"] in ("STM", "TST"):
    steem = Steem(node=url, keys=[wif])
else:
    chain = {
        "chain_id": SETTINGS["chainId"],
        "prefix": SETTINGS["prefix"],
        "min_version": "0.0.0",
        "chain_assets": [
            {"asset": "@@000000013", "id": 0, "symbol": "SBD", "precision": 3},
            {"asset": "@@000000021", "id": 1, "symbol": "STEEM", "precision": 3},
            {"asset": "@@000000037", "id": 2, "symbol": "VESTS", "precision": 6},
        ],
    }
    steem = Steem(node=url, keys=[wif], custom_chains={"PLAUDIT": chain})


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
