"""The wallet's key file: private keys in one JSON file, encrypted under a password.

The file holds format name, version, the parameters of scrypt, nonce, cipher text (AES-256-GCM) and a plain
SHA-256 over all of these. The hash only distinguishes a damaged file from a wrong password.
Everything before the cipher text is authenticated with it. The plain text is JSON, too: the keys, and facts about the
chains that they signed for (wallet/trust.py).
"""

from __future__ import annotations

import binascii
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from client.errors import ClientError
from protocol.errors import ProtocolError
from protocol.keys import PrivateKey
from wallet.passwords import list_forms, normalize_password

FORMAT = "plaudit-keystore"
VERSION = 1
FILE_BYTES_MAX = 16 * 1024 * 1024
_SALT_BYTES = 16
_NONCE_BYTES = 12


class KeystoreError(ClientError):
    """An unusable key file; subclasses say why, and what to do."""

    advice = ""

    def __init__(self, cause: str) -> None:
        super().__init__(cause, self.advice)


class KeystoreExists(KeystoreError):
    """A new key file would overwrite an existing one."""

    advice = "Use it, or name another file with --keystore."


class KeystoreMissing(KeystoreError):
    """There is no key file at this path."""

    advice = "Make one with `plaudit wallet init`, or name yours with --keystore."


class KeystoreForeign(KeystoreError):
    """The file is not a key file of this wallet."""

    advice = "Name the right file with --keystore."


class KeystoreTooNew(KeystoreError):
    """The file was written by a newer version of this wallet."""

    advice = "Use the newer version of this wallet."


class KeystoreDamaged(KeystoreError):
    """The file is a key file, but parts of it are missing or changed."""

    advice = "Restore it from a copy, or make a new one with `plaudit wallet init` and import the keys again."


class WrongPassword(KeystoreError):
    """The file is whole, but the password does not open it."""

    advice = "Try again; without the password the keys cannot be recovered and must be imported again."


class KeystoreChanged(KeystoreError):
    """Another process gave the file another password or another content."""

    advice = "Another command changed it while this one ran: run the command again."


class KeyMissing(KeystoreError):
    """The key file holds no private key for this public key."""

    advice = "`plaudit wallet keys list` shows which keys there are."


class StoredKey(NamedTuple):
    """A private key and what it is for; account and role are empty where unknown."""

    key: PrivateKey
    account: str = ""
    role: str = ""


class ScryptCost(NamedTuple):
    """The cost of trying one password: memory is 128 * n * r bytes."""

    n: int = 1 << 17
    r: int = 8
    p: int = 1

    def is_bearable(self) -> bool:
        """Whether the cost is within this wallet's limits: at most 1 GiB of memory and 16 rounds."""
        power_of_two = self.n > 1 and self.n & (self.n - 1) == 0
        return power_of_two and self.r >= 1 and 1 <= self.p <= 16 and 128 * self.n * self.r <= 1 << 30


class Keystore:
    """The keys of one key file, open in memory. Changes reach the file with `save()` only."""

    def __init__(self, path: Path, cost: ScryptCost, salt: bytes, file_key: bytes) -> None:
        """For `create` and `open`; `file_key` is the 32-byte result of scrypt."""
        self.path = path
        self._cost = cost
        self._salt = salt
        self._file_key = file_key
        self._keys: dict[bytes, StoredKey] = {}
        self._in_file: dict[bytes, StoredKey] = {}
        self.chains: dict[str, dict[str, Any]] = {}
        """Stored facts about chains, by their hex ids; may be changed within `changing()` only."""

    def __repr__(self) -> str:
        return f"Keystore({str(self.path)!r}, {len(self._keys)} keys)"

    @classmethod
    def create(cls, path: str | Path, password: str, cost: ScryptCost = ScryptCost()) -> Keystore:  # noqa: B008
        """Writes a new, empty key file. Raises KeystoreExists rather than touch an existing file."""
        path = Path(path)
        if path.exists():
            raise KeystoreExists(f"{path} exists already")
        salt = os.urandom(_SALT_BYTES)
        store = cls(path, cost, salt, _derive(normalize_password(password), cost, salt))
        store.save()
        return store

    @classmethod
    def open(cls, path: str | Path, password: str) -> Keystore:
        """Reads a key file.

        Raises KeystoreMissing, KeystoreForeign, KeystoreTooNew, KeystoreDamaged or WrongPassword.
        """
        path = Path(path)
        document = _read_document(path)
        try:
            kdf = document["kdf"]
            cost = ScryptCost(_whole(kdf["n"]), _whole(kdf["r"]), _whole(kdf["p"]))
            salt = _unhex(kdf["salt"], _SALT_BYTES)
            nonce = _unhex(document["nonce"], _NONCE_BYTES)
            cipher_text = _unhex(document["ciphertext"])
            known_kdf = kdf["name"] == "scrypt"
        except (KeyError, TypeError, ValueError):
            raise KeystoreDamaged(f"{path} lacks a field or holds a malformed one") from None
        if not known_kdf or not cost.is_bearable():
            raise KeystoreDamaged(f"{path} asks for a key derivation this wallet does not do")
        for form in list_forms(password):
            store = cls(path, cost, salt, _derive(form, cost, salt))
            try:
                plain = AESGCM(store._file_key).decrypt(nonce, cipher_text, _header(cost, salt))
            except InvalidTag:
                continue
            store._keys, store.chains = _unpack(plain, path)
            store._in_file = dict(store._keys)
            return store
        raise WrongPassword(f"the password does not open {path}")

    def add(self, key: PrivateKey | str, account: str = "", role: str = "") -> StoredKey:
        """Stores a private key (or its WIF); an existing key gets the new account and role.

        Raises Invalid when the text is no private key.
        """
        stored = StoredKey(PrivateKey.from_wif(key) if isinstance(key, str) else key, account, role)
        self._keys[stored.key.public_key] = stored
        return stored

    def remove(self, public_key: bytes) -> StoredKey:
        """Removes a key and returns it. Raises KeyMissing."""
        try:
            return self._keys.pop(public_key)
        except KeyError:
            raise KeyMissing(f"no private key for {public_key.hex()}") from None

    def list(self) -> tuple[StoredKey, ...]:
        """Returns all keys, ordered by account, role and public key."""
        return tuple(sorted(self._keys.values(), key=lambda stored: (stored[1:], stored.key.public_key)))

    def find(self, public_key: bytes) -> PrivateKey | None:
        """Returns the private key of a 33-byte public key, or None."""
        stored = self._keys.get(public_key)
        return None if stored is None else stored.key

    def save(self) -> None:
        """Replaces the file atomically: the old content is kept until the new one is synced to disk. Mode 0600."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher_text = AESGCM(self._file_key).encrypt(nonce, self._pack(), _header(self._cost, self._salt))
        document = json.loads(_header(self._cost, self._salt))
        document |= {"nonce": nonce.hex(), "ciphertext": cipher_text.hex()}
        document["sha256"] = _checksum(document)
        _write_atomically(self.path, json.dumps(document, indent=1).encode() + b"\n")
        self._in_file = dict(self._keys)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Reloads the file, yields to the caller to change the keys, and saves, under a lock.

        Changes by other processes since the file was opened are kept, and so are earlier ones of this process.
        Nothing is saved when the caller raises. Raises KeystoreChanged when the file has another password now.
        """
        with _locked(self.path):
            self._read_again()
            yield
            self.save()

    def _read_again(self) -> None:
        document = _read_document(self.path)
        try:
            nonce, cipher_text = _unhex(document["nonce"], _NONCE_BYTES), _unhex(document["ciphertext"])
            plain = AESGCM(self._file_key).decrypt(nonce, cipher_text, _header(self._cost, self._salt))
        except (KeyError, TypeError, ValueError, InvalidTag):
            raise KeystoreChanged(f"{self.path} was changed meanwhile") from None
        found, self.chains = _unpack(plain, self.path)
        added = {key: stored for key, stored in self._keys.items() if self._in_file.get(key) != stored}
        removed = self._in_file.keys() - self._keys.keys()
        self._keys = {key: stored for key, stored in found.items() if key not in removed} | added
        self._in_file = found

    def change_password(self, password: str) -> None:
        """Encrypts under a new password (with new salt) and saves. Raises KeystoreChanged as `changing` does."""
        with _locked(self.path):
            self._read_again()
            self._encrypt_under(password)

    def _encrypt_under(self, password: str) -> None:
        salt = os.urandom(_SALT_BYTES)
        previous = self._salt, self._file_key
        self._salt, self._file_key = salt, _derive(normalize_password(password), self._cost, salt)
        try:
            self.save()
        except OSError:
            self._salt, self._file_key = previous
            raise

    def _pack(self) -> bytes:
        records = [
            {"wif": stored.key.to_wif(), "account": stored.account, "role": stored.role} for stored in self.list()
        ]
        return json.dumps({"keys": records, "chains": self.chains}).encode()


def _derive(password: str, cost: ScryptCost, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost.n, r=cost.r, p=cost.p).derive(password.encode())


def _header(cost: ScryptCost, salt: bytes) -> bytes:
    """Returns the JSON of everything before the nonce, which is authenticated with the keys."""
    kdf = {"name": "scrypt", "n": cost.n, "r": cost.r, "p": cost.p, "salt": salt.hex()}
    return json.dumps({"format": FORMAT, "version": VERSION, "kdf": kdf}).encode()


def _read_document(path: Path) -> dict[str, Any]:
    """Returns the JSON object of the file after checking format, version and hash."""
    try:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
    except FileNotFoundError:
        raise KeystoreMissing(f"{path} does not exist") from None
    if len(raw) > FILE_BYTES_MAX:
        raise KeystoreForeign(f"{path} is too large for a key file")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        # A truncated key file is not valid JSON, but still contains the format's name.
        if FORMAT.encode() in raw[:256]:
            raise KeystoreDamaged(f"{path} is cut short or overwritten in part") from None
        raise KeystoreForeign(f"{path} is not a key file") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise KeystoreForeign(f"{path} is not a key file of this wallet")
    version = document.get("version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise KeystoreDamaged(f"{path} states no version")
    if version > VERSION:
        raise KeystoreTooNew(f"{path} has version {version}; this wallet reads up to version {VERSION}")
    if document.pop("sha256", None) != _checksum(document):
        raise KeystoreDamaged(f"the content of {path} was changed or damaged")
    return document


def _checksum(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _unpack(plain: bytes, path: Path) -> tuple[dict[bytes, StoredKey], dict[str, dict[str, Any]]]:
    """The keys by public key, and what is remembered of chains (nothing in files of earlier versions)."""
    try:
        content = json.loads(plain)
        stored = [
            StoredKey(PrivateKey.from_wif(record["wif"]), record["account"], record["role"])
            for record in content["keys"]
        ]
        chains = {str(chain_id): dict(facts) for chain_id, facts in content.get("chains", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError, ProtocolError):
        raise KeystoreDamaged(f"the decrypted content of {path} is not a list of keys") from None
    return {entry.key.public_key: entry for entry in stored}, chains


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Locks the file against changes by other processes; the lock is an empty file beside it, which is kept."""
    descriptor = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _unhex(text: object, length: int | None = None) -> bytes:
    """Returns the bytes of hex text, checked for their number. Raises TypeError or ValueError."""
    if not isinstance(text, str):
        raise TypeError
    data = binascii.unhexlify(text)
    if length is not None and len(data) != length:
        raise ValueError
    return data


def _write_atomically(path: Path, content: bytes) -> None:
    """Replaces the file by way of a temporary file beside it, which only the owner may read."""
    # mkstemp makes the file with mode 0600.
    descriptor, temporary = tempfile.mkstemp(prefix=path.name + ".", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
