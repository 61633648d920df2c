"""The block log: the reference's format, torn tails, lost indexes."""

from __future__ import annotations

from pathlib import Path
from struct import pack, unpack

import pytest

from chain.block_log import BlockLog, MemoryBlockLog
from protocol.errors import BlockLogError, Invalid
from tests.vectors import recorded_path

MARK = b"block"


def record(number: int) -> bytes:
    return MARK + number.to_bytes(4, "big") + bytes([number & 0xFF]) * (number % 7 * 5)


def read_number(packed: bytes) -> int:
    number = int.from_bytes(packed[5:9], "big")
    if packed != record(number):
        raise Invalid("", "not a block")
    return number


def open_log(path: Path) -> BlockLog:
    return BlockLog(path, read_number)


def fill(path: Path, count: int) -> None:
    log = open_log(path)
    for number in range(1, count + 1):
        log.append(number, record(number))
    log.close()


def contents(log: BlockLog) -> list[tuple[int, bytes]]:
    return list(log.records())


def expected(count: int) -> list[tuple[int, bytes]]:
    return [(number, record(number)) for number in range(1, count + 1)]


def test_format_is_packed_block_then_its_offset(tmp_path: Path) -> None:
    fill(tmp_path, 3)
    data, offsets = b"", []
    for number in (1, 2, 3):
        offsets.append(len(data))
        data += record(number) + pack("<Q", offsets[-1])
    assert (tmp_path / "block_log").read_bytes() == data
    assert list(unpack("<3Q", (tmp_path / "block_log.index").read_bytes())) == offsets


def test_blocks_are_read_by_number_before_and_after_reopening(tmp_path: Path) -> None:
    log = open_log(tmp_path)
    log.append(1, record(1))
    assert log.read(1) == record(1)
    log.append(2, record(2))
    log.sync()
    assert log.read(2) == record(2)
    assert log.read(0) is None and log.read(3) is None
    log.close()
    again = open_log(tmp_path)
    assert contents(again) == expected(2)
    again.append(3, record(3))
    assert contents(again) == expected(3)
    again.close()


def test_appending_out_of_order_is_refused(tmp_path: Path) -> None:
    for log in (open_log(tmp_path), MemoryBlockLog()):
        log.append(1, record(1))
        with pytest.raises(BlockLogError):
            log.append(3, record(3))
        with pytest.raises(BlockLogError):
            log.append(1, record(1))
        log.close()


def test_a_tail_torn_at_any_byte_is_cut_to_whole_records(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    log_file, index_file = tmp_path / "block_log", tmp_path / "block_log.index"
    whole, index = log_file.read_bytes(), index_file.read_bytes()
    ends = [*unpack("<5Q", index), len(whole)]
    for size in range(ends[3], len(whole) + 1):
        for index_size in (24, 28, 32, 39, 40):
            log_file.write_bytes(whole[:size])
            index_file.write_bytes(index[:index_size])
            log = open_log(tmp_path)
            count = max(number for number in range(6) if ends[number] <= size)
            assert contents(log) == expected(count), (size, index_size)
            log.append(count + 1, record(count + 1))
            log.close()
            again = open_log(tmp_path)
            assert contents(again) == expected(count + 1)
            again.close()


def test_garbage_behind_the_last_record_is_cut(tmp_path: Path) -> None:
    fill(tmp_path, 4)
    for tail in (b"\x00" * 50, b"\xff" * 8, record(9)[:6], MARK * 9):
        with (tmp_path / "block_log").open("ab") as file:
            file.write(tail)
        log = open_log(tmp_path)
        assert contents(log) == expected(4)
        log.close()


def test_a_lost_or_wrong_index_is_made_anew(tmp_path: Path) -> None:
    fill(tmp_path, 30)
    index_file = tmp_path / "block_log.index"
    good = index_file.read_bytes()
    for bad in (b"", good[:80], good + bytes(16), bytes(len(good)), good[8:]):
        index_file.write_bytes(bad)
        log = open_log(tmp_path)
        assert contents(log) == expected(30)
        log.close()
        assert index_file.read_bytes() == good


def test_a_file_that_is_no_block_log_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "block_log").write_bytes(b"something else entirely, longer than a record")
    with pytest.raises(BlockLogError):
        open_log(tmp_path)
    assert (tmp_path / "block_log").read_bytes() == b"something else entirely, longer than a record"


def test_a_foreign_file_beside_a_good_index_is_refused_and_left_alone(tmp_path: Path) -> None:
    fill(tmp_path, 5)
    foreign = bytes(range(1, 200))
    (tmp_path / "block_log").write_bytes(foreign)
    with pytest.raises(BlockLogError):
        open_log(tmp_path)
    assert (tmp_path / "block_log").read_bytes() == foreign


def test_a_torn_first_record_is_cut(tmp_path: Path) -> None:
    block_one = bytes(20) + b"the id of no block, then the rest of block 1"
    for size in range(1, len(block_one)):
        (tmp_path / "block_log").write_bytes(block_one[:size])
        (tmp_path / "block_log.index").write_bytes(bytes(8))
        log = open_log(tmp_path)
        assert log.head_number == 0
        log.append(1, record(1))
        log.close()


def test_truncate_forgets_blocks(tmp_path: Path) -> None:
    fill(tmp_path, 9)
    log = open_log(tmp_path)
    log.truncate(4)
    assert contents(log) == expected(4)
    log.append(5, record(5))
    log.truncate(0)
    assert log.head_number == 0
    log.close()
    assert (tmp_path / "block_log").stat().st_size == 0


def test_a_log_of_the_reference_is_read_and_written_alike(tmp_path: Path) -> None:
    data = recorded_path("reference_chain_a", "block_log").read_bytes()
    (tmp_path / "block_log").write_bytes(data)
    log = BlockLog(tmp_path, lambda packed: int.from_bytes(packed[:4], "big") + 1)
    assert log.head_number == 1297
    copy = tmp_path / "copy"
    copy.mkdir()
    other = BlockLog(copy, lambda packed: int.from_bytes(packed[:4], "big") + 1)
    for number, packed in log.records():
        other.append(number, packed)
    log.close()
    other.close()
    assert (copy / "block_log").read_bytes() == data


# Logs that begin with a later block than 1


def fill_from(path: Path, first: int, last: int) -> None:
    log = open_log(path)
    log.begin_at(first)
    for number in range(first, last + 1):
        log.append(number, record(number))
    log.close()


def expected_from(first: int, last: int) -> list[tuple[int, bytes]]:
    return [(number, record(number)) for number in range(first, last + 1)]


def test_a_log_that_begins_later_says_so_itself(tmp_path: Path) -> None:
    fill_from(tmp_path, 1000, 1004)
    assert unpack("<5Q", (tmp_path / "block_log.index").read_bytes())[0] == 0
    assert (tmp_path / "block_log").read_bytes().startswith(record(1000) + pack("<Q", 0))
    log = open_log(tmp_path)
    assert (log.first_number, log.head_number) == (1000, 1004)
    assert contents(log) == expected_from(1000, 1004)
    assert [log.read(number) for number in (0, 1, 5, 999, 1005)] == [None] * 5
    assert list(log.records(1003)) == expected_from(1003, 1004)
    with pytest.raises(BlockLogError):
        log.append(6, record(6))
    log.append(1005, record(1005))
    assert contents(log) == expected_from(1000, 1005)
    log.close()


def test_logs_in_memory_and_on_disk_begin_later_alike(tmp_path: Path) -> None:
    for log in (open_log(tmp_path), MemoryBlockLog()):
        assert (log.first_number, log.head_number) == (1, 0)
        log.begin_at(30)
        assert (log.first_number, log.head_number) == (30, 0)
        with pytest.raises(BlockLogError):
            log.append(1, record(1))
        for number in range(30, 36):
            log.append(number, record(number))
        with pytest.raises(BlockLogError, match="has blocks"):
            log.begin_at(40)
        log.truncate(33)
        assert (log.first_number, log.head_number) == (30, 33)
        assert [log.read(number) for number in (29, 30, 33, 34)] == [None, record(30), record(33), None]
        log.append(34, record(34))
        log.truncate(12)
        assert (log.first_number, log.head_number, log.read(30)) == (30, 0, None)
        log.append(30, record(30))
        assert log.read(30) == record(30)
        log.close()


@pytest.mark.parametrize("index_size", [0, 8, 12, 24, 39, 40])
def test_a_tail_torn_at_any_byte_of_a_log_that_begins_later(tmp_path: Path, index_size: int) -> None:
    fill_from(tmp_path, 777, 781)
    log_file, index_file = tmp_path / "block_log", tmp_path / "block_log.index"
    whole, index = log_file.read_bytes(), index_file.read_bytes()
    ends = [*unpack("<5Q", index), len(whole)]
    for size in range(ends[1], len(whole) + 1):
        log_file.write_bytes(whole[:size])
        index_file.write_bytes(index[:index_size])
        log = open_log(tmp_path)
        last = max(776 + number for number in range(6) if ends[number] <= size)
        assert (log.first_number, contents(log)) == (777, expected_from(777, last)), size
        log.append(last + 1, record(last + 1))
        log.close()
        again = open_log(tmp_path)
        assert contents(again) == expected_from(777, last + 1)
        again.close()


def test_a_wrong_index_of_a_log_that_begins_later_is_made_anew(tmp_path: Path) -> None:
    fill_from(tmp_path, 500, 529)
    index_file = tmp_path / "block_log.index"
    good = index_file.read_bytes()
    for bad in (b"", good[:8], good[:80], good + bytes(16), bytes(len(good)), good[8:], b"\xff" * len(good)):
        index_file.write_bytes(bad)
        log = open_log(tmp_path)
        assert contents(log) == expected_from(500, 529)
        log.close()
        assert index_file.read_bytes() == good


def test_a_torn_first_record_is_known_by_the_block_it_should_be(tmp_path: Path) -> None:
    log_file, index_file = tmp_path / "block_log", tmp_path / "block_log.index"
    whole = record(90) + pack("<Q", 0)
    for size in range(1, len(whole)):
        for index in (b"", bytes(8)):
            log_file.write_bytes(whole[:size])
            index_file.write_bytes(index)
            log = BlockLog(tmp_path, read_number, record(90))
            assert log.head_number == 0
            log.begin_at(90)
            log.append(90, record(90))
            log.close()
            assert log_file.read_bytes() == whole
    for foreign in (whole[:9] + b"x", b"foreign", whole[:-1] + b"x" * 30):
        log_file.write_bytes(foreign)
        index_file.write_bytes(b"")
        with pytest.raises(BlockLogError):
            BlockLog(tmp_path, read_number, record(90))
        assert log_file.read_bytes() == foreign


def test_records_with_a_gap_are_refused(tmp_path: Path) -> None:
    data = record(5) + pack("<Q", 0)
    data += record(7) + pack("<Q", len(data))
    (tmp_path / "block_log").write_bytes(data)
    with pytest.raises(BlockLogError, match="does not hold block after block"):
        open_log(tmp_path)


def test_the_first_bytes_of_many_blocks_are_read_at_once(tmp_path: Path) -> None:
    log, memory = open_log(tmp_path), MemoryBlockLog()
    for store in (log, memory):
        store.begin_at(5)
        for number in range(5, 105):
            store.append(number, record(number))
        for first, last in ((5, 104), (5, 5), (104, 104), (50, 60)):
            expected_starts = [record(number)[:3] for number in range(first, last + 1)]
            assert store.read_starts(first, last, 3) == expected_starts
        assert store.read_starts(104, 120, 3) == [record(104)[:3]]
        assert store.read_starts(60, 59, 3) == store.read_starts(105, 110, 3) == []
    log.close()
