"""Spoils bytes and JSON values in the ways that find faults: flips, extremes, wrong lengths, splices, repetitions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

SIZE_MAX = 200_000
"""Spoiled input does not grow beyond this."""

EDITS_MAX = 6

NUMBERS = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
)
TEXTS = (
    "",
    " ",
    "\0",
    "alice",
    "initminer",
    "temp",
    "null",
    "a" * 17,
    "x" * 5_000,
    "1.000 STEEM",
    "-1.000 SBD",
    "0.000000 VESTS",
    "99999999999999999999.999 STEEM",
    "@@000000021",
    "1970-01-01T00:00:00",
    "2106-02-07T06:28:15",
    "9999-99-99T99:99:99",
    "00" * 20,
    "f" * 40,
    "STM1111111111111111111111111111111114T1Anm",
    "\ud7ff\U0001f642" * 9,
    "NaN",
    "1e400",
    "0x10",
    '{"a":',
    "[[[[",
)


def pack_varint(value: int) -> bytes:
    """A length as the wire carries it, also one that is too large for it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Mutator:
    """Spoils bytes; `samples` are what pieces are taken from."""

    def __init__(self, random: Random, samples: Sequence[bytes]) -> None:
        self.random = random
        self.samples = samples
        self._edits: tuple[Callable[[bytearray], None], ...] = (
            self._flip,
            self._flip,
            self._set_byte,
            self._set_number,
            self._set_number,
            self._set_length,
            self._set_length,
            self._add,
            self._remove,
            self._remove,
            self._cut,
            self._repeat,
            self._splice,
            self._splice,
            self._swap,
        )

    def spoil(self, data: bytes | bytearray) -> bytes:
        """The bytes with one to six edits; now and then as they were."""
        result = bytearray(data)
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 2, 3, EDITS_MAX))):
            self.random.choice(self._edits)(result)
            del result[SIZE_MAX:]
        return bytes(result)

    def pick(self) -> bytes:
        """A sample, spoiled."""
        return self.spoil(self.random.choice(self.samples))

    def _place(self, data: bytearray) -> int:
        """Somewhere in the data, oftener near its beginning, where lengths and counts are."""
        limit = len(data) + 1
        return self.random.randrange(min(limit, 64)) if self.random.random() < 0.5 else self.random.randrange(limit)

    def _flip(self, data: bytearray) -> None:
        if data:
            data[self.random.randrange(len(data))] ^= 1 << self.random.randrange(8)

    def _set_byte(self, data: bytearray) -> None:
        if data:
            data[self.random.randrange(len(data))] = self.random.choice((0, 1, 0x7F, 0x80, 0xFF, self._byte()))

    def _byte(self) -> int:
        return self.random.randrange(256)

    def _set_number(self, data: bytearray) -> None:
        """Overwrites 1, 2, 4 or 8 bytes with an extreme, in either order of bytes."""
        size = self.random.choice((1, 2, 4, 4, 8, 8))
        value = self.random.choice(NUMBERS) & (1 << 8 * size) - 1
        at = self._place(data)
        data[at : at + size] = value.to_bytes(size, self.random.choice(("little", "big")))

    def _set_length(self, data: bytearray) -> None:
        """Puts another length where one may be."""
        at = self._place(data)
        value = self.random.choice((*NUMBERS, len(data), len(data) + 1, self.random.randrange(1 << 14)))
        data[at : at + self.random.randrange(3)] = pack_varint(value)

    def _add(self, data: bytearray) -> None:
        at = self._place(data)
        data[at:at] = self.random.randbytes(self.random.choice((1, 1, 2, 4, 20, 65, 300)))

    def _remove(self, data: bytearray) -> None:
        at = self._place(data)
        del data[at : at + self.random.choice((1, 1, 2, 4, 8, 20, 65))]

    def _cut(self, data: bytearray) -> None:
        del data[self._place(data) :]

    def _repeat(self, data: bytearray) -> None:
        at = self._place(data)
        piece = bytes(data[at : at + self.random.choice((1, 2, 20, 33, 100))])
        data[at:at] = piece * self.random.choice((1, 2, 10, 300))

    def _splice(self, data: bytearray) -> None:
        """Puts a piece of a sample into the data."""
        other = self.random.choice(self.samples)
        if not other:
            return
        begin = self.random.randrange(len(other))
        piece = other[begin : begin + self.random.choice((1, 4, 20, 33, 65, 200, len(other)))]
        at = self._place(data)
        data[at : at + self.random.choice((0, len(piece)))] = piece

    def _swap(self, data: bytearray) -> None:
        """Exchanges two pieces of equal length."""
        size = self.random.choice((1, 4, 8, 20, 33))
        if len(data) < 2 * size:
            return
        one, two = (self.random.randrange(len(data) - size + 1) for _ in range(2))
        data[one : one + size], data[two : two + size] = data[two : two + size], data[one : one + size]


class JsonMutator:
    """Spoils JSON values; `words` are texts and numbers that mean something to the receiver."""

    def __init__(self, random: Random, words: Sequence[Any]) -> None:
        self.random = random
        self.words = words

    def leaf(self) -> Any:
        """Any simple value."""
        return self.random.choice(
            (
                None,
                True,
                False,
                self.random.choice(NUMBERS),
                -self.random.choice(NUMBERS) // 2,
                self.random.random() * 10 ** self.random.randrange(-5, 20),
                self.random.choice(TEXTS),
                self.random.choice(self.words),
                self.random.choice(self.words),
            )
        )

    def value(self, depth: int = 0) -> Any:
        """Any value."""
        kind = self.random.random()
        if depth > 3 or kind < 0.6:
            return self.leaf()
        if kind < 0.8:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {str(self.random.choice(self.words)): self.value(depth + 1) for _ in range(self.random.randrange(4))}

    def spoil(self, value: Any) -> Any:
        """The value with something in it replaced, left out, doubled or nested."""
        if isinstance(value, dict) and value and self.random.random() < 0.9:
            return self._spoil_object(dict(value))
        if isinstance(value, list) and value and self.random.random() < 0.9:
            return self._spoil_array(list(value))
        choice = self.random.random()
        if choice < 0.1:
            return [value]
        if choice < 0.2:
            return str(value)
        return self.value()

    def _spoil_object(self, members: dict[str, Any]) -> dict[str, Any]:
        name = self.random.choice(list(members))
        choice = self.random.random()
        if choice < 0.15:
            del members[name]
        elif choice < 0.25:
            members[str(self.leaf())] = self.value()
        else:
            members[name] = self.spoil(members[name])
        return members

    def _spoil_array(self, members: list[Any]) -> list[Any]:
        at = self.random.randrange(len(members))
        choice = self.random.random()
        if choice < 0.15:
            del members[at]
        elif choice < 0.25:
            members.insert(at, self.value())
        elif choice < 0.3:
            members[at:at] = [members[at]] * self.random.choice((1, 3, 50))
        else:
            members[at] = self.spoil(members[at])
        return members
