"""A disk that refuses writes while a chain goes on: nothing is lost, and they can be repeated. A disk that damages."""

from pathlib import Path

import pytest

from chain.chain import Chain
from protocol.config import ChainConfig
from protocol.keys import PrivateKey
from state.engine.errors import StoreCorrupt
from tests.state.test_leveldb import limited_file_size

KEY = PrivateKey.from_password("initminer", "active", "plaudit-dev")


def make_blocks(chain: Chain, count: int) -> None:
    for _ in range(count):
        chain.generate_block("initminer", KEY, chain.head_time + 3)


def test_blocks_are_kept_in_memory_until_the_disk_takes_them(tmp_path: Path) -> None:
    config = ChainConfig.preset("dev")
    chain = Chain.open(config, tmp_path)
    make_blocks(chain, 20)
    committed = chain.finality.committed_number
    assert chain.finality.write_problem is None
    with limited_file_size(2_000):
        make_blocks(chain, 30)
        assert chain.head_number == 50
        assert chain.finality.write_problem is not None
        assert chain.finality.committed_number - committed < 30
        assert chain.ctx.tables.accounts.find("alice") is not None
        for _ in range(2):
            try:
                chain.finality.retry_writes()
            except Exception as error:
                kept = error  # A kept error keeps its frames; they must not hold buffers that the retry changes.
        assert kept is not None
    chain.finality.retry_writes()
    assert chain.finality.write_problem is None
    assert chain.finality.committed_number == chain.irreversible_number == 50
    make_blocks(chain, 5)
    digest = chain.state_digest
    chain.close()
    again = Chain.open(config, tmp_path)
    assert (again.head_number, again.state_digest) == (55, digest)
    assert [again.reader.get_block(number) is not None for number in (1, 21, 50, 55)] == [True] * 4
    again.close()


def open_on_tables(path: Path) -> Chain:
    """A chain whose rows all lie in table files, and not in memory."""
    config = ChainConfig.preset("dev")
    chain = Chain.open(config, path)
    make_blocks(chain, 20)
    chain.close()
    Chain.open(config, path).close()  # Opening moves what is in the log into a table file.
    return Chain.open(config, path, cache_rows=1, cache_bytes=1)


def damage_tables(state: Path) -> None:
    """Overwrites bytes in every table file where it lies: the files are mapped into memory, so none is cut short."""
    for table in state.glob("*.ldb"):
        with table.open("r+b") as file:
            for place in range(64, table.stat().st_size - 64, 512):
                file.seek(place)
                file.write(b"damage")


def test_a_state_that_can_no_longer_be_read_is_known_as_such_and_left_alone(tmp_path: Path) -> None:
    chain = open_on_tables(tmp_path)
    assert chain.problem is None
    damage_tables(tmp_path / "state")
    with pytest.raises(StoreCorrupt) as first:
        list(chain.ctx.tables.accounts.scan())
    assert chain.problem is first.value
    with pytest.raises(StoreCorrupt):
        make_blocks(chain, 1)
    assert chain.problem is first.value
    kept = {file.name: file.read_bytes() for file in (tmp_path / "state").glob("*.log")}
    chain.close()
    assert {file.name: file.read_bytes() for file in (tmp_path / "state").glob("*.log")} == kept
