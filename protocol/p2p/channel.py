"""One connection's cipher and frames, without a socket: bytes in, frames out, and the other way round.

Each side first writes 33 bytes, a fresh public key. The secret shared by the two fresh keys gives the key and the
initialisation vector of AES-256-CBC, the same for both directions, each of which is one stream for the whole life of
the connection. In it are frames: size of the payload and number of the message (4 bytes each, little-endian), payload,
zeros up to a multiple of 16.

Frames are not authenticated: a man in the middle can corrupt them, and only the hello message proves the peer's
identity.

Source: libraries/net stcp_socket.cpp, message_oriented_connection.cpp; libraries/fc/src/crypto/aes.cpp.
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from protocol.errors import Invalid
from protocol.keys import PUBLIC_KEY_BYTES, PrivateKey
from protocol.p2p.city_hash import city_hash_crc_128

PAYLOAD_BYTES_MAX: Final = 2 * 1024 * 1024
"""Maximum payload of a frame; a peer that announces more is disconnected. Source: config.hpp, MAX_MESSAGE_SIZE."""

_HEAD: Final = Struct("<II")
_PIECE_BYTES: Final = 16


class ChannelError(Exception):
    """The other side broke the key exchange or the framing; the connection must be closed."""


class Frame(NamedTuple):
    """The number of a message and its payload."""

    number: int
    payload: bytes


class SecureChannel:
    """The cipher and the frames of one connection; it holds at most one unfinished frame.

    Write ``greeting`` first. Pass everything read from the socket to ``receive``. Once ``is_open``, write the results
    of ``seal`` in the order of the calls.
    """

    def __init__(self, ephemeral: PrivateKey) -> None:
        """Takes a private key that was made for this connection only."""
        self._ephemeral = ephemeral
        self._received = bytearray()
        self._digest: bytes | None = None
        self._decryptor: CipherContext | None = None
        self._encryptor: CipherContext | None = None
        self._fault: str | None = None

    @property
    def greeting(self) -> bytes:
        """The 33 bytes to write first, without waiting for the other side's greeting."""
        return self._ephemeral.public_key

    @property
    def is_open(self) -> bool:
        """Whether the other side's key has arrived."""
        return self._digest is not None

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the shared secret (32 bytes), which both sides sign in their hello; only once open."""
        if self._digest is None:
            raise ChannelError("the other side's key has not arrived")
        return self._digest

    def receive(self, data: bytes) -> list[Frame]:
        """The frames that these bytes complete, however the stream is split into calls.

        Raises ChannelError for a key that is no point of the curve and for a payload above the maximum, then and in
        every later call. Frames that the same bytes held before the fault are lost with the connection.
        """
        if self._fault is not None:
            raise ChannelError(self._fault)
        if self._decryptor is None:
            self._received += data
            if len(self._received) < PUBLIC_KEY_BYTES:
                return []
            data = bytes(self._received[PUBLIC_KEY_BYTES:])
            decryptor = self._decryptor = self._exchange(bytes(self._received[:PUBLIC_KEY_BYTES]))
            self._received.clear()
        else:
            decryptor = self._decryptor
        self._received += decryptor.update(data)
        return self._take_frames()

    def seal(self, number: int, payload: bytes) -> bytes:
        """The bytes of one frame; raises ChannelError while the channel is not open, or for too large a payload."""
        if self._encryptor is None:
            raise ChannelError("the other side's key has not arrived")
        if len(payload) > PAYLOAD_BYTES_MAX:
            raise ChannelError(f"a payload of {len(payload)} bytes is above the maximum of {PAYLOAD_BYTES_MAX}")
        padding = bytes(-(_HEAD.size + len(payload)) % _PIECE_BYTES)
        return self._encryptor.update(b"".join((_HEAD.pack(len(payload), number), payload, padding)))

    def _exchange(self, other: bytes) -> CipherContext:
        """Derives both ciphers from the other side's public key and returns the decrypting one."""
        try:
            secret = self._ephemeral.shared_secret(other)
        except Invalid:
            raise self._fail("the other side's key is not a point of the curve") from None
        self._digest = sha256(secret).digest()
        cipher = Cipher(AES(self._digest), CBC(city_hash_crc_128(secret)))
        self._encryptor = cipher.encryptor()
        return cipher.decryptor()

    def _take_frames(self) -> list[Frame]:
        """Removes all complete frames from the decrypted bytes, which are moved at most once per call."""
        frames: list[Frame] = []
        received, start = self._received, 0
        while len(received) - start >= _PIECE_BYTES:
            size, number = _HEAD.unpack_from(received, start)
            if size > PAYLOAD_BYTES_MAX:
                raise self._fail(f"a payload of {size} bytes is above the maximum of {PAYLOAD_BYTES_MAX}")
            begin = start + _HEAD.size
            end = begin + size + -(_HEAD.size + size) % _PIECE_BYTES
            if end > len(received):
                break
            frames.append(Frame(number, bytes(received[begin : begin + size])))
            start = end
        del received[:start]
        return frames

    def _fail(self, why: str) -> ChannelError:
        self._fault = why
        self._received.clear()
        return ChannelError(why)
