"""Raw bytes of the main chain's newest blocks, kept in the state database so that a start can apply them again.

A row is written, without waiting for the disk, when a block is applied, and deleted when it is undone. Rows of blocks
that became irreversible stay until the next commit: should the block log lose its tail, they mend it.
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
    """What keeps a block that was applied, in the place of another one of its number; None forgets one."""
    return _key(number), packed


class ReversibleBlocks:
    """Packed blocks by number."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._numbers = {number for number, _packed in self.scan()}
        """Numbers of which there may be a block, so that a commit need not look for them."""

    def write(self, blocks: dict[int, bytes | None]) -> None:
        """Keeps and forgets (None) blocks, without waiting for the disk."""
        self._numbers |= blocks.keys()
        self._backend.write([make_put(number, packed) for number, packed in blocks.items()], sync=False)

    def replace_all(self, blocks: dict[int, bytes]) -> None:
        """Makes these the only blocks, and waits for the disk."""
        self._numbers |= blocks.keys()
        self._backend.write([make_put(number, blocks.get(number)) for number in sorted(self._numbers)], sync=True)
        self._numbers &= blocks.keys()

    def collect_deletes(self, last: int) -> list[Put]:
        """The deletes of all blocks up to a number; `finish_deletes` follows when they are written."""
        return [make_put(number, None) for number in sorted(self._numbers) if number <= last]

    def finish_deletes(self, last: int) -> None:
        """Accounts for the deletes that were collected."""
        self._numbers = {number for number in self._numbers if number > last}

    def find(self, number: int) -> bytes | None:
        """Returns a packed block, or None."""
        return self._backend.get(_key(number))

    def scan(self) -> Iterator[tuple[int, bytes]]:
        """Iterates over (number, packed block), ascending."""
        for key, packed in self._backend.scan(PREFIX, _END):
            yield int(_NUMBER.unpack(key[1:])[0]), packed
