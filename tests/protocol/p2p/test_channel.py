"""Keys, cipher and frames: the recorded streams byte for byte, any parting of them, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocol.keys import PrivateKey, recover, sign_digest
from protocol.p2p.channel import PAYLOAD_BYTES_MAX, ChannelError, Frame, SecureChannel
from tests.protocol.p2p.recorded import Recorded, frames_of, sessions, vectors

DETERMINISTIC = settings(max_examples=100, deadline=None, derandomize=True)


def private_key(text: str) -> PrivateKey:
    return PrivateKey(bytes.fromhex(text))


def node_key(record: dict[str, Any]) -> PrivateKey:
    return private_key(record["node_private_key"])


def open_pair() -> tuple[SecureChannel, SecureChannel]:
    """Two channels that know each other's key."""
    one, other = SecureChannel(PrivateKey.from_seed("one")), SecureChannel(PrivateKey.from_seed("other"))
    assert one.receive(other.greeting) == other.receive(one.greeting) == []
    return one, other


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data parted at these places."""
    places = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def test_key_exchanges_of_the_reference() -> None:
    for record in vectors()["key_exchange"]:
        ours, theirs = private_key(record["private_key_a"]), private_key(record["private_key_b"])
        assert ours.shared_secret(theirs.public_key).hex() == record["shared_secret_sha512"]
        channel, opposite = SecureChannel(ours), SecureChannel(theirs)
        assert channel.greeting.hex() == record["public_key_a"]
        assert not channel.is_open
        assert channel.receive(opposite.greeting) == []
        assert channel.is_open
        assert channel.digest.hex() == record["hello_digest_sha256_of_secret"] == record["aes_key"]
        # A hello is signed with any nonce and taken in any form, so the recorded signature is one of many.
        for signature in (bytes.fromhex(record["signed_shared_secret"]), sign_digest(channel.digest, node_key(record))):
            assert recover(channel.digest, signature, lambda _form: True).hex() == record["node_public_key"]
        frames = opposite.receive(channel.greeting + bytes.fromhex(record["ciphertext"]))
        assert frames == [Frame(5009, b""), Frame(5012, bytes.fromhex("bc6bda49c6600600"))]
        assert b"".join(channel.seal(*frame) for frame in frames).hex() == record["ciphertext"]


@pytest.mark.parametrize("position", [0, 1])
def test_recorded_sessions_in_one_piece(position: int) -> None:
    session = sessions()[position]
    messages = frames_of(session)
    channel = SecureChannel(private_key(session["our_ephemeral_private_key"]))
    received = channel.receive(bytes.fromhex(session["raw_received"]))
    assert received == [message.frame for message in messages if message.is_sent_by_reference]
    assert channel.digest.hex() == session["aes_key"]
    assert channel.greeting + seal_all(channel, messages) == bytes.fromhex(session["raw_sent"])


def seal_all(channel: SecureChannel, messages: list[Recorded]) -> bytes:
    """What the probe sent, sealed again."""
    return b"".join(channel.seal(*message.frame) for message in messages if not message.is_sent_by_reference)


@DETERMINISTIC
@given(cuts=st.lists(st.integers(0, 1 << 20), max_size=60))
@example(cuts=list(range(13_000)))
@example(cuts=list(range(33, 13_000, 16)))
def test_recorded_sessions_in_any_pieces(cuts: list[int]) -> None:
    for session in sessions():
        channel = SecureChannel(private_key(session["our_ephemeral_private_key"]))
        frames: list[Frame] = []
        for part in split(bytes.fromhex(session["raw_received"]), cuts):
            frames += channel.receive(part)
        assert frames == [message.frame for message in frames_of(session) if message.is_sent_by_reference]


@DETERMINISTIC
@given(
    frames=st.lists(st.builds(Frame, st.integers(0, 0xFFFFFFFF), st.binary(max_size=100)), max_size=20),
    cuts=st.lists(st.integers(0, 5000), max_size=20),
)
def test_sealed_frames_come_back(frames: list[Frame], cuts: list[int]) -> None:
    one, other = open_pair()
    sealed = [one.seal(*frame) for frame in frames]
    assert all(
        len(part) == (8 + len(frame.payload) + 15) // 16 * 16 for part, frame in zip(sealed, frames, strict=True)
    )
    received: list[Frame] = []
    for part in split(b"".join(sealed), cuts):
        received += other.receive(part)
    assert received == frames


@DETERMINISTIC
@given(data=st.binary(max_size=400), chunks=st.lists(st.binary(max_size=100), max_size=5), starts_well=st.booleans())
def test_any_bytes_give_frames_or_a_channel_error(data: bytes, chunks: list[bytes], starts_well: bool) -> None:
    channel = SecureChannel(PrivateKey.from_seed("one"))
    try:
        if starts_well:
            channel.receive(PrivateKey.from_seed("other").public_key)
        for part in (data, *chunks):
            assert all(isinstance(frame, Frame) for frame in channel.receive(part))
    except ChannelError:
        with pytest.raises(ChannelError):
            channel.receive(b"")


@pytest.mark.parametrize("key", [bytes(33), b"\x04" + bytes(32), b"\x02" + b"\xff" * 32, b"\x05" + b"\x01" * 32])
def test_a_key_that_is_no_point_is_refused(key: bytes) -> None:
    channel = SecureChannel(PrivateKey.from_seed("one"))
    assert channel.receive(key[:32]) == []
    for _ in range(2):
        with pytest.raises(ChannelError, match="not a point of the curve"):
            channel.receive(key[32:])
    assert not channel.is_open


def test_nothing_can_be_sealed_before_the_other_key_is_there() -> None:
    channel = SecureChannel(PrivateKey.from_seed("one"))
    channel.receive(bytes(32))
    attempts: list[Any] = [lambda: channel.seal(5007, b""), lambda: channel.digest]
    for attempt in attempts:
        with pytest.raises(ChannelError, match="has not arrived"):
            attempt()


def test_the_largest_payload_and_one_byte_more() -> None:
    one, other = open_pair()
    largest = Frame(1001, b"\x07" * PAYLOAD_BYTES_MAX)
    assert other.receive(one.seal(*largest)) == [largest]
    with pytest.raises(ChannelError, match="2097153 bytes is above the maximum"):
        one.seal(1001, bytes(PAYLOAD_BYTES_MAX + 1))
    assert other.receive(one.seal(5007, b"")) == [Frame(5007, b"")], "a refused payload leaves the stream as it was"


def test_too_large_a_size_is_refused_as_soon_as_it_is_read() -> None:
    one, other = open_pair()
    sealing: Any = one
    head = (PAYLOAD_BYTES_MAX + 1).to_bytes(4, "little") + (1001).to_bytes(4, "little") + bytes(8)
    encrypted = sealing._encryptor.update(head)
    assert other.receive(encrypted[:15]) == []
    for _ in range(2):
        with pytest.raises(ChannelError, match="2097153 bytes is above the maximum of 2097152"):
            other.receive(encrypted[15:])


def test_padding_is_not_looked_at() -> None:
    one, other = open_pair()
    sealing: Any = one
    frame = (1).to_bytes(4, "little") + (5010).to_bytes(4, "little") + b"\x00" + b"padding"
    assert other.receive(sealing._encryptor.update(frame)) == [Frame(5010, b"\x00")]
