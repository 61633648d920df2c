"""Encrypted memos: text that starts with "#" and that only the sender and the receiver can read.

Behind the "#" is base58 of: sender's key (33 bytes), receiver's key (33), nonce (8, little-endian), check value (4),
then the AES-256-CBC cipher text with its length in front. Source: wallet.cpp, wallet_api::get_encrypted_memo and
decrypt_memo; wallet.hpp, memo_data.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from protocol import base58
from protocol.errors import Invalid
from protocol.keys import PUBLIC_KEY_BYTES, PrivateKey
from protocol.wire import Malformed, Reader, pack_varint

_AES_BLOCK_BYTES = 16
_HEAD_BYTES = 2 * PUBLIC_KEY_BYTES + 8 + 4


class EncryptedMemo(NamedTuple):
    """The parts of an encrypted memo; keys are 33 bytes, `check` is 4 bytes."""

    sender: bytes
    receiver: bytes
    nonce: int
    check: bytes
    cipher_text: bytes

    def to_text(self) -> str:
        """Returns the memo as it is written into a transfer."""
        head = self.sender + self.receiver + self.nonce.to_bytes(8, "little") + self.check
        return "#" + base58.encode(head + pack_varint(len(self.cipher_text)) + self.cipher_text)

    @classmethod
    def from_text(cls, text: str) -> EncryptedMemo:
        """Reads the parts of an encrypted memo. Raises Invalid when the text is not one."""
        if not text.startswith("#"):
            raise Invalid("", 'an encrypted memo starts with "#"')
        data = base58.decode(text[1:])
        if len(data) < _HEAD_BYTES + 1:
            raise Invalid("", "an encrypted memo has more than ${length} bytes", length=len(data))
        length, start = _unpack_length(data, _HEAD_BYTES)
        if length != len(data) - start or length == 0 or length % _AES_BLOCK_BYTES:
            raise Invalid("", "the cipher text of the memo has a wrong length")
        nonce = int.from_bytes(data[66:74], "little")
        return cls(data[:33], data[33:66], nonce, data[74:78], data[start:])


def encrypt_memo(text: str, sender: PrivateKey, receiver: bytes, nonce: int) -> str:
    """Returns `text` (given without a leading "#") as encrypted memo from `sender` to public key `receiver`.

    `nonce` is a 64-bit number that must not repeat between the two; the reference's wallet takes the microseconds
    since the epoch. Raises Invalid when `receiver` is not a point of the curve.
    """
    secret = _encryption_key(sender.shared_secret(receiver), nonce)
    content = text.encode()
    padder = PKCS7(AES.block_size).padder()
    padded = padder.update(pack_varint(len(content)) + content) + padder.finalize()
    encryptor = Cipher(AES(secret[:32]), CBC(secret[32:48])).encryptor()
    cipher_text = encryptor.update(padded) + encryptor.finalize()
    return EncryptedMemo(sender.public_key, receiver, nonce, _check(secret), cipher_text).to_text()


def decrypt_memo(memo: str, key: PrivateKey) -> str:
    """Returns the text of an encrypted memo, read with the memo key of its sender or of its receiver.

    Some clients leave out the length in front of the text; both forms are read. Raises Invalid when the memo is
    malformed or was not written for this key.
    """
    parts = EncryptedMemo.from_text(memo)
    if key.public_key == parts.sender:
        other = parts.receiver
    elif key.public_key == parts.receiver:
        other = parts.sender
    else:
        raise Invalid("", "the memo is for other keys than this one")
    secret = _encryption_key(key.shared_secret(other), parts.nonce)
    if _check(secret) != parts.check:
        raise Invalid("", "the check value of the memo does not fit its keys")
    return _open(parts.cipher_text, secret)


def _open(cipher_text: bytes, secret: bytes) -> str:
    decryptor = Cipher(AES(secret[:32]), CBC(secret[32:48])).decryptor()
    padded = decryptor.update(cipher_text) + decryptor.finalize()
    unpadder = PKCS7(AES.block_size).unpadder()
    try:
        content = unpadder.update(padded) + unpadder.finalize()
        return _without_length(content).decode()
    except ValueError:
        raise Invalid("", "the memo does not decrypt to text") from None


def _without_length(content: bytes) -> bytes:
    """Strips the length in front if it fits exactly; otherwise there was none."""
    if content:
        try:
            length, start = _unpack_length(content, 0)
        except Invalid:
            return content
        if length == len(content) - start:
            return content[start:]
    return content


def _encryption_key(shared_secret: bytes, nonce: int) -> bytes:
    """Returns 64 bytes: AES key (32), initial vector (16), unused rest."""
    return hashlib.sha512(nonce.to_bytes(8, "little") + shared_secret).digest()


def _check(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()[:4]


def _unpack_length(data: bytes, start: int) -> tuple[int, int]:
    """Returns the length written at `start` and the position behind it."""
    reader = Reader(data, start)
    try:
        return reader.varint(), reader.position
    except Malformed:
        raise Invalid("", "the length in the memo is cut off") from None
