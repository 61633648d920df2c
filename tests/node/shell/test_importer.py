"""Importing a block log: to a height, onwards, and from files that are damaged or of another chain."""

import itertools
import struct
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from chain.chain import Chain
from node.shell.block_file import BlockFile, BlockFileError, write_blocks
from node.shell.importer import ImportProblem, import_blocks
from node.shell.recovery import BATCH_SIGNATURES, RecoveryAhead, recover_batch
from protocol.block import Block
from protocol.config import ChainConfig
from protocol.errors import Invalid
from protocol.keys import PrivateKey, recover, sign_digest
from tests.vectors import recorded_path, vectors_path

LAST = 1297
CONFIG = ChainConfig.preset("testnet")


@pytest.fixture
def block_log() -> Path:
    return recorded_path("reference_chain_a", "block_log")


@pytest.fixture
def chain() -> Iterator[Chain]:
    opened = Chain.open(CONFIG)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def recovery() -> Iterator[RecoveryAhead]:
    with closing(RecoveryAhead(CONFIG.chain_id, processors=2)) as ahead:
        yield ahead


def read_packed(path: Path, chain: Chain, last: int) -> list[bytes]:
    with closing(BlockFile(path, chain.codec)) as file:
        return [block.packed for block in file.blocks(last)]


# The whole way


def test_the_reference_s_block_log_is_imported_in_two_steps(block_log: Path, tmp_path: Path) -> None:
    chain = Chain.open(CONFIG, tmp_path)
    with closing(RecoveryAhead(CONFIG.chain_id, processors=2)) as recovery:
        result = import_blocks(chain, block_log, until=500, recovery=recovery)
    assert (result.blocks, result.head_number, chain.head_number) == (500, 500, 500)
    chain.close()
    chain = Chain.open(CONFIG, tmp_path)
    assert chain.head_number == 500
    result = import_blocks(chain, block_log)
    assert (result.blocks, chain.head_number) == (LAST - 500, LAST)
    digest = chain.state_digest
    again = import_blocks(chain, block_log)
    assert (again.blocks, again.head_number) == (0, LAST)
    chain.close()
    straight = Chain.open(CONFIG)
    import_blocks(straight, block_log, skip_signatures=True)
    assert straight.state_digest == digest


def test_export_and_import_give_the_same_file_and_state(block_log: Path, tmp_path: Path, chain: Chain) -> None:
    import_blocks(chain, block_log, until=300, skip_signatures=True)
    exported = tmp_path / "blocks"
    size = write_blocks(exported, (chain.reader.get_packed_block(number) or b"" for number in range(1, 301)))
    assert exported.read_bytes() == block_log.read_bytes()[:size]
    other = Chain.open(CONFIG)
    import_blocks(other, exported)
    assert other.state_digest == chain.state_digest


def test_a_file_may_begin_behind_block_1(block_log: Path, tmp_path: Path, chain: Chain) -> None:
    packed = read_packed(block_log, chain, 60)
    part = tmp_path / "part"
    write_blocks(part, packed[30:])
    with pytest.raises(ImportProblem, match="begins with block 31, but the chain needs block 1"):
        import_blocks(chain, part)
    import_blocks(chain, block_log, until=40, skip_signatures=True)
    assert import_blocks(chain, part).blocks == 20


def test_a_head_behind_the_wanted_block_is_no_success(block_log: Path, chain: Chain) -> None:
    import_blocks(chain, block_log, until=30, skip_signatures=True)
    assert import_blocks(chain, block_log, until=30).blocks == 0
    with pytest.raises(ImportProblem, match="at block 30 already, behind block 29"):
        import_blocks(chain, block_log, until=29)


def test_an_import_can_be_stopped_between_blocks(block_log: Path, chain: Chain) -> None:
    calls = itertools.count(1)
    result = import_blocks(chain, block_log, skip_signatures=True, is_stopped=lambda: next(calls) == 25)
    assert result.is_stopped
    assert chain.head_number == 25


def test_a_file_that_ends_before_the_wanted_block_is_imported_and_named(
    block_log: Path, tmp_path: Path, chain: Chain
) -> None:
    short = tmp_path / "short"
    write_blocks(short, read_packed(block_log, chain, 50))
    with pytest.raises(ImportProblem, match="ends with block 50, before block 60"):
        import_blocks(chain, short, until=60)
    assert chain.head_number == 50


# Files that are not as they should be


@pytest.mark.parametrize("is_ahead", [False, True])
def test_blocks_before_a_torn_end_are_imported_and_kept(
    block_log: Path, tmp_path: Path, recovery: RecoveryAhead, is_ahead: bool
) -> None:
    chain = Chain.open(CONFIG, tmp_path / "data")
    packed = read_packed(block_log, chain, 90)
    torn = tmp_path / "torn"
    size = write_blocks(torn, packed)
    torn.write_bytes(torn.read_bytes()[: size - 20])
    with pytest.raises(ImportProblem, match=r"damaged at byte \d+, where block 90 begins.*The chain is at block 89"):
        import_blocks(chain, torn, recovery=recovery if is_ahead else None)
    chain.close()
    chain = Chain.open(CONFIG, tmp_path / "data")
    assert chain.head_number == 89
    assert import_blocks(chain, block_log, until=100).head_number == 100
    chain.close()


@pytest.mark.parametrize("is_ahead", [False, True])
def test_a_changed_byte_is_found_in_every_part_of_a_block(
    block_log: Path, tmp_path: Path, chain: Chain, recovery: RecoveryAhead, is_ahead: bool
) -> None:
    packed = read_packed(block_log, chain, 60)
    wanted = next(number for number in range(45, 60) if len(packed[number - 1]) > 300)
    for place in (5, 22, 30, 70, 130, 200, len(packed[wanted - 1]) - 3):
        damaged = bytearray(packed[wanted - 1])
        damaged[place] ^= 1
        path = tmp_path / "damaged"
        write_blocks(path, [*packed[: wanted - 1], bytes(damaged), *packed[wanted:]])
        fresh = Chain.open(CONFIG)
        with pytest.raises(ImportProblem, match=f"block {wanted}"):
            import_blocks(fresh, path, recovery=recovery if is_ahead else None)
        assert fresh.head_number == wanted - 1


@pytest.mark.parametrize("content", [b"no blocks", b"\0" * 500, b"\xff" * 500, b"\0" * 112 + struct.pack("<Q", 0)])
def test_a_file_without_blocks_is_refused(tmp_path: Path, chain: Chain, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ImportProblem):
        import_blocks(chain, path)
    assert chain.head_number == 0


def test_an_empty_or_absent_file_is_refused(tmp_path: Path, chain: Chain) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(ImportProblem, match="is empty"):
        import_blocks(chain, tmp_path / "empty")
    with pytest.raises(ImportProblem, match="No such file"):
        import_blocks(chain, tmp_path / "absent")


def test_another_chain_s_file_is_refused_and_changes_nothing(block_log: Path, chain: Chain) -> None:
    import_blocks(chain, block_log, until=20, skip_signatures=True)
    digest = chain.state_digest
    with pytest.raises(ImportProblem, match="of another chain"):
        import_blocks(chain, vectors_path("block_log_mainnet_1_1000.bin"))
    fresh = Chain.open(CONFIG)
    with pytest.raises(ImportProblem, match="block 1 is refused"):
        import_blocks(fresh, vectors_path("block_log_mainnet_1_1000.bin"))
    assert (chain.state_digest, fresh.head_number) == (digest, 0)


@pytest.mark.parametrize("name", ["block_log_mainnet_1_1000.bin", "block_log_hived_mirrornet_1000.bin"])
def test_files_of_other_chains_are_read(name: str, chain: Chain) -> None:
    with closing(BlockFile(vectors_path(name), chain.codec)) as file:
        numbers = [block.number for block in file.blocks(None)]
        assert numbers == list(range(1, 1001))
        assert file.is_at_end
    with closing(BlockFile(vectors_path(name), chain.codec)) as file:
        file.skip_to(700)
        assert [block.number for block in file.blocks(702)] == [700, 701, 702]


def test_an_offset_inside_a_block_does_not_end_the_record(tmp_path: Path, chain: Chain) -> None:
    block = Block.make(chain.codec, previous=bytes(20), timestamp=1, witness="w", witness_signature=bytes(65))
    second = Block.make(
        chain.codec,
        previous=block.id,
        timestamp=2,
        witness="w",
        witness_signature=bytes(30) + struct.pack("<Q", len(block.packed) + 8) + bytes(27),
    )
    write_blocks(tmp_path / "file", [block.packed, second.packed])
    with closing(BlockFile(tmp_path / "file", chain.codec)) as file:
        assert list(file.blocks(None)) == [block, second]
    with closing(BlockFile(tmp_path / "file", chain.codec)) as file:
        file.skip_to(9)
        assert file.is_at_end
        assert file.number == 2


def test_an_unfinished_export_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"block"
        raise BlockFileError("broken")

    with pytest.raises(BlockFileError):
        write_blocks(tmp_path / "file", broken())
    assert list(tmp_path.iterdir()) == []


# Recovery in a second process


def test_signers_recovered_ahead_are_those_recovered_here(block_log: Path, chain: Chain) -> None:
    with closing(BlockFile(block_log, chain.codec)) as file:
        blocks = list(file.blocks(400))
    plain = [Block.from_bytes(chain.codec, block.packed) for block in blocks]
    assert sum(1 + len(block.transactions) for block in blocks) > 2 * BATCH_SIGNATURES
    with closing(RecoveryAhead(CONFIG.chain_id, processors=2)) as recovery:
        prepared = list(recovery.prepare(blocks))
    assert prepared == plain
    for one, other in zip(prepared, plain, strict=True):
        assert one._signer is not None
        assert one.signer() == other.signer()
        for mine, theirs in zip(one.transactions, other.transactions, strict=True):
            assert mine._signers is not None
            assert mine.signers(CONFIG.chain_id) == theirs.signers(CONFIG.chain_id)


def test_what_cannot_be_recovered_is_left_to_the_check(chain: Chain) -> None:
    key = PrivateKey.from_seed("signer")
    digest = bytes(range(32))
    good, bad = sign_digest(digest, key), b"\xff" * 65
    assert recover_batch(digest + bad + digest + good) == bytes(33) + key.public_key
    block = Block.make(chain.codec, previous=bytes(20), timestamp=1, witness="w", witness_signature=bad)
    with closing(RecoveryAhead(CONFIG.chain_id, processors=2)) as recovery:
        (prepared,) = recovery.prepare([block])
    assert prepared._signer is None
    with pytest.raises(Invalid):
        recover(prepared.digest, prepared.witness_signature)


def test_a_lost_second_process_is_done_without(block_log: Path, chain: Chain) -> None:
    with closing(RecoveryAhead(CONFIG.chain_id, processors=2)) as recovery:
        assert recovery._process is not None
        process = recovery._process._process
        process.kill()
        process.join()
        assert import_blocks(chain, block_log, until=150, recovery=recovery).blocks == 150


def test_one_processor_is_enough(block_log: Path, chain: Chain) -> None:
    with closing(RecoveryAhead(CONFIG.chain_id, processors=1)) as recovery:
        assert import_blocks(chain, block_log, until=30, recovery=recovery).blocks == 30
