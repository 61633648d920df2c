"""Bytes, ids, digests and signers agree with material that others made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from protocol.codec import Codec
from protocol.identity import STEEM_MAINNET, ChainIdentity
from protocol.operation import Operation
from protocol.transaction import SignedTransactionFields, Transaction, TransactionFields
from protocol.types import (
    I16,
    I64,
    U8,
    U16,
    U32,
    U64,
    Asset,
    Bool,
    Price,
    PublicKey,
    SortedMap,
    String,
    Time,
    Vector,
)
from tests.strategies import TESTNET, import_all_operations
from tests.vectors import read_jsonl, recorded_path, vectors_path

import_all_operations()
MAINNET_CODEC = Codec(STEEM_MAINNET)
TESTNET_CODEC = Codec(TESTNET)
MIXED_CODEC = Codec(ChainIdentity(bytes(32), "STM", "TESTS", "TBD", "VESTS"))

CUSTOM_CODEC = Codec(ChainIdentity(bytes(32), "ABC", "STEEM", "SBD", "VESTS"))

TYPES: dict[str, Any] = {
    "Array::String": Vector[String],
    "Array::UInt16": Vector[U16],
    "Asset": Asset,
    "Boolean": Bool,
    "Date": Time,
    "FlatMap::String::Date": SortedMap[String, Time],
    "FlatMap::UInt8::UInt8": SortedMap[U8, U8],
    "Int16": I16,
    "Int64": I64,
    "Optional::UInt8": U8 | None,
    "Price": Price,
    "PublicKey": PublicKey,
    "String": String,
    "UInt8": U8,
    "UInt16": U16,
    "UInt32": U32,
    "UInt64": U64,
}
"""Int8 and Int32 do not occur on this wire; Operation and Transaction hold what only that client takes."""

HIVE_NAMES = {
    "hbd_amount": "sbd_amount",
    "hive_amount": "steem_amount",
    "percent_hbd": "percent_steem_dollars",
    "reward_hbd": "reward_sbd",
    "reward_hive": "reward_steem",
}


def codec_of(text: str) -> Codec:
    """The codec of the chain that a record's symbols and keys belong to."""
    if '"ABC' in text:
        return CUSTOM_CODEC
    if "TESTS" not in text and "TBD" not in text and "5445535453" not in text and '"TST' not in text:
        return MAINNET_CODEC
    return TESTNET_CODEC if '"TST' in text else MIXED_CODEC


def with_steem_names(data: Any) -> Any:
    """Renames the members that Hive renamed after its fork."""
    if isinstance(data, dict):
        return {HIVE_NAMES.get(name, name): with_steem_names(member) for name, member in data.items()}
    return [with_steem_names(member) for member in data] if isinstance(data, list) else data


def good_vectors(kind: str) -> Iterator[tuple[dict[str, Any], bytes, Codec]]:
    """The records of a kind that are right at their source, with their bytes and their chain's codec."""
    for record in read_jsonl(vectors_path("op_vectors.jsonl")):
        if record["kind"] == kind and not record.get("known_bad"):
            yield record, bytes.fromhex(record["hex"]), codec_of(json.dumps(record))


def test_operations() -> None:
    count = 0
    for record, packed, codec in good_vectors("op"):
        op = codec.decode_operation(packed)
        assert codec.encode_operation(op) == packed, record["source"]
        assert codec.decode_slowly(Operation, packed) == op
        assert codec.operation_from_json(with_steem_names(record["op"])) == op, record["source"]
        for legacy in (False, True):
            assert codec.operation_from_json(codec.operation_to_json(op, legacy)) == op
        count += 1
    assert count == 194


def test_unsigned_transactions() -> None:
    count = 0
    for record, packed, codec in good_vectors("tx"):
        fields = codec.decode(TransactionFields, packed)
        assert codec.encode(TransactionFields, fields) == packed
        assert Transaction.from_json(codec, with_steem_names(record["tx"])).packed == packed, record["source"]
        count += 1
    assert count == 174


def test_signed_transactions() -> None:
    count = 0
    for record, packed, codec in good_vectors("stx"):
        transaction = Transaction.from_bytes(codec, packed)
        assert transaction.packed_signed == packed
        assert codec.encode(SignedTransactionFields, codec.decode(SignedTransactionFields, packed)) == packed
        given = Transaction.from_json(codec, with_steem_names(record["tx"]))
        assert given.packed_signed == packed, record["source"]
        count += 1
    assert count == 157


def test_types() -> None:
    count = 0
    for record, packed, _codec in good_vectors("type"):
        declared = TYPES.get(record["type"])
        value = record["value"]
        if declared is None or (record["type"] == "Int16" and value > 0x7FFF):
            continue
        if declared is Asset and value.startswith("-"):
            continue  # The reference reads a negative fraction as a positive one; no operation may hold one.
        codec = codec_of(json.dumps(record))
        if "HIVE" in str(value) or "HBD" in str(value):
            value = json.loads(json.dumps(value).replace("HIVE", "STEEM").replace("HBD", "SBD"))
        decoded = codec.decode(declared, packed)
        assert codec.encode(declared, decoded) == packed
        assert codec.from_json(declared, value) == decoded, record
        count += 1
    assert count >= 60


def test_transaction_ids() -> None:
    records = read_jsonl(vectors_path("transactions.jsonl"))
    assert len(records) == 1056
    for record in records:
        transaction = Transaction.from_json(MAINNET_CODEC, record["tx"])
        assert transaction.id.hex() == record["transaction_id"]
        again = Transaction.from_bytes(MAINNET_CODEC, transaction.packed_signed)
        assert again == transaction and again.id == transaction.id
        assert again.packed == transaction.packed
        for legacy in (False, True):
            assert Transaction.from_json(MAINNET_CODEC, again.to_json(MAINNET_CODEC, legacy)) == transaction


def test_transactions_that_client_libraries_signed() -> None:
    records = read_jsonl(recorded_path("signed_vectors.jsonl"))
    assert len(records) == 103
    for record in records:
        chain_id = bytes.fromhex(record["chain_id"])
        codec = codec_of(json.dumps(record["trx"]) + record["packed_without_signatures"])
        transaction = Transaction.from_json(codec, record["trx"])
        assert transaction.packed.hex() == record["packed_without_signatures"]
        assert transaction.id.hex() == record["trx_id"]
        assert transaction.digest(chain_id).hex() == record["digest"]
        signers = [key.hex() for key in transaction.signers(chain_id)]
        assert signers == [record["signer_pubkey_compressed"]]
        assert transaction.signature_keys(chain_id) == set(transaction.signers(chain_id))
        assert Transaction.from_bytes(codec, transaction.packed_signed) == transaction


def test_legacy_form_is_that_of_the_main_network() -> None:
    """Nodes showed these transactions themselves; the forms that changed since are left out."""
    changed_since = {"pow", "pow2", "witness_update", "comment_options"}
    compared = 0
    for record in read_jsonl(vectors_path("transactions.jsonl")):
        names = {operation[0] for operation in record["tx"]["operations"]}
        if record["chain"] != "steem" or names & changed_since:
            continue
        shown = Transaction.from_json(MAINNET_CODEC, record["tx"]).to_json(MAINNET_CODEC, legacy=True)
        for given, ours in zip(record["tx"]["operations"], shown["operations"], strict=True):
            present = {name: value for name, value in ours[1].items() if name in given[1]}
            stated = {name: value for name, value in given[1].items() if value is not None}
            assert [ours[0], present] == [given[0], stated], record["transaction_id"]
        assert shown["expiration"] == record["tx"]["expiration"]
        compared += 1
    assert compared > 800


@pytest.mark.parametrize("name", ["pow", "clear_null_account_balance"])
def test_operations_that_keep_nai_assets_in_the_legacy_form(name: str) -> None:
    zero = MAINNET_CODEC.operation_from_json([name, {"total_cleared": ["1.000 SBD"]}])
    assert MAINNET_CODEC.operation_to_json(zero, True)[1] == MAINNET_CODEC.operation_to_json(zero)["value"]
