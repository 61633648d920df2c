"""A disk that refuses writes while a chain goes on: nothing is lost, and the writes can be repeated."""

from pathlib import Path

from chain.chain import Chain
from protocol.config import ChainConfig
from protocol.keys import PrivateKey
from tests.state.test_leveldb import limited_file_size

KEY = PrivateKey.from_password("initminer", "active", "plaudit-dev")


def make_blocks(chain: Chain, count: int) -> None:
    for _ in range(count):
        chain.generate_block("initminer", KEY, chain.head_time + 3)


def test_blocks_are_kept_in_memory_until_the_disk_takes_them(tmp_path: Path) -> None:
    config = ChainConfig.preset("dev")
    chain = Chain.open(config, tmp_path)
    make_blocks(chain, 20)
    committed = chain.committed_number
    assert chain.write_problem is None
    with limited_file_size(2_000):
        make_blocks(chain, 30)
        assert chain.head_number == 50
        assert chain.write_problem is not None
        assert chain.committed_number - committed < 30
        assert chain.ctx.tables.accounts.find("alice") is not None
        for _ in range(2):
            try:
                chain.retry_writes()
            except Exception as error:
                kept = error  # A kept error keeps its frames; they must not hold buffers that the retry changes.
        assert kept is not None
    chain.retry_writes()
    assert chain.write_problem is None
    assert chain.committed_number == chain.irreversible_number == 50
    make_blocks(chain, 5)
    digest = chain.state_digest
    chain.close()
    again = Chain.open(config, tmp_path)
    assert (again.head_number, again.state_digest) == (55, digest)
    assert [again.get_block(number) is not None for number in (1, 21, 50, 55)] == [True] * 4
    again.close()
