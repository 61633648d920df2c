"""The peer-to-peer wire: the encrypted stream of frames, and the payloads of messages."""

from __future__ import annotations

from random import Random
from struct import Struct

from protocol.errors import Invalid
from protocol.keys import PrivateKey
from protocol.p2p.channel import PAYLOAD_BYTES_MAX, ChannelError, Frame, SecureChannel
from protocol.p2p.messages import MESSAGES, message_number, pack_message, unpack_message
from tests.fuzz.mutate import NUMBERS, Mutator
from tests.fuzz.samples import packed_messages
from tests.fuzz.target import Broken, Target
from tests.node.lab import codec

OUR_SECRET = PrivateKey.from_seed("our side of the fuzzed channel")
THEIR_SECRET = PrivateKey.from_seed("their side of the fuzzed channel")
HEAD = Struct("<II")
UNFINISHED_MAX = PAYLOAD_BYTES_MAX + 64
"""A channel keeps at most one frame that is not complete."""


class Frames(Target):
    """A stream from the first byte on: key, then frames; whole and in pieces it must mean the same."""

    name = "frames"
    share = 10

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._samples = packed_messages(codec())
        self._mutator = Mutator(random, [payload for _, payload in self._samples])
        self._greeting = SecureChannel(OUR_SECRET).greeting

    def make(self) -> bytes:
        stream = bytearray()
        for _ in range(self.random.choice((0, 1, 1, 2, 5))):
            stream += self._make_frame()
        if self.random.random() < 0.3:
            stream = bytearray(self._mutator.spoil(stream))
        data = bytearray(THEIR_SECRET.public_key + self._encrypt(bytes(stream)))
        if self.random.random() < 0.3:
            data = bytearray(self._mutator.spoil(data))
        return bytes(data)

    def _make_frame(self) -> bytes:
        number, payload = self.random.choice(self._samples)
        if self.random.random() < 0.3:
            payload = self._mutator.spoil(payload)
        size = len(payload) if self.random.random() < 0.8 else self.random.choice(NUMBERS) & 0xFFFFFFFF
        frame = HEAD.pack(size, number) + payload
        return frame + bytes(-len(frame) % 16 if self.random.random() < 0.9 else 0)

    def _encrypt(self, plain: bytes) -> bytes:
        channel = SecureChannel(THEIR_SECRET)
        channel.receive(self._greeting)
        assert channel._encryptor is not None
        return channel._encryptor.update(plain)

    def run(self, data: bytes) -> bool:
        whole = _receive([data])
        places = sorted(self.random.randrange(len(data) + 1) for _ in range(self.random.choice((1, 2, 9))))
        pieces = _receive([data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)])
        if (whole is None) != (pieces is None) or (whole is not None and whole != pieces):
            raise Broken(f"the stream means something else in pieces: {whole!r:.200} and {pieces!r:.200}")
        return whole is not None


def _receive(pieces: list[bytes]) -> list[Frame] | None:
    channel, frames = SecureChannel(OUR_SECRET), []
    try:
        for piece in pieces:
            frames += channel.receive(piece)
            if len(channel._received) > UNFINISHED_MAX:
                raise Broken(f"the channel keeps {len(channel._received)} bytes")
    except ChannelError:
        return None
    return frames


class Messages(Target):
    """Numbers and payloads: what is taken must be the same after it was packed again."""

    name = "messages"
    share = 30

    def __init__(self, random: Random) -> None:
        super().__init__(random)
        self._samples = packed_messages(codec())
        self._mutator = Mutator(random, [payload for _, payload in self._samples])

    def make(self) -> bytes:
        number, payload = self.random.choice(self._samples)
        if self.random.random() < 0.05:
            number = self.random.choice((*MESSAGES, *NUMBERS)) & 0xFFFFFFFF
        return number.to_bytes(4, "little") + self._mutator.spoil(payload)

    def run(self, data: bytes) -> bool:
        number = int.from_bytes(data[:4], "little")
        try:
            message = unpack_message(codec(), number, data[4:])
        except Invalid as error:
            error.message.encode("utf-8", "surrogateescape")
            return False
        packed = pack_message(codec(), message)
        if unpack_message(codec(), message_number(message), packed) != message:
            raise Broken(f"{message!r:.200} changes when it is packed again")
        return True
