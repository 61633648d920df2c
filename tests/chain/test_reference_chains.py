"""The reference's own chain, block by block: every block is accepted and every event is the reference's."""

from __future__ import annotations

import json
from struct import unpack_from
from typing import Any

from chain.chain import Chain
from protocol.block import Block
from protocol.config import ChainConfig
from protocol.times import time_text
from state.invariants import assert_invariants
from tests.vectors import read_jsonl, vectors_path

BEFORE_RULES = "hardfork"
"""Events of block 1 alone: a testnet of the reference passes through its old hard forks there."""


def read_log(data: bytes) -> list[bytes]:
    records: list[bytes] = []
    end = len(data)
    while end:
        begin = unpack_from("<Q", data, end - 8)[0]
        records.append(data[begin : end - 8])
        end = begin
    return records[::-1]


def show(chain: Chain, number: int) -> list[list[Any]]:
    """The operations of a block as get_ops_in_block gives them: sorted, and op_in_trx is always 0."""
    operations = chain.history.get_operations_in_block(number)
    operations.sort(key=lambda applied: (applied.trx_in_block, applied.virtual_op))
    return [
        [
            applied.trx_id.hex(),
            applied.block,
            applied.trx_in_block,
            applied.virtual_op,
            time_text(applied.timestamp),
            json.loads(json.dumps(chain.codec.operation_to_json(applied.op, legacy=True))),
        ]
        for applied in operations
    ]


def test_every_operation_and_event_of_chain_a() -> None:
    chain = Chain.open(ChainConfig.preset("testnet"))
    expected = read_jsonl(vectors_path("reference_chain_a", "blocks.jsonl"))
    packed = read_log(vectors_path("reference_chain_a", "block_log").read_bytes())
    assert len(packed) == len(expected) == 1297
    for data, line in zip(packed, expected, strict=True):
        block = Block.from_bytes(chain.codec, data)
        chain.push_block(block)
        assert chain.head_id.hex() == line["block"]["block_id"]
        fields = ("trx_id", "block", "trx_in_block", "virtual_op", "timestamp", "op")
        wanted = [[entry[field] for field in fields] for entry in line["ops"] if entry["op"][0] != BEFORE_RULES]
        assert show(chain, block.number) == wanted, f"block {block.number}"

    assert_invariants(chain.ctx)
