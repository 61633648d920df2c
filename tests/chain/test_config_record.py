"""A database remembers the config it was made with, and is not gone on with under another one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chain.chain import Chain
from chain.config_record import KEY
from protocol.config import ChainConfig
from state.engine.errors import ForeignChain, ForeignConfig, StoreCorrupt
from state.engine.leveldb import LevelDBBackend

CONFIG = ChainConfig.preset("dev")


def with_interval(seconds: int) -> ChainConfig:
    return CONFIG.model_copy(update={"rules": CONFIG.rules.replace(block_interval_seconds=seconds)})


def write_record(path: Path, value: bytes | None) -> None:
    backend = LevelDBBackend(path / "state")
    backend.write([(KEY, value)], sync=True)
    backend.close()


def test_other_rules_are_refused_by_name_and_change_nothing(tmp_path: Path) -> None:
    Chain.open(CONFIG, tmp_path).close()
    with pytest.raises(ForeignConfig, match=r"rules\.block_interval_seconds was 3, now it is 1$"):
        Chain.open(with_interval(1), tmp_path)
    Chain.open(CONFIG, tmp_path).close()


def test_another_genesis_is_refused(tmp_path: Path) -> None:
    Chain.open(CONFIG, tmp_path).close()
    genesis = CONFIG.genesis.model_copy(update={"reward_fund": 7})
    with pytest.raises(ForeignConfig, match=r"genesis.reward_fund was .*, now it is 7"):
        Chain.open(CONFIG.model_copy(update={"genesis": genesis}), tmp_path)


def test_the_name_of_a_chain_may_change(tmp_path: Path) -> None:
    Chain.open(CONFIG, tmp_path).close()
    named = CONFIG.chain.model_copy(update={"name": "other"})
    Chain.open(CONFIG.model_copy(update={"chain": named}), tmp_path).close()


def test_an_older_database_takes_the_config_it_is_opened_with(tmp_path: Path) -> None:
    Chain.open(CONFIG, tmp_path).close()
    write_record(tmp_path, None)
    Chain.open(CONFIG, tmp_path).close()
    with pytest.raises(ForeignConfig):
        Chain.open(with_interval(2), tmp_path)


def test_a_damaged_record_is_corruption(tmp_path: Path) -> None:
    Chain.open(CONFIG, tmp_path).close()
    for damaged in (b"", b"[1,", b"\xff"):
        write_record(tmp_path, damaged)
        with pytest.raises(StoreCorrupt):
            Chain.open(CONFIG, tmp_path)


def test_another_chain_id_is_named_first(tmp_path: Path) -> None:
    Chain.open(CONFIG, tmp_path).close()
    copy = shutil.copytree(tmp_path, tmp_path / "copy")
    with pytest.raises(ForeignChain, match="belongs to chain"):
        Chain.open(ChainConfig.preset("testnet"), copy)
