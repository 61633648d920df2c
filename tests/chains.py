"""The chains that tests run on: the presets, or the same ones under other names, and perhaps with other windows.

`PLAUDIT_TEST_CHAIN=names` gives other names to all accounts that rules name, to funds, symbols, key prefix and chain
id; `PLAUDIT_TEST_CHAIN=other` makes every window longer as well. Tests take the names of these accounts from here.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Final

from protocol.config import ROLES, ChainConfig, PresetName
from protocol.identity import STEEM_MAINNET, ChainIdentity
from protocol.keys import PrivateKey, decode_public_key, encode_public_key
from protocol.rules import Rules

VARIABLE: Final = "PLAUDIT_TEST_CHAIN"
CHAINS: Final = ("preset", "names", "other")
CHAIN: Final = os.environ.get(VARIABLE) or CHAINS[0]
assert CHAIN in CHAINS, f"{VARIABLE} is one of {', '.join(CHAINS)}"
NAMES_DIFFER: Final = CHAIN != "preset"
WINDOWS_DIFFER: Final = CHAIN == "other"
UNFIT: Final = {"recorded": NAMES_DIFFER, "windows": WINDOWS_DIFFER}
"""The markers of tests that may not be able to pass, and whether they can not on these chains."""

_ROLES_OF_NAMES: Final = {
    "init_miner_name": "starter01",
    "miner_account": "digger",
    "null_account": "burn",
    "temp_account": "door",
    "treasury_account": "vault.pot",
    "seizure_account": "seizer",
    "post_reward_fund_name": "blog",
    "comment_reward_fund_name": "replies",
}
_SYMBOLS: Final = {"steem_symbol": "GOLD", "sbd_symbol": "CASH", "vests_symbol": "POWER"}
_PREFIX: Final = "OTH"
_CHAIN_ID: Final = "5a" * 32


def load_preset(name: PresetName) -> ChainConfig:
    """A preset, or the chain that stands for it."""
    config = ChainConfig.preset(name)
    return rename(config, longer_windows=WINDOWS_DIFFER) if NAMES_DIFFER else config


def rename(config: ChainConfig, longer_windows: bool = False) -> ChainConfig:
    """A chain with the figures of another, and none of its names: accounts, funds, symbols, key prefix, chain id."""
    data = config.model_dump()
    names = {data["rules"][role]: name for role, name in _ROLES_OF_NAMES.items()}
    data["rules"].update(_ROLES_OF_NAMES)
    if longer_windows:
        data["rules"].update(_lengthen_windows(config.rules))
    data["chain"].update(_SYMBOLS, name="other", address_prefix=_PREFIX, chain_id=_CHAIN_ID)
    genesis = data["genesis"]
    genesis["reserved_accounts"] = tuple(names.get(name, name) for name in genesis["reserved_accounts"])
    keys: dict[str, str] = {}
    for account in genesis["accounts"]:
        account["name"] = names.get(account["name"], account["name"])
        for role in ROLES:
            if account[f"{role}_key"]:
                account[f"{role}_key"] = _rename_key(account, role, config.chain.address_prefix, keys)
    for witness in genesis["witnesses"]:
        witness["owner"] = names.get(witness["owner"], witness["owner"])
        witness["signing_key"] = keys[witness["signing_key"]]
    return ChainConfig.model_validate(data)


def _lengthen_windows(rules: Rules) -> dict[str, int]:
    """Every window of a chain made longer by a quarter, and at least by one block."""
    block = rules.block_interval_seconds
    windows = {name: int(getattr(rules, name)) for name in Rules.model_fields if name.endswith("_seconds")}
    del windows["block_interval_seconds"]
    return {name: value + max(value // 4 // block, 1) * block for name, value in windows.items() if value}


def _rename_key(account: dict[str, Any], role: str, prefix: str, keys: dict[str, str]) -> str:
    """The text of a key under the other prefix; that of a password follows the account's name. `keys` notes it."""
    text = account[f"{role}_key"]
    key = decode_public_key(text, prefix)
    if account["password"]:
        key = PrivateKey.from_password(account["name"], role, account["password"]).public_key
    keys[text] = encode_public_key(key, _PREFIX)
    return keys[text]


TESTNET: Final = load_preset("testnet")
MAINNET: Final[ChainIdentity] = replace(TESTNET.identity, chain_id=bytes(32)) if NAMES_DIFFER else STEEM_MAINNET
"""An identity for tests of bytes and JSON alone."""

FIRST: Final = TESTNET.rules.init_miner_name
"""The account with the money of the genesis, and the first witness."""
MINERS: Final = TESTNET.rules.miner_account
NULL: Final = TESTNET.rules.null_account
TEMP: Final = TESTNET.rules.temp_account
TREASURY: Final = TESTNET.rules.treasury_account
POST_FUND: Final = TESTNET.rules.post_reward_fund_name
