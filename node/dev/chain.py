"""The development chain of `plaudit dev`: its config, its public keys, and the banner."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from client.defaults import NODE_DEFAULT
from node.core import NodeSettings
from node.failures import EXIT_USAGE, CommandError
from protocol.config import ChainConfig
from protocol.keys import PrivateKey

ACCOUNTS_SHOWN: Final = 10


def load_dev_config(path: Path | None, block_time: int | None) -> ChainConfig:
    """Returns preset dev or a file's chain, with blocks every `block_time` seconds if given.

    Raises ChainConfigError and CommandError.
    """
    config = ChainConfig.preset("dev") if path is None else ChainConfig.load(path)
    if not any(True for _ in config.development_keys()):
        raise CommandError(
            f"{path}: a development chain needs genesis accounts with a `password`, from which their keys come. "
            "Add one, or run the chain with `plaudit node`.",
            EXIT_USAGE,
        )
    if block_time is not None:
        rules = config.rules.replace(block_interval_seconds=block_time)
        config = config.model_copy(update={"rules": rules})
    return config


def dev_settings(config: ChainConfig, automine: bool) -> NodeSettings:
    """Returns settings to produce for every genesis witness whose key is known. Raises CommandError if there is
    none."""
    keys: dict[bytes, PrivateKey] = {key.public_key: key for _, _, key in config.development_keys()}
    witnesses = tuple(
        witness.owner for witness in config.genesis.witnesses if config.public_key(witness.signing_key) in keys
    )
    if not witnesses:
        raise CommandError(
            "No genesis witness has a signing key that belongs to the password of a genesis account, so nobody could "
            "make a block. Use such a key as `signing_key`.",
            EXIT_USAGE,
        )
    return NodeSettings(witnesses, keys, automine=automine, mine_at_start=True)


def render_banner(config: ChainConfig, url: str, where: str, automine: bool) -> str:
    """Returns what `plaudit dev` prints once it runs."""
    rows: list[tuple[str, str, str]] = []
    found: dict[str, dict[str, str]] = {}
    for account, role, key in config.development_keys():
        found.setdefault(account.name, {})[role] = key.to_wif()
    witnesses = {witness.owner for witness in config.genesis.witnesses}
    users = [name for name in found if name not in witnesses] or list(found)
    rows = [(name, found[name]["active"], found[name]["posting"]) for name in users[:ACCOUNTS_SHOWN]]
    width = max(len("account"), *(len(name) for name, _, _ in rows))
    pace = "a block for each transaction" if automine else f"a block every {config.rules.block_interval_seconds} s"
    lines = [
        "",
        f"Plaudit development chain `{config.chain.name}`: {pace}, {where}.",
        "These keys are public: use them for nothing of value.",
        "",
        f"  {'account':<{width}}  {'active key':<51}  posting key",
        *(f"  {name:<{width}}  {active:<51}  {posting}" for name, active, posting in rows),
        "",
        f"  JSON-RPC  {url}",
        "",
        "Try next:",
        f"""  curl -s {url} -d '{{"jsonrpc":"2.0","method":"condenser_api.get_dynamic_global_properties",\
"params":[],"id":1}}'""",
        *_wallet_lines(rows, url, config),
        *_dev_lines(url),
        "",
        "Stop with Ctrl-C.",
        "",
    ]
    return "\n".join(lines)


def _wallet_lines(rows: list[tuple[str, str, str]], url: str, config: ChainConfig) -> list[str]:
    lines = [] if url == NODE_DEFAULT else [f"  export PLAUDIT_NODE={url}"]
    sender = rows[0][0]
    receiver = rows[-1][0] if len(rows) == 1 else rows[1][0]
    password = next(account.password for account in config.genesis.accounts if account.name == sender)
    return [
        *lines,
        f"  plaudit wallet balance {sender}",
        f"  plaudit wallet init && plaudit wallet keys password {sender}    # the password of {sender} is {password}",
        f'  plaudit wallet transfer {sender} {receiver} "1.000 {config.chain.steem_symbol}"',
    ]


def _dev_lines(url: str) -> list[str]:
    return [
        f"""  curl -s {url} -d '{{"jsonrpc":"2.0","method":"dev_api.advance_time",\
"params":{{"seconds":604800}},"id":1}}'    # a week passes: payouts are due""",
    ]
