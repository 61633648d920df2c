"""Packed reversible blocks of the main chain, kept in the state database to be applied again at the next start.

A block is written, without sync, when it is applied, and deleted when it is undone. Irreversible blocks stay until the
next commit, to repair the block log if it loses its tail.
"""

from collections.abc import Iterator
from struct import Struct

from state.engine.kv import Backend, Put

PREFIX = b"\x10"
_NUMBER = Struct(">I")
_END = bytes((PREFIX[0] + 1,))


def _key(number: int) -> bytes:
    return PREFIX + _NUMBER.pack(number)


def make_put(number: int, packed: bytes | None) -> Put:
    """The put that saves an applied block under its number; None deletes it."""
    return _key(number), packed


class ReversibleBlocks:
    """Packed blocks by number."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._numbers = {number for number, _packed in self.scan()}
        """Numbers with a stored block, so that a commit need not scan for them."""

    def write(self, blocks: dict[int, bytes | None]) -> None:
        """Saves and deletes (None) blocks, without sync."""
        self._numbers |= blocks.keys()
        self._backend.write([make_put(number, packed) for number, packed in blocks.items()], sync=False)

    def replace_all(self, blocks: dict[int, bytes]) -> None:
        """Replaces all stored blocks by these, with sync."""
        self._numbers |= blocks.keys()
        self._backend.write([make_put(number, blocks.get(number)) for number in sorted(self._numbers)], sync=True)
        self._numbers &= blocks.keys()

    def collect_deletes(self, last: int) -> list[Put]:
        """The deletes of all blocks up to a number; `finish_deletes` follows the write."""
        return [make_put(number, None) for number in sorted(self._numbers) if number <= last]

    def finish_deletes(self, last: int) -> None:
        """Called after the collected deletes were written."""
        self._numbers = {number for number in self._numbers if number > last}

    def find(self, number: int) -> bytes | None:
        """Returns a packed block, or None."""
        return self._backend.get(_key(number))

    def scan(self) -> Iterator[tuple[int, bytes]]:
        """Iterates over (number, packed block), ascending."""
        for key, packed in self._backend.scan(PREFIX, _END):
            yield int(_NUMBER.unpack(key[1:])[0]), packed
