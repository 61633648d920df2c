"""Blocks: ids, merkle roots, witness keys, and the block logs that real nodes wrote."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from protocol.actions import ExampleRequiredAction
from protocol.block import Block, SignedBlockFields, block_number, merkle_root
from protocol.block_header import OptionalActions, RequiredActions, SignedBlockHeader, VersionReport
from protocol.codec import Codec
from protocol.errors import Invalid
from protocol.hashes import ripemd160
from protocol.identity import STEEM_MAINNET
from protocol.transaction import Transaction
from protocol.types import HardforkVersionVote, Void
from tests.strategies import TESTNET, import_all_operations
from tests.vectors import read_block_log, read_jsonl, recorded_path, vectors_path

import_all_operations()
CODEC = Codec(STEEM_MAINNET)


def test_blocks_of_the_main_network() -> None:
    records = read_jsonl(vectors_path("blocks.jsonl"))
    assert len(records) == 2101
    for record in records:
        given = record["block"]
        is_whole = not record["header_only"]
        block = Block.from_json(CODEC, given if is_whole else given | {"transactions": []})
        assert block.number == record["block_num"] == block_number(block.id)
        assert block.id.hex() == given["block_id"]
        assert CODEC.book.key.show(block.signer()) == given["signing_key"]
        again = Block.from_bytes(CODEC, block.packed)
        assert again.packed == block.packed and again.id == block.id and again.transactions == block.transactions
        assert CODEC.decode(SignedBlockHeader, block.packed_header + block.witness_signature) == block.header
        assert Block.from_json(CODEC, block.to_json(CODEC)) == block
        if is_whole:
            assert block.merkle_root() == block.transaction_merkle_root
            assert [identity.hex() for identity in block.transaction_ids] == given["transaction_ids"]
            shown = block.to_json(CODEC, legacy=True)
            for name in ("block_id", "signing_key", "transaction_ids", "extensions", "witness", "timestamp"):
                assert shown[name] == given[name]
            assert [transaction["transaction_id"] for transaction in shown["transactions"]] == given["transaction_ids"]
            assert [transaction["transaction_num"] for transaction in shown["transactions"]] == list(
                range(len(given["transactions"]))
            )


@pytest.mark.parametrize(
    ("find", "parts", "codec"),
    [
        (vectors_path, ("block_log_mainnet_1_1000.bin",), CODEC),
        (vectors_path, ("block_log_hived_mirrornet_1000.bin",), CODEC),
        (recorded_path, ("reference_chain_a", "block_log"), Codec(TESTNET)),
        (recorded_path, ("reference_chain_b", "block_log"), Codec(TESTNET)),
    ],
)
def test_block_logs_come_back_to_the_same_bytes(
    find: Callable[..., Path], parts: tuple[str, ...], codec: Codec
) -> None:
    previous = bytes(20)
    packed_blocks = read_block_log(find(*parts))
    assert len(packed_blocks) >= 1000
    for packed in packed_blocks:
        block = Block.from_bytes(codec, packed)
        assert block.previous == previous
        assert block.merkle_root() == block.transaction_merkle_root
        fields = codec.decode_slowly(SignedBlockFields, packed)
        assert Block.from_fields(codec, fields).packed == packed
        previous = block.id


def test_merkle_root_of_few_leaves() -> None:
    one, two, three = (sha256(bytes([number])).digest() for number in range(3))
    assert merkle_root([]) == bytes(20)
    assert merkle_root([one]) == ripemd160(one)
    pair = sha256(one + two).digest()
    assert merkle_root([one, two]) == ripemd160(pair)
    assert merkle_root([one, two, three]) == ripemd160(sha256(pair + three).digest())


def test_merkle_root_of_ten_transactions() -> None:
    """Counterpart of the reference's merkle_root: each tree of its drawings, from no transaction to ten."""
    transactions = [
        Transaction.make(CODEC, ref_block_num=0, ref_block_prefix=number, expiration=0, operations=())
        for number in range(10)
    ]
    t = [sha256(transaction.packed_signed).digest() for transaction in transactions]

    def d(left: bytes, right: bytes) -> bytes:
        return sha256(left + right).digest()

    a, b, c = d(t[0], t[1]), d(t[2], t[3]), d(t[4], t[5])
    i = d(a, b)
    j = d(c, d(t[6], t[7]))
    m = d(i, j)
    tops = [t[0], a, d(a, t[2]), i, d(i, t[4]), d(i, c), d(i, d(c, t[6])), m, d(m, t[8]), d(m, d(t[8], t[9]))]
    roots = [bytes(20)] + [ripemd160(top) for top in tops]
    for count, root in enumerate(roots):
        block = Block.make(
            CODEC, previous=bytes(20), timestamp=3, witness="initminer", transactions=transactions[:count]
        )
        assert block.merkle_root() == block.transaction_merkle_root == root


def test_header_extensions_in_both_forms() -> None:
    extensions = (
        Void(),
        VersionReport(0x00180000),
        HardforkVersionVote(0x00180000, 1_600_000_000),
        RequiredActions((ExampleRequiredAction("alice"),)),
        OptionalActions(()),
    )
    block = Block.make(CODEC, previous=bytes(20), timestamp=3, witness="initminer", extensions=extensions)
    assert Block.from_bytes(CODEC, block.packed).extensions == extensions
    legacy = block.header_to_json(CODEC, legacy=True)["extensions"]
    assert legacy[:3] == [[0, {}], [1, "0.24.0"], [2, {"hf_version": "0.24.0", "hf_time": "2020-09-13T12:26:40"}]]
    typed = block.header_to_json(CODEC)["extensions"]
    assert typed[1] == {"type": "version", "value": "0.24.0"}
    assert typed[3]["value"] == [{"type": "example_required_action", "value": {"account": "alice"}}]
    for shown in (legacy, typed):
        header = {"witness": "initminer", "timestamp": "1970-01-01T00:00:03", "extensions": shown}
        assert Block.from_json(CODEC, header).extensions == extensions


def test_malformed_blocks_name_the_place() -> None:
    block = Block.make(CODEC, previous=bytes(20), timestamp=3, witness="initminer")
    assert block.with_signature(b"\x01" * 65).witness_signature == b"\x01" * 65
    with pytest.raises(Invalid, match=r"cannot decode block\.transactions at offset"):
        Block.from_bytes(CODEC, block.packed[:-1])
    with pytest.raises(Invalid, match=r"block.transactions\[0\].ref_block_num"):
        Block.from_bytes(CODEC, block.packed[:-1] + b"\x01")
    with pytest.raises(Invalid, match="1 bytes are left over"):
        Block.from_bytes(CODEC, block.packed + b"\x00")
    for size in range(len(block.packed)):
        with pytest.raises(Invalid):
            Block.from_bytes(CODEC, block.packed[:size])
