"""The encrypted key file: what goes in comes out, and every way to spoil it has its own error."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import Invalid
from protocol.keys import PrivateKey
from wallet import keystore
from wallet.keystore import (
    KeyMissing,
    Keystore,
    KeystoreChanged,
    KeystoreDamaged,
    KeystoreError,
    KeystoreExists,
    KeystoreForeign,
    KeystoreMissing,
    KeystoreTooNew,
    ScryptCost,
    StoredKey,
    WrongPassword,
)

CHEAP = ScryptCost(n=16)
ALICE = PrivateKey.from_password("alice", "active", "secret")
BOB = PrivateKey.from_password("bob", "memo", "secret")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A key file with one key and the password "pass"."""
    path = tmp_path / "keys.json"
    store = Keystore.create(path, "pass", CHEAP)
    store.add(ALICE, "alice", "active")
    store.save()
    return path


def rewrite(path: Path, **changes: Any) -> None:
    """Changes fields of the file and makes its hash fit again."""
    document = json.loads(path.read_text())
    del document["sha256"]
    document |= changes
    document["sha256"] = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(document))


def test_keys_come_back(path: Path) -> None:
    store = Keystore.open(path, "pass")
    assert store.list() == (StoredKey(ALICE, "alice", "active"),)
    assert store.find(ALICE.public_key) == ALICE
    assert store.find(BOB.public_key) is None
    store.add(BOB.to_wif())
    assert len(Keystore.open(path, "pass").list()) == 1
    store.save()
    assert Keystore.open(path, "pass").list() == (StoredKey(BOB), StoredKey(ALICE, "alice", "active"))


def test_adding_again_renames_and_removing_removes(path: Path) -> None:
    store = Keystore.open(path, "pass")
    store.add(ALICE, "alice", "posting")
    assert store.list() == (StoredKey(ALICE, "alice", "posting"),)
    assert store.remove(ALICE.public_key).key == ALICE
    assert store.list() == ()
    with pytest.raises(KeyMissing):
        store.remove(ALICE.public_key)


def test_no_secret_shows(path: Path) -> None:
    text = path.read_text()
    assert ALICE.to_wif() not in text and ALICE.secret.hex() not in text and "alice" not in text
    store = Keystore.open(path, "pass")
    assert ALICE.to_wif() not in repr(store) + repr(store.list())
    with pytest.raises(Invalid) as caught:
        store.add(ALICE.to_wif()[:-1])
    assert ALICE.to_wif()[:-1] not in caught.value.message


def test_file_belongs_to_its_owner_alone(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {entry.name for entry in path.parent.iterdir()} <= {path.name, f"{path.name}.lock"}


def test_an_existing_file_is_not_overwritten(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeystoreExists):
        Keystore.create(path, "other", CHEAP)
    assert path.read_bytes() == before


def test_saving_twice_never_uses_a_nonce_twice(path: Path) -> None:
    before = json.loads(path.read_text())
    Keystore.open(path, "pass").save()
    after = json.loads(path.read_text())
    assert before["nonce"] != after["nonce"] and before["ciphertext"] != after["ciphertext"]


def test_a_failed_save_keeps_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    store = Keystore.open(path, "pass")
    store.add(BOB)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        store.save()
    with pytest.raises(OSError, match="disk full"):
        store.change_password("new")
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert {entry.name for entry in path.parent.iterdir()} <= {path.name, f"{path.name}.lock"}
    store.save()
    assert len(Keystore.open(path, "pass").list()) == 2


def test_change_of_password(path: Path) -> None:
    Keystore.open(path, "pass").change_password("größer")
    with pytest.raises(WrongPassword):
        Keystore.open(path, "pass")
    assert Keystore.open(path, "größer").find(ALICE.public_key) == ALICE


def test_wrong_password(path: Path) -> None:
    for password in ("", "Pass", "pass "):
        with pytest.raises(WrongPassword):
            Keystore.open(path, password)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(KeystoreMissing):
        Keystore.open(tmp_path / "none.json", "pass")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"hello", b"[]", b"{}", b'{"format": "other"}', b"[" * 100_000])
def test_foreign_files(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(KeystoreForeign):
        Keystore.open(path, "pass")


def test_newer_version(path: Path) -> None:
    rewrite(path, version=keystore.VERSION + 1)
    with pytest.raises(KeystoreTooNew):
        Keystore.open(path, "pass")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": "1"},
        {"version": 0},
        {"version": True},
        {"kdf": None},
        {"kdf": {"name": "scrypt"}},
        {"kdf": {"name": "md5", "n": 16, "r": 8, "p": 1, "salt": "00" * 16}},
        {"kdf": {"name": "scrypt", "n": 17, "r": 8, "p": 1, "salt": "00" * 16}},
        {"kdf": {"name": "scrypt", "n": 1 << 40, "r": 8, "p": 1, "salt": "00" * 16}},
        {"kdf": {"name": "scrypt", "n": 16, "r": 8, "p": 1 << 20, "salt": "00" * 16}},
        {"kdf": {"name": "scrypt", "n": 16, "r": 8, "p": 1, "salt": "00"}},
        {"nonce": "zz"},
        {"nonce": 5},
        {"nonce": "00"},
        {"ciphertext": "é"},
        {"ciphertext": None},
    ],
)
def test_malformed_fields(path: Path, changes: dict[str, Any]) -> None:
    rewrite(path, **changes)
    with pytest.raises(KeystoreDamaged):
        Keystore.open(path, "pass")


def test_any_changed_or_cut_byte_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    for position in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:position])
        with pytest.raises(KeystoreError):
            Keystore.open(path, "pass")
        if whole[position : position + 1].isspace():
            continue
        path.write_bytes(whole[:position] + bytes((whole[position] ^ 1,)) + whole[position + 1 :])
        with pytest.raises((KeystoreDamaged, KeystoreForeign, KeystoreTooNew)):
            Keystore.open(path, "pass")


def test_lowered_cost_with_fitting_hash_does_not_open(path: Path) -> None:
    kdf = json.loads(path.read_text())["kdf"]
    rewrite(path, kdf=kdf | {"n": 2})
    with pytest.raises(WrongPassword):
        Keystore.open(path, "pass")


def test_a_change_keeps_what_another_process_stored(path: Path) -> None:
    first, second = Keystore.open(path, "pass"), Keystore.open(path, "pass")
    mine, theirs = PrivateKey.from_seed("mine"), PrivateKey.from_seed("theirs")
    with second.changing():
        second.add(theirs, "bob", "active")
    with first.changing():
        first.add(mine, "carol", "active")
    kept = {stored.key for stored in Keystore.open(path, "pass").list()}
    assert {mine, theirs} <= kept
    with second.changing():
        second.remove(theirs.public_key)
    first.add(BOB)
    first.change_password("pass")
    kept = {stored.key for stored in Keystore.open(path, "pass").list()}
    assert {mine, BOB} <= kept
    assert theirs not in kept


def test_a_change_that_fails_is_not_saved(path: Path) -> None:
    before = path.read_bytes()
    store = Keystore.open(path, "pass")
    with pytest.raises(KeyMissing), store.changing():
        store.add(PrivateKey.from_seed("mine"))
        store.remove(bytes(33))
    assert path.read_bytes() == before


def test_a_change_after_another_process_changed_the_password_is_refused(path: Path) -> None:
    first, second = Keystore.open(path, "pass"), Keystore.open(path, "pass")
    second.change_password("other")
    with pytest.raises(KeystoreChanged), first.changing():
        pass
    with pytest.raises(KeystoreChanged):
        first.change_password("third")
    assert Keystore.open(path, "other").list() == second.list()
