"""Chains on disk: closing, dying at any moment, losing what was not synced, torn files, rebuilt history."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from chain.chain import Chain
from chain.finality import Mode
from index.indexes import Indexes, open_chain
from operations.transfer import Transfer
from protocol.errors import BlockLogError
from state.engine.errors import CheckpointError, ForeignChain, NotAStore, StoreFull, StoreLocked
from state.engine.leveldb import LevelDBBackend
from tests.chains import FIRST, MINERS, NULL, TESTNET
from tests.harness import Harness, Told, config_with, steem

CONFIG = TESTNET


def start(path: Path) -> Harness:
    return Harness(CONFIG, path=path, first_block=False)


def grow(world: Harness, count: int) -> None:
    for number in range(count):
        world.push(Transfer(FIRST, NULL if number % 3 else MINERS, steem(number + 1), ""))
        world.generate_block()


def history_of(indexes: Indexes, name: str) -> list[tuple[int, str]]:
    entries = indexes.history.get_account_operations(name, 10**9, 10**6)
    return [(entry.sequence, repr(entry.operation)) for entry in entries]


def test_closing_and_opening_goes_on_exactly(tmp_path: Path) -> None:
    steady = Harness(first_block=False)
    for _ in range(4):
        world = start(tmp_path / "data")
        head = world.chain.head_number
        assert world.chain.state_digest == steady.chain.state_digest
        grow(world, 13)
        for number in range(head + 1, world.chain.head_number + 1):
            block = world.chain.reader.get_block(number)
            assert block is not None
            steady.chain.push_block(block)
        world.chain.close()
    world = start(tmp_path / "data")
    assert world.chain.head_number == 52
    assert world.chain.finality.committed_number == 31
    assert history_of(world.indexes, FIRST) == history_of(steady.indexes, FIRST)
    world.recount()
    world.chain.close()


@pytest.mark.parametrize("blocks", [1, 5, 21, 22, 23, 40, 57])
def test_a_copy_taken_while_running_opens_at_the_same_head(tmp_path: Path, blocks: int) -> None:
    world = start(tmp_path / "data")
    grow(world, blocks)
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    other = start(tmp_path / "copy")
    assert other.chain.head_id == world.chain.head_id
    assert other.chain.state_digest == world.chain.state_digest
    assert other.chain.finality.committed_number == world.chain.finality.committed_number
    assert history_of(other.indexes, FIRST) == history_of(world.indexes, FIRST)
    grow(other, 3)
    other.recount()
    other.chain.close()
    world.chain.close()


def test_losing_all_that_was_not_synced_loses_no_irreversible_block(tmp_path: Path) -> None:
    """The state database as it was at an earlier moment, with the block log of now: the log is ahead."""
    world = start(tmp_path / "data")
    grow(world, 30)
    shutil.copytree(tmp_path / "data", tmp_path / "old")
    grow(world, 30)
    digest, irreversible = world.chain.state_digest, world.chain.irreversible_number
    packed = [world.chain.reader.get_packed_block(number) for number in range(1, irreversible + 1)]
    blocks = [world.chain.reader.get_block(number) for number in range(irreversible + 1, 61)]
    world.chain.close()
    for name in ("block_log", "block_log.index"):
        shutil.copy(tmp_path / "data" / name, tmp_path / "old" / name)
    other = start(tmp_path / "old")
    assert other.chain.head_number >= irreversible
    assert [other.chain.reader.get_packed_block(number) for number in range(1, irreversible + 1)] == packed
    for block in blocks:
        assert block is not None
        other.chain.push_block(block)
    assert other.chain.state_digest == digest
    other.recount()
    other.chain.close()


def test_what_was_irreversible_is_so_after_a_power_failure_before_its_state_was_written(tmp_path: Path) -> None:
    world = start(tmp_path / "data")
    world.chain.enter(Mode.LIVE)
    grow(world, 30)
    shutil.copytree(tmp_path / "data", tmp_path / "old")
    grow(world, 30)
    final = world.chain.irreversible_number
    assert world.chain.finality.committed_number == 0 < final
    for name in ("block_log", "block_log.index"):
        shutil.copy(tmp_path / "data" / name, tmp_path / "old" / name)
    other = start(tmp_path / "old")
    counted = other.chain.ctx.gpo.last_irreversible_block_num
    assert counted < final, "the blocks that showed it are lost"
    assert other.chain.head_number == other.chain.irreversible_number == other.chain.finality.committed_number == final
    assert other.chain.head_id == world.chain.reader.get_block_id(final)
    with pytest.raises(CheckpointError):
        other.chain.undo_head()
    other.chain.close()
    world.chain.finality.try_commit()
    assert world.chain.finality.committed_number == final
    world.chain.close()


def test_a_disk_that_is_full_at_the_start_keeps_the_state_in_memory_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = start(tmp_path / "data")
    world.chain.enter(Mode.LIVE)
    grow(world, 30)
    shutil.copytree(tmp_path / "data", tmp_path / "copy")

    def refuse(*_: object) -> None:
        raise StoreFull("no room")

    with monkeypatch.context() as patch:
        patch.setattr(LevelDBBackend, "write", refuse)
        chain = Chain.open(CONFIG, tmp_path / "copy")
    assert isinstance(chain.finality.write_problem, StoreFull)
    assert (chain.head_id, chain.finality.committed_number) == (world.chain.head_id, 0)
    chain.finality.retry_writes()
    assert chain.finality.committed_number == chain.irreversible_number == world.chain.irreversible_number
    chain.close()
    world.chain.close()


def test_a_state_without_its_log_tail_is_mended_or_refused(tmp_path: Path) -> None:
    world = start(tmp_path / "data")
    grow(world, 50)
    digest = world.chain.state_digest
    shutil.copytree(tmp_path / "data", tmp_path / "torn")
    shutil.copytree(tmp_path / "data", tmp_path / "gone")
    world.chain.close()
    log = tmp_path / "torn" / "block_log"
    log.write_bytes(log.read_bytes()[:-5])
    other = start(tmp_path / "torn")
    assert other.chain.state_digest == digest
    assert other.chain.reader.get_block(29) is not None
    other.chain.close()
    log = tmp_path / "gone" / "block_log"
    log.write_bytes(log.read_bytes()[:2000])
    size = log.stat().st_size
    with pytest.raises(BlockLogError, match="Restore the block log"):
        start(tmp_path / "gone")
    assert log.stat().st_size <= size


def test_a_directory_with_only_a_block_log_is_replayed(tmp_path: Path) -> None:
    world = start(tmp_path / "data")
    grow(world, 45)
    world.chain.close()
    (tmp_path / "fresh").mkdir()
    shutil.copy(tmp_path / "data" / "block_log", tmp_path / "fresh" / "block_log")
    other = start(tmp_path / "fresh")
    assert other.chain.head_number == 24
    grow(other, 30)
    other.recount()
    other.chain.close()


def test_a_fork_switch_survives_a_restart(tmp_path: Path) -> None:
    world, other = start(tmp_path / "data"), Harness(first_block=False)
    grow(world, 25)
    for number in range(1, 24):
        block = world.chain.reader.get_block(number)
        assert block is not None
        other.chain.push_block(block)
    other.generate_block(skip_slots=5)
    other.generate_blocks(3)
    for number in range(24, 28):
        block = other.chain.reader.get_block(number)
        assert block is not None
        world.chain.push_block(block)
    assert world.chain.head_id == other.chain.head_id
    shutil.copytree(tmp_path / "data", tmp_path / "copy")
    world.chain.close()
    again = start(tmp_path / "copy")
    assert again.chain.head_id == other.chain.head_id
    assert again.chain.state_digest == other.chain.state_digest
    assert history_of(again.indexes, FIRST) == history_of(other.indexes, FIRST)
    again.chain.close()


def test_bulk_import_commits_in_groups_and_keeps_its_tail_on_closing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chain.finality.GROUP_BLOCKS", 10)
    source = Harness(first_block=False)
    grow(source, 60)
    chain = Chain.open(CONFIG, tmp_path / "data")
    chain.enter(Mode.BULK)
    for number in range(1, 61):
        block = source.chain.reader.get_block(number)
        assert block is not None
        chain.push_block(block)
    assert chain.finality.committed_number == 30
    shutil.copytree(tmp_path / "data", tmp_path / "died")
    chain.close()
    again = Chain.open(CONFIG, tmp_path / "data")
    assert again.head_number == 60 and again.finality.committed_number == 39
    assert again.state_digest == source.chain.state_digest
    again.close()
    died = Chain.open(CONFIG, tmp_path / "died")
    assert died.head_number == 30
    died.close()


def test_history_is_made_anew_when_it_is_missing(tmp_path: Path) -> None:
    world = Harness(CONFIG, path=tmp_path / "data", has_history=False, first_block=False)
    grow(world, 40)
    world.chain.close()
    steady = Harness(first_block=False)
    told = Told()
    again, indexes = open_chain(CONFIG, tmp_path / "data", progress=told)
    assert told.figures == [(again.finality.committed_number,) * 2]
    for number in range(1, 41):
        block = again.reader.get_block(number)
        assert block is not None
        steady.chain.push_block(block)
    for name in (FIRST, NULL, MINERS):
        assert history_of(indexes, name) == history_of(steady.indexes, name)
    indexes.rebuild()
    assert history_of(indexes, FIRST) == history_of(steady.indexes, FIRST)
    assert again.state_digest == steady.chain.state_digest
    again.close()


def test_wrong_directories_are_refused_unharmed(tmp_path: Path) -> None:
    first = Chain.open(CONFIG, tmp_path / "data")
    with pytest.raises(StoreLocked):
        Chain.open(CONFIG, tmp_path / "data")
    first.close()
    with pytest.raises(ForeignChain):
        Chain.open(config_with("dev"), tmp_path / "data")
    foreign = tmp_path / "foreign" / "state"
    foreign.mkdir(parents=True)
    (foreign / "letter.txt").write_text("mine")
    with pytest.raises(NotAStore):
        Chain.open(CONFIG, tmp_path / "foreign")
    assert (foreign / "letter.txt").read_text() == "mine"
    Chain.open(CONFIG, tmp_path / "data").close()


@pytest.mark.parametrize("part", ["previous", "witness_signature", "transaction"])
def test_a_damaged_record_of_the_block_log_is_never_served(tmp_path: Path, part: str) -> None:
    """The record's frame is whole, so only the ids and the merkle root show the damage."""
    world = start(tmp_path)
    grow(world, 40)
    assert world.chain.finality.committed_number > 11
    block = world.chain.reader.get_block(11)
    assert block is not None
    world.chain.close()
    wanted = {
        "previous": block.previous,
        "witness_signature": block.witness_signature,
        "transaction": block.transactions[0].packed,
    }[part]
    log = tmp_path / "block_log"
    data = bytearray(log.read_bytes())
    data[data.index(wanted) + len(wanted) // 2] ^= 1
    log.write_bytes(data)
    chain, indexes = open_chain(CONFIG, tmp_path)
    with pytest.raises(BlockLogError, match="record of block 11 in the block log is damaged"):
        chain.reader.get_block(11)
    with pytest.raises(BlockLogError):
        chain.reader.get_packed_block(11)
    for number in (9, 12, chain.finality.committed_number, chain.head_number):
        assert chain.reader.get_block(number) is not None
    history = history_of(indexes, FIRST)
    with pytest.raises(BlockLogError, match=r"block 1[01] "):  # With another `previous`, 10 is found first.
        indexes.rebuild()
    assert history_of(indexes, FIRST) == history
    chain.close()
    Chain.open(CONFIG, tmp_path).close()
    shutil.rmtree(tmp_path / "state")
    with pytest.raises(BlockLogError, match=r"block 1[01] "):
        Chain.open(CONFIG, tmp_path)
