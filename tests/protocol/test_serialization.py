"""Transactions, blocks and versions there and back, as the reference's serialization_tests check them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from operations.content import Comment
from operations.transfer import Transfer
from operations.vote import Vote
from operations.witness import WitnessUpdate
from protocol.assets import STEEM, Asset
from protocol.block import Block
from protocol.codec import Codec
from protocol.errors import Invalid
from protocol.hardforks import hardfork_version, parse_version
from protocol.json_text import is_valid_json
from protocol.operation import Operation
from protocol.shapes import version_text
from protocol.times import time_text
from protocol.transaction import Transaction
from protocol.types import HardforkVersion, LegacyChainProperties, String, Vector, Version
from protocol.wire import pack_varint
from tests import chains
from tests.strategies import TESTNET, import_all_operations

import_all_operations()
CODEC = Codec(TESTNET)
CHAIN_ID = bytes(range(32))
TRANSFER = Transfer("alice", "bob", Asset(100, STEEM), "")
RULES = chains.TESTNET.rules


def make_transaction(*operations: Operation, **head: int) -> Transaction:
    return Transaction.make(
        CODEC,
        ref_block_num=head.get("ref_block_num", 0),
        ref_block_prefix=head.get("ref_block_prefix", 0),
        expiration=head.get("expiration", 0),
        operations=operations,
    )


def test_bytes_of_a_transaction() -> None:
    """Counterpart of serialization_raw_test."""
    transaction = make_transaction(TRANSFER)
    again = Transaction.from_bytes(CODEC, transaction.packed_signed)
    for op in again.operations:
        op.validate(RULES)
    assert again.operations == (TRANSFER,)
    assert again.digest(CHAIN_ID) == transaction.digest(CHAIN_ID)
    assert transaction.packed == bytes(10) + b"\x01\x02\x05alice\x03bob" + (100).to_bytes(8, "little") + (
        b"\x03TESTS\0\0" + b"\0" + b"\0"
    )


@pytest.mark.parametrize("legacy", [False, True])
def test_json_of_a_transaction(legacy: bool) -> None:
    """Counterpart of serialization_json_test."""
    assert CODEC.from_json(Asset, CODEC.to_json(Asset, TRANSFER.amount, legacy)) == TRANSFER.amount
    transaction = make_transaction(TRANSFER)
    text = json.dumps(transaction.to_json(CODEC, legacy))
    again = Transaction.from_json(CODEC, json.loads(text))
    for op in again.operations:
        op.validate(RULES)
    assert again.digest(CHAIN_ID) == transaction.digest(CHAIN_ID)


@pytest.mark.parametrize("text", ["10.6", "10.5", "[10.6, 10.5]"])
def test_numbers_with_a_fraction_are_json(text: str) -> None:
    """Counterpart of json_tests, whose parser is the one that metadata are checked with."""
    assert is_valid_json(text)


def test_versions() -> None:
    """Counterpart of version_test."""
    assert CODEC.to_json(Version, 1 << 24 | 2 << 16 | 3) == "1.2.3" == version_text(1 << 24 | 2 << 16 | 3)
    for text, number in (
        ("3.0.0", 3 << 24),
        ("0.0.0", 0),
        ("1.0.1", 1 << 24 | 1),
        ("1_0_1", 1 << 24 | 1),
        ("12.34.56", 12 << 24 | 34 << 16 | 56),
    ):
        assert CODEC.from_json(Version, text) == number
        assert CODEC.decode(Version, number.to_bytes(4, "little")) == number
        if "_" not in text:
            assert parse_version(text) == number


@pytest.mark.parametrize("text", ["256.0.0", "0.256.0", "0.0.65536", "1.0", "1.0.0.1"])
def test_versions_that_are_refused(text: str) -> None:
    """Counterpart of version_test, its errors."""
    with pytest.raises(Invalid):
        CODEC.from_json(Version, text)
    with pytest.raises(ValueError):
        parse_version(text)


def test_hardfork_versions() -> None:
    """Counterpart of hardfork_version_test: the release does not count."""
    assert CODEC.to_json(HardforkVersion, 1 << 24 | 2 << 16) == "1.2.0" == hardfork_version("1.2.7")
    for text, number in (
        ("3.0.0", 3 << 24),
        ("0.0.0", 0),
        ("1.0.0", 1 << 24),
        ("1_0_0", 1 << 24),
        ("12.34.00", 12 << 24 | 34 << 16),
        ("0.0.1", 0),
    ):
        assert CODEC.from_json(HardforkVersion, text) == number


@pytest.mark.parametrize("text", ["256.0.0", "0.256.0", "1.0", "1.0.0.1"])
def test_hardfork_versions_that_are_refused(text: str) -> None:
    """Counterpart of hardfork_version_test, its errors."""
    with pytest.raises(Invalid):
        CODEC.from_json(HardforkVersion, text)


def test_the_smallest_block() -> None:
    """Counterpart of min_block_size: a header with a name of three letters and no transactions."""
    block = Block.make(CODEC, previous=bytes(20), timestamp=0, witness="aaa")
    assert block.size == RULES.min_block_size_bytes == 115


def test_legacy_signed_transactions() -> None:
    """Counterpart of legacy_signed_transaction: an empty signature is one of zeros, and ids do not count them."""
    given = (
        '{"ref_block_num":4000,"ref_block_prefix":4000000000,"expiration":"2018-01-01T00:00:00","operations":[["vote",'
        '{"voter":"alice","author":"bob","permlink":"foobar","weight":10000}]],"extensions":[],"signatures":[""]}'
    )
    transaction = make_transaction(
        Vote("alice", "bob", "foobar", 10_000),
        ref_block_num=4_000,
        ref_block_prefix=4_000_000_000,
        expiration=1_514_764_800,
    )
    read = Transaction.from_json(CODEC, json.loads(given))
    assert read.id == transaction.id
    assert read.signatures == (bytes(65),)


def test_json_of_unions() -> None:
    """Counterpart of static_variant_json_test; the union is that of all operations, where transfer is number 2."""
    empty = Transfer("", "", Asset(0, STEEM), "")
    text = json.dumps(CODEC.operation_to_json(empty), separators=(",", ":"))
    assert text == (
        '{"type":"transfer_operation","value":{"from":"","to":"",'
        '"amount":{"amount":"0","precision":3,"nai":"@@000000021"},"memo":""}}'
    )
    body = {"from": "foo", "to": "bar", "amount": {"amount": "1000", "precision": 3, "nai": "@@000000021"}, "memo": ""}
    transfer = Transfer("foo", "bar", Asset(1_000, STEEM), "")
    for kind in ("transfer_operation", "transfer", 2):
        assert CODEC.operation_from_json({"type": kind, "value": body}) == transfer
    names = ("parent_author", "parent_permlink", "author", "permlink", "title", "body", "json_metadata")
    values = ("foo", "bar", "foo1", "bar1", "", "", "")
    comment = CODEC.operation_from_json({"type": 1, "value": dict(zip(names, values, strict=True))})
    assert comment == Comment(*values)
    with pytest.raises(Invalid, match="not_a_type"):
        CODEC.operation_from_json({"type": "not_a_type", "value": body})


def test_legacy_operations_with_the_properties_of_old_witnesses() -> None:
    """Counterpart of legacy_operation_test."""
    given = (
        '{"ref_block_num": 41047, "ref_block_prefix": 4089157749, "expiration": "2018-03-28T19:05:47", "operations": '
        '[["witness_update", {"owner": "test", "url": "foo", "block_signing_key": '
        '"TST1111111111111111111111111111111114T1Anm", "props": {"account_creation_fee": "0.500 TESTS", '
        '"maximum_block_size": 65536, "sbd_interest_rate": 0}, "fee": "0.000 TESTS"}]], "extensions": [], '
        '"signatures": ["1f1b2d47427a46513777ae9ed032b761b504423b18350e673beb991a1b52d2381c26c36368f9cc4a72c9de3cc16bca'
        '83b269c2ea1960e28647caf151e17c35bf3f"]}'
    )
    transaction = Transaction.from_json(CODEC, json.loads(given))
    (op,) = transaction.operations
    properties = LegacyChainProperties(Asset(500, STEEM), 65_536, 0)
    assert op == WitnessUpdate("test", "foo", bytes(33), properties, Asset(0, STEEM))
    assert time_text(transaction.expiration) == "2018-03-28T19:05:47"
    assert transaction.signatures[0][:2] == b"\x1f\x1b"
    assert Transaction.from_bytes(CODEC, transaction.packed_signed) == transaction


def make_votes(count: int, expiration: int, *votes: Vote, **head: int) -> list[Transaction]:
    return [make_transaction(*votes, expiration=expiration + number, **head) for number in range(count)]


def test_decoding_leaves_nothing_of_an_earlier_block() -> None:
    """Counterpart of unpack_clear_test."""
    votes = (Vote("alice", "bob", "permlink1", 10_000), Vote("charlie", "sam", "permlink2", 10_000))
    head = {"ref_block_num": 1_000, "ref_block_prefix": 1_000_000_000}
    first = make_votes(10, 1_514_764_800, *votes, **head)
    second = make_votes(20, 1_714_764_800, Vote("dave", "greg", "foobar", 5_000), ref_block_num=4_000)
    blocks = [
        Block.make(CODEC, previous=bytes(20), timestamp=0, witness="aaa", transactions=transactions)
        for transactions in (first, second)
    ]
    assert len(Block.from_bytes(CODEC, blocks[1].packed).transactions) == 20
    again = Block.from_bytes(CODEC, blocks[0].packed)
    assert len(again.transactions) == 10
    for number, transaction in enumerate(again.transactions):
        assert transaction.operations == votes
        assert (transaction.ref_block_num, transaction.ref_block_prefix) == (1_000, 1_000_000_000)
        assert transaction.expiration == 1_514_764_800 + number


@pytest.mark.parametrize("declared", [Vector[String], Vector[Vector[String]]])
def test_counts_without_members_are_refused_unallocated(declared: Any) -> None:
    """Counterpart of unpack_recursion_test: a hundred thousand levels that each promise half a million members.

    No type of this wire can hold itself (test_recursive_declarations_are_refused), so the levels are read as members.
    """
    data = (pack_varint(500_000) + b"\x05") * 100_000
    with pytest.raises(Invalid):
        CODEC.decode(declared, data)


def test_deeply_nested_json_is_refused() -> None:
    """The only values that nest without end are those in JSON texts."""
    for opening in ("[", '{"a":'):
        with pytest.raises(Invalid):
            is_valid_json(opening * 100_000)
