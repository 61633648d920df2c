"""Keys and signatures: text forms, derivation of private keys, signing and recovery.

A public key is 33 raw bytes (compressed point) everywhere, a digest 32 bytes, a signature 65 bytes:
header byte (27 + recovery number, + 4 for a compressed key), r and s, both 32 bytes big-endian.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

from btclib_libsecp256k1 import ffi, keys, lib, recovery
from btclib_libsecp256k1.context import ctx

from protocol import base58
from protocol.errors import Invalid, Unspecified
from protocol.hashes import ripemd160

PUBLIC_KEY_BYTES: Final = 33
SIGNATURE_BYTES: Final = 65
DIGEST_BYTES: Final = 32
NULL_KEY: Final = bytes(PUBLIC_KEY_BYTES)
"""The key that nobody holds; a witness with this signing key is shut down."""

CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_WIF_VERSION: Final = b"\x80"
_ACCEPTED_S_MAX: Final = (CURVE_ORDER // 2).to_bytes(32, "little")
_BRAIN_KEY_SPACE: Final = " \t\r\n\v\f"
_CONSONANTS: Final = "BDFGHJKLMNPRSTVZ"
_VOWELS: Final = "AIOU"


# --- public keys as text ---------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def encode_public_key(key: bytes, prefix: str) -> str:
    """Returns the text form of a public key: prefix, then base58 of the key and 4 bytes of its RIPEMD-160.

    Source: types.cpp, public_key_type::operator std::string.
    """
    if len(key) != PUBLIC_KEY_BYTES:
        raise Invalid("", "a public key has 33 bytes, not ${length}", length=len(key))
    return prefix + base58.encode(key + ripemd160(key)[:4])


def decode_public_key(text: str, prefix: str) -> bytes:
    """Returns the 33 bytes of a public key in text form.

    As in the reference, it is not checked that the bytes are a point of the curve: such a key simply never signs.
    Raises Invalid. Source: types.cpp, public_key_type::public_key_type(const std::string&).
    """
    if len(text) <= len(prefix):
        raise Invalid("base58str.size() > prefix_len", "", base58str=text)
    if not text.startswith(prefix):
        raise Invalid("base58str.substr( 0, prefix_len ) == prefix", "", base58str=text)
    body = text[len(prefix) :]
    try:
        data = base58.decode(body)
    except Invalid:
        raise Invalid("", "Unable to decode base58 string ${base58_str}", base58_str=body[:128]) from None
    if len(data) != PUBLIC_KEY_BYTES + 4:
        raise Invalid("", "a public key with its check value has 37 bytes, not ${length}", length=len(data))
    key, check = data[:PUBLIC_KEY_BYTES], data[PUBLIC_KEY_BYTES:]
    if ripemd160(key)[:4] != check:
        raise Invalid("fc::ripemd160::hash( key_data.data, key_data.size() )._hash[0] == bin_key.check")
    return key


# --- private keys ----------------------------------------------------------------------------------------------


class PrivateKey:
    """A private key; it never shows its secret unless asked for `secret` or `to_wif()`."""

    __slots__ = ("public_key", "secret")

    secret: bytes
    """The 32 secret bytes."""

    public_key: bytes
    """The 33 bytes of the matching public key."""

    def __init__(self, secret: bytes) -> None:
        """Takes the 32 secret bytes, or 32 bytes of entropy for a new key. Raises Invalid.

        A number outside 1..order-1 is refused; entropy is outside with a chance of one in 2^128.
        """
        if len(secret) != 32:
            raise Invalid("", "a private key has 32 bytes, not ${length}", length=len(secret))
        if not 0 < int.from_bytes(secret, "big") < CURVE_ORDER:
            raise Invalid("", "the private key is outside the range of the curve")
        self.secret = bytes(secret)
        self.public_key = keys.pubkey_from_prvkey(self.secret)

    @classmethod
    def from_wif(cls, text: str) -> PrivateKey:
        """Reads a private key in wallet import format. Raises Invalid, without repeating the text."""
        payload = base58.decode_check(text)
        if payload[:1] != _WIF_VERSION or len(payload) != 33:
            raise Invalid("", "the text is not a private key in wallet import format")
        return cls(payload[1:])

    @classmethod
    def from_seed(cls, seed: str) -> PrivateKey:
        """Returns the key whose secret is the SHA-256 of the UTF-8 bytes of `seed`."""
        return cls(hashlib.sha256(seed.encode()).digest())

    @classmethod
    def from_password(cls, account: str, role: str, password: str) -> PrivateKey:
        """Returns the key of an account's role ("owner", "active", "posting", "memo") under a master password.

        Source: wallet.cpp, wallet_api::get_private_key_from_password.
        """
        return cls.from_seed(account + role + password)

    @classmethod
    def derive(cls, prefix: str, sequence: int) -> PrivateKey:
        """Returns the key number `sequence` under a text prefix: SHA-256 of SHA-512 of "prefix sequence".

        Source: wallet.cpp, detail::derive_private_key.
        """
        return cls(hashlib.sha256(hashlib.sha512(f"{prefix} {sequence}".encode()).digest()).digest())

    @classmethod
    def from_brain_key(cls, brain_key: str, sequence: int = 0) -> PrivateKey:
        """Returns the key number `sequence` of a brain key, which is normalised first."""
        return cls.derive(normalize_brain_key(brain_key), sequence)

    def to_wif(self) -> str:
        """Returns the key in wallet import format."""
        return base58.encode_check(_WIF_VERSION + self.secret)

    def shared_secret(self, other: bytes) -> bytes:
        """Returns the 64 bytes shared with the holder of public key `other`: SHA-512 of the common point's x.

        Raises Invalid when `other` is not a point of the curve. Source: elliptic_secp256k1.cpp,
        private_key::get_shared_secret.
        """
        try:
            point = keys.pubkey_tweak_mul(other, self.secret)
        except ValueError:
            raise Invalid("", "the public key is not a point of the curve") from None
        return hashlib.sha512(point[1:]).digest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PrivateKey) and self.secret == other.secret

    def __hash__(self) -> int:
        return hash(self.public_key)

    def __repr__(self) -> str:
        return f"PrivateKey(public_key={self.public_key.hex()})"


def normalize_brain_key(text: str) -> str:
    """Returns a brain key in the form that is hashed: words parted by one space, letters a-z as capitals.

    Other letters stay as they are. Source: wallet.cpp, detail::normalize_brain_key.
    """
    spaced = "".join(" " if character in _BRAIN_KEY_SPACE else character for character in text)
    words = " ".join(word for word in spaced.split(" ") if word)
    return "".join(character.upper() if "a" <= character <= "z" else character for character in words)


def suggest_brain_key(entropy: bytes) -> str:
    """Returns a brain key of 16 pronounceable five-letter words that holds all of the 32 bytes of entropy.

    Each word writes 16 bits as consonant, vowel, consonant, vowel, consonant, so no word list is needed.
    """
    if len(entropy) != 32:
        raise Invalid("", "a brain key takes 32 bytes of entropy, not ${length}", length=len(entropy))
    return " ".join(_pronounceable(int.from_bytes(entropy[at : at + 2], "big")) for at in range(0, 32, 2))


def _pronounceable(number: int) -> str:
    return (
        _CONSONANTS[number >> 12]
        + _VOWELS[number >> 10 & 3]
        + _CONSONANTS[number >> 6 & 15]
        + _VOWELS[number >> 4 & 3]
        + _CONSONANTS[number & 15]
    )


# --- signatures ------------------------------------------------------------------------------------------------


def is_fc_canonical(signature: bytes) -> bool:
    """Tells whether r and s are positive 32-byte DER integers without padding: what wallets sign for.

    Source: elliptic_common.cpp, is_fc_canonical.
    """
    return (
        signature[1] < 0x80
        and not (signature[1] == 0 and signature[2] < 0x80)
        and signature[33] < 0x80
        and not (signature[33] == 0 and signature[34] < 0x80)
    )


def is_canonical(signature: bytes) -> bool:
    """Tells whether the node takes the form of a signature in transactions and blocks.

    Since hard fork 20 the reference means to demand s <= order / 2, but compares the big-endian bytes of s with the
    little-endian bytes of that half. So s up to a0201b68... is taken, and this rule is part of the consensus.
    Source: elliptic_common.cpp, is_bip_0062_canonical.
    """
    return signature[33:65] <= _ACCEPTED_S_MAX


@ffi.callback(  # type: ignore[untyped-decorator]
    "int(unsigned char *, const unsigned char *, const unsigned char *, const unsigned char *, void *, unsigned int)",
    error=0,
)
def _next_nonce(nonce: Any, digest: Any, secret: Any, _algorithm: Any, data: Any, _attempt: int) -> int:
    """Gives the next RFC 6979 output; the counter behind `data` goes on over all attempts at one signature."""
    counter = ffi.cast("unsigned int *", data)
    counter[0] += 1
    return int(lib.secp256k1_nonce_function_rfc6979(nonce, digest, secret, ffi.NULL, ffi.NULL, counter[0]))


def sign_digest(digest: bytes, key: PrivateKey, accept: Callable[[bytes], bool] = is_fc_canonical) -> bytes:
    """Returns the deterministic 65-byte signature of a 32-byte digest, equal to the reference's byte for byte.

    The nonces are the outputs of RFC 6979 counted from 0, beginning with output 1, until `accept` takes the
    signature. Transactions use the default, block headers `is_canonical`. The header byte is 31 + recovery number.
    Raises Invalid for a digest of another length.
    Source: elliptic_impl_priv.cpp, private_key::sign_compact; block_producer.cpp.
    """
    if len(digest) != DIGEST_BYTES:  # The library reads this many bytes without a check.
        raise Invalid("", "a digest has 32 bytes, not ${length}", length=len(digest))
    counter = ffi.new("unsigned int *", 0)
    made = ffi.new("secp256k1_ecdsa_recoverable_signature *")
    compact, recovery_number = ffi.new("char[64]"), ffi.new("int *")
    while True:
        if not lib.secp256k1_ecdsa_sign_recoverable(ctx, made, digest, key.secret, _next_nonce, counter):
            raise AssertionError("every key and digest can be signed with")
        lib.secp256k1_ecdsa_recoverable_signature_serialize_compact(ctx, compact, recovery_number, made)
        signature: bytes = bytes((31 + recovery_number[0],)) + ffi.unpack(compact, SIGNATURE_BYTES - 1)
        if accept(signature):
            return signature


def recover(digest: bytes, signature: bytes, accept: Callable[[bytes], bool] = is_canonical) -> bytes:
    """Returns the 33 bytes of the public key that signed a 32-byte digest.

    Raises Unspecified when the header byte is outside 27..34, Invalid when `accept` refuses the form or no key fits.
    The lock of the interpreter is free during the computation. Source: elliptic_secp256k1.cpp, public_key::public_key.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise Invalid("", "a signature has 65 bytes, not ${length}", length=len(signature))
    header = signature[0]
    if not 27 <= header < 35:
        raise Unspecified("", "unable to reconstruct public key from signature")
    if not accept(signature):
        raise Invalid("is_canonical( c, canon_type )", "signature is not canonical")
    try:
        return recovery.recover(digest, signature[1:], header - 27 & 3)
    except ValueError:
        raise Invalid(_RECOVERY_FAILED) from None


_RECOVERY_FAILED: Final = (
    "secp256k1_ecdsa_recover_compact( detail::_get_context(), (unsigned char*) digest.data(), "
    "(unsigned char*) c.begin() + 1, (unsigned char*) my->_key.begin(), (int*) &pk_len, 1, (*c.begin() - 27) & 3 )"
)
