"""A data directory and a snapshot that an earlier version wrote open as they are, and the chain goes on.

Both were made of reference chain a by the last version whose rows were named tuples, packed by msgpack, and whose
indexes were described by their names alone.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from chain.chain import Chain
from node.shell.importer import import_blocks
from node.shell.snapshot_file import restore_snapshot
from protocol.config import ChainConfig
from state.engine.progress import QuietProgress
from state.tables.tables import Tables
from tests.vectors import RECORDED, recorded_path

CONFIG = ChainConfig.preset("testnet")
HEAD = 150
FINAL = 129
DIGESTS = {
    HEAD: "08f00db2b0e6e8c1bae47ba9368a82c23fa5e2d6aeeda345e143f80da4a7fc02",
    FINAL: "5159ce58c3df591a8d680959165c2048f4f300ab28defd1addfd2c62b6182f5f",
}
"""State digests that the earlier version gave."""


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    with tarfile.open(RECORDED / "earlier_version.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


def check_goes_on(chain: Chain) -> None:
    """The chain has all rows in all orders that a new one has, and still has them some blocks later."""
    log = recorded_path("reference_chain_a", "block_log")
    newest = Chain.open(CONFIG)
    import_blocks(newest, log, until=chain.head_number, skip_signatures=True)
    for height in (chain.head_number, 200):
        for one in (chain, newest):
            import_blocks(one, log, until=height, skip_signatures=True)
        assert chain.state_digest == newest.state_digest == chain.store.compute_digest_from_scratch()
        for spec in Tables.SPECS:
            table, other = getattr(chain.ctx.tables, spec.name), getattr(newest.ctx.tables, spec.name)
            assert list(table.scan()) == list(other.scan())
            for index in spec.indexes:
                assert list(table.index(index.name).scan()) == list(other.index(index.name).scan()), str(index)


def test_a_data_directory_of_an_earlier_version_opens(earlier: Path) -> None:
    chain = Chain.open(CONFIG, earlier / "data")
    assert (chain.head_number, chain.state_digest.hex()) == (HEAD, DIGESTS[HEAD])
    committed = chain.store.committed
    assert committed is not None and (committed.number, committed.digest.hex()) == (FINAL, DIGESTS[FINAL])
    check_goes_on(chain)
    chain.close()


def test_a_snapshot_of_an_earlier_version_is_restored(earlier: Path, tmp_path: Path) -> None:
    directory = tmp_path / "restored"
    restore_snapshot(earlier / "snapshot", CONFIG, directory, QuietProgress())
    chain = Chain.open(CONFIG, directory)
    assert (chain.head_number, chain.state_digest.hex()) == (FINAL, DIGESTS[FINAL])
    check_goes_on(chain)
    chain.close()
