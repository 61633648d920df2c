"""Keys, signatures and memos against records of other implementations and of the reference node."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from btclib_libsecp256k1 import keys
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import base58
from protocol.errors import Invalid, Unspecified
from protocol.hashes import ripemd160
from protocol.keys import (
    CURVE_ORDER,
    NULL_KEY,
    PrivateKey,
    decode_public_key,
    encode_public_key,
    is_canonical,
    is_fc_canonical,
    normalize_brain_key,
    recover,
    sign_digest,
    suggest_brain_key,
)
from protocol.memo import EncryptedMemo, decrypt_memo, encrypt_memo
from tests.vectors import read_jsonl, recorded_path, vectors_path

Record = dict[str, Any]
secrets = st.integers(1, CURVE_ORDER - 1).map(lambda number: number.to_bytes(32, "big"))
digests = st.binary(min_size=32, max_size=32)


# --- every record of keys.jsonl ----------------------------------------------------------------------------------


def check_key_pair(record: Record, key: PrivateKey) -> None:
    """The key has the WIF and the public key of the record, and the WIF reads back as the key."""
    assert key.to_wif() == record["wif"]
    assert PrivateKey.from_wif(record["wif"]) == key
    check_public_key(record["public_key"], key.public_key)


def check_public_key(text: str, key: bytes) -> None:
    """The prefix is the text's own: one record comes from a chain with another prefix than the main chain's."""
    assert encode_public_key(key, text[:3]) == text
    assert decode_public_key(text, text[:3]) == key


def check_brain_key(record: Record) -> None:
    check_key_pair(record, PrivateKey.from_brain_key(record["brain_key"], record["sequence"]))
    untidy = f"\n {record['brain_key'].lower()} ".replace(" ", " \t")
    assert PrivateKey.from_brain_key(untidy, record["sequence"]).to_wif() == record["wif"]


def check_password_key(record: Record) -> None:
    check_key_pair(record, PrivateKey.from_password(record["account"], record["role"], record["password"]))


def check_wif(record: Record) -> None:
    key = PrivateKey(bytes.fromhex(record["private_hex"]))
    check_key_pair(record, key)
    assert key.secret.hex() == record["private_hex"]


def check_public_encoding(record: Record) -> None:
    check_public_key(record["public_key"], bytes.fromhex(record["public_hex"]))


def check_invalid_key(record: Record) -> None:
    read: Callable[[str], object]
    if record["reason"] == "bad wif":
        read = PrivateKey.from_wif
    else:
        read = decode_stm
    with pytest.raises(Invalid) as caught:
        read(record["value"])
    assert record["reason"] != "bad wif" or record["value"] not in caught.value.message


def decode_stm(text: str) -> bytes:
    return decode_public_key(text, "STM")


def check_shared_secret(record: Record) -> None:
    if "shared_secret_x" in record:
        key = PrivateKey.from_wif(record["wif"])
        other = decode_stm(record["public_key"])
        expected = hashlib.sha512(bytes.fromhex(record["shared_secret_x"])).hexdigest()
    else:
        key = PrivateKey(bytes.fromhex(record["one_time_private"]))
        other = decode_stm(record["to_public"])
        expected = record["shared_secret"]
        assert PrivateKey.from_seed(record["seed_private"]).public_key == other
        assert PrivateKey.from_seed(record["seed_private"]).shared_secret(key.public_key).hex() == expected
    assert key.shared_secret(other).hex() == expected


def check_memo(record: Record) -> None:
    key = PrivateKey.from_wif(record["wif"])
    parts = EncryptedMemo.from_text(record["memo"])
    assert parts.to_text() == record["memo"]
    assert (parts.sender, parts.receiver) == (decode_stm(record["from_"]), decode_stm(record["to"]))
    assert parts.nonce == int(record["nonce"])
    assert decrypt_memo(record["memo"], key) == record["plain"]
    if key.public_key == parts.sender:
        mine = encrypt_memo(record["plain"], key, parts.receiver, parts.nonce)
        # A client that leaves out the length in front of the text writes another cipher text under the same check.
        has_length = bytes.fromhex(record["decrypted_hex"])[0] == len(record["plain"].encode())
        assert (mine == record["memo"]) == has_length
        assert EncryptedMemo.from_text(mine).check == parts.check
        assert decrypt_memo(mine, key) == record["plain"]


def check_recovery(record: Record) -> None:
    digest, signature = bytes.fromhex(record["digest"]), bytes.fromhex(record["signature"])
    assert recover(digest, signature) == decode_stm(record["public_key"])


def check_signature(record: Record) -> None:
    """Signatures of other libraries recover; theirs and ours name the same key."""
    check_recovery(record)
    digest, key = bytes.fromhex(record["digest"]), PrivateKey.from_wif(record["wif"])
    assert recover(digest, sign_digest(digest, key)) == key.public_key == decode_stm(record["public_key"])


def check_deterministic_signature(record: Record) -> None:
    check_signature(record)
    signature = sign_digest(bytes.fromhex(record["digest"]), PrivateKey.from_wif(record["wif"]))
    assert signature.hex() == record["signature"]


def check_bip38(record: Record) -> None:
    """Password-protected paper keys are out of scope: no program of the Steem family reads them from a user.

    The keys inside are ordinary ones all the same.
    """
    assert PrivateKey.from_wif(record["wif"]).to_wif() == record["wif"]


CHECKS: dict[str, Callable[[Record], None]] = {
    "brain_key": check_brain_key,
    "password_key": check_password_key,
    "wif": check_wif,
    "key_formats": check_wif,
    "null_key": check_public_encoding,
    "public_key_encoding": check_public_encoding,
    "invalid_key": check_invalid_key,
    "shared_secret": check_shared_secret,
    "memo": check_memo,
    "signature_recovery": check_recovery,
    "signature": check_signature,
    "deterministic_signature": check_deterministic_signature,
    "bip38": check_bip38,
}


@pytest.mark.parametrize("kind", CHECKS)
def test_records_of_other_implementations(kind: str) -> None:
    records = [record for record in read_jsonl(vectors_path("keys.jsonl")) if record["kind"] == kind]
    assert records
    for record in records:
        CHECKS[kind](record)


def test_every_record_has_a_check() -> None:
    records = read_jsonl(vectors_path("keys.jsonl"))
    assert {record["kind"] for record in records} == set(CHECKS)
    assert len(records) == 107


def test_signatures_of_client_libraries_recover() -> None:
    records = read_jsonl(recorded_path("signed_vectors.jsonl"))
    assert len(records) == 103
    for record in records:
        digest = bytes.fromhex(record["digest"])
        for signature in record["trx"]["signatures"]:
            assert recover(digest, bytes.fromhex(signature)).hex() == record["signer_pubkey_compressed"]


# --- blocks of real chains ---------------------------------------------------------------------------------------


def header_digest(block: Record) -> bytes | None:
    """Returns the digest a witness signs, or None where the header has extensions (the codec's tests do those)."""
    if block["extensions"]:
        return None
    witness = block["witness"].encode()
    packed = bytes.fromhex(block["previous"]) + seconds(block["timestamp"]).to_bytes(4, "little")
    packed += bytes((len(witness),)) + witness + bytes.fromhex(block["transaction_merkle_root"]) + b"\0"
    return hashlib.sha256(packed).digest()


def seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_witness_signatures_of_the_main_chain_recover() -> None:
    count = 0
    for record in read_jsonl(vectors_path("blocks.jsonl")):
        block = record["block"]
        digest = header_digest(block)
        if digest is None or not block.get("signing_key"):
            continue
        assert recover(digest, bytes.fromhex(block["witness_signature"])) == decode_stm(block["signing_key"])
        count += 1
    assert count > 1900


@pytest.mark.parametrize("chain", ["reference_chain_a", "reference_chain_b"])
def test_block_signatures_equal_those_of_the_reference_node(chain: str) -> None:
    """With the witness's key the very bytes come out that the node wrote."""
    with recorded_path(chain, "keys.json").open() as file:
        wifs = {wif for roles in json.load(file).values() if isinstance(roles, dict) for wif in roles.values()}
    keys = {key.public_key: key for key in map(PrivateKey.from_wif, sorted(wifs))}
    count = beyond_fc = 0
    for record in read_jsonl(recorded_path(chain, "blocks.jsonl")):
        block = record["block"]
        digest = header_digest(block)
        if digest is None:
            continue
        signature = bytes.fromhex(block["witness_signature"])
        signer = recover(digest, signature)
        assert signer == decode_public_key(block["signing_key"], "TST")
        assert sign_digest(digest, keys[signer], is_canonical) == signature
        beyond_fc += not is_fc_canonical(signature)
        count += 1
    assert count > 1000
    assert beyond_fc > 100


# --- base58 and text forms ---------------------------------------------------------------------------------------


@given(st.binary(max_size=120))
def test_base58_round_trip(data: bytes) -> None:
    assert base58.decode(base58.encode(data)) == data
    assert base58.decode_check(base58.encode_check(data)) == data


@pytest.mark.parametrize("text", ["0", "O", "I", "l", "abc ", "1é", "\ud800", "1" * (base58.TEXT_CHARACTERS_MAX + 1)])
def test_base58_refuses(text: str) -> None:
    with pytest.raises(Invalid):
        base58.decode(text)


@given(st.text(max_size=80))
def test_any_text_is_a_key_or_invalid(text: str) -> None:
    for read in (decode_stm, PrivateKey.from_wif, lambda text: decode_public_key("STM" + text, "STM")):
        try:
            read(text)
        except Invalid as error:
            assert error.message


@given(st.binary(min_size=33, max_size=33), st.sampled_from(["STM", "TST", "X"]))
def test_public_key_text_round_trip(key: bytes, prefix: str) -> None:
    text = encode_public_key(key, prefix)
    assert decode_public_key(text, prefix) == key
    with pytest.raises(Invalid):
        decode_public_key(text[:-1] + ("1" if text[-1] != "1" else "2"), prefix)


def test_public_key_errors_are_those_of_the_reference() -> None:
    with pytest.raises(Invalid, match=r"base58str\.size"):
        decode_stm("STM")
    with pytest.raises(Invalid, match=r"base58str\.substr\( 0, prefix_len \) == prefix"):
        decode_stm("TST7yFRm6aoShU2d75oCjU7boRu4TBSwEhVtH3cnU5ZH2vQ9qXspN")
    with pytest.raises(Invalid) as caught:
        decode_stm("STM0000")
    assert caught.value.message.endswith("Unable to decode base58 string 0000")


def test_a_wif_with_single_hash_check_is_read() -> None:
    secret = bytes(range(1, 33))
    payload = b"\x80" + secret
    text = base58.encode(payload + hashlib.sha256(payload).digest()[:4])
    assert PrivateKey.from_wif(text).secret == secret


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\x80" + bytes(31), b"\x81" + b"\1" * 32, b"\x80" + b"\1" * 33])
def test_wif_of_another_shape_is_refused(payload: bytes) -> None:
    with pytest.raises(Invalid):
        PrivateKey.from_wif(base58.encode_check(payload))


@pytest.mark.parametrize("secret", [b"", bytes(31), bytes(32), CURVE_ORDER.to_bytes(32, "big"), b"\xff" * 32])
def test_numbers_that_are_no_private_key(secret: bytes) -> None:
    with pytest.raises(Invalid):
        PrivateKey(secret)


@given(secrets)
def test_private_key_round_trip(secret: bytes) -> None:
    key = PrivateKey(secret)
    assert PrivateKey.from_wif(key.to_wif()) == key
    assert hash(PrivateKey(secret)) == hash(key)
    assert secret.hex() not in repr(key) and key.to_wif() not in repr(key)


def test_ripemd160_of_the_published_examples() -> None:
    assert ripemd160(b"").hex() == "9c1185a5c5e9fc54612808977ee8f548b2258d31"
    assert ripemd160(b"abc").hex() == "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"


# --- brain keys --------------------------------------------------------------------------------------------------


def test_brain_key_normalisation() -> None:
    assert normalize_brain_key("  one\ttwo\r\n\v\fthree  ") == "ONE TWO THREE"
    assert normalize_brain_key("größe 1") == "GRößE 1"
    assert normalize_brain_key(" \t") == ""


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_suggested_brain_keys_hold_all_entropy(one: bytes, other: bytes) -> None:
    suggested = suggest_brain_key(one)
    assert normalize_brain_key(suggested) == suggested
    assert [len(word) for word in suggested.split(" ")] == [5] * 16
    assert (suggested == suggest_brain_key(other)) == (one == other)


def test_a_brain_key_needs_its_entropy() -> None:
    with pytest.raises(Invalid):
        suggest_brain_key(bytes(16))


# --- signatures --------------------------------------------------------------------------------------------------


@given(secrets, digests)
@settings(deadline=None)
def test_signatures_recover(secret: bytes, digest: bytes) -> None:
    key = PrivateKey(secret)
    for accept in (is_fc_canonical, is_canonical):
        signature = sign_digest(digest, key, accept)
        assert accept(signature)
        assert recover(digest, signature) == key.public_key
        # A header without the mark of compressed keys names the same key.
        assert recover(digest, bytes((signature[0] - 4,)) + signature[1:]) == key.public_key
        assert sign_digest(digest, key, accept) == signature


@given(st.binary(min_size=65, max_size=65), digests)
@settings(deadline=None)
def test_any_signature_gives_a_key_or_invalid(signature: bytes, digest: bytes) -> None:
    try:
        key = recover(digest, signature)
    except Invalid:
        return
    keys.parse(key)


def flip_s(signature: bytes) -> bytes:
    """Returns the other signature of the same key and digest: order - s, other parity of the point."""
    s = CURVE_ORDER - int.from_bytes(signature[33:], "big")
    header = 27 + ((signature[0] - 27) ^ 1)
    return bytes((header,)) + signature[1:33] + s.to_bytes(32, "big")


def test_accepted_high_s_is_exactly_that_of_the_reference() -> None:
    """The node compares big-endian s with little-endian order / 2, so s up to a0201b68... passes."""
    limit = bytes.fromhex("a0201b68462fe9df1d50a457736e575d" + "ff" * 15 + "7f")
    head = bytes((31,)) + bytes(range(1, 33))
    number = int.from_bytes(limit, "big")
    assert is_canonical(head + limit)
    assert is_canonical(head + (number - 1).to_bytes(32, "big"))
    assert not is_canonical(head + (number + 1).to_bytes(32, "big"))
    key, taken, refused = PrivateKey.from_seed("high s"), 0, 0
    for count in range(200):
        digest = hashlib.sha256(bytes((count,))).digest()
        flipped = flip_s(sign_digest(digest, key))
        if flipped[33:] <= limit:
            assert recover(digest, flipped) == key.public_key
            taken += 1
        else:
            with pytest.raises(Invalid, match="signature is not canonical"):
                recover(digest, flipped)
            refused += 1
        assert recover(digest, flipped, lambda _: True) == key.public_key
    assert taken and refused


@pytest.mark.parametrize(
    ("r", "s", "expected"),
    [
        ("01" * 32, "01" * 32, True),
        ("80" + "01" * 31, "01" * 32, False),
        ("01" * 32, "80" + "01" * 31, False),
        ("0080" + "01" * 30, "01" * 32, True),
        ("007f" + "01" * 30, "01" * 32, False),
        ("01" * 32, "0080" + "01" * 30, True),
        ("01" * 32, "007f" + "01" * 30, False),
    ],
)
def test_fc_canonical(r: str, s: str, expected: bool) -> None:
    assert is_fc_canonical(bytes.fromhex("1f" + r + s)) is expected


@pytest.mark.parametrize("header", [0, 26, 35, 255])
def test_other_headers_are_refused(header: int) -> None:
    signature = sign_digest(bytes(32), PrivateKey.from_seed("x"))
    with pytest.raises(Unspecified) as refused:
        recover(bytes(32), bytes((header,)) + signature[1:])
    assert refused.value.message == "unspecified:unable to reconstruct public key from signature"
    assert (refused.value.code, refused.value.name) == (0, "exception")


@pytest.mark.parametrize("body", [bytes(64), b"\xff" * 32 + b"\1" * 32, b"\1" * 32 + bytes(32), bytes(32) + b"\1" * 32])
def test_signatures_without_a_key_are_refused(body: bytes) -> None:
    with pytest.raises(Invalid, match="secp256k1_ecdsa_recover_compact"):
        recover(bytes(32), b"\x1f" + body)
    with pytest.raises(Invalid):
        recover(bytes(32), b"\x1f" + body[:-1])


# --- memos -------------------------------------------------------------------------------------------------------


@given(st.text(max_size=300), secrets, secrets, st.integers(0, 2**64 - 1))
@settings(deadline=None)
def test_memo_round_trip(text: str, sender: bytes, receiver: bytes, nonce: int) -> None:
    mine, theirs = PrivateKey(sender), PrivateKey(receiver)
    memo = encrypt_memo(text, mine, theirs.public_key, nonce)
    assert memo.startswith("#")
    assert decrypt_memo(memo, mine) == decrypt_memo(memo, theirs) == text


def test_memo_of_others_and_changed_memos_are_refused() -> None:
    mine, theirs, stranger = map(PrivateKey.from_seed, ("a", "b", "c"))
    memo = encrypt_memo("hello", mine, theirs.public_key, 7)
    with pytest.raises(Invalid, match="other keys"):
        decrypt_memo(memo, stranger)
    parts = EncryptedMemo.from_text(memo)
    with pytest.raises(Invalid, match="check value"):
        decrypt_memo(parts._replace(nonce=8).to_text(), mine)
    with pytest.raises(Invalid, match="wrong length"):
        decrypt_memo(parts._replace(cipher_text=parts.cipher_text[:-1]).to_text(), mine)
    with pytest.raises(Invalid, match="wrong length"):
        decrypt_memo(parts._replace(cipher_text=b"").to_text(), mine)
    with pytest.raises(Invalid, match="does not decrypt"):
        decrypt_memo(parts._replace(cipher_text=bytes(16)).to_text(), mine)
    for text in ("", "hello", "#", "#0", "#" + base58.encode(bytes(79)), "#" + base58.encode(b"\xff" * 90)):
        with pytest.raises(Invalid):
            decrypt_memo(text, mine)
    with pytest.raises(Invalid, match="not a point"):
        encrypt_memo("hello", mine, NULL_KEY, 1)
