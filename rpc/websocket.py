"""Websockets (RFC 6455) as clients of the reference use them: text messages, no extension, one at a time.

Messages are limited in size and in the time they take to arrive, regardless of fragmentation. There is no compression,
which would allow decompression bombs. Reading is paused until received messages are handled (backpressure).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from aiohttp import web

from rpc.paced import PacedConnection

MAGIC: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION: Final = "13"
FRAMES_A_STEP: Final = 16
CONTROL_BYTES_MAX: Final = 125
PONGS_UNREAD_BYTES: Final = 4096
"""Pings are not answered while the write buffer holds more than this."""

HEARTBEAT_SECONDS: Final = 30.0
CLOSE_SECONDS: Final = 3.0
"""Time for the client to read the remaining bytes after a close."""


class Code(IntEnum):
    """Close codes."""

    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    BAD_TEXT = 1007
    TOO_SLOW = 1008
    TOO_BIG = 1009
    TRY_AGAIN_LATER = 1013


class Opcode(IntEnum):
    """Opcodes of frames."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class _Broken(Exception):
    """A violation of the websocket protocol."""

    def __init__(self, code: Code, why: str) -> None:
        self.code = code
        super().__init__(why)


Charge = Callable[[int], None]
"""Callback with the current size of a message; raises an exception with a text when it is too large."""


class WebSocket:
    """A server-side websocket on a paced connection."""

    def __init__(self, connection: PacedConnection, bytes_max: int, seconds_max: float, charge: Charge) -> None:
        self.is_closed = False
        self._connection = connection
        self._bytes_max = bytes_max
        self._seconds_max = seconds_max
        self._charge = charge
        self._loop = asyncio.get_running_loop()
        self._buffer = bytearray()
        self._message: bytearray | None = None
        self._opcode = Opcode.TEXT
        self._complete: tuple[Opcode, bytes] | None = None
        self._arrived: asyncio.Future[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._is_alive = True
        self._heartbeat = self._loop.call_later(HEARTBEAT_SECONDS, self._beat)

    # Called by aiohttp

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Buffers received bytes."""
        self._is_alive = True
        if not self.is_closed:
            self._buffer += data
        return False, b""

    def feed_eof(self) -> None:
        """Handles a closed connection."""
        self._end()

    # Called by the connection

    @property
    def is_full(self) -> bool:
        """Whether a message waits to be received."""
        return self._complete is not None

    def step(self) -> bool:
        """Reads some frames; returns whether more are complete."""
        try:
            for _ in range(FRAMES_A_STEP):
                if self.is_closed or self.is_full or not self._read_frame():
                    self._watch_time()
                    return False
        except _Broken as error:
            self.close(error.code, str(error))
            return False
        return True

    def _watch_time(self) -> None:
        """Starts the timeout of a message that has begun."""
        is_partial = not self.is_closed and not self.is_full and (bool(self._buffer) or self._message is not None)
        if is_partial and self._deadline is None:
            self._deadline = self._loop.call_later(self._seconds_max, self._give_up)
        elif not is_partial and self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self.close(Code.TOO_SLOW, f"a message has to arrive within {self._seconds_max:g} seconds")

    def _read_frame(self) -> bool:
        """Reads one frame from the buffer if it is complete. Raises _Broken."""
        buffer = self._buffer
        if len(buffer) < 2:
            return False
        flags, short = buffer[0], buffer[1]
        if flags & 0x70:
            raise _Broken(Code.PROTOCOL_ERROR, "no extension was agreed upon")
        if not short & 0x80:
            raise _Broken(Code.PROTOCOL_ERROR, "frames of clients are masked")
        try:
            opcode = Opcode(flags & 0x0F)
        except ValueError:
            raise _Broken(Code.PROTOCOL_ERROR, "there is no such frame") from None
        length, begin = short & 0x7F, 2
        if length == 126:
            length, begin = int.from_bytes(buffer[2:4], "big"), 4
        elif length == 127:
            length, begin = int.from_bytes(buffer[2:10], "big"), 10
        if len(buffer) < begin:
            return False
        self._check_length(opcode, bool(flags & 0x80), length, len(buffer) - begin - 4)
        end = begin + 4 + length
        if len(buffer) < end:
            return False
        payload = _unmask(buffer[begin + 4 : end], bytes(buffer[begin : begin + 4]))
        del buffer[:end]
        self._take_frame(opcode, bool(flags & 0x80), payload)
        return True

    def _check_length(self, opcode: Opcode, is_last: bool, length: int, here: int) -> None:
        """Raises _Broken."""
        if opcode >= Opcode.CLOSE:
            if length > CONTROL_BYTES_MAX or not is_last:
                raise _Broken(Code.PROTOCOL_ERROR, "control frames are short and whole")
            return
        if (opcode == Opcode.CONTINUATION) != (self._message is not None):
            raise _Broken(Code.PROTOCOL_ERROR, "fragments of a message follow one another")
        before = len(self._message or b"")
        if before + length > self._bytes_max:
            raise _Broken(Code.TOO_BIG, f"a message may hold {self._bytes_max} bytes")
        try:
            self._charge(before + max(0, min(here, length)))
        except Exception as error:
            raise _Broken(Code.TRY_AGAIN_LATER, str(error)) from error

    def _take_frame(self, opcode: Opcode, is_last: bool, payload: bytes) -> None:
        if opcode == Opcode.CLOSE:
            self.close(int.from_bytes(payload[:2], "big") or 1000, "")
        elif opcode == Opcode.PING:
            transport = self._connection.transport
            if transport is not None and transport.get_write_buffer_size() < PONGS_UNREAD_BYTES:
                self._write(Opcode.PONG, payload)
        elif opcode != Opcode.PONG:
            if self._message is None:
                self._opcode, self._message = opcode, bytearray()
            self._message += payload
            if is_last:
                self._complete = self._opcode, bytes(self._message)
                self._message = None
                self._wake()

    # What the server does

    async def receive(self) -> tuple[Opcode, bytes] | None:
        """The next text or binary message; None when there will be no more."""
        while self._complete is None:
            if self.is_closed:
                return None
            self._arrived = self._loop.create_future()
            await self._arrived
        message, self._complete = self._complete, None
        self._connection.wake()
        return message

    async def send(self, text: bytes) -> None:
        """Sends a text message; returns when there is room for another one. Raises ConnectionError."""
        if self.is_closed:
            raise ConnectionResetError("the websocket is closed")
        self._write(Opcode.TEXT, text)
        await self._connection.drain()

    def close(self, code: int = 1000, why: str = "") -> None:
        """Sends a close frame, and closes the connection when that is read or after a timeout."""
        transport = self._connection.transport
        if self.is_closed or transport is None:
            self._end()
            return
        self._write(Opcode.CLOSE, code.to_bytes(2, "big") + why.encode()[: CONTROL_BYTES_MAX - 2])
        self._end()
        transport.close()
        self._loop.call_later(CLOSE_SECONDS, transport.abort)

    def _write(self, opcode: Opcode, payload: bytes) -> None:
        transport = self._connection.transport
        if transport is not None:
            transport.write(_frame_head(opcode, len(payload)))
            transport.write(payload)

    def _beat(self) -> None:
        """Sends a ping; aborts the connection when nothing was received since the last one (keep-alive)."""
        transport = self._connection.transport
        if transport is None or self.is_closed:
            return
        if not self._is_alive:
            transport.abort()
            return
        self._is_alive = False
        self._write(Opcode.PING, b"")
        self._heartbeat = self._loop.call_later(HEARTBEAT_SECONDS, self._beat)

    def _end(self) -> None:
        self.is_closed = True
        self._heartbeat.cancel()
        self._buffer.clear()
        self._message = None
        self._charge = _charge_nothing  # Breaks a reference cycle.
        self._watch_time()
        self._wake()

    def _wake(self) -> None:
        if self._arrived is not None and not self._arrived.done():
            self._arrived.set_result(None)
        self._arrived = None


def _charge_nothing(size: int) -> None:
    """Charges nothing."""


def _unmask(data: bytearray, mask: bytes) -> bytes:
    """Unmasks data; four strides of 4 MB take a third of the time of one large integer."""
    for place, byte in enumerate(mask):
        data[place::4] = data[place::4].translate(_XOR[byte])
    return bytes(data)


_XOR: Final = tuple(bytes(byte ^ mask for byte in range(256)) for mask in range(256))


def _frame_head(opcode: Opcode, length: int) -> bytes:
    first = bytes((0x80 | opcode,))
    if length < 126:
        return first + bytes((length,))
    if length < 1 << 16:
        return first + b"\x7e" + length.to_bytes(2, "big")
    return first + b"\x7f" + length.to_bytes(8, "big")


class Upgrade(web.StreamResponse):
    """The response that upgrades a connection to a websocket."""

    _length_check = False

    def __init__(self, request: web.BaseRequest) -> None:
        """Raises ValueError for an invalid upgrade request."""
        key = request.headers.get("Sec-WebSocket-Key", "")
        try:
            is_key = len(base64.b64decode(key, validate=True)) == 16
        except ValueError:
            is_key = False
        if not is_key or request.headers.get("Sec-WebSocket-Version") != VERSION:
            raise ValueError(f"a websocket begins with Sec-WebSocket-Version {VERSION} and a Sec-WebSocket-Key")
        digest = hashlib.sha1(key.encode() + MAGIC).digest()
        headers = {
            "Upgrade": "websocket",
            "Connection": "upgrade",
            "Sec-WebSocket-Accept": base64.b64encode(digest).decode(),
        }
        super().__init__(status=101, headers=headers)
        self.force_close()
